"""A power of time."""

from __future__ import annotations

from typing import Any

import keras

from keras_course.core.serial import register
from keras_course.ops.floating import as_floating
from keras_course.ops.rate_decay import polynomial_decay
from keras_course.optimizers.hyperparameters import require_non_negative, require_positive

__all__ = ["PolynomialDecay"]


@register("PolynomialDecay")
class PolynomialDecay(keras.optimizers.schedules.LearningRateSchedule):
    """A learning rate that falls as a power of time and never reaches zero.

        eta(t) = alpha / (beta + t)^gamma

    gamma = 1/2 for conventional SGD, 1 under strong convexity, 3/4 as Bottou picks it. Not
    keras.optimizers.schedules.PolynomialDecay, which is (1 - t / tau)^power down to a final rate.

    Args:
        scale: float >= 0, alpha; the first rate is alpha / beta^gamma.
        offset: float > 0, beta, in steps.
        power: float >= 0, gamma.

    Raises:
        ValueError: for a negative scale or power, or an offset that is not positive.

    Example:
        >>> schedule = PolynomialDecay(1.0, offset=1.0, power=0.5)
        >>> [float(schedule(t)) for t in (0, 3)]
        [1.0, 0.5]

    Source: S 9.4.
    """

    def __init__(self, scale: float, offset: float = 1.0, power: float = 0.75) -> None:
        require_non_negative("PolynomialDecay", scale=scale, power=power)
        require_positive("PolynomialDecay", offset=offset)
        self.scale = scale
        self.offset = offset
        self.power = power

    def __call__(self, step: Any) -> Any:
        return polynomial_decay(as_floating(step), self.scale, self.offset, self.power)

    def get_config(self) -> dict[str, Any]:
        return {"scale": self.scale, "offset": self.offset, "power": self.power}
