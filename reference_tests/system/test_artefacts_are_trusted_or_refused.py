"""Every file a run leaves is right to the last bit, or refused by one error; a disk that fills up loses no file."""

import resource
import shutil
from contextlib import contextmanager

import keras
import numpy as np
import pytest

from keras_course.core import serial
from keras_course.core.errors import CorruptArtifact, RunFolderError
from keras_course.core.model import Model
from keras_course.models.perceptrons.mlp import MLP
from keras_course.pipeline.callbacks import HistoryFile
from keras_course.pipeline.checkpoint import Checkpoint, checkpoint_files, read_checkpoint, write_checkpoint
from keras_course.pipeline.export import export_model
from keras_course.pipeline.report import read_history
from keras_course.pipeline.run_folder import read_json, write_json
from keras_course.pipeline.training_state import arrays_of

FLIPS = 100


@pytest.fixture(scope="module")
def model():
    model = MLP(features=3, units=(4, 1), seed=2)
    model.compile("adam", "mse")
    model.optimizer.build(model.trainable_variables)
    return model


@pytest.fixture(scope="module")
def artefacts(model, tmp_path_factory):
    """{name: (file, the function that reads it)}."""
    folder = tmp_path_factory.mktemp("run")
    serial.save_model(model, folder / "model.keras")
    write_json(folder / "config.json", {"slug": "mlp", "seed": 3, "status": "finished"})
    write_json(folder / "metrics.json", {"test": {"loss": 0.25}})
    history = HistoryFile(folder / "history.csv")
    history.on_epoch_end(0, {"loss": 0.5})
    history.on_epoch_end(1, {"loss": 0.25})
    checkpoint = write_checkpoint(folder / "checkpoints", Checkpoint(1, 5, arrays_of(model), [("C", {"wait": 1})]))
    export = export_model(model, folder / "export", 1)
    return {
        "model.keras": (folder / "model.keras", serial.load),
        "config.json": (folder / "config.json", read_json),
        "metrics.json": (folder / "metrics.json", read_json),
        "history.csv": (folder / "history.csv", read_history),
        "checkpoint": (checkpoint, read_checkpoint),
        "graph of the SavedModel": (export / "saved_model.pb", lambda _: serial.load_exported(export)),
        "weights of the SavedModel": (
            export / "variables" / "variables.data-00000-of-00001",
            lambda _: serial.load_exported(export),
        ),
    }


ARTEFACTS = (
    "model.keras", "config.json", "metrics.json", "history.csv", "checkpoint", "graph of the SavedModel",
    "weights of the SavedModel",
)  # fmt: skip


@pytest.mark.parametrize("name", ARTEFACTS)
def test_a_hundred_flipped_bits_and_every_truncation_are_one_error(artefacts, name):
    path, read = artefacts[name]
    good = path.read_bytes()
    generator = np.random.default_rng(0)
    damaged = []
    for position, bit in zip(generator.integers(0, len(good), FLIPS), generator.integers(0, 8, FLIPS), strict=True):
        flipped = bytearray(good)
        flipped[position] ^= 1 << bit
        damaged.append(bytes(flipped))
    damaged += [good[:length] for length in (0, 1, len(good) // 3, len(good) - 1)] + [good + b"\0"]
    try:
        for content in damaged:
            path.write_bytes(content)
            with pytest.raises(CorruptArtifact, match="cannot be trusted"):
                read(path)
    finally:
        path.write_bytes(good)
    read(path)


def test_a_missing_or_added_file_of_an_export_is_noticed(artefacts, tmp_path):
    shutil.copytree(artefacts["graph of the SavedModel"][0].parent, tmp_path / "1")
    assert serial.load_exported(tmp_path / "1").signatures["serving_default"] is not None
    (tmp_path / "1" / "assets" / "more").parent.mkdir(exist_ok=True)
    (tmp_path / "1" / "assets" / "more").write_text("x")
    with pytest.raises(CorruptArtifact, match="assets/more cannot be trusted: the manifest does not list it"):
        serial.load_exported(tmp_path / "1")
    (tmp_path / "1" / "assets" / "more").unlink()
    (tmp_path / "1" / "fingerprint.pb").unlink()
    with pytest.raises(CorruptArtifact, match="fingerprint.pb cannot be trusted: .*it is missing"):
        serial.load_exported(tmp_path / "1")
    (tmp_path / "1" / "assets.extra" / "manifest.json").unlink()
    with pytest.raises(CorruptArtifact, match="not exported by this package"):
        serial.load_exported(tmp_path / "1")


@contextmanager
def disk_of(size):
    """No file may grow beyond `size` bytes, as on a full disk: writing more is an OSError."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.fixture(scope="module")
def larger():
    return MLP(features=30, units=(400, 1), seed=5)


@pytest.mark.parametrize("size", [0, 20_000])
def test_a_full_disk_loses_no_earlier_file(model, larger, tmp_path, size):
    serial.save_model(model, tmp_path / "model.keras")
    write_checkpoint(tmp_path / "checkpoints", Checkpoint(0, 1, arrays_of(model)))
    export = export_model(model, tmp_path / "export", 1)
    with disk_of(size):
        with pytest.raises(OSError):
            serial.save_model(larger, tmp_path / "model.keras")
        with pytest.raises(OSError):
            write_checkpoint(tmp_path / "checkpoints", Checkpoint(0, 2, arrays_of(larger)))
        with pytest.raises(RunFolderError, match="cannot be written: "):
            export_model(larger, tmp_path / "export", 2)
    x = np.ones((2, 3), "float32")
    np.testing.assert_array_equal(serial.load(tmp_path / "model.keras")(x), model(x))
    assert [read_checkpoint(path).steps for path in checkpoint_files(tmp_path / "checkpoints")] == [1]
    assert serial.load_exported(export) and [path.name for path in (tmp_path / "export").iterdir()] == ["1"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["checkpoints", "export", "manifest.json", "model.keras"]


def test_an_export_over_an_earlier_one_survives_a_full_disk(model, larger, tmp_path):
    assert isinstance(larger, Model) and isinstance(model, keras.Model)
    model.export(tmp_path / "1")
    with disk_of(2_000), pytest.raises(Exception, match=r".+"):
        larger.export(tmp_path / "1")
    serial.load_exported(tmp_path / "1")
