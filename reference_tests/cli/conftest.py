"""A catalogue with one more system, `plane`, that trains in a second, on either of two data sets."""

from __future__ import annotations

import sys
from types import ModuleType

import pytest

from keras_course import catalog
from keras_course.catalog import Entry


@pytest.fixture
def plane(monkeypatch):
    """Adds the entry; gives the module that holds its recipe, so that a test can exchange it."""
    import keras
    import numpy as np

    from keras_course.datasets import from_arrays
    from keras_course.pipeline.recipe import Baseline, Recipe

    def halves(seed):
        x = np.random.default_rng(7).normal(size=(64, 2)).astype("float32")
        return from_arrays(x, (x[:, 0] > 0).astype("int32"), name="halves", classes=2, seed=seed)

    def quarters(seed):
        x = np.random.default_rng(8).normal(size=(80, 3)).astype("float32")
        y = ((x[:, 0] > 0) + 2 * (x[:, 1] > 0)).astype("int32")
        return from_arrays(x, y, name="quarters", classes=4, seed=seed)

    def recipe(**changes):
        fields = {
            "slug": "plane",
            "dataset": halves,
            "model": lambda spec, seed: keras.Sequential([keras.Input(spec.shape), keras.layers.Dense(spec.classes)]),
            "compile": lambda spec: {
                "optimizer": keras.optimizers.SGD(0.5),
                "loss": keras.losses.SparseCategoricalCrossentropy(from_logits=True),
                "metrics": ["accuracy"],
                "run_eagerly": True,
            },
            "batch_size": 16,
            "epochs": 3,
            "baseline": lambda dataset, seed: Baseline("coin", {"accuracy": 0.5}),
        }
        return Recipe(**{**fields, **changes})

    module = ModuleType("recipes_of_a_test")
    module.recipe, module.make, module.quarters = recipe, recipe, lambda: recipe(dataset=quarters)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    entry = Entry(
        "plane", "A plane cut in two", shape="model", object="nowhere:Plane", recipe="recipes_of_a_test:recipe",
        datasets={"halves": "recipes_of_a_test:recipe", "quarters": "recipes_of_a_test:quarters"},
    )  # fmt: skip
    known = catalog.get
    monkeypatch.setattr(catalog, "get", lambda slug: entry if slug == "plane" else known(slug))
    return module
