"""The rectifier that learns how much to leak."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras

from keras_course.core.serial import register
from keras_course.ops.activations import prelu

__all__ = ["PReLU"]


@register("PReLU")
class PReLU(keras.layers.Layer):
    """Parametric rectified linear unit: the negative slope is a weight.

    h_i = max(0, z_i) + alpha_i min(0, z_i)

    Equal to keras.layers.PReLU except for the slope at z = 0, which is alpha here and 0 there.

    Args:
        alpha_initializer: of the slopes; zeros start as relu.
        alpha_regularizer: penalty on the slopes. L2 pulls them to 0, back to relu.
        alpha_constraint: projection of the slopes after each step.
        shared_axes: axis or axes (1 is the first after the batch) along which one slope serves all, such as (1, 2) for
            one slope a channel of an image; None for one slope an entry.
        **kwargs: as keras.layers.Layer.

    Input shape:
        (batch, ...), at least rank 2; all axes but the batch and the shared ones known. A mask passes through.

    Output shape:
        As the input.

    Raises:
        ValueError: if the input has rank below 2 or an unknown axis that is not shared, or shared_axes names an axis
            that it does not have.

    Example:
        >>> layer = PReLU(alpha_initializer=keras.initializers.Constant(0.5))
        >>> keras.ops.convert_to_numpy(layer(keras.ops.array([[-2.0, 3.0]]))).tolist()
        [[-1.0, 3.0]]

    Source: C 4.4; He et al. 2015.
    """

    def __init__(
        self,
        alpha_initializer: Any = "zeros",
        alpha_regularizer: Any = None,
        alpha_constraint: Any = None,
        shared_axes: int | Sequence[int] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.alpha_initializer = keras.initializers.get(alpha_initializer)
        self.alpha_regularizer = keras.regularizers.get(alpha_regularizer)
        self.alpha_constraint = keras.constraints.get(alpha_constraint)
        if shared_axes is None:
            self.shared_axes = None
        else:
            self.shared_axes = [shared_axes] if isinstance(shared_axes, int) else [int(axis) for axis in shared_axes]
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        shared = self._shared(input_shape)
        sizes = {axis: 1 if axis in shared else size for axis, size in enumerate(input_shape) if axis > 0}
        if None in sizes.values():
            raise ValueError(f"PReLU needs every axis known that is not shared. Received: input_shape={input_shape}")
        self.alpha = self.add_weight(
            name="alpha",
            shape=tuple(sizes.values()),
            initializer=self.alpha_initializer,
            regularizer=self.alpha_regularizer,
            constraint=self.alpha_constraint,
        )
        known = {axis: size for axis, size in sizes.items() if axis not in shared}
        self.input_spec = keras.layers.InputSpec(ndim=len(input_shape), axes=known)
        self.built = True

    def call(self, inputs: Any) -> Any:
        return prelu(inputs, self.alpha)

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        self._shared(input_shape)
        return tuple(input_shape)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "alpha_initializer": keras.initializers.serialize(self.alpha_initializer),
            "alpha_regularizer": keras.regularizers.serialize(self.alpha_regularizer),
            "alpha_constraint": keras.constraints.serialize(self.alpha_constraint),
            "shared_axes": self.shared_axes,
        }

    def _shared(self, input_shape: Any) -> set[int]:
        """The shared axes as positive numbers."""
        rank = len(input_shape)
        shared = {axis + rank if axis < 0 else axis for axis in self.shared_axes or ()}
        if rank < 2 or not all(1 <= axis < rank for axis in shared):
            raise ValueError(
                "PReLU expects an input of rank 2 or more, and shared_axes among the axes after the batch. Received: "
                f"input_shape={tuple(input_shape)}, shared_axes={self.shared_axes}"
            )
        return shared
