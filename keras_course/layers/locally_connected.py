"""Locally connected layers, which Keras 3 left out: convolution whose kernel differs from place to place.

    y[b, i, f] = activation(bias[i, f] + sum_a sum_c K[i, a, c, f] x[b, i s + a, c])

The formula lives in ops.unshared_convolution; the weights have the shapes and the order of Keras 2's layers, so that
old code moves over by its import and old weights load.
"""

from __future__ import annotations

from typing import Any, ClassVar

import keras
from keras import ops

from keras_course.core.serial import register
from keras_course.core.shapes import normalize_tuple, require_one_of, require_positive_int, require_rank
from keras_course.layers.keras2_kernels import IMPLEMENTATIONS, Keras2Kernel
from keras_course.layers.kernel_and_bias import add_kernel_and_bias, keep_kernel_and_bias, told_kernel_and_bias
from keras_course.ops.unshared_convolution import UNSHARED_PADDINGS, unshared_convolution, unshared_output_size

__all__ = ["LocallyConnected1D", "LocallyConnected2D"]


class _LocallyConnected(keras.layers.Layer):
    """What the two layers share; `rank` is the number of spatial axes. The arguments' order is Keras 2's."""

    rank: ClassVar[int]

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        implementation: int = 1,
        **kwargs: Any,
    ) -> None:
        if "batch_input_shape" in kwargs:  # in the first layer's config of a Keras 2 file
            kwargs["input_shape"] = kwargs.pop("batch_input_shape")[1:]
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        who = type(self).__name__
        require_positive_int(who, filters=filters)
        self.filters = int(filters)
        self.kernel_size = normalize_tuple(who, kernel_size, self.rank, "kernel_size")
        self.strides = normalize_tuple(who, strides, self.rank, "strides")
        self.padding = padding.lower() if isinstance(padding, str) else padding
        require_one_of(who, UNSHARED_PADDINGS, padding=self.padding)
        require_one_of(who, IMPLEMENTATIONS, implementation=implementation)
        self.implementation = int(implementation)
        if self.padding == "same" and self.implementation == 1:
            raise ValueError(
                f"{who} with implementation=1 takes padding='valid' alone: its weights are as many at every place; "
                f"padding='same' needs implementation=2 or 3. Received: padding={padding!r}"
            )
        self.data_format = keras.config.image_data_format() if data_format is None else data_format
        require_one_of(who, ("channels_last", "channels_first"), data_format=self.data_format)
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
        *output, filters = self._output(input_shape)
        first = self.data_format == "channels_first"
        spatial, channels = (input_shape[2:], input_shape[1]) if first else (input_shape[1:-1], input_shape[-1])
        self._layout = Keras2Kernel(
            self.implementation, tuple(spatial), self.kernel_size, self.strides, self.padding, channels, filters, first
        )
        add_kernel_and_bias(self, self._layout.shape, (*output, filters))
        as_stored = self.implementation == 1 and not first
        self._places = None if as_stored else self._layout.places().reshape(-1)
        self.input_spec = keras.InputSpec(shape=(None, *input_shape[1:]))
        self.built = True

    def unshared_kernel(self) -> Any:
        """K[i, a, c, f], tensor (*output, *kernel_size, C, F), whatever shape the weights are stored in.

        A connection that leaves the image (padding "same") does not exist; what stands there does not matter.
        """
        kernel = ops.convert_to_tensor(self.kernel)
        if self._places is not None:
            kernel = ops.take(ops.reshape(kernel, (-1,)), self._places, axis=0)
        return ops.reshape(kernel, self._layout.unshared_shape)

    def call(self, inputs: Any) -> Any:
        first = self.data_format == "channels_first"
        if first:
            inputs = ops.moveaxis(inputs, 1, -1)
        outputs = unshared_convolution(inputs, self.unshared_kernel(), self.strides, self.padding)  # (B, *output, F)
        if first:
            outputs = ops.moveaxis(outputs, -1, 1)
        if self.bias is not None:
            # As Keras 2: with channels first the bias is read in another order, not turned round.
            outputs = outputs + ops.reshape(self.bias, outputs.shape[1:])
        return self.activation(outputs)

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        *output, filters = self._output(input_shape)
        first = self.data_format == "channels_first"
        return (input_shape[0], filters, *output) if first else (input_shape[0], *output, filters)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "strides": self.strides,
            "padding": self.padding,
            "data_format": self.data_format,
            "activation": keras.activations.serialize(self.activation),
            **told_kernel_and_bias(self),
            "implementation": self.implementation,
        }

    def _output(self, input_shape: Any) -> tuple[int, ...]:
        """(*output, F); refuses what has no fixed number of places."""
        who = type(self).__name__
        require_rank(who, input_shape, self.rank + 2)
        if None in input_shape[1:]:
            raise ValueError(
                f"{who} has weights for every place and needs every size but the batch's. "
                f"Received: input_shape={tuple(input_shape)}"
            )
        spatial = input_shape[2:] if self.data_format == "channels_first" else input_shape[1:-1]
        sizes = [
            unshared_output_size(n, k, s, self.padding) or 0
            for n, k, s in zip(spatial, self.kernel_size, self.strides, strict=True)
        ]
        if 0 in sizes:
            raise ValueError(
                f"{who} needs a larger input for kernel_size={self.kernel_size}. "
                f"Received: input_shape={tuple(input_shape)}"
            )
        return (*sizes, self.filters)


@register("LocallyConnected1D")
class LocallyConnected1D(_LocallyConnected):
    """Unshared convolution along one axis: each place has its own kernel and bias.

    y[b, t, f] = activation(bias[t, f] + sum_a sum_c K[t, a, c, f] x[b, t s + a, c])

    Arguments, weights and their order are those of Keras 2's layer of this name; see `LocallyConnected2D`.

    Args:
        filters: int, number F of feature maps.
        kernel_size: int k, taps along the axis.
        strides: int s, step between two windows.
        padding: "valid", or "same" with implementation 2 or 3.
        data_format: "channels_last", "channels_first", or None for Keras's setting.
        activation: name, function or None.
        use_bias: whether to add a bias for each place and filter.
        kernel_initializer, bias_initializer, kernel_regularizer, bias_regularizer, activity_regularizer,
            kernel_constraint, bias_constraint: as in Keras.
        implementation: 1, 2 or 3: the shape of the stored kernel.
        **kwargs: as keras.layers.Layer.

    Input shape:
        (batch, time, channels); time must be known.

    Output shape:
        (batch, output, filters), output by `ops.unshared_convolution.unshared_output_size`.

    Raises:
        ValueError: for a bad argument, a wrong rank, an unknown size, or an input shorter than the kernel.

    Example:
        >>> layer = LocallyConnected1D(4, 3)
        >>> tuple(layer(ops.ones((2, 10, 2))).shape), [tuple(weight.shape) for weight in layer.weights]
        ((2, 8, 4), [(8, 6, 4), (8, 4)])

    Source: C 8.1.11.
    """

    rank = 1


@register("LocallyConnected2D")
class LocallyConnected2D(_LocallyConnected):
    """Unshared convolution over an image: each place has its own kernel and bias.

    y[b, i, j, f] = activation(bias[i, j, f] + sum_{a,a'} sum_c K[i, j, a, a', c, f] x[b, i s + a, j s + a', c])

    Useful where a feature belongs to a place, as in a portrait whose eyes always lie in the same corner. There are as
    many times more weights than in a convolution as there are places, and no equivariance to translation.

    Arguments, weights and their order are those of Keras 2's layer of this name. `implementation` chose between three
    computations there; here it says only how the kernel is stored, and one computation (a gather and a batched product)
    serves all three:

        1  (places, k C, F), the one to choose: no weight more than needed
        2  (*inputs, C, *outputs, F), the full matrix, most of which is never read (but decays and is drawn)
        3  (connections,), sorted by output and then by input

    An initializer that looks at the shape (Glorot's) counts all places, as in Keras 2, and so draws smaller weights
    than for a convolution. With "channels_first" the bias, stored as (*output, F), is read as if it were (F, *output),
    as in Keras 2. Padding "same" starts the window k // 2 before its sample, for an even kernel not as a convolution's.

    Args:
        filters: int, number F of feature maps.
        kernel_size: int or 2 ints, height and width of the kernel.
        strides: int or 2 ints, step between two windows.
        padding: "valid", or "same" with implementation 2 or 3.
        data_format: "channels_last", "channels_first", or None for Keras's setting.
        activation: name, function or None.
        use_bias: whether to add a bias for each place and filter.
        kernel_initializer, bias_initializer, kernel_regularizer, bias_regularizer, activity_regularizer,
            kernel_constraint, bias_constraint: as in Keras.
        implementation: 1, 2 or 3: the shape of the stored kernel.
        **kwargs: as keras.layers.Layer.

    Input shape:
        (batch, height, width, channels); height and width must be known.

    Output shape:
        (batch, output height, output width, filters), sizes by `ops.unshared_convolution.unshared_output_size`.

    Raises:
        ValueError: for a bad argument, a wrong rank, an unknown size, or an image smaller than the kernel.

    Example:
        >>> layer = LocallyConnected2D(4, 3, activation="relu")
        >>> tuple(layer(ops.ones((1, 8, 6, 2))).shape), layer.count_params()
        ((1, 6, 4, 4), 1824)

    Source: C 8.1.11.
    """

    rank = 2
