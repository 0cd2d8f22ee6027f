"""A run is diagnosed in its own folder, from Python and from the command line."""

import json
from types import SimpleNamespace

import keras
import numpy as np
import pytest

from keras_course.cli.main import main
from keras_course.core.errors import KerasCourseError
from keras_course.datasets import Split
from keras_course.layers.windowed_lstm import WindowedLSTM
from keras_course.models.recurrent.rnn_search import RNNSearch
from keras_course.models.recurrent.seq2seq import Seq2Seq
from keras_course.pipeline import diagnose_run as diagnosis
from keras_course.pipeline.diagnose import Limits, _of_data
from keras_course.pipeline.diagnose_run import DiagnosedRun, diagnose_run
from keras_course.pipeline.fit import fit
from keras_course.pipeline.probe import layer_outputs, loss_and_gradients, loss_of, unit_activity
from keras_course.pipeline.worst_examples import worst_examples


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


@pytest.fixture(scope="module")
def decoder():
    """An encoder-decoder of its first weights, 6 sources (6, 3) and targets (6, 4), their ends and padding included."""
    model = Seq2Seq(["a", "b"], ["c", "d", "e"], units=4, embedding=3, max_length=4, seed=1)
    model.compile("sgd")
    rng = np.random.default_rng(0)
    x, y = rng.integers(4, 6, (6, 3)), rng.integers(4, 7, (6, 4))
    y[:, 3], y[0, 1:] = 2, (2, 0, 0)
    return model, x, y


def test_a_decoder_is_looked_at_as_it_is_taught(decoder):
    model, x, y = decoder
    loss, gradients = loss_and_gradients(model, x, y)
    assert float(loss) == pytest.approx(model.evaluate(x, y, verbose=0, return_dict=True)["loss"], rel=1e-5)
    weight = model.target_embedding.embeddings  # a table: its gradient comes as some of its rows
    place, kept, h = next(i for i, w in enumerate(model.trainable_variables) if w is weight), weight.numpy(), 1e-2
    moved = []
    for side in (h, -h):
        weight.assign(kept + side * np.eye(*kept.shape)[[1] * len(kept)] * (np.arange(len(kept)) == 4)[:, None])
        moved.append(float(loss_of(model, x, y)))
    weight.assign(kept)
    assert float(gradients[place][4, 1]) == pytest.approx((moved[0] - moved[1]) / (2 * h), abs=2e-3)
    seen = {layer.layer.rpartition("/")[2]: layer for layer in unit_activity(model, x, y)}
    assert {"encoder", "decoder", "deep_output", "read_out"} <= set(seen) and seen["decoder"].units == 4
    assert seen["decoder"].dead == 0 and layer_outputs(model, x, y)[seen["decoder"].layer].shape == (6, 4, 4)


def test_the_worst_answers_of_a_decoder_are_told_in_words(decoder):
    model, x, y = decoder
    worst = worst_examples(model, x, y, count=6)
    by_hand = [float(loss_of(model, x[i : i + 1], y[i : i + 1])) for i in range(6)]
    assert [one.row for one in worst] == list(np.argsort(by_hand)[::-1]) and worst[-1].row == 0  # the shortest
    words = diagnosis._words(model, worst, x)[0]
    assert words["source"] == " ".join("ab"[i - 4] for i in x[0]) and words["target"] == "cde"[y[0, 0] - 4]
    assert words["answer"] == model.translate([words["source"]]).numpy()[0].decode()


class OwnTeacher(keras.Model):
    """Shown the targets in its own training step, of which nobody else knows."""

    def call(self, inputs):
        x, y = inputs
        return x + y

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        return keras.ops.mean((y - y_pred) ** 2)


def test_a_model_that_is_shown_the_targets_in_a_way_of_its_own_is_refused_in_words():
    model = OwnTeacher()
    model.compile("sgd")
    with pytest.raises(KerasCourseError, match="'mine' cannot be diagnosed: .* no method taught_inputs"):
        diagnosis._require_loss_of_outputs(model, Split(np.ones((3, 3)), np.ones((3, 3))), "mine")


def test_texts_have_no_labels_that_neighbours_could_share():
    x = np.random.default_rng(0).normal(size=(40, 3)).astype("float32")
    texts = np.random.default_rng(1).integers(3, 9, (40, 5))
    found = [list(_of_data(Split(x, y), Limits())) for y in (texts, texts[:, 0])]
    assert found[0] == [] and found[1][0].fault == "labels unrelated"


def test_a_class_for_each_step_of_a_sequence_is_no_image():
    spec = SimpleNamespace(shape=(27, 5), label_shape=(27, 4), classes=3)
    assert diagnosis._worst_images(SimpleNamespace(dataset=SimpleNamespace(spec=spec))) is None


class Reader(keras.Model):
    """A loop of its own around a cell: one that reads its inputs as the text, too."""

    def __init__(self):
        super().__init__()
        self.level = WindowedLSTM(3, window=2, cell="lstm", name="level")

    def call(self, x):
        return self.level(x, x)[0]


def test_cells_in_a_loop_of_the_models_own_are_seen_after_every_step(decoder):
    model, x = Reader(), np.random.default_rng(2).normal(size=(2, 5, 3)).astype("float32")
    h = model(x)
    (seen,) = unit_activity(model, x)
    assert seen.layer.endswith("level/cell") and seen.units == 3
    np.testing.assert_allclose(layer_outputs(model, x)[seen.layer], h, rtol=1e-6)
    assert "step" not in vars(model.level.cell)  # looked at, and left as it was

    search = RNNSearch(["a", "b"], ["c", "d", "e"], units=4, embedding=3, max_length=4, seed=1)
    search.compile("sgd")
    _, x, y = decoder
    found = layer_outputs(search, x, y)
    (cell,) = (path for path in found if path.endswith("/cell"))
    words = keras.ops.concatenate([keras.ops.full((6, 1), 1), y[:, :-1]], axis=1)
    np.testing.assert_allclose(found[cell], search._search(keras.ops.cast(x, "int32"), words)[0], rtol=1e-5)
