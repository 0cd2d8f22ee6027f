"""Weight decay as a penalty of the cost."""

from __future__ import annotations

from typing import Any

import keras

from keras_course.core.serial import register
from keras_course.ops.penalties import l2_penalty
from keras_course.regularizers.strength import require_strength

__all__ = ["WeightDecay"]


@register("WeightDecay")
class WeightDecay(keras.regularizers.Regularizer):
    """Half the squared length of the weights, times alpha, is added to the cost.

    alpha Omega(w) = alpha/2 |w|**2,   gradient alpha w

    With plain gradient descent of rate eps every step multiplies w by 1 - eps alpha first; with Adam it does not, and
    `optimizers.DecoupledWeightDecay` is another method. Equals keras.regularizers.L2(alpha / 2). Give it to kernels,
    not to biases.

    Args:
        alpha: float >= 0, strength.

    Call arguments:
        w: tensor of any shape.

    Raises:
        ValueError: if alpha is negative or not finite.

    Example:
        >>> float(WeightDecay(0.5)(keras.ops.array([3.0, 4.0])))
        6.25

    Source: C 6.2.
    """

    def __init__(self, alpha: float = 0.01) -> None:
        require_strength("WeightDecay", alpha=alpha)
        self.alpha = alpha

    def __call__(self, w: Any) -> Any:
        return self.alpha * l2_penalty(w)

    def get_config(self) -> dict[str, Any]:
        return {"alpha": self.alpha}
