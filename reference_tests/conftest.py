"""Shared fixtures; every test starts from the same seeds, dtype and threads."""

from __future__ import annotations

import os
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("MPLBACKEND", "Agg")

from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pytest


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

    floatx, policy = keras.config.floatx(), keras.config.dtype_policy()
    keras.utils.set_random_seed(0)
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
