"""Units that learn their own activation function."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from keras_course.core.serial import register
from keras_course.core.shapes import require_positive_int
from keras_course.layers.kernel_and_bias import add_kernel_and_bias, keep_kernel_and_bias, told_kernel_and_bias
from keras_course.ops.activations import maxout

__all__ = ["Maxout"]


@register("Maxout")
class Maxout(keras.layers.Layer):
    """Densely connected units, each the largest of k affine pieces of its input.

    h_i = max_j (x.W_ij + b_ij),   j = 1 ... k

    With two pieces a unit can be relu, leaky relu or the absolute value; with enough of them, any convex function.
    Piece j of unit i is column i k + j of the kernel, so constraints on axis 0 act on each piece, as in Dense.

    Args:
        units: int >= 1, number of units.
        pieces: int >= 1, affine pieces k of each unit; 1 is a linear Dense layer.
        use_bias: bool, whether each piece has an offset.
        kernel_initializer: of the kernel, as keras.layers.Dense with units * pieces units.
        bias_initializer: of the bias.
        kernel_regularizer: penalty on the kernel.
        bias_regularizer: penalty on the bias.
        activity_regularizer: penalty on the output.
        kernel_constraint: projection of the kernel after each step.
        bias_constraint: projection of the bias after each step.
        **kwargs: as keras.layers.Layer.

    Input shape:
        (batch, ..., features), at least rank 2, features known. A mask passes through.

    Output shape:
        (batch, ..., units).

    Raises:
        ValueError: if units or pieces is not a positive integer, or the input has rank below 2 or unknown features.

    Example:
        The absolute value of one number, as two pieces.

        >>> layer = Maxout(1, pieces=2)
        >>> layer.build((None, 1))
        >>> _ = layer.kernel.assign([[1.0, -1.0]])
        >>> ops.convert_to_numpy(layer(ops.array([[-3.0], [2.0]]))).tolist()
        [[3.0], [2.0]]

    Source: C 9.1; Goodfellow et al. 2013.
    """

    def __init__(
        self,
        units: int,
        pieces: int = 2,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        require_positive_int("Maxout", units=units, pieces=pieces)
        self.units = units
        self.pieces = pieces
        keep_kernel_and_bias(
            self,
            use_bias,
            kernel_initializer=kernel_initializer,
            bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer,
            bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint,
            bias_constraint=bias_constraint,
        )
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        _require_features(input_shape)
        add_kernel_and_bias(self, (input_shape[-1], self.units * self.pieces), (self.units * self.pieces,))
        self.input_spec = keras.layers.InputSpec(min_ndim=2, axes={-1: input_shape[-1]})
        self.built = True

    def call(self, inputs: Any) -> Any:
        z = ops.matmul(inputs, self.kernel)  # (B, ..., units * pieces)
        if self.bias is not None:
            z = z + self.bias
        return maxout(ops.reshape(z, (*ops.shape(z)[:-1], self.units, self.pieces)))  # (B, ..., units)

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        _require_features(input_shape)
        return (*input_shape[:-1], self.units)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "units": self.units,
            "pieces": self.pieces,
            **told_kernel_and_bias(self),
        }


def _require_features(input_shape: Any) -> None:
    if len(input_shape) < 2 or input_shape[-1] is None:
        raise ValueError(
            "Maxout expects an input of rank 2 or more with a known number of features. Received: "
            f"input_shape={tuple(input_shape)}"
        )
