"""A recipe that trains in a second: 96 points on a plane, four classes, sixteen hidden units."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest

from keras_course.datasets import Dataset, from_arrays
from keras_course.pipeline.plots import confusion_matrix, learning_curves
from keras_course.pipeline.recipe import Baseline, Recipe


def four_quadrants(seed: int) -> Dataset:
    """Points of the plane; the class is the quadrant."""
    x = np.random.default_rng(7).normal(size=(96, 2)).astype("float32")
    y = ((x[:, 0] > 0) + 2 * (x[:, 1] > 0)).astype("int32")
    return from_arrays(x, y, name="quadrants", classes=4, seed=seed)


def network(spec: Any, seed: int) -> keras.Model:
    """Two dense layers whose initial weights depend on the seed alone."""
    return keras.Sequential(
        [
            keras.Input(spec.shape),
            keras.layers.Dense(
                16, activation="tanh", kernel_initializer=keras.initializers.GlorotUniform(seed), name="hidden"
            ),
            keras.layers.Dense(
                spec.classes, kernel_initializer=keras.initializers.GlorotUniform(seed + 1), name="logits"
            ),
        ]
    )


def wiring(**changes: Any) -> Callable[[Any], dict[str, Any]]:
    """Compile arguments, new objects on every call."""
    return lambda spec: {
        "optimizer": keras.optimizers.SGD(0.5, momentum=0.9),
        "loss": keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        "metrics": ["accuracy"],
        **changes,
    }


@pytest.fixture(scope="session")
def quadrants() -> Callable[..., Recipe]:
    """Makes the recipe; `compiled` holds changes of the compile arguments, the rest changes of the recipe."""

    def make(compiled: dict[str, Any] | None = None, **changes: Any) -> Recipe:
        fields: dict[str, Any] = {
            "slug": "quadrants",
            "dataset": four_quadrants,
            "model": network,
            "compile": wiring(**(compiled or {})),
            "batch_size": 16,
            "epochs": 3,
            "baseline": lambda dataset, seed: Baseline("always the first class", {"accuracy": 0.25}),
            "floor": {"accuracy": 0.2},
            "figures": (learning_curves, confusion_matrix),
            "tiny": {"epochs": 1, "examples": 32},
        }
        return Recipe(**{**fields, **changes})

    return make
