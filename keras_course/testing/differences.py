"""Derivatives twice: by automatic differentiation and by central differences, in float64, along random directions.

    <grad f(x), d>  =  (f(x + h d) - f(x - h d)) / 2 h  +  O(h^2)

A wrong factor of 1.00001 shows; a kink within h of the example would show too, but random examples do not lie there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from keras_course.testing.agreement import require
from keras_course.testing.example_inputs import philox

__all__ = ["require_true_gradients"]

STEP, BUDGET = 1e-5, 1e-7


def require_true_gradients(
    function: Callable[[Sequence[Any]], Any], points: Sequence[Any], names: Sequence[str], what: str
) -> None:
    """Holds the gradient of a scalar function against central differences, one tensor at a time.

    Args:
        function: list of float64 tensors -> float64 scalar, eager.
        points: list of float64 tensors.
        names: what each is called in a message.
        what: begins the message.

    Raises:
        Deviation: if a derivative along a random direction is off by more than 1e-7 of the gradient's size.
    """
    points = [tf.convert_to_tensor(point) for point in points]
    with tf.GradientTape() as tape:
        tape.watch(points)
        value = function(points)
    gradients = tape.gradient(value, points, unconnected_gradients="zero")
    scale = max(float(tf.reduce_max(tf.abs(gradient), keepdims=False)) for gradient in gradients if tf.size(gradient))
    for index, (point, gradient, name) in enumerate(zip(points, gradients, names, strict=True)):
        direction = tf.convert_to_tensor(philox("direction", index).normal(size=point.shape))

        def moved(h: float, index: int = index, point: Any = point, direction: Any = direction) -> float:
            return float(function([*points[:index], point + h * direction, *points[index + 1 :]]))

        measured = (moved(STEP) - moved(-STEP)) / (2 * STEP)
        derived = float(tf.reduce_sum(gradient * direction))
        size = max(scale * float(np.sqrt(np.prod(point.shape))), abs(float(value)) * 1e-3, 1e-6)
        require(
            abs(measured - derived) <= BUDGET * size,
            f"{what}: along a direction of {name} the gradient says {derived:.9g}, differences say {measured:.9g}",
        )
