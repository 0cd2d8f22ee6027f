"""How the conformance suite trains energy models (`model_examples.TRAINING` and `OTHERS`)."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from keras_course import catalog
from keras_course.testing.model_case import ModelCase


def with_its_likelihood() -> dict[str, Any]:
    return {"optimizer": keras.optimizers.SGD(0.02)}


def with_momentum() -> dict[str, Any]:
    """Where Adam would magnify the last bits of slopes that nearly cancel."""
    return {"optimizer": keras.optimizers.SGD(0.1, momentum=0.9)}


def sum_of_bits(x: np.ndarray) -> np.ndarray:
    """A class 0 to 3 of four bits."""
    return (x.sum(-1) + x[:, 0]) % 4  # type: ignore[no-any-return]


def quadrants(x: np.ndarray) -> np.ndarray:
    """Class 0 to 3 by the signs of two values."""
    return ((x[:, 0] > 0) * 2 + (x[:, 1] > 0)).astype("int32")


ENERGY_TRAINING: dict[str, dict[str, Any]] = {
    "rbm": {"compile": with_momentum, "objective": "reconstruction_error", "any_split": True, "steps": 8},
    "dbn": {"compile": with_momentum, "objective": "reconstruction_error", "any_split": True, "steps": 8},
    "dbm": {"compile": with_momentum, "objective": "reconstruction_error", "any_split": True, "steps": 8},
    "boltzmann-machine": {"compile": with_momentum, "any_split": True, "steps": 8},
    "energy-model": {"compile": with_momentum, "any_split": True, "steps": 8},
}

ENERGY_CASES: dict[str, ModelCase] = {
    "gaussian-rbm": ModelCase(
        catalog.resolve("rbm"),
        {
            "features": 3,
            "units": 2,
            "visible": "gaussian",
            "scale": 0.5,
            "gibbs_steps": 2,
            "sampling_steps": 5,
            "kernel_scale": 1.0,
        },
        (4, 3),
        None,
        with_its_likelihood,
        any_split=True,
    ),
    "belief-of-classes": ModelCase(
        catalog.resolve("dbn"),
        {**catalog.get("dbn").init, "classes": 4},
        catalog.get("dbn").inputs,
        sum_of_bits,
        with_momentum,
        steps=8,
        objective="reconstruction_error",
        any_split=True,
    ),
    "energy-of-classes": ModelCase(
        catalog.resolve("energy-model"),
        {**catalog.get("energy-model").init, "classes": 4, "penalty": 0.1, "restart": 0.5},
        (4, 3),
        quadrants,
        with_momentum,
        any_split=True,
    ),
}
