"""MNIST and its kin: the interface with small stand-ins for Keras's arrays, and one clear line without a network."""

import socket
import types
import urllib.request

import numpy as np
import pytest

from keras_course.core.errors import CorruptDataError, MissingDataError
from keras_course.datasets import keras_sets, load

RNG = np.random.Generator(np.random.Philox(5))


def stand_in(monkeypatch, load_data):
    """Put `load_data` in the place of keras.datasets.<set>.load_data, without importing Keras."""
    monkeypatch.setattr(keras_sets.importlib, "import_module", lambda name: types.SimpleNamespace(load_data=load_data))


def small_arrays(image_shape, label_shape=()):
    def part(n):
        labels = (np.arange(n) % 10).astype("uint8").reshape(n, *label_shape)
        images = RNG.integers(0, 256, size=(n, *image_shape), dtype="uint8")
        images.flat[:2] = 0, 255
        return images, labels

    return part(200), part(50)


@pytest.mark.parametrize(
    ("name", "image_shape", "label_shape", "shape"),
    [
        ("mnist", (28, 28), (), (28, 28, 1)),
        ("fashion-mnist", (28, 28), (), (28, 28, 1)),
        ("cifar10", (32, 32, 3), (1,), (32, 32, 3)),
    ],
)
def test_fetched_sets_have_the_interface_of_the_bundled_ones(monkeypatch, name, image_shape, label_shape, shape):
    arrays = small_arrays(image_shape, label_shape)
    stand_in(monkeypatch, lambda: arrays)
    data = load(name, seed=1, validation=0.1)
    assert [len(part) for part in (data.train, data.validation, data.test)] == [180, 20, 50]
    for part in (data.train, data.validation, data.test):
        assert part.x.shape[1:] == shape and part.x.dtype == np.float32
        assert part.y.ndim == 1 and part.y.dtype == np.int32
        assert part.x.min() >= 0 and part.x.max() <= 1
    assert np.all(np.bincount(data.validation.y) == 2)
    assert (data.spec.name, data.spec.shape, data.spec.classes) == (name, shape, 10)
    assert len(data.spec.class_names) == 10 and len(data.spec.sha256) == 4


def test_the_official_test_set_stays_the_test_set_in_its_order(monkeypatch):
    arrays = small_arrays((28, 28))
    stand_in(monkeypatch, lambda: arrays)
    data = load("mnist")
    assert np.array_equal(np.round(data.test.x[..., 0] * 255), arrays[1][0])
    assert np.array_equal(data.test.y, arrays[1][1])


def test_validation_rows_are_cut_from_the_official_training_set(monkeypatch):
    arrays = small_arrays((28, 28))
    stand_in(monkeypatch, lambda: arrays)
    data = load("mnist", seed=3)
    pixels = np.round(np.concatenate([data.train.x, data.validation.x])[..., 0] * 255).astype("uint8")
    assert {image.tobytes() for image in pixels} == {image.tobytes() for image in arrays[0][0]}


def test_images_that_come_channels_first_are_turned_and_not_scrambled(monkeypatch):
    (x, y), (x_test, y_test) = small_arrays((32, 32, 3), (1,))
    stand_in(monkeypatch, lambda: ((x.transpose(0, 3, 1, 2), y), (x_test.transpose(0, 3, 1, 2), y_test)))
    assert np.array_equal(np.round(load("cifar10").test.x * 255), x_test)


def raising(error):
    def load_data():
        print("Downloading data from https://example.org/mnist.npz")
        raise error

    return load_data


@pytest.mark.parametrize(
    "error",
    [
        Exception("URL fetch failure on https://example.org: None -- [Errno -2]\nName or service not known"),
        TimeoutError("timed out"),
        PermissionError("read-only file system"),
    ],
)
def test_without_network_one_line_says_what_is_needed_and_where_keras_looks(monkeypatch, capsys, tmp_path, error):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    stand_in(monkeypatch, raising(error))
    with pytest.raises(MissingDataError) as caught:
        load("mnist")
    message = str(caught.value)
    assert "\n" not in message
    assert str(tmp_path / "datasets") in message and "network" in message and "KERAS_HOME" in message
    assert caught.value.__cause__ is error
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    "error", [ValueError("Incomplete or corrupted file detected"), EOFError("Compressed file ended")]
)
def test_a_damaged_cache_is_told_apart_from_a_missing_one(monkeypatch, error):
    stand_in(monkeypatch, raising(error))
    with pytest.raises(CorruptDataError, match="are damaged: delete them and load again"):
        load("cifar10")


def test_an_interrupt_is_not_swallowed(monkeypatch):
    stand_in(monkeypatch, raising(KeyboardInterrupt()))
    with pytest.raises(KeyboardInterrupt):
        load("mnist")


def test_the_socket_timeout_holds_while_fetching_and_is_put_back(monkeypatch):
    during = []
    arrays = small_arrays((28, 28))
    stand_in(monkeypatch, lambda: during.append(socket.getdefaulttimeout()) or arrays)
    before = socket.getdefaulttimeout()
    load("mnist")
    assert during == [keras_sets.SECONDS_WITHOUT_ANSWER]
    assert socket.getdefaulttimeout() == before


def test_the_real_keras_without_a_network_prints_nothing_and_raises_our_error(tmp_path, monkeypatch, capfd):
    pytest.importorskip("keras", reason="the fetched sets come through Keras")
    # A proxy where nobody listens: the failure of a machine without a network, and it needs none to fail.
    for variable in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(variable, "http://127.0.0.1:9")
    for variable in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr(urllib.request, "_opener", None)  # an opener made earlier remembers earlier proxies
    # Keras reads KERAS_HOME once, when imported; an earlier test may have imported it.
    monkeypatch.setattr("keras.src.backend.config._KERAS_DIR", str(tmp_path))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    capfd.readouterr()
    with pytest.raises(MissingDataError, match="URL fetch failure") as caught:
        load("mnist")
    assert "\n" not in str(caught.value) and str(tmp_path / "datasets") in str(caught.value)
    assert capfd.readouterr() == ("", "")
