"""AdaGrad with a short memory."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from keras_course.core.serial import register
from keras_course.core.shapes import require_positive_int
from keras_course.ops.adaptive_rates import windowed_adagrad_step
from keras_course.optimizers.gradients import dense_gradient
from keras_course.optimizers.hyperparameters import require_non_negative, require_positive

__all__ = ["WindowedAdaGrad"]


@register("WindowedAdaGrad")
class WindowedAdaGrad(keras.optimizers.Optimizer):
    """The local variant of AdaGrad: only the last tau + 1 gradients slow a parameter down.

        theta' = theta - eta g(t) / sqrt(K + sum from t' = t - tau to t of g(t')^2)

    The window holds tau + 1 squares: t - tau, ..., t. They are kept, not approximated, so that an optimizer of n
    parameters takes (tau + 1) n numbers; RMSProp forgets as well and needs n.

    Args:
        learning_rate: float >= 0, schedule, or callable; eta.
        window: int >= 1, tau.
        delta: float > 0, K.
        name: str.
        **kwargs: as keras.optimizers.Optimizer.

    Raises:
        ValueError: for a negative rate, a window below 1, or a delta that is not positive.

    Example:
        >>> theta = keras.Variable([0.0])
        >>> optimizer = WindowedAdaGrad(1.0, window=1, delta=1e-12)
        >>> for slope in (100.0, 3.0, 4.0):
        ...     optimizer.apply([keras.ops.convert_to_tensor([slope])], [theta])
        >>> round(float(theta[0]), 3)  # -1 - 0.03 - 0.8: the third step has forgotten the cliff
        -1.83

    Source: S 9.4.
    """

    def __init__(
        self,
        learning_rate: Any = 0.01,
        window: int = 10,
        delta: float = 1e-7,
        name: str = "windowed_adagrad",
        **kwargs: Any,
    ) -> None:
        require_non_negative("WindowedAdaGrad", learning_rate=learning_rate)
        require_positive_int("WindowedAdaGrad", window=window)
        require_positive("WindowedAdaGrad", delta=delta)
        super().__init__(learning_rate=learning_rate, name=name, **kwargs)
        self.window = window
        self.delta = delta

    def build(self, variables: Any) -> None:
        if self.built:
            return
        super().build(variables)
        names = [f"squared_gradients_{i}" for i in range(self.window + 1)]
        self.squares = self.add_optimizer_variables(variables, names)  # tau + 1 lists, one square a variable in each

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        index = self._get_variable_index(variable)
        window = [squares[index] for squares in self.squares]
        gradient = dense_gradient(gradient, variable.dtype)
        place = ops.cast(self.iterations, "int32") % (self.window + 1)
        rate = ops.cast(learning_rate, variable.dtype)
        new, step = windowed_adagrad_step(window, gradient, rate, self.delta, place)
        for square, value in zip(window, new, strict=True):
            self.assign(square, value)
        self.assign_add(variable, step)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "window": self.window, "delta": self.delta}
