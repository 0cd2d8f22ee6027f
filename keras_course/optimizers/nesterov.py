"""Momentum that looks where it is going before it measures the slope."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras
from keras import ops

from keras_course.core.backend import require_tensorflow
from keras_course.core.serial import register
from keras_course.ops.descent import momentum_step
from keras_course.optimizers.gradients import dense_gradient
from keras_course.optimizers.hyperparameters import require_fraction, require_non_negative

__all__ = ["Nesterov"]


@register("Nesterov")
class Nesterov(keras.optimizers.Optimizer):
    """Nesterov momentum with the gradient taken where the notes take it, at the interim point.

        theta~ = theta + alpha v                look_ahead, before the forward pass
        g      = gradient at theta~
        v'     = alpha v - eps g                apply
        theta' = theta + v' = theta~ - eps g    taken from theta~, where the weights are, so that none is moved back

    (Smola writes m = -v.) keras.optimizers.SGD(nesterov=True) is the reformulation that keeps theta~ in the weights:
    its weights are this optimizer's weights plus alpha v, so what is evaluated, saved and exported differs.

    The optimizer cannot move the weights before the gradient by itself. `keras_course.core.model.Model` does it in its
    `train_step`; compile and fit as usual. A loop, or a `train_step`, of your own calls `look_ahead(variables)` before
    it takes the gradient. In a plain keras.Model every step raises an error. Between steps the weights are theta, and
    evaluation, files and checkpoints see it; a step takes as long as the reformulation's (benchmarks/).

    Args:
        learning_rate: float >= 0, schedule, or callable; eps.
        momentum: float in [0, 1), alpha.
        name: str.
        **kwargs: as keras.optimizers.Optimizer. Weight decay acts on theta; with gradient accumulation every gradient
            is taken at theta + alpha v.

    Raises:
        ValueError: for a negative rate, or a momentum outside [0, 1); in `apply`, if `look_ahead` was not called.
        BackendError: under another Keras backend than TensorFlow.

    Example:
        >>> theta = keras.Variable([3.0])
        >>> optimizer = Nesterov(0.25, momentum=0.5)
        >>> for _ in range(2):
        ...     optimizer.look_ahead([theta])
        ...     optimizer.apply([theta - 1.0], [theta])
        >>> keras.ops.convert_to_numpy(theta).tolist()
        [1.9375]

    Source: C 7.3.3, N, S 9.4.
    """

    def __init__(
        self, learning_rate: Any = 0.01, momentum: float = 0.9, name: str = "nesterov", **kwargs: Any
    ) -> None:  # fmt: skip
        require_tensorflow("Nesterov")
        require_non_negative("Nesterov", learning_rate=learning_rate)
        require_fraction("Nesterov", momentum=momentum)
        super().__init__(learning_rate=learning_rate, name=name, **kwargs)
        self.momentum = momentum
        self._moved: frozenset[Any] = frozenset()  # keys of the variables that look_ahead moved and nothing moved back
        self._stepping_from_ahead: frozenset[Any] = frozenset()  # those that the present `apply` finds at theta~

    def build(self, variables: Any) -> None:
        if self.built:
            return
        super().build(variables)
        self.velocities = self.add_optimizer_variables(variables, "velocity")
        self.positions = self.add_optimizer_variables(variables, "position")  # theta, while the weights are theta~
        self.is_ahead = self.add_variable((), dtype="bool", aggregation="only_first_replica", name="is_ahead")

    def look_ahead(self, variables: Sequence[Any]) -> None:
        """Moves the weights to where the gradient shall be taken.

        theta~ = theta + alpha v

        Args:
            variables: the trainable variables, those whose gradients `apply` will be given.
        """
        variables = list(variables)
        if not variables:
            return
        if not self.built:
            self.build(variables)
        self._check_variables_are_known(variables)
        if self._moved:  # looked ahead before, and took no step since
            self.step_back(variables)

        def move(variable: Any) -> None:
            index = self._get_variable_index(variable)
            position = ops.convert_to_tensor(variable)
            self.assign(self.positions[index], position)  # no copy: the weights get memory of their own next
            self.assign(variable, position + self.momentum * ops.convert_to_tensor(self.velocities[index]))

        self._in_every_replica(move, variables)
        self.is_ahead.assign(True)
        self._moved = frozenset(self._var_key(variable) for variable in variables)

    def step_back(self, variables: Sequence[Any]) -> None:
        """Moves the weights back to theta where a step was left out (loss scaling does, after an overflow).

        Args:
            variables: as in `look_ahead`. Nothing changes where `apply` has been at work already.
        """

        def restore(variable: Any) -> None:
            position = self.positions[self._get_variable_index(variable)]
            self.assign(variable, ops.where(self.is_ahead, position, ops.convert_to_tensor(variable)))

        if self.built and variables:
            self._in_every_replica(restore, list(variables))
            self.is_ahead.assign(False)
        self._moved = frozenset()

    def apply(self, grads: Any, trainable_variables: Any = None) -> None:
        """Takes the step, with gradients from theta + alpha v.

        Weights without a gradient are moved back to theta first, and so are all for weight decay, which acts on theta,
        and for gradient accumulation, which leaves theta as it is until the last part.
        """
        if not self._moved:
            raise ValueError(
                "Nesterov takes its gradient at theta + alpha v, and the weights are still at theta. Compile it into a "
                "keras_course.core.model.Model, or call look_ahead(variables) before the gradient is taken; a plain "
                "keras.Model can use keras.optimizers.SGD(nesterov=True), the reformulation. "
                f"Received: apply() without look_ahead() of {self.name!r}"
            )
        variables = list(self._trainable_variables if trainable_variables is None else trainable_variables)
        gradients, moved = list(grads), self._moved
        all_back = self.weight_decay is not None or bool(self.gradient_accumulation_steps)
        back = [
            variable
            for variable, gradient in zip(variables, gradients, strict=True)
            if self._var_key(variable) in moved and (all_back or gradient is None)
        ]

        def restore(variable: Any) -> None:
            self.assign(variable, self.positions[self._get_variable_index(variable)])

        self._in_every_replica(restore, back)
        self.is_ahead.assign(False)
        self._moved = frozenset()
        self._stepping_from_ahead = moved - {self._var_key(variable) for variable in back}
        super().apply(gradients, variables)

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        velocity = self.velocities[self._get_variable_index(variable)]
        gradient = dense_gradient(gradient, variable.dtype)
        rate = ops.cast(learning_rate, variable.dtype)
        new = momentum_step(velocity, gradient, rate, self.momentum)
        self.assign(velocity, new)
        if self._var_key(variable) in self._stepping_from_ahead:
            self.assign_sub(variable, rate * gradient)  # alpha v is in it already
        else:
            self.assign_add(variable, new)

    def _in_every_replica(self, change: Callable[[Any], None], variables: Sequence[Any]) -> None:
        """Runs `change` on every replica's copy of each variable, as Keras runs `update_step`."""

        def update_all(strategy: Any, variables: Sequence[Any]) -> None:
            for variable in variables:
                strategy.extended.update(variable, change, group=False)

        own = [variable.value if isinstance(variable, keras.Variable) else variable for variable in variables]
        import tensorflow as tf

        tf.__internal__.distribute.interim.maybe_merge_call(update_all, self._distribution_strategy, own)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "momentum": self.momentum}
