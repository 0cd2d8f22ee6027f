"""Two rates: one for the newest gradient, one for the average of all."""

from __future__ import annotations

import copy
from typing import Any

import keras

from keras_course.core.serial import register
from keras_course.optimizers.gradients import average_into, dense_gradient, descend
from keras_course.optimizers.hyperparameters import require_non_negative

__all__ = ["AveragedMomentum"]


@register("AveragedMomentum")
class AveragedMomentum(keras.optimizers.Optimizer):
    """Gradient descent on the newest gradient and on the average of the recent ones, each with its own rate.

        m' = (1 - lambda) m + lambda g
        theta' = theta - eta g - eta~ m'

    A large momentum is a SMALL lambda here. With eta = 0 and eta~ lambda = eps these are the steps of
    `Momentum(eps, 1 - lambda)`.

    Args:
        learning_rate: float >= 0, schedule, or callable; eta, of the newest gradient.
        average_rate: float >= 0 or schedule; eta~, of the average.
        share: float in (0, 1], lambda, the newest gradient's share of the average.
        name: str.
        **kwargs: as keras.optimizers.Optimizer.

    Raises:
        ValueError: for a negative rate, or a share outside (0, 1].

    Example:
        >>> theta = keras.Variable([3.0])
        >>> AveragedMomentum(0.25, average_rate=0.5, share=0.5).apply([theta - 1.0], [theta])
        >>> keras.ops.convert_to_numpy(theta).tolist()
        [2.0]

    Source: S 9.4.
    """

    def __init__(
        self,
        learning_rate: Any = 0.01,
        average_rate: Any = 0.01,
        share: float = 0.1,
        name: str = "averaged_momentum",
        **kwargs: Any,
    ) -> None:
        require_non_negative("AveragedMomentum", learning_rate=learning_rate, average_rate=average_rate)
        if isinstance(share, bool) or not 0 < share <= 1:
            raise ValueError(f"AveragedMomentum needs a share in (0, 1]. Received: share={share!r}")
        if callable(average_rate) and not isinstance(average_rate, keras.optimizers.schedules.LearningRateSchedule):
            raise ValueError(
                "AveragedMomentum needs average_rate as a number or a LearningRateSchedule. "
                f"Received: average_rate={average_rate!r}"
            )
        super().__init__(learning_rate=learning_rate, name=name, **kwargs)
        self.average_rate = average_rate
        self.share = share

    def build(self, variables: Any) -> None:
        if self.built:
            return
        super().build(variables)
        self.averages = self.add_optimizer_variables(variables, "average_gradient")

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        average = self.averages[self._get_variable_index(variable)]
        gradient = dense_gradient(gradient, variable.dtype)
        average_rate = self.average_rate
        if callable(average_rate):
            average_rate = average_rate(self._iterations)
        average_into(average, gradient, self.share)
        descend(variable, learning_rate, gradient)
        descend(variable, average_rate, average.value)

    def get_config(self) -> dict[str, Any]:
        rate = self.average_rate
        if isinstance(rate, keras.optimizers.schedules.LearningRateSchedule):
            rate = keras.optimizers.schedules.serialize(rate)
        return {**super().get_config(), "average_rate": rate, "share": self.share}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> AveragedMomentum:
        config = copy.copy(config)
        if isinstance(config.get("average_rate"), dict):
            config["average_rate"] = keras.optimizers.schedules.deserialize(config["average_rate"], custom_objects)
        return super().from_config(config, custom_objects)
