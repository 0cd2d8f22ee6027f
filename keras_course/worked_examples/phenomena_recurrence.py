"""Worked examples of what the course shows of recurrent networks by experiment.

Each function takes a golden's inputs and returns its outputs, through the public API.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
from keras import ops

from keras_course.core.backend import compiled
from keras_course.experiments.gradient_over_time import CELLS, error_at_each_step

__all__ = ["error_over_time"]


def error_over_time(x: Any, direction: Any, cell: str) -> dict[str, Any]:
    """|dL/da_t| of one sequence, L a component of the last state; weights as in the examples of recurrent networks.

    Source: C 13.1, B.
    """
    layer = CELLS[cell](direction.shape[0])
    layer.build((1, *x.shape))
    for k, weight in enumerate(layer.trainable_weights):
        j = np.arange(prod(weight.shape), dtype="int64").reshape(weight.shape)
        weight.assign(((7 * j + 3 * k) % 17 - 8) / 16.0)
    return {"error": compiled(lambda x, v: error_at_each_step(layer, ops.expand_dims(x, 0), v))(x, direction)}
