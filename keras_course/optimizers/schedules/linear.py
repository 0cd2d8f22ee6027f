"""Straight down, then constant."""

from __future__ import annotations

from typing import Any

import keras

from keras_course.core.serial import register
from keras_course.core.shapes import require_positive_int
from keras_course.ops.floating import as_floating
from keras_course.ops.rate_decay import linear_decay
from keras_course.optimizers.hyperparameters import require_non_negative

__all__ = ["LinearDecay"]


@register("LinearDecay")
class LinearDecay(keras.optimizers.schedules.LearningRateSchedule):
    """A learning rate that falls in a straight line for tau steps and then stays.

        eps_k = (1 - alpha) eps_0 + alpha eps_tau,   alpha = k / tau up to k = tau

    The stochastic gradient does not vanish at a minimum, so its rate has to fall; a full-batch one may stay.

    Args:
        initial_rate: float >= 0, eps_0, of the first step (k = 0).
        final_rate: float >= 0, eps_tau.
        steps: int >= 1, tau.

    Raises:
        ValueError: for a negative rate, or steps < 1.

    Example:
        >>> schedule = LinearDecay(1.0, 0.5, steps=10)
        >>> [float(schedule(k)) for k in (0, 5, 10, 99)]
        [1.0, 0.75, 0.5, 0.5]

    Source: C 7.3.1.
    """

    def __init__(self, initial_rate: float, final_rate: float, steps: int) -> None:
        require_non_negative("LinearDecay", initial_rate=initial_rate, final_rate=final_rate)
        require_positive_int("LinearDecay", steps=steps)
        self.initial_rate = initial_rate
        self.final_rate = final_rate
        self.steps = steps

    def __call__(self, step: Any) -> Any:
        return linear_decay(as_floating(step), self.initial_rate, self.final_rate, self.steps)

    def get_config(self) -> dict[str, Any]:
        return {"initial_rate": self.initial_rate, "final_rate": self.final_rate, "steps": self.steps}
