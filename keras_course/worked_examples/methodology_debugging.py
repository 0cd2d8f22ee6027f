"""Worked examples of debugging (C 9.1.4, 9.1.6): a gradient that vanishes, units that never fire, what to do next."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

from keras_course.core.backend import arithmetic, compiled
from keras_course.pipeline.diagnose import advise
from keras_course.pipeline.probe import gradient_norms, layer_outputs, unit_activity

__all__ = ["gradients_through_sigmoids", "next_step", "stuck_units"]


def gradients_through_sigmoids(x: Any, y: Any, weights: Any) -> dict[str, Any]:
    """A chain of sigmoid units, one a layer: each makes the gradient at least four times shorter. Source: C 9.1.6.

    Args:
        x, y: (B, 1), inputs and targets of the squared error.
        weights: (L,), one weight a layer, no biases.
    """
    layers = [keras.layers.Dense(1, "sigmoid", use_bias=False) for _ in range(weights.shape[0])]
    model = keras.Sequential([keras.Input((1,)), *layers])
    model.compile(loss="mean_squared_error")
    model.set_weights([np.reshape(weight, (1, 1)) for weight in ops.convert_to_numpy(weights)])
    norms = compiled(lambda x, y: ops.stack(list(gradient_norms(model, x, y).values())))(x, y)
    return {"gradient_norms": norms}


def stuck_units(x: Any, kernel: Any, bias: Any, activation: str) -> dict[str, Any]:
    """One layer on a few examples: which units never fire, which always give the same. Source: C 9.1.6."""
    layer = keras.layers.Dense(kernel.shape[1], activation)
    model = keras.Sequential([keras.Input((kernel.shape[0],)), layer])
    model.set_weights([ops.convert_to_numpy(kernel), ops.convert_to_numpy(bias)])
    outputs = compiled(lambda x: layer_outputs(model, x)[layer.path])(x)
    (activity,) = unit_activity(model, x)
    return {"outputs": outputs, "dead": activity.dead, "saturated": activity.saturated, "copies": activity.copies}


@arithmetic
def next_step(training_errors: Any, validation_errors: Any, wanted: float) -> dict[str, Any]:
    """More data, or more capacity? Source: C 9.1.4."""
    pairs = zip(*(ops.convert_to_numpy(errors) for errors in (training_errors, validation_errors)), strict=True)
    return {"advice": [advise(float(training), float(validation), wanted) for training, validation in pairs]}
