"""Rates that only fall: each parameter's is divided by the root of all its squared gradients."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from keras_course.core.serial import register
from keras_course.core.shapes import require_one_of
from keras_course.ops.adaptive_rates import ADAGRAD_FORMS, adagrad_step
from keras_course.optimizers.gradients import dense_gradient
from keras_course.optimizers.hyperparameters import require_non_negative, require_positive

__all__ = ["AdaGrad"]


@register("AdaGrad")
class AdaGrad(keras.optimizers.Optimizer):
    """AdaGrad in the three forms in which the course prints it.

        r' = r + g^2
        theta' = theta - eps g / (delta + sqrt(r'))     form "outside-root": N, and what C says in words
               = theta - eps g / sqrt(delta + r')       form "inside-root":  S, with K = delta
               = theta - eps g / (delta + r')           form "no-root":      C as printed, where the root was lost

    keras.optimizers.Adagrad is "inside-root" with delta = initial_accumulator_value + epsilon, 0.1 where nothing is
    said. "no-root" is kept to be compared with: its first step is eps / g, larger for smaller gradients.

    Args:
        learning_rate: float >= 0, schedule, or callable; eps.
        delta: float > 0, against division by zero.
        form: "outside-root", "inside-root" or "no-root".
        name: str.
        **kwargs: as keras.optimizers.Optimizer.

    Raises:
        ValueError: for a negative rate, a delta that is not positive, or another form.

    Example:
        >>> theta = keras.Variable([3.0, -1.0])
        >>> AdaGrad(0.5, delta=1e-7).apply([keras.ops.convert_to_tensor([4.0, -0.01])], [theta])
        >>> keras.ops.convert_to_numpy(theta).round(3).tolist()
        [2.5, -0.5]

    Source: N, C 7.5.1, S 9.4.
    """

    def __init__(
        self,
        learning_rate: Any = 0.01,
        delta: float = 1e-7,
        form: str = "outside-root",
        name: str = "adagrad",
        **kwargs: Any,
    ) -> None:
        require_non_negative("AdaGrad", learning_rate=learning_rate)
        require_positive("AdaGrad", delta=delta)
        require_one_of("AdaGrad", ADAGRAD_FORMS, form=form)
        super().__init__(learning_rate=learning_rate, name=name, **kwargs)
        self.delta = delta
        self.form = form

    def build(self, variables: Any) -> None:
        if self.built:
            return
        super().build(variables)
        self.accumulators = self.add_optimizer_variables(variables, "squared_gradients")

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        accumulator = self.accumulators[self._get_variable_index(variable)]
        gradient = dense_gradient(gradient, variable.dtype)
        rate = ops.cast(learning_rate, variable.dtype)
        new, step = adagrad_step(accumulator, gradient, rate, self.delta, self.form)
        self.assign(accumulator, new)
        self.assign_add(variable, step)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "delta": self.delta, "form": self.form}
