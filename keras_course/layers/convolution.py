"""Convolution layers: the formula lives in ops.convolution.feature_maps, the weights here.

    y[b, i, f] = activation(bias[f] + sum_a sum_c K[a, c, f] x[b, i s + a d, c])        flip: K[k-1-a, c, f]

With flip=False and padding "valid" or "same" these are keras.layers.Conv1D, 2D and 3D, weight for weight.
"""

from __future__ import annotations

from typing import Any, ClassVar

import keras
from keras import ops

from keras_course.core.serial import register
from keras_course.core.shapes import normalize_tuple, require_one_of, require_positive_int, require_rank
from keras_course.layers.kernel_and_bias import add_kernel_and_bias, keep_kernel_and_bias, told_kernel_and_bias
from keras_course.ops.convolution import PADDINGS, feature_maps, output_size

__all__ = ["Convolution1D", "Convolution2D", "Convolution3D"]


class _Convolution(keras.layers.Layer):
    """What the three layers share; `rank` is the number of spatial axes."""

    rank: ClassVar[int]

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        *,
        dilation_rate: Any = 1,
        flip: bool = False,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        who = type(self).__name__
        require_positive_int(who, filters=filters)
        require_one_of(who, PADDINGS, padding=padding)
        self.filters = int(filters)
        self.kernel_size = normalize_tuple(who, kernel_size, self.rank, "kernel_size")
        self.strides = normalize_tuple(who, strides, self.rank, "strides")
        self.dilation_rate = normalize_tuple(who, dilation_rate, self.rank, "dilation_rate")
        if padding == "same" and max(self.strides) > 1 and max(self.dilation_rate) > 1:
            raise ValueError(
                f"{who} takes padding='same' with strides or a dilation_rate above 1, not both; 'zero' takes both. "
                f"Received: strides={strides}, dilation_rate={dilation_rate}"
            )
        self.padding = padding
        self.flip = bool(flip)
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
        self.data_format = keras.config.image_data_format() if data_format is None else data_format
        require_one_of(who, ("channels_last", "channels_first"), data_format=self.data_format)

    def build(self, input_shape: Any) -> None:
        channels = self._channels(input_shape)
        add_kernel_and_bias(self, (*self.kernel_size, channels, self.filters), (self.filters,))
        axis = -1 if self.data_format == "channels_last" else 1
        self.input_spec = keras.InputSpec(ndim=self.rank + 2, axes={axis: channels})
        self.built = True

    def call(self, inputs: Any) -> Any:
        first = self.data_format == "channels_first"
        if first:  # the CPU primitive wants channels last; on a GPU the graph optimiser picks the faster layout itself
            inputs = ops.moveaxis(inputs, 1, -1)
        outputs = feature_maps(inputs, self.kernel, self.strides, self.dilation_rate, self.padding, self.flip)
        if self.bias is not None:
            outputs = outputs + self.bias  # (B, *output, F)
        if first:
            outputs = ops.moveaxis(outputs, -1, 1)
        return self.activation(outputs)

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        self._channels(input_shape)
        first = self.data_format == "channels_first"
        spatial = input_shape[2:] if first else input_shape[1:-1]
        sizes = tuple(
            output_size(n, k, s, d, self.padding)
            for n, k, s, d in zip(spatial, self.kernel_size, self.strides, self.dilation_rate, strict=True)
        )
        if 0 in sizes:
            raise ValueError(
                f"{type(self).__name__} needs a larger image for kernel_size={self.kernel_size} and dilation_rate="
                f"{self.dilation_rate} with padding='valid'. Received: input_shape={tuple(input_shape)}"
            )
        return (input_shape[0], self.filters, *sizes) if first else (input_shape[0], *sizes, self.filters)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "strides": self.strides,
            "padding": self.padding,
            "dilation_rate": self.dilation_rate,
            "flip": self.flip,
            "activation": keras.activations.serialize(self.activation),
            **told_kernel_and_bias(self),
            "data_format": self.data_format,
        }

    def _channels(self, input_shape: Any) -> int:
        who = type(self).__name__
        require_rank(who, input_shape, self.rank + 2)
        channels = input_shape[-1 if self.data_format == "channels_last" else 1]
        if not channels:
            raise ValueError(f"{who} needs a known number of channels. Received: input_shape={tuple(input_shape)}")
        return int(channels)


@register("Convolution1D")
class Convolution1D(_Convolution):
    """Convolution along one axis: sequences and sound.

    y[b, t, f] = activation(bias[f] + sum_a sum_c K[a, c, f] x[b, t s + a d, c])         flip: K[k-1-a, c, f]

    Args:
        filters: int, number F of feature maps.
        kernel_size: int k, taps along the axis.
        strides: int s, step between two windows.
        padding: "valid", "zero", "replicate", or "same" (Keras's; equals "zero" at strides=1).
        dilation_rate: int d, distance between two taps as in Keras: 1 is none, the notes' rate plus one.
        flip: True for convolution, False for cross-correlation, which Keras calls convolution.
        activation: name, function or None.
        use_bias: whether to add one bias a filter.
        kernel_initializer, bias_initializer, kernel_regularizer, bias_regularizer, activity_regularizer,
            kernel_constraint, bias_constraint: as keras.layers.Conv1D.
        data_format: "channels_last", "channels_first", or None for Keras's setting.
        **kwargs: as keras.layers.Layer.

    Input shape:
        (batch, time, channels); time may be unknown.

    Output shape:
        (batch, output, filters), output by `ops.convolution.output_size`.

    Raises:
        ValueError: for a bad argument, a wrong rank, or an input shorter than the kernel under "valid".

    Example:
        >>> tuple(Convolution1D(4, 3, dilation_rate=2)(ops.ones((2, 10, 1))).shape)
        (2, 6, 4)

    Source: C 8.1, N Convolution.
    """

    rank = 1


@register("Convolution2D")
class Convolution2D(_Convolution):
    """Convolution over an image.

    y[b, i, j, f] = activation(bias[f] + sum_{a,a'} sum_c K[a, a', c, f] x[b, i s + a d, j s + a' d, c])
    flip: K[k-1-a, k-1-a', c, f]

    Args:
        filters: int, number F of feature maps.
        kernel_size: int or 2 ints, height and width of the kernel.
        strides: int or 2 ints, step between two windows.
        padding: "valid", "zero", "replicate", or "same" (Keras's; equals "zero" at strides=1).
        dilation_rate: int or 2 ints, distance between two taps as in Keras: 1 is none, the notes' rate plus one.
        flip: True for convolution, False for cross-correlation, which Keras calls convolution.
        activation: name, function or None.
        use_bias: whether to add one bias a filter.
        kernel_initializer, bias_initializer, kernel_regularizer, bias_regularizer, activity_regularizer,
            kernel_constraint, bias_constraint: as keras.layers.Conv2D.
        data_format: "channels_last", "channels_first", or None for Keras's setting.
        **kwargs: as keras.layers.Layer.

    Input shape:
        (batch, height, width, channels); height and width may be unknown.

    Output shape:
        (batch, output height, output width, filters), sizes by `ops.convolution.output_size`.

    Raises:
        ValueError: for a bad argument, a wrong rank, or an image smaller than the kernel under "valid".

    Example:
        >>> tuple(Convolution2D(6, 5, padding="replicate", activation="relu")(ops.ones((1, 8, 8, 1))).shape)
        (1, 8, 8, 6)

    Source: C 8.1, N Convolution, S 9.2.
    """

    rank = 2


@register("Convolution3D")
class Convolution3D(_Convolution):
    """Convolution over a volume or a film.

    y[b, i, f] = activation(bias[f] + sum_a sum_c K[a, c, f] x[b, i s + a d, c]),   i and a over three axes
    flip: K[k-1-a, c, f]

    Args:
        filters: int, number F of feature maps.
        kernel_size: int or 3 ints.
        strides: int or 3 ints, step between two windows.
        padding: "valid", "zero", "replicate", or "same" (Keras's; equals "zero" at strides=1).
        dilation_rate: int or 3 ints, distance between two taps as in Keras: 1 is none, the notes' rate plus one.
        flip: True for convolution, False for cross-correlation, which Keras calls convolution.
        activation: name, function or None.
        use_bias: whether to add one bias a filter.
        kernel_initializer, bias_initializer, kernel_regularizer, bias_regularizer, activity_regularizer,
            kernel_constraint, bias_constraint: as keras.layers.Conv3D.
        data_format: "channels_last", "channels_first", or None for Keras's setting.
        **kwargs: as keras.layers.Layer.

    Input shape:
        (batch, depth, height, width, channels); the three sizes may be unknown.

    Output shape:
        (batch, three output sizes, filters), sizes by `ops.convolution.output_size`.

    Raises:
        ValueError: for a bad argument, a wrong rank, or a volume smaller than the kernel under "valid".

    Example:
        >>> tuple(Convolution3D(2, 3, strides=2, padding="zero")(ops.ones((1, 5, 5, 5, 1))).shape)
        (1, 3, 3, 3, 2)

    Source: C 8.1, N Convolution Applications.
    """

    rank = 3
