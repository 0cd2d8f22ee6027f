"""A penalty on activations: sparse representations."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from keras_course.core.serial import register
from keras_course.ops.penalties import l1_penalty
from keras_course.regularizers.strength import require_strength

__all__ = ["ActivityPenalty"]


@register("ActivityPenalty")
class ActivityPenalty(keras.layers.Layer):
    """Passes its input on and adds the sum of its absolute values to the loss.

    alpha Omega(h) = alpha sum_i |h_i|, averaged over the examples of the batch

    With rectifiers before it many units end at exactly 0. Equals Keras's `activity_regularizer=L1(alpha)`, but masked
    steps do not count. A batch without examples costs nothing.

    Args:
        alpha: float >= 0, strength.
        **kwargs: as keras.layers.Layer.

    Input shape:
        (batch, ...). A mask (batch, time) passes through.

    Output shape:
        That of the input.

    Raises:
        ValueError: if alpha is negative or not finite.

    Example:
        >>> layer = ActivityPenalty(0.5)
        >>> _ = layer(ops.array([[1.0, -2.0], [0.0, 3.0]]))
        >>> float(layer.losses[0])
        1.5

    Source: C 6.11.
    """

    def __init__(self, alpha: float = 0.01, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        require_strength("ActivityPenalty", alpha=alpha)
        self.alpha = alpha
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        if len(input_shape) == 0:
            raise ValueError(f"ActivityPenalty expects a batch. Received: input_shape={tuple(input_shape)}")
        self.built = True

    def call(self, inputs: Any, mask: Any = None) -> Any:
        h = ops.cast(inputs, keras.backend.result_type(inputs.dtype, "float32"))
        if mask is not None:
            wide = ops.reshape(mask, (*ops.shape(mask), *[1] * (len(h.shape) - len(mask.shape))))
            h = ops.where(wide, h, ops.zeros_like(h))
        examples = ops.cast(ops.maximum(ops.shape(inputs)[0], 1), h.dtype)
        self.add_loss(self.alpha * l1_penalty(h) / examples)
        return inputs

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        return tuple(input_shape)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "alpha": self.alpha}
