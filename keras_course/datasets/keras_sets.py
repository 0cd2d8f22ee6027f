"""MNIST, Fashion-MNIST and CIFAR-10 through `keras.datasets`, behind the interface of the bundled sets.

    x = pixels / 255 in [0, 1], (N, H, W, C) float32;   y int32 (N,)

The official test set stays the test set; validation rows are cut, stratified, from the official training set. Keras
fetches the files on first use and keeps them below `$KERAS_HOME` (by default ~/.keras); without a network and without
that cache, one line says so.
"""

from __future__ import annotations

import contextlib
import gzip
import importlib
import io
import logging
import os
import pickle
import socket
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from keras_course.core.errors import CorruptDataError, MissingDataError
from keras_course.datasets.arrays import digest
from keras_course.datasets.dataset import Dataset, Spec, Split
from keras_course.datasets.split import split_rows

SECONDS_WITHOUT_ANSWER = 30.0

# What parsing a truncated or altered file raises, before and after Keras compares its digest.
_DAMAGED = (ValueError, KeyError, EOFError, gzip.BadGzipFile, zipfile.BadZipFile, zlib.error, pickle.UnpicklingError)

_log = logging.getLogger(__name__)


class _Source(NamedTuple):
    module: str
    shape: tuple[int, int, int]
    class_names: tuple[str, ...]


KERAS_SETS = {
    "mnist": _Source("keras.datasets.mnist", (28, 28, 1), tuple("0123456789")),
    "fashion-mnist": _Source(
        "keras.datasets.fashion_mnist",
        (28, 28, 1),
        (
            "T-shirt/top",
            "trouser",
            "pullover",
            "dress",
            "coat",
            "sandal",
            "shirt",
            "sneaker",
            "bag",
            "ankle boot",
        ),
    ),
    "cifar10": _Source(
        "keras.datasets.cifar10",
        (32, 32, 3),
        ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"),
    ),
}


def load_keras_set(name: str, seed: int = 0, validation: float = 0.1) -> Dataset:
    """One of `KERAS_SETS`, from Keras's cache or over the network.

    Args:
        name: "mnist", "fashion-mnist" or "cifar10".
        seed: int, seed of the cut between training and validation rows.
        validation: float in (0, 1), share of the official training set.

    Returns:
        `Dataset`; `spec.sha256` holds digests of the four arrays as Keras gave them.

    Raises:
        MissingDataError: if it is neither cached nor reachable.
        CorruptDataError: if the cached or fetched file is damaged.
    """
    source = KERAS_SETS[name]
    (x, y), (x_test, y_test) = _fetch(name, source)
    spec = Spec(
        name,
        task="classification",
        shape=source.shape,
        classes=len(source.class_names),
        class_names=source.class_names,
        seed=seed,
        sha256={
            f"{name}/x_train": digest(x),
            f"{name}/y_train": digest(y),
            f"{name}/x_test": digest(x_test),
            f"{name}/y_test": digest(y_test),
        },
    )
    rows = split_rows(y.reshape(-1), seed, validation, test=0.0)
    return Dataset(
        train=_split(x[rows.train], y[rows.train], source),
        validation=_split(x[rows.validation], y[rows.validation], source),
        test=_split(x_test, y_test, source),
        spec=spec,
    )


def cache_folder() -> Path:
    """Where Keras keeps downloaded data sets."""
    return Path(os.environ.get("KERAS_HOME", "~/.keras")).expanduser() / "datasets"


def _split(pixels: NDArray[np.uint8], labels: NDArray[Any], source: _Source) -> Split:
    # MNIST comes without a channel axis, labels of CIFAR-10 come as (N, 1), and its images come channels first where
    # Keras is configured so: a plain reshape would scramble them.
    height, width, channels = source.shape
    if pixels.shape[1:] == (channels, height, width):
        pixels = np.moveaxis(pixels, 1, -1)
    x = pixels.reshape(len(pixels), *source.shape).astype("float32")
    x /= 255  # in place: a training set takes 600 MB
    return Split(x, labels.reshape(-1).astype("int32"))


def _fetch(name: str, source: _Source) -> tuple[tuple[NDArray[Any], NDArray[Any]], tuple[NDArray[Any], NDArray[Any]]]:
    _log.info("Loading %s from %s, or over the network.", name, cache_folder())
    module = importlib.import_module(source.module)
    try:
        with _quiet(), _impatient():
            train, test = module.load_data()
    except _DAMAGED as error:
        raise CorruptDataError(
            f"The cached files of {name!r} below {cache_folder()} are damaged: delete them and load again. "
            f"Received: {_one_line(error)}"
        ) from error
    except Exception as error:  # Keras raises a bare Exception when a download fails
        raise MissingDataError(
            f"Data set {name!r} is not in {cache_folder()} and could not be fetched: connect to the network once, or "
            f"copy Keras's files there (KERAS_HOME names another place). Received: {_one_line(error)}"
        ) from error
    return train, test


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep the progress bar and 'Downloading data from ...' of Keras off stdout."""
    with contextlib.redirect_stdout(io.StringIO()):
        yield


@contextlib.contextmanager
def _impatient() -> Iterator[None]:
    """Give a silent server up after a while: urllib under Keras would wait for ever."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(SECONDS_WITHOUT_ANSWER)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__
