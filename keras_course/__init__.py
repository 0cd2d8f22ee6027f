"""keras_course: every system of a deep-learning course as Keras 3 layers, models and TFP kernels.

`import keras_course` is cheap: sub-packages load on first use, so nothing here imports TensorFlow.
"""

from __future__ import annotations

import importlib
from types import ModuleType

__version__ = "0.1.0"

_SUBPACKAGES = (
    "callbacks",
    "catalog",
    "cli",
    "core",
    "datasets",
    "distributions",
    "experiments",
    "inference",
    "initializers",
    "layers",
    "losses",
    "metrics",
    "models",
    "ops",
    "optimizers",
    "pipeline",
    "recipes",
    "regularizers",
    "structured",
    "testing",
    "worked_examples",
)

__all__ = ["__version__", *_SUBPACKAGES]


def __getattr__(name: str) -> ModuleType:
    if name in _SUBPACKAGES:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
