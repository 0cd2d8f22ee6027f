"""The same factor every step."""

from __future__ import annotations

from typing import Any

import keras

from keras_course.core.serial import register
from keras_course.ops.floating import as_floating
from keras_course.ops.rate_decay import exponential_decay
from keras_course.optimizers.hyperparameters import require_non_negative

__all__ = ["ExponentialDecay"]


@register("ExponentialDecay")
class ExponentialDecay(keras.optimizers.schedules.LearningRateSchedule):
    """A learning rate that falls by the factor e^-beta every step.

        eta(t) = alpha e^(-beta t)

    All rates together make alpha / (1 - e^-beta): with gradients of length 1, descent cannot come farther than that.
    The same as keras.optimizers.schedules.ExponentialDecay(alpha, decay_steps=1, decay_rate=e^-beta).

    Args:
        scale: float >= 0, alpha, the first rate.
        rate: float >= 0, beta, in 1/steps.

    Raises:
        ValueError: for a negative scale or rate.

    Example:
        >>> import math
        >>> schedule = ExponentialDecay(1.0, rate=math.log(2.0))
        >>> [round(float(schedule(t)), 6) for t in (0, 1, 3)]
        [1.0, 0.5, 0.125]

    Source: S 9.4.
    """

    def __init__(self, scale: float, rate: float) -> None:
        require_non_negative("ExponentialDecay", scale=scale, rate=rate)
        self.scale = scale
        self.rate = rate

    def __call__(self, step: Any) -> Any:
        return exponential_decay(as_floating(step), self.scale, self.rate)

    def get_config(self) -> dict[str, Any]:
        return {"scale": self.scale, "rate": self.rate}
