"""Weight decay beside the gradient, around any Keras optimizer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import keras
from keras import ops

from keras_course.core.serial import register
from keras_course.core.shapes import require_one_of
from keras_course.regularizers.strength import require_strength

__all__ = ["DecoupledWeightDecay"]


@register("DecoupledWeightDecay")
class DecoupledWeightDecay(keras.optimizers.Optimizer):
    """Shrinks the weights at every step, and leaves the gradient to another optimizer.

    decoupled: w <- (1 - eps decay) w + step(g)      eps the optimizer's learning rate of this step
    fixed:     w <- (1 - decay) w + step(g)          whatever the rate is
    step(g) = -eps g for plain gradient descent

    g is the gradient at the weights before they shrink. For plain gradient descent "decoupled" is what the penalty
    decay/2 |w|**2 does; for momentum and Adam it is not (Loshchilov and Hutter): a penalty's gradient is averaged and
    divided by the root of the second moment, so that weights with large gradients decay less. Equals the `weight_decay`
    argument of Keras's optimizers, which has the form "decoupled" alone and decays biases unless told otherwise.

    Args:
        optimizer: a keras.optimizers.Optimizer that has not been built and does not decay weights itself, or what
            keras.optimizers.get takes ("adam"). Clipping, averaging and gradient accumulation are its arguments.
        decay: float >= 0 (alpha, lambda).
        form: "decoupled" (C 6.2) or "fixed" (S 9.4).
        exclude: names of variables that do not decay; by default biases and the scales and shifts of normalization.
        name: str, name of the optimizer.

    Raises:
        ValueError: for a negative decay, an unknown form, or an optimizer that was built or decays weights already.

    Example:
        >>> w = keras.Variable([2.0])
        >>> optimizer = DecoupledWeightDecay(keras.optimizers.SGD(0.5), decay=0.25)
        >>> optimizer.apply([keras.ops.array([1.0])], [w])
        >>> float(w[0])
        1.25

    Source: C 6.2, S 9.4; Loshchilov and Hutter 2019.
    """

    def __init__(
        self,
        optimizer: Any,
        decay: float = 0.01,
        form: str = "decoupled",
        exclude: Sequence[str] = ("bias", "beta", "gamma"),
        name: str | None = None,
    ) -> None:
        require_strength("DecoupledWeightDecay", decay=decay)
        require_one_of("DecoupledWeightDecay", ("decoupled", "fixed"), form=form)
        inner = keras.optimizers.get(optimizer)
        if inner.built or inner.weight_decay is not None:
            raise ValueError(
                "DecoupledWeightDecay needs an optimizer that was not built and has no weight_decay of its own. "
                f"Received: built={inner.built}, weight_decay={inner.weight_decay}"
            )
        super().__init__(learning_rate=0.0, name=name)
        self.optimizer = inner
        self.decay = decay
        self.form = form
        self.exclude = tuple(exclude)

    def build(self, variables: Any) -> None:
        if self.built:
            return
        self.optimizer.exclude_from_weight_decay(var_list=[v for v in variables if v.name in self.exclude])
        self.optimizer.build(variables)
        super().build(variables)

    @property
    def variables(self) -> list[Any]:
        return list(self.optimizer.variables)

    def apply(self, grads: Any, trainable_variables: Any = None) -> None:
        if not self.built:
            self.build(list(trainable_variables))
        with self._decaying():
            self.optimizer.apply(grads, trainable_variables)

    @contextmanager
    def _decaying(self) -> Iterator[None]:
        """Keras multiplies its weight_decay by the rate; the fixed form divides by it first.

        Through Keras's own hook the decay happens where its optimizers have it: once an update when gradients are
        accumulated, on every replica's copy under a strategy.
        """
        decay: Any = self.decay
        if self.form == "fixed":
            rate = ops.convert_to_tensor(self.optimizer.learning_rate)
            safe = ops.where(rate > 0, rate, ops.ones_like(rate))
            decay = ops.where(rate > 0, self.decay / safe, ops.zeros_like(rate))  # at rate 0 nothing moves
        self.optimizer.weight_decay = decay
        try:
            yield
        finally:
            self.optimizer.weight_decay = None

    @property
    def learning_rate(self) -> Any:
        return self.optimizer.learning_rate

    @learning_rate.setter
    def learning_rate(self, learning_rate: Any) -> None:
        self.optimizer.learning_rate = learning_rate

    @property
    def iterations(self) -> Any:
        return self.optimizer.iterations

    def scale_loss(self, loss: Any) -> Any:
        return self.optimizer.scale_loss(loss)

    def finalize_variable_values(self, var_list: Any) -> None:
        self.optimizer.finalize_variable_values(var_list)

    def get_config(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "optimizer": keras.optimizers.serialize(self.optimizer),
            "decay": self.decay,
            "form": self.form,
            "exclude": list(self.exclude),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> DecoupledWeightDecay:
        config = dict(config)
        inner = keras.optimizers.deserialize(config.pop("optimizer"), custom_objects=custom_objects)
        return cls(inner, **config)
