"""Shared fixtures; every test starts from the same seeds, dtype and threads."""

from __future__ import annotations

import gc
import os
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("MPLBACKEND", "Agg")

from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pytest

# Python's collector goes through all of TensorFlow's objects again and again while modules are imported and graphs are
# traced: a quarter of the import, a twentieth of the tests. So it waits till all is imported, leaves that alone, and
# comes less often. A process of its own begins as Python does.
gc.disable()


def pytest_collection_finish() -> None:
    """All modules are imported: what is there now stays."""
    gc.freeze()
    gc.set_threshold(50_000, 20, 5)
    gc.enable()


@pytest.fixture(scope="session")
def checkout() -> Path:
    """The root of the checkout."""
    return Path(__file__).resolve().parent.parent


@pytest.fixture(autouse=True)
def _same_start(request: pytest.FixtureRequest):
    """Keras's global seeds and float dtype are state: no test inherits another's."""
    if "architecture" in str(request.path):
        yield
        return
    import keras

    from keras_course.testing.seeding import set_seeds

    floatx, policy = keras.config.floatx(), keras.config.dtype_policy()
    set_seeds(0)
    yield
    keras.config.set_floatx(floatx)
    keras.config.set_dtype_policy(policy)


@pytest.fixture
def dice(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Adds an experiment of no time to the catalogue, `dice`; gives its module, so that a test can exchange parts."""
    import numpy as np
    from matplotlib.figure import Figure

    from keras_course import catalog
    from keras_course.experiments.table import Table

    @dataclass(frozen=True)
    class Config:
        throws: int = 60
        sides: tuple[int, ...] = (6, 20)
        seed: int = 0

        @classmethod
        def tiny(cls) -> Config:
            return cls(throws=5)

    def run(config: Config) -> Table:
        rng = np.random.default_rng(config.seed)
        means = [float(rng.integers(1, sides + 1, config.throws).mean()) for sides in config.sides]
        columns = {"die": [f"<{sides}>" for sides in config.sides], "mean": means}
        return Table("dice", columns, lambda table: Figure(), {"mean of all": float(np.mean(means))})

    module = ModuleType("experiment_of_a_test")
    module.Config, module.run = Config, run
    monkeypatch.setitem(sys.modules, module.__name__, module)
    entry = catalog.Entry(
        "dice", "Thrown dice", shape="experiment", object="nowhere:run", recipe="experiment_of_a_test:Config"
    )
    known = catalog.get
    monkeypatch.setattr(catalog, "get", lambda slug: entry if slug == "dice" else known(slug))
    return module


@pytest.fixture
def small_mnist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keras's loaders of MNIST and Fashion-MNIST find files of their own form that hold 120 digits, thrice as large.

    The digests that Keras knows are those of the real files, so the look into its cache is what is exchanged.
    """
    import gzip
    import importlib

    import numpy as np

    from keras_course.datasets import load

    digits = load("digits", seed=0)
    parts = {"train": (100, digits.train), "test": (20, digits.test)}
    arrays = {}
    for name, (count, part) in parts.items():
        large = np.kron(part.x[:count, ..., 0], np.ones((3, 3))) * 255
        arrays[f"x_{name}"] = np.pad(large, ((0, 0), (2, 2), (2, 2))).astype("uint8")
        arrays[f"y_{name}"] = np.arange(count, dtype="uint8") % 10
    np.savez(tmp_path / "mnist.npz", **arrays)
    for name, file in (("train", "train"), ("test", "t10k")):
        for letter, kind, header in (("x", "images-idx3", 16), ("y", "labels-idx1", 8)):
            content = bytes(header) + arrays[f"{letter}_{name}"].tobytes()
            (tmp_path / f"{file}-{kind}-ubyte.gz").write_bytes(gzip.compress(content))
    for module in ("mnist", "fashion_mnist"):
        found = importlib.import_module(f"keras.src.datasets.{module}")
        monkeypatch.setattr(found, "get_file", lambda fname, *args, **options: str(tmp_path / fname))
