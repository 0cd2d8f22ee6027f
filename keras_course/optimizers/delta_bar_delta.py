"""The oldest adaptive rates: a sign that stays makes its rate grow, a sign that changes makes it shrink."""

from __future__ import annotations

from typing import Any

import keras

from keras_course.core.serial import register
from keras_course.ops.adaptive_rates import delta_bar_delta_gain
from keras_course.optimizers.gradients import average_into, dense_gradient, descend
from keras_course.optimizers.hyperparameters import require_fraction, require_non_negative

__all__ = ["DeltaBarDelta"]


@register("DeltaBarDelta")
class DeltaBarDelta(keras.optimizers.Optimizer):
    """Delta-bar-delta, for full-batch gradients only.

        gain' = gain + kappa        where d g > 0       d = average of earlier gradients, 0 at the start
              = (1 - phi) gain      where d g < 0
        d' = theta d + (1 - theta) g
        w' = w - eps gain' g

    The rate of a parameter is eps gain, gain = 1 at the start; kappa is in units of eps (Jacobs adds kappa eps). With
    theta = 0 the sign is compared with that of the gradient before, which is how the notes say it.

    The noise of mini-batches turns signs round, so that the rule means nothing there. An optimizer does not see how
    its gradients were made; therefore it asks:

    - `fit` of a `keras_course.core.model.Model` tells it how many batches an epoch has, and more than one is refused
      (unless gradient_accumulation_steps puts them together again);
    - everywhere else (plain keras.Model, train_on_batch, a loop of your own) `full_batch=True` is your promise, and
      without it every step raises an error.

    Args:
        learning_rate: float >= 0, schedule, or callable; eps.
        increase: float >= 0, kappa.
        decrease: float in [0, 1), phi.
        averaging: float in [0, 1), theta.
        full_batch: bool, the promise that every gradient is that of the whole training set.
        name: str.
        **kwargs: as keras.optimizers.Optimizer.

    Raises:
        ValueError: for a negative rate or increase, decrease or averaging outside [0, 1); for mini-batches.

    Example:
        >>> theta = keras.Variable([3.0])
        >>> optimizer = DeltaBarDelta(0.25, increase=1.0, full_batch=True)
        >>> for _ in range(2):
        ...     optimizer.apply([theta - 1.0], [theta])
        >>> keras.ops.convert_to_numpy(theta).tolist()
        [1.75]

    Source: C 7.5; Jacobs 1988.
    """

    def __init__(
        self,
        learning_rate: Any = 0.01,
        increase: float = 0.1,
        decrease: float = 0.3,
        averaging: float = 0.7,
        full_batch: bool = False,
        name: str = "delta_bar_delta",
        **kwargs: Any,
    ) -> None:
        require_non_negative("DeltaBarDelta", learning_rate=learning_rate, increase=increase)
        require_fraction("DeltaBarDelta", decrease=decrease, averaging=averaging)
        super().__init__(learning_rate=learning_rate, name=name, **kwargs)
        self.increase = increase
        self.decrease = decrease
        self.averaging = averaging
        self.full_batch = bool(full_batch)
        self._seen_in_full = False  # fit has counted its batches

    def build(self, variables: Any) -> None:
        if self.built:
            return
        super().build(variables)
        self.gains = self.add_optimizer_variables(variables, "gain", initializer="ones")
        self.averages = self.add_optimizer_variables(variables, "average_gradient")

    def apply(self, grads: Any, trainable_variables: Any = None) -> None:
        """As keras.optimizers.Optimizer.apply, once it is known that these are gradients of the whole data."""
        if not (self.full_batch or self._seen_in_full):
            raise _refusal("a step of which nobody said that it sees the whole training set")
        super().apply(grads, trainable_variables)

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        index = self._get_variable_index(variable)
        gain, average = self.gains[index], self.averages[index]
        gradient = dense_gradient(gradient, variable.dtype)
        new_gain = delta_bar_delta_gain(gain, average, gradient, self.increase, self.decrease)
        self.assign(gain, new_gain)
        average_into(average, gradient, 1 - self.averaging)
        descend(variable, learning_rate, new_gain * gradient)

    def fit_callback(self) -> keras.callbacks.Callback:
        """What `keras_course.core.model.Model.fit` adds to its callbacks: it counts the batches of an epoch."""
        return _CountsBatches(self)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "increase": self.increase,
            "decrease": self.decrease,
            "averaging": self.averaging,
            "full_batch": self.full_batch,
        }


class _CountsBatches(keras.callbacks.Callback):
    """Refuses an epoch of several updates before the first, or after the second where the number was unknown."""

    def __init__(self, optimizer: DeltaBarDelta) -> None:
        super().__init__()
        self.optimizer = optimizer

    def on_train_begin(self, logs: Any = None) -> None:
        steps, self.allowed = self.params.get("steps"), self.optimizer.gradient_accumulation_steps or 1
        self.unknown = steps is None
        if steps is None and self.model.steps_per_execution > 1:
            raise _refusal("an unknown number of batches, several of them in one execution")
        if steps is not None and steps != self.allowed:
            raise _refusal(f"{steps} batches an epoch, gradient_accumulation_steps={self.allowed}")
        self.optimizer._seen_in_full = True

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        if self.unknown and batch >= self.allowed:
            raise _refusal(f"a batch number {batch + 1} in one epoch, gradient_accumulation_steps={self.allowed}")

    def on_train_end(self, logs: Any = None) -> None:
        self.optimizer._seen_in_full = False


def _refusal(received: str) -> ValueError:
    return ValueError(
        "DeltaBarDelta compares the signs of successive gradients of the whole training set; mini-batches turn them "
        "round by chance. Fit a keras_course.core.model.Model with batch_size=len(x), or promise full batches with "
        f"full_batch=True. Received: {received}"
    )
