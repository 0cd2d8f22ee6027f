"""Is the gradient the slope of the loss? Compared with differences, weight by weight.

(L(w + h d) - L(w - h d)) / 2h  against  <dL/dw, d>,   d a direction of length 1
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from keras import ops

from keras_course.core.seeds import derive_seed
from keras_course.core.shapes import require_positive_int
from keras_course.pipeline.probe import loss_and_gradients, loss_of

__all__ = ["CheckedGradient", "gradient_check"]


@dataclass(frozen=True)
class CheckedGradient:
    """One weight's gradient along one direction, by the chain rule and by differences.

    Args:
        weight: path of the weight.
        claimed: <dL/dw, d> by automatic differentiation.
        measured: the central difference.
        noise: how far rounding alone may take `measured` off.
        scale: the size such a number has, |g| along the gradient itself, |g| / sqrt(size) along a random direction.

    Example:
        >>> CheckedGradient("w", claimed=2.0, measured=1.0, noise=0.0, scale=2.0).error
        0.5

    Source: C 9.1.6.
    """

    weight: str
    claimed: float
    measured: float
    noise: float
    scale: float

    @property
    def error(self) -> float:
        """Relative difference beyond the noise: 0 is right, 1/2 a factor of two, 2 a turned sign."""
        largest = max(abs(self.claimed), abs(self.measured), self.scale)
        beyond = max(0.0, abs(self.claimed - self.measured) - self.noise)
        return beyond / largest if largest > 0 else 0.0


def gradient_check(
    model: Any, x: Any, y: Any, *, step: float | None = None, directions: int = 2, seed: int = 0
) -> tuple[CheckedGradient, ...]:
    """Compares every weight's gradient with differences of the loss.

    measured = (L(w + h d) - L(w - h d)) / 2h,   claimed = <dL/dw, d>

    The first direction d is the gradient's own (a wrong sign or factor shows), the others are random signs (a missing
    part shows). In float32 it sees errors of a few per cent; build the model in float64 to see one of 1e-6.

    Args:
        model: compiled Keras model with a loss.
        x, y: tensors (B, ...); a few examples will do.
        step: float h, or None for 1e-2 in float32, 1e-5 in float64.
        directions: int >= 1, for each weight.
        seed: int, of the random directions.

    Returns:
        `CheckedGradient` for every trainable weight and direction. The weights are as they were.

    Raises:
        ValueError: as `loss_and_gradients`, or for directions < 1.

    Example:
        >>> import keras
        >>> model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False)])
        >>> model.compile(loss="mse")
        >>> all(found.error < 0.01 for found in gradient_check(model, np.ones((4, 1)), np.zeros((4, 1))))
        True

    Source: C 9.1.6.
    """
    require_positive_int("gradient_check", directions=directions)
    loss, gradients = loss_and_gradients(model, x, y)
    found = []
    for weight, gradient in zip(model.trainable_variables, gradients, strict=True):
        wide = np.dtype(weight.dtype) == np.float64 if weight.dtype != "bfloat16" else False
        h = step or (1e-5 if wide else 1e-2)
        noise = 16 * (2.0**-53 if wide else 2.0**-24) * (1 + abs(float(loss))) / h
        kept, slope = weight.numpy(), ops.convert_to_numpy(gradient).astype("float64")
        length = float(np.linalg.norm(slope))
        for index in range(directions):
            rng = np.random.Generator(np.random.Philox(derive_seed(seed, weight.path, index)))
            signs = rng.choice([-1.0, 1.0], size=slope.shape) / math.sqrt(max(slope.size, 1))
            own = index == 0 and length > 0
            direction = slope / length if own else signs
            scale = length if own else length / math.sqrt(max(slope.size, 1))
            values = []
            for side in (h, -h):
                weight.assign((kept + side * direction).astype(kept.dtype))
                values.append(float(loss_of(model, x, y)))
            weight.assign(kept)
            measured = (values[0] - values[1]) / (2 * h)
            found.append(CheckedGradient(weight.path, float(np.vdot(slope, direction)), measured, noise, scale))
    return tuple(found)
