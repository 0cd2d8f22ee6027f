"""A ball that keeps rolling: the step is a decaying sum of past gradients."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from keras_course.core.serial import register
from keras_course.ops.descent import momentum_step
from keras_course.optimizers.gradients import dense_gradient
from keras_course.optimizers.hyperparameters import require_fraction, require_non_negative

__all__ = ["Momentum"]


@register("Momentum")
class Momentum(keras.optimizers.Optimizer):
    """Gradient descent with a velocity.

        v' = alpha v - eps g
        theta' = theta + v'

    v is a decaying SUM (the notes say average): under a constant gradient it grows to eps g / (1 - alpha), 2, 10, 100
    times the plain step for alpha = .5, .9, .99. Same steps as keras.optimizers.SGD(momentum=alpha).

    Args:
        learning_rate: float >= 0, schedule, or callable; eps.
        momentum: float in [0, 1), alpha.
        name: str.
        **kwargs: as keras.optimizers.Optimizer.

    Raises:
        ValueError: for a negative rate, or a momentum outside [0, 1).

    Example:
        >>> theta = keras.Variable([3.0])
        >>> optimizer = Momentum(0.25, momentum=0.5)
        >>> for _ in range(2):
        ...     optimizer.apply([theta - 1.0], [theta])
        >>> keras.ops.convert_to_numpy(theta).tolist()
        [1.875]

    Source: C 7.3.2, N.
    """

    def __init__(
        self, learning_rate: Any = 0.01, momentum: float = 0.9, name: str = "momentum", **kwargs: Any
    ) -> None:  # fmt: skip
        require_non_negative("Momentum", learning_rate=learning_rate)
        require_fraction("Momentum", momentum=momentum)
        super().__init__(learning_rate=learning_rate, name=name, **kwargs)
        self.momentum = momentum

    def build(self, variables: Any) -> None:
        if self.built:
            return
        super().build(variables)
        self.velocities = self.add_optimizer_variables(variables, "velocity")

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        velocity = self.velocities[self._get_variable_index(variable)]
        gradient = dense_gradient(gradient, variable.dtype)
        new = momentum_step(velocity, gradient, ops.cast(learning_rate, variable.dtype), self.momentum)
        self.assign(velocity, new)
        self.assign_add(variable, new)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "momentum": self.momentum}
