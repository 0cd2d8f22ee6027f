"""A convolution that sees only pixels before its own, and of its own pixel only earlier colours.

    y[b, i, j, f] = activation(bias[f] + sum (M K)[r, a, c, f] x[b, i - k // 2 + r, j - k // 2 + a, c])

M is `ops.masked_convolution.convolution_mask`. The kernel has the k // 2 + 1 rows that are not all zeros; what M takes
away of them is neither used nor trained.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from keras_course.core.serial import register
from keras_course.core.shapes import normalize_tuple, require_one_of, require_positive_int, require_rank
from keras_course.layers.kernel_and_bias import add_kernel_and_bias, keep_kernel_and_bias, told_kernel_and_bias
from keras_course.ops.masked_convolution import causal_maps, convolution_mask

__all__ = ["MaskedConvolution2D"]


@register("MaskedConvolution2D")
class MaskedConvolution2D(keras.layers.Layer):
    """Masked convolution over an image, of its own size: the layer of PixelCNN.

    With mask "A" the output at (i, j) hangs on earlier pixels in reading order and earlier colours of (i, j) alone; a
    stack of one A and any number of B layers does so too.

    Args:
        filters: int F, channels that go out; channel f has colour f mod `colours`.
        kernel_size: odd int or 2 of them; (1, k) sees the own row alone.
        mask: "A" for the first layer, "B" for those above.
        colours: int, colours of a pixel that are made one after the other; 1 for grey images.
        stack: "raster", or "vertical": all of the rows above (B: and the own row), as features that know nothing of
            the own row need it.
        activation: name, function or None.
        use_bias: whether to add one bias a filter.
        kernel_initializer, bias_initializer, kernel_regularizer, bias_regularizer, activity_regularizer,
            kernel_constraint, bias_constraint: as keras.layers.Conv2D.
        **kwargs: as keras.layers.Layer.

    Input shape:
        (batch, height, width, channels); height and width may be unknown. Channel c has colour c mod `colours`.

    Output shape:
        (batch, height, width, filters).

    Raises:
        ValueError: for even sizes, fewer channels or filters than colours, or a wrong rank.

    Example:
        >>> layer = MaskedConvolution2D(1, 3, "A", kernel_initializer="ones")
        >>> ops.convert_to_numpy(layer(ops.ones((1, 2, 3, 1))))[0, ..., 0].tolist()
        [[0.0, 1.0, 1.0], [2.0, 4.0, 3.0]]

    Source: R (PixelCNN); van den Oord et al. 2016.
    """

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        mask: str = "B",
        colours: int = 1,
        stack: str = "raster",
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
        who = "MaskedConvolution2D"
        require_positive_int(who, filters=filters, colours=colours)
        require_one_of(who, ("A", "B"), mask=mask)
        require_one_of(who, ("raster", "vertical"), stack=stack)
        self.filters, self.colours, self.mask, self.stack = int(filters), int(colours), mask, stack
        self.kernel_size = normalize_tuple(who, kernel_size, 2, "kernel_size")
        convolution_mask(self.kernel_size, self.colours, self.filters, mask, self.colours, stack)  # refuses bad sizes
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
        rows = self.kernel_size[0] // 2 + 1
        whole = convolution_mask(self.kernel_size, channels, self.filters, self.mask, self.colours, self.stack)
        self.kernel_mask = whole[:rows]
        add_kernel_and_bias(self, (rows, self.kernel_size[1], channels, self.filters), (self.filters,))
        self.input_spec = keras.InputSpec(ndim=4, axes={-1: channels})
        self.built = True

    def call(self, inputs: Any) -> Any:
        outputs = causal_maps(inputs, self.masked_kernel())
        return self.activation(outputs if self.bias is None else outputs + self.bias)

    def masked_kernel(self) -> Any:
        """M K, (k // 2 + 1, k, C, F)."""
        kernel = ops.convert_to_tensor(self.kernel)
        return kernel if self.kernel_mask.all() else kernel * ops.cast(self.kernel_mask, kernel.dtype)

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        self._channels(input_shape)
        return (*input_shape[:-1], self.filters)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "mask": self.mask,
            "colours": self.colours,
            "stack": self.stack,
            "activation": keras.activations.serialize(self.activation),
            **told_kernel_and_bias(self),
        }

    def _channels(self, input_shape: Any) -> int:
        require_rank("MaskedConvolution2D", input_shape, 4)
        channels = input_shape[-1]
        if not channels or channels < self.colours:
            raise ValueError(
                f"MaskedConvolution2D needs a known number of channels, at least {self.colours}. "
                f"Received: input_shape={tuple(input_shape)}"
            )
        return int(channels)
