"""Momentum and RMSProp together, both corrected for their start at zero."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from keras_course.core.serial import register
from keras_course.ops.adaptive_rates import adam_direction
from keras_course.optimizers.gradients import dense_gradient, descend
from keras_course.optimizers.hyperparameters import require_fraction, require_non_negative, require_positive

__all__ = ["Adam"]


@register("Adam")
class Adam(keras.optimizers.Optimizer):
    """Adam: adaptive moments with bias correction.

        s' = rho1 s + (1 - rho1) g,      s^ = s' / (1 - rho1^t)
        r' = rho2 r + (1 - rho2) g^2,    r^ = r' / (1 - rho2^t)
        theta' = theta - eps s^ / (delta + sqrt(r^))

    delta stands outside the root and after the correction, as in the paper's algorithm. keras.optimizers.Adam adds its
    epsilon before the correction: the same steps as epsilon -> 0, and with epsilon = delta sqrt(1 - rho2^t) exactly.

    Args:
        learning_rate: float >= 0, schedule, or callable; eps.
        first_decay: float in [0, 1), rho1.
        second_decay: float in [0, 1), rho2.
        delta: float > 0.
        name: str.
        **kwargs: as keras.optimizers.Optimizer.

    Raises:
        ValueError: for a negative rate, decays outside [0, 1), or a delta that is not positive.

    Example:
        >>> theta = keras.Variable([3.0, 3.0])
        >>> Adam(0.5).apply([keras.ops.convert_to_tensor([100.0, -0.01])], [theta])
        >>> keras.ops.convert_to_numpy(theta).round(5).tolist()
        [2.5, 3.5]

    Source: C 7.5.3; Kingma and Ba 2015.
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        first_decay: float = 0.9,
        second_decay: float = 0.999,
        delta: float = 1e-8,
        name: str = "adam",
        **kwargs: Any,
    ) -> None:
        require_non_negative("Adam", learning_rate=learning_rate)
        require_fraction("Adam", first_decay=first_decay, second_decay=second_decay)
        require_positive("Adam", delta=delta)
        super().__init__(learning_rate=learning_rate, name=name, **kwargs)
        self.first_decay = first_decay
        self.second_decay = second_decay
        self.delta = delta

    def build(self, variables: Any) -> None:
        if self.built:
            return
        super().build(variables)
        self.firsts, self.seconds = self.add_optimizer_variables(variables, ["first_moment", "second_moment"])

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        index = self._get_variable_index(variable)
        first, second = self.firsts[index], self.seconds[index]
        gradient = dense_gradient(gradient, variable.dtype)
        rate, decays = ops.cast(learning_rate, variable.dtype), (self.first_decay, self.second_decay)
        change = adam_direction(first, second, gradient, self.iterations + 1, decays, self.delta)
        new_first, new_second, scale, direction = change
        self.assign(first, new_first)
        self.assign(second, new_second)
        descend(variable, rate * scale, direction)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "first_decay": self.first_decay,
            "second_decay": self.second_decay,
            "delta": self.delta,
        }
