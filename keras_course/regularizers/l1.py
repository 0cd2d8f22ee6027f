"""The L1 penalty, and the proximal step that makes zeros of it."""

from __future__ import annotations

from typing import Any

import keras

from keras_course.core.serial import register
from keras_course.ops.penalties import l1_penalty
from keras_course.ops.regression import soft_threshold
from keras_course.regularizers.strength import require_strength

__all__ = ["L1", "SoftThreshold"]


@register("L1")
class L1(keras.regularizers.Regularizer):
    """The sum of absolute values, times alpha, is added to the cost.

    alpha Omega(w) = alpha |w|_1,   gradient alpha sign(w)

    As a kernel regularizer it drives weights towards zero, by rate * alpha a step; they end near zero and jump to and
    fro across it, not at it: for exact zeros take `SoftThreshold` in its place. As an activity regularizer (Keras
    divides those by the batch size) it makes the representation sparse. Equals keras.regularizers.L1.

    Args:
        alpha: float >= 0, strength.

    Call arguments:
        w: tensor of any shape.

    Raises:
        ValueError: if alpha is negative or not finite.

    Example:
        >>> float(L1(0.5)(keras.ops.array([3.0, -4.0])))
        3.5

    Source: C 6.3, C 6.11.
    """

    def __init__(self, alpha: float = 0.01) -> None:
        require_strength("L1", alpha=alpha)
        self.alpha = alpha

    def __call__(self, w: Any) -> Any:
        return self.alpha * l1_penalty(w)

    def get_config(self) -> dict[str, Any]:
        return {"alpha": self.alpha}


@register("SoftThreshold")
class SoftThreshold(keras.constraints.Constraint):
    """After every step of the optimizer, weights go towards zero by a threshold and stop there.

    w <- sign(w) max(|w| - learning_rate alpha, 0)

    With plain gradient descent of that learning rate the two together are proximal gradient descent (ISTA) on
    J(w) + alpha |w|_1, whose minimum has exact zeros. Give it as kernel_constraint, with no L1 regularizer beside it.
    The threshold is fixed: with a schedule, or with Adam's own rate for each weight, it belongs to another cost.

    Args:
        alpha: float >= 0, strength of the penalty.
        learning_rate: float >= 0, that of the optimizer.

    Call arguments:
        w: tensor of any shape.

    Raises:
        ValueError: if a number is negative or not finite.

    Example:
        >>> shrink = SoftThreshold(alpha=0.5, learning_rate=0.5)
        >>> keras.ops.convert_to_numpy(shrink(keras.ops.array([1.0, 0.125, -2.0]))).tolist()
        [0.75, 0.0, -1.75]

    Source: C 6.3.
    """

    def __init__(self, alpha: float, learning_rate: float) -> None:
        require_strength("SoftThreshold", alpha=alpha, learning_rate=learning_rate)
        self.alpha = alpha
        self.learning_rate = learning_rate

    def __call__(self, w: Any) -> Any:
        return soft_threshold(w, self.alpha * self.learning_rate)

    def get_config(self) -> dict[str, Any]:
        return {"alpha": self.alpha, "learning_rate": self.learning_rate}
