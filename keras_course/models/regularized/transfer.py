"""A trunk that has learned another task, under a new head: kept as it is, or tuned along with it, more slowly.

    f(x) = head(trunk(x)),   trunk starts from the weights of the source task

    frozen       head' = head + step,   trunk' = trunk, its statistics of batches too
    fine-tune    head' = head + step,   trunk' = trunk + trunk_rate * step

`step` is the optimizer's own, of whatever rule: for gradient descent the trunk learns at trunk_rate times the rate.
"""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf
from keras import ops

from keras_course.core.model import Endpoint, Model
from keras_course.core.serial import register
from keras_course.core.shapes import require_positive_int, require_rank
from keras_course.layers.sub_networks import require_shape, restored, sub_network, told

__all__ = ["Transfer"]

FINE_TUNE = "fine-tune"


@register("Transfer")
class Transfer(Model):
    """A new head on a trunk from elsewhere; `call` returns what the head does.

    f(x) = head(trunk(x));   trunk' = trunk  or  trunk + trunk_rate * (step of the optimizer)

    The trunk is copied, weights and all: neither training nor freezing it touches the source. A source is any built
    Keras layer or model; `keras.Sequential(source.layers[:-1])` is a trained network without its last layer. A frozen
    trunk runs as in inference: no weight moves, batch statistics stay bit for bit what they were, dropout in it is off.
    Fine-tuning runs it as in training; `trainable_trunk` alone decides between the two.

    Args:
        shape: int or tuple of ints, the shape of one x.
        trunk: built Keras layer or model (B, *shape) -> (B, ...), or widths of dense layers (a trunk that has learned
            nothing: training from scratch).
        head: Keras layer or model on top of the trunk, or an int, the outputs of a dense layer.
        trainable_trunk: False or "fine-tune".
        trunk_rate: float in (0, 1], share of each step that the trunk makes in fine-tuning.
        activation: of the trunk's dense layers, where it is given by widths.
        seed: int, root of the initial weights.
        **kwargs: as keras.Model.

    Input shape:
        (B, *shape).

    Output shape:
        (B, ...), what the head returns: logits, for a dense head.

    Raises:
        ValueError: for another `trainable_trunk`, a rate outside (0, 1], or shapes that do not fit.

    Example:
        >>> source = keras.Sequential([keras.Input((3,)), keras.layers.Dense(4, "relu"), keras.layers.Dense(2)])
        >>> model = Transfer(3, keras.Sequential(source.layers[:-1]), 5)
        >>> len(model.trainable_variables), len(Transfer(3, source, 5, "fine-tune").trainable_variables)
        (2, 6)

    Source: C 6.6.
    """

    keras_step = True

    def __init__(
        self,
        shape: Any,
        trunk: Any,
        head: Any,
        trainable_trunk: Any = False,
        trunk_rate: float = 0.1,
        activation: Any = "relu",
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed=seed, **kwargs)
        self.event_shape = require_shape("Transfer", shape)
        if trainable_trunk is not False and trainable_trunk != FINE_TUNE:
            raise ValueError(
                f"Transfer needs trainable_trunk=False or {FINE_TUNE!r}. Received: trainable_trunk={trainable_trunk!r}"
            )
        if not 0 < trunk_rate <= 1:
            raise ValueError(f"Transfer needs trunk_rate in (0, 1]. Received: trunk_rate={trunk_rate!r}")
        self.trainable_trunk, self.trunk_rate = trainable_trunk, float(trunk_rate)
        self.activation = keras.activations.get(activation)
        self.trunk_widths = None if isinstance(trunk, keras.layers.Layer) else told(trunk)
        self.head_width = None if isinstance(head, keras.layers.Layer) else head
        if self.head_width is not None:
            require_positive_int("Transfer", head=head)
            head = sub_network("Transfer", "head", (), None, seed, self.dtype_policy, output=head)
        network = sub_network("Transfer", "trunk", trunk, self.activation, seed, self.dtype_policy)
        self.trunk = network if network is not trunk else self._copy(trunk)
        self.trunk.trainable = trainable_trunk == FINE_TUNE
        self.head = head
        self.build((None, *self.event_shape))

    def _copy(self, source: Any) -> Any:
        """A layer of the same config with the same weights, whatever was frozen in the source."""
        copy = type(source).from_config(source.get_config())
        copy(keras.KerasTensor((None, *self.event_shape), dtype=self.compute_dtype))
        if source.variables:
            copy.set_weights(source.get_weights())
        return copy

    def build(self, input_shape: Any) -> None:
        self.call(keras.KerasTensor((None, *self.event_shape), dtype=self.compute_dtype))
        self.built = True

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        return self.head(self.features(inputs, training), training=training)

    def features(self, x: Any, training: bool | None = False) -> Any:
        """What the trunk makes of x, (B, ...)."""
        if tuple(x.shape)[1:] != self.event_shape:
            require_rank("Transfer", x.shape, len(self.event_shape) + 1)
            raise ValueError(f"Transfer expects x of shape (B, {self.event_shape}). Received: {tuple(x.shape)}")
        return self.trunk(x, training=training if self.trainable_trunk == FINE_TUNE else False)

    def probabilities(self, x: Any) -> Any:
        """softmax of the head's scores, (B, classes)."""
        return ops.softmax(self(x, training=False), axis=-1)

    def train_step(self, data: Any) -> Any:
        """Keras's step, of which the trunk makes `trunk_rate`."""
        if self.trainable_trunk is False or self.trunk_rate == 1.0:
            return super().train_step(data)
        variables = self.trunk.trainable_variables
        before = [variable.value + 0.0 for variable in variables]

        logs = super().train_step(data)

        context = tf.distribute.get_replica_context()
        if context.num_replicas_in_sync == 1:
            for variable, start in zip(variables, before, strict=True):
                variable.assign(start + self.trunk_rate * (variable.value - start))
        else:  # a mirrored variable is assigned where all replicas meet
            context.merge_call(self._shorten, args=(before,))
        return logs

    def _shorten(self, strategy: Any, before: Any) -> None:
        """`start + trunk_rate * step` on every replica's copy."""

        def update(variable: Any, start: Any) -> Any:
            return variable.assign(start + self.trunk_rate * (variable - start))

        for variable, start in zip(self.trunk.trainable_variables, before, strict=True):
            strategy.extended.update(variable.value, update, args=(start,), group=False)

    def endpoints(self) -> dict[str, Endpoint]:
        """`serving_default` probabilities (B, classes), `logits`, `features` of the trunk."""
        points = keras.InputSpec(shape=(None, *self.event_shape), dtype=self.input_dtype, name="x")
        return {
            "serving_default": (self.probabilities, [points]),
            "logits": (lambda x: self(x, training=False), [points]),
            "features": (self.features, [points]),
        }

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "shape": list(self.event_shape),
            "trunk": told(self.trunk) if self.trunk_widths is None else self.trunk_widths,
            "head": told(self.head) if self.head_width is None else self.head_width,
            "trainable_trunk": self.trainable_trunk,
            "trunk_rate": self.trunk_rate,
            "activation": keras.activations.serialize(self.activation),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Transfer:
        config = dict(config)
        return cls(trunk=restored(config.pop("trunk")), head=restored(config.pop("head")), **config)
