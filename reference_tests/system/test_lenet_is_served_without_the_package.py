"""LeNet's SavedModel answers by three loaders in processes without keras_course, as the live model does."""

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from keras_course import datasets
from keras_course.models.vision.lenet import LeNet

SCRIPT = Path(__file__).with_name("call_without_the_package.py")


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    folder = tmp_path_factory.mktemp("served")
    model = LeNet(seed=1)
    model.export(folder / "lenet/1")
    images = datasets.load("digits").test.x
    for size in (1, 5):
        np.savez(folder / f"images{size}.npz", images=images[:size])
    np.save(folder / "images5.npy", images[:5])
    return model, folder, images


@pytest.fixture(scope="module")
def answers(served):
    """{size: what one process without the package answers to so many images}."""
    _, folder, _ = served
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    files = [str(folder / f"{name}{size}.npz") for size in (1, 5) for name in ("images", "answers")]
    subprocess.run(
        [sys.executable, str(SCRIPT), str(folder / "lenet/1"), *files], cwd=folder, env=environment, check=True
    )
    return {size: np.load(folder / f"answers{size}.npz") for size in (1, 5)}


@pytest.mark.parametrize("size", [1, 5])
def test_every_endpoint_and_the_session_loader_equal_the_live_model(served, answers, size):
    model, _, images = served
    answers = answers[size]
    expected = {
        name: np.asarray(value)
        for name, (function, _) in model.endpoints().items()
        for value in [function(images[:size])]
    }
    by_endpoint = {name.split("/")[0]: answers[name] for name in answers.files}
    assert set(by_endpoint) == {*expected, "session"}
    for name, value in {**expected, "session": expected["serving_default"]}.items():
        np.testing.assert_allclose(by_endpoint[name], value, rtol=1e-5, atol=1e-6, err_msg=name)


def test_the_command_line_tool_of_tensorflow_gives_the_same_answer(served):
    model, folder, images = served
    tool = Path(sys.executable).with_name("saved_model_cli")
    out = folder / "cli"
    command = [
        str(tool), "run", "--dir", str(folder / "lenet/1"), "--tag_set", "serve", "--signature_def", "serving_default",
        "--inputs", f"images={folder / 'images5.npy'}", "--outdir", str(out),
    ]  # fmt: skip
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    result = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr[-1000:]
    assert re.search(r"Result for output key", result.stdout)
    (answer,) = [np.load(path) for path in out.glob("*.npy")]
    np.testing.assert_allclose(answer, model.probabilities(images[:5]), rtol=1e-5, atol=1e-6)
