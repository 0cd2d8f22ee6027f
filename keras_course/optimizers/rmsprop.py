"""AdaGrad that forgets, for functions that are not convex."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from keras_course.core.serial import register
from keras_course.ops.adaptive_rates import rmsprop_step
from keras_course.optimizers.gradients import dense_gradient
from keras_course.optimizers.hyperparameters import require_fraction, require_non_negative, require_positive

__all__ = ["RMSProp"]


@register("RMSProp")
class RMSProp(keras.optimizers.Optimizer):
    """RMSProp: the rate of each parameter is divided by the root mean square of its recent gradients.

        r' = rho r + (1 - rho) g^2
        theta' = theta - eps g / sqrt(delta + r')

    r starts at 0 and is not corrected for it: the first steps are 1 / sqrt(1 - rho) times larger. Same steps as
    keras.optimizers.RMSprop with epsilon = delta.

    Args:
        learning_rate: float >= 0, schedule, or callable; eps.
        decay: float in [0, 1), rho.
        delta: float > 0.
        name: str.
        **kwargs: as keras.optimizers.Optimizer.

    Raises:
        ValueError: for a negative rate, a decay outside [0, 1), or a delta that is not positive.

    Example:
        >>> theta = keras.Variable([3.0])
        >>> RMSProp(0.5, decay=0.75).apply([keras.ops.convert_to_tensor([4.0])], [theta])
        >>> round(float(theta[0]), 5)
        2.0

    Source: C 7.5.2, N.
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        decay: float = 0.9,
        delta: float = 1e-6,
        name: str = "rmsprop",
        **kwargs: Any,
    ) -> None:
        require_non_negative("RMSProp", learning_rate=learning_rate)
        require_fraction("RMSProp", decay=decay)
        require_positive("RMSProp", delta=delta)
        super().__init__(learning_rate=learning_rate, name=name, **kwargs)
        self.decay = decay
        self.delta = delta

    def build(self, variables: Any) -> None:
        if self.built:
            return
        super().build(variables)
        self.averages = self.add_optimizer_variables(variables, "mean_squared_gradient")

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        average = self.averages[self._get_variable_index(variable)]
        gradient = dense_gradient(gradient, variable.dtype)
        rate = ops.cast(learning_rate, variable.dtype)
        new, step = rmsprop_step(average, gradient, rate, self.decay, self.delta)
        self.assign(average, new)
        self.assign_add(variable, step)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "decay": self.decay, "delta": self.delta}
