"""Downhill, in proportion to the slope."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from keras_course.core.serial import register
from keras_course.ops.descent import gradient_step
from keras_course.optimizers.gradients import dense_gradient
from keras_course.optimizers.hyperparameters import require_non_negative

__all__ = ["GradientDescent"]


@register("GradientDescent")
class GradientDescent(keras.optimizers.Optimizer):
    """Gradient descent: full-batch, mini-batch or online, as the batches are that `fit` is given.

        theta' = theta - eps g,   g = gradient of the mean loss of the batch

    `batch_size=len(x)` is (full) batch gradient descent, 1 is online, anything between is mini-batch. Same steps as
    keras.optimizers.SGD without momentum.

    Args:
        learning_rate: float >= 0, schedule, or callable; eps.
        name: str.
        **kwargs: as keras.optimizers.Optimizer: weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema,
            loss_scale_factor, gradient_accumulation_steps.

    Raises:
        ValueError: for a negative rate.

    Example:
        >>> theta = keras.Variable([3.0])
        >>> GradientDescent(0.25).apply([theta - 1.0], [theta])
        >>> keras.ops.convert_to_numpy(theta).tolist()
        [2.5]

    Source: C 2.2, C 7.1.2, C 7.3.1, N, S 9.4.
    """

    def __init__(self, learning_rate: Any = 0.01, name: str = "gradient_descent", **kwargs: Any) -> None:
        require_non_negative("GradientDescent", learning_rate=learning_rate)
        super().__init__(learning_rate=learning_rate, name=name, **kwargs)

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        gradient = dense_gradient(gradient, variable.dtype)
        self.assign_add(variable, gradient_step(gradient, ops.cast(learning_rate, variable.dtype)))
