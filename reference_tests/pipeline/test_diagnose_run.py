"""A run is diagnosed in its own folder, from Python and from the command line."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

from keras_course.cli.main import main
from keras_course.core.errors import KerasCourseError
from keras_course.datasets import Split
from keras_course.models.recurrent.seq2seq import Seq2Seq
from keras_course.pipeline import diagnose_run as diagnosis
from keras_course.pipeline.diagnose_run import DiagnosedRun, diagnose_run
from keras_course.pipeline.fit import fit


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "softmax"
    fit("softmax-regression", out=folder, epochs=1, progress=False)
    return folder


def test_a_run_too_short_is_told_to_gain_capacity_not_data(run):
    found = diagnose_run(run, steps=5)
    assert isinstance(found, DiagnosedRun) and found.advice == "capacity"
    assert found.start.faults == () and len(found.worst) == 12 and set(found.errors) == {"train", "validation"}
    written = json.loads((run / "diagnosis.json").read_text())
    assert written["advice"].startswith("poor on the training data") and written["faults_at_the_start"] == []
    assert [path.name for path in found.figures] == ["diagnosis.png", "worst_mistakes.png"]
    assert all(path.stat().st_size > 10_000 for path in found.figures)


def test_the_command_prints_faults_errors_and_advice(run, capsys):
    assert main(["diagnose", str(run), "--steps", "3"]) == 0
    printed = capsys.readouterr().out
    assert "no fault found at the start" in printed and "advice" in printed and "diagnosis.json" in printed


def test_a_folder_without_a_run_is_one_clear_error(tmp_path, capsys):
    assert main(["diagnose", str(tmp_path)]) == 2
    assert "not a run folder" in capsys.readouterr().err


def test_a_model_that_is_shown_the_targets_in_training_is_refused_in_words():
    model = Seq2Seq(["a"], ["b"], units=2, embedding=2, max_length=3)
    model.compile("sgd")
    with pytest.raises(KerasCourseError, match="'seq2seq' cannot be diagnosed: .* shown to it in training"):
        diagnosis._require_loss_of_outputs(model, Split(np.full((2, 3), 4), np.full((2, 4), 4)), "seq2seq")


def test_a_class_for_each_step_of_a_sequence_is_no_image():
    spec = SimpleNamespace(shape=(27, 5), label_shape=(27, 4), classes=3)
    assert diagnosis._worst_images(SimpleNamespace(dataset=SimpleNamespace(spec=spec))) is None
