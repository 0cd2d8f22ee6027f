"""Saving loses nothing; loading trusts nothing."""

import json
import os
import signal
import subprocess
import sys
import zipfile

import keras
import numpy as np
import pytest

from keras_course.core import serial
from keras_course.core.errors import CorruptArtifact, ForbiddenClassError


@pytest.fixture
def model():
    return keras.Sequential([keras.layers.Input((3,)), keras.layers.Dense(2, activation="relu")])


def test_a_saved_model_comes_back_equal_and_the_manifest_vouches_for_it(model, tmp_path):
    path = tmp_path / "model.keras"
    serial.save_model(model, path)
    x = np.ones((2, 3), "float32")
    np.testing.assert_array_equal(serial.load(path)(x), model(x))
    entry = json.loads((tmp_path / "manifest.json").read_text())["model.keras"]
    assert entry == [{"sha256": serial.sha256_of(path), "size": path.stat().st_size}]


def test_every_corruption_of_one_byte_is_caught(model, tmp_path):
    path = tmp_path / "model.keras"
    serial.save_model(model, path)
    good = path.read_bytes()
    for position in np.linspace(0, len(good) - 1, 25, dtype=int):
        bad = bytearray(good)
        bad[position] ^= 0x10
        path.write_bytes(bad)
        with pytest.raises(CorruptArtifact, match="sha256"):
            serial.load(path)


@pytest.mark.parametrize("damage", ["truncated", "empty", "missing", "not an archive"])
def test_a_damaged_file_is_one_class_of_error(model, tmp_path, damage):
    path = tmp_path / "model.keras"
    serial.save_model(model, path)
    if damage == "truncated":
        path.write_bytes(path.read_bytes()[:-100])
    elif damage == "empty":
        path.write_bytes(b"")
    elif damage == "missing":
        path.unlink()
    else:
        (tmp_path / "manifest.json").unlink()
        path.write_bytes(b"no zip at all")
    with pytest.raises(CorruptArtifact):
        serial.load(path)


def test_a_refused_save_leaves_the_old_file(model, tmp_path):
    path = tmp_path / "model.keras"
    serial.save_model(model, path)
    before = path.read_bytes()

    class Unsaveable(keras.Model):
        def save(self, path):
            with open(path, "wb") as file:
                file.write(b"half")
            raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        serial.save_model(Unsaveable(), path)
    assert path.read_bytes() == before
    serial.check_manifest(path)
    assert sorted(os.listdir(tmp_path)) == ["manifest.json", "model.keras"]


_KILLED = """
import os, signal, sys
from pathlib import Path
from keras_course.core import serial
path, stage = Path(sys.argv[1]), sys.argv[2]
replace = os.replace
def stop(source, target):
    kind = "manifest" if str(target).endswith("manifest.json") else "file"
    stop.seen = getattr(stop, "seen", []) + [kind]
    when = {"before the manifest": 1, "before the file": 2, "before the end": 3}
    if len(stop.seen) == when[stage]:
        os.kill(os.getpid(), signal.SIGKILL)
    replace(source, target)
os.replace = stop
serial.write_with_manifest(path, lambda temporary: temporary.write_bytes(b"new"))
"""


@pytest.mark.parametrize("stage", ["before the manifest", "before the file", "before the end"])
def test_a_process_killed_at_any_rename_leaves_a_file_the_manifest_vouches_for(tmp_path, checkout, stage):
    path = tmp_path / "artefact.bin"
    serial.write_with_manifest(path, lambda temporary: temporary.write_bytes(b"old"))
    result = subprocess.run(
        [sys.executable, "-c", _KILLED, str(path), stage], cwd=checkout, env={**os.environ, "PYTHONPATH": str(checkout)}
    )
    assert result.returncode == -signal.SIGKILL
    serial.check_manifest(path)
    assert path.read_bytes() == (b"new" if stage == "before the end" else b"old")


def test_twenty_saves_killed_in_a_row_leave_the_old_file_and_the_next_one_succeeds(tmp_path, checkout):
    path = tmp_path / "artefact.bin"
    serial.write_with_manifest(path, b"old")
    environment = {**os.environ, "PYTHONPATH": str(checkout)}
    generator = np.random.default_rng(4)
    for stage in generator.choice(["before the manifest", "before the file"], 20):
        result = subprocess.run([sys.executable, "-c", _KILLED, str(path), stage], cwd=checkout, env=environment)
        assert result.returncode == -signal.SIGKILL
        serial.check_manifest(path)
        assert path.read_bytes() == b"old"
    serial.write_with_manifest(path, b"newer")
    serial.check_manifest(path)
    assert path.read_bytes() == b"newer"


def _rewrite_config(path, change):
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    config = json.loads(members["config.json"])
    change(config["config"]["layers"][-1])
    members["config.json"] = json.dumps(config)
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    (path.parent / "manifest.json").unlink(missing_ok=True)


@pytest.mark.parametrize(
    "named",
    [
        {"module": "os", "class_name": "system", "registered_name": None},
        {"module": "keras.layers", "class_name": "Lambda", "registered_name": None},
        {"module": "keras.layers", "class_name": "TFSMLayer", "registered_name": None},
        {"module": "somewhere", "class_name": "Layer", "registered_name": "evil>Layer"},
        {"module": "keras_course.core", "class_name": "X", "registered_name": "keras_course>NeverRegistered"},
        {"module": "builtins", "class_name": "function", "registered_name": "function", "config": "eval"},
    ],
    ids=lambda named: named["class_name"],
)
def test_a_file_that_names_a_class_outside_the_list_is_refused_before_anything_is_built(model, tmp_path, named):
    path = tmp_path / "model.keras"
    serial.save_model(model, path)
    _rewrite_config(path, lambda layer: layer.update(named))
    with pytest.raises(ForbiddenClassError, match="Nothing was built"):
        serial.load(path)


def test_a_forbidden_layer_hidden_in_a_wrapper_is_found(model, tmp_path):
    path = tmp_path / "model.keras"
    serial.save_model(model, path)
    inner = {"module": "keras.layers", "class_name": "TFSMLayer", "config": {"filepath": "/tmp/x"}}
    _rewrite_config(path, lambda layer: layer["config"].update(layer=inner))
    with pytest.raises(ForbiddenClassError, match="TFSMLayer"):
        serial.load(path)


class Doubling(keras.layers.Layer):
    def call(self, inputs):
        return 2 * inputs


def test_a_users_own_class_loads_once_it_is_allowed(tmp_path):
    model = keras.Sequential([keras.layers.Input((3,)), Doubling()])
    serial.save_model(model, tmp_path / "model.keras")
    with pytest.raises(ForbiddenClassError, match="Doubling"):
        serial.load(tmp_path / "model.keras")
    assert float(serial.load(tmp_path / "model.keras", allow=[Doubling])(np.ones((1, 3)))[0, 0]) == 2.0


def test_a_registration_name_cannot_be_taken_twice():
    @serial.register("TakenForATest")
    class First(keras.layers.Layer):
        pass

    with pytest.raises(ValueError, match="registered already"):

        @serial.register("TakenForATest")
        class Second(keras.layers.Layer):
            pass


def test_only_keras_files_are_written(model, tmp_path):
    with pytest.raises(ValueError, match=r"\.keras files"):
        serial.save_model(model, tmp_path / "model.h5")


def test_a_model_of_ours_comes_back_compiled_with_its_optimizer(tmp_path):
    from keras_course.losses.softmax import SoftmaxLoss
    from keras_course.models.vision.lenet import LeNet

    model = LeNet()
    model.compile(keras.optimizers.Adam(0.01), SoftmaxLoss(), metrics=["accuracy"])
    x, y = np.ones((4, 8, 8, 1), "float32"), np.array([0, 1, 2, 3])
    model.fit(x, y, verbose=0)
    serial.save_model(model, tmp_path / "model.keras")
    loaded = serial.load(tmp_path / "model.keras")
    assert loaded.evaluate(x, y, verbose=0) == model.evaluate(x, y, verbose=0)
    assert int(loaded.optimizer.iterations) == 1
    for ours, theirs in zip(model.optimizer.variables, loaded.optimizer.variables, strict=True):
        np.testing.assert_array_equal(ours, theirs)
