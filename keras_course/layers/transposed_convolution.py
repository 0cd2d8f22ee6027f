"""A transposed convolution layer: the formula lives in ops.transposed_convolution, the weights here."""

from __future__ import annotations

from typing import Any

import keras

from keras_course.core.serial import register
from keras_course.core.shapes import normalize_tuple, require_one_of, require_positive_int, require_rank
from keras_course.layers.kernel_and_bias import add_kernel_and_bias, keep_kernel_and_bias, told_kernel_and_bias
from keras_course.ops.transposed_convolution import TRANSPOSED_PADDINGS, transposed_maps, transposed_size

__all__ = ["TransposedConvolution2D"]


@register("TransposedConvolution2D")
class TransposedConvolution2D(keras.layers.Layer):
    """Makes an image `strides` times as large, with weights that are learned; the adjoint of Convolution2D.

    y[b, j, c] = activation(bias[c] + sum_{i, a: i s + a - p = j} sum_f K[a, c, f] x[b, i, f])

    With padding "valid" or "same" it is keras.layers.Conv2DTranspose, weight for weight. With
    `kernel_initializer=initializers.Bilinear()` and a kernel of 2 s it starts as bilinear interpolation.

    Args:
        filters: int, number C of output channels.
        kernel_size: int or 2 ints, height and width of the kernel.
        strides: int or 2 ints, how many times as large the output is.
        padding: "valid", "zero" or "same", that of the convolution whose adjoint this is.
        activation: name, function or None.
        use_bias: whether to add one bias a channel.
        kernel_initializer, bias_initializer, kernel_regularizer, bias_regularizer, activity_regularizer,
            kernel_constraint, bias_constraint: as keras.layers.Conv2DTranspose; the kernel is (height, width, filters,
            input channels).
        **kwargs: as keras.layers.Layer.

    Input shape:
        (batch, height, width, channels); height and width may be unknown.

    Output shape:
        (batch, output height, output width, filters), sides by `ops.transposed_convolution.transposed_size`.

    Raises:
        ValueError: for a bad argument or a wrong rank.

    Example:
        >>> layer = TransposedConvolution2D(3, 4, strides=2, padding="same")
        >>> tuple(layer(keras.ops.ones((1, 5, 6, 2))).shape)
        (1, 10, 12, 3)

    Source: C 8.1.12; Long, Shelhamer and Darrell 2015.
    """

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        *,
        activation: Any = None,
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
        who = type(self).__name__
        require_positive_int(who, filters=filters)
        require_one_of(who, TRANSPOSED_PADDINGS, padding=padding)
        self.filters = int(filters)
        self.kernel_size = normalize_tuple(who, kernel_size, 2, "kernel_size")
        self.strides = normalize_tuple(who, strides, 2, "strides")
        self.padding = padding
        self.activation = keras.activations.get(activation)
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

    def build(self, input_shape: Any) -> None:
        channels = self._channels(input_shape)
        add_kernel_and_bias(self, (*self.kernel_size, self.filters, channels), (self.filters,))
        self.input_spec = keras.InputSpec(ndim=4, axes={-1: channels})
        self.built = True

    def call(self, inputs: Any) -> Any:
        outputs = transposed_maps(inputs, self.kernel, self.strides, self.padding)  # (B, H', W', C)
        return self.activation(outputs if self.bias is None else outputs + self.bias)

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        self._channels(input_shape)
        sides = (
            transposed_size(n, k, s, self.padding)
            for n, k, s in zip(input_shape[1:3], self.kernel_size, self.strides, strict=True)
        )
        return (input_shape[0], *sides, self.filters)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "strides": self.strides,
            "padding": self.padding,
            "activation": keras.activations.serialize(self.activation),
            **told_kernel_and_bias(self),
        }

    def _channels(self, input_shape: Any) -> int:
        require_rank(type(self).__name__, input_shape, 4)
        if not input_shape[-1]:
            raise ValueError(
                f"TransposedConvolution2D needs a known number of channels. Received: input_shape={tuple(input_shape)}"
            )
        return int(input_shape[-1])
