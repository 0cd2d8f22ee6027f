"""A dense layer for each feature map: all places of a map see each other, the maps do not."""

from __future__ import annotations

import math
from typing import Any

import keras
from keras import ops

from keras_course.core.serial import register
from keras_course.core.shapes import require_rank

__all__ = ["ChannelwiseDense"]


@register("ChannelwiseDense")
class ChannelwiseDense(keras.layers.Layer):
    """Channel-wise fully connected layer: every output place is a sum over all input places of the same channel.

    y[q, c] = act(sum_p x[p, c] W[c, p, q] + b[c, q]),   p, q over the n places of a feature map

    m maps of n = h w places have m (n**2 + n) weights, where one dense layer over everything has m**2 n**2 + m n:
    information crosses the whole image at once, and a convolution with kernel 1 afterwards carries it between maps.

    Args:
        activation: of the layer; None is linear.
        use_bias: bool, whether each place of each map has an offset.
        kernel_initializer: of each map's n x n kernel.
        bias_initializer: of the bias.
        kernel_regularizer: penalty on the kernel.
        bias_regularizer: penalty on the bias.
        seed: int or None; with one, the kernel starts Glorot uniform for n inputs and n outputs from that seed, unless
            `kernel_initializer` says otherwise.
        **kwargs: as keras.layers.Layer.

    Input shape:
        (batch, *places, channels), all but the batch known, rank 3 to 5.

    Output shape:
        That of the input.

    Raises:
        ValueError: for another rank, or axes of unknown size.

    Example:
        >>> layer = ChannelwiseDense(kernel_initializer="ones")
        >>> x = ops.reshape(ops.convert_to_tensor([1.0, 10.0, 2.0, 20.0]), (1, 2, 1, 2))
        >>> ops.convert_to_numpy(layer(x)).ravel().tolist()
        [3.0, 30.0, 3.0, 30.0]

    Source: R; Pathak et al. 2016, section 3.1.
    """

    def __init__(
        self,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = None,
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.activation = keras.activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.bias_initializer = keras.initializers.get(bias_initializer)
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)
        self.bias_regularizer = keras.regularizers.get(bias_regularizer)
        self.seed = seed

    def build(self, input_shape: Any) -> None:
        channels, places = _channels_and_places(input_shape)
        initializer = self.kernel_initializer
        if initializer is None:
            limit = math.sqrt(6 / (2 * places))  # Keras would read the channels as a receptive field
            initializer = keras.initializers.RandomUniform(-limit, limit, seed=self.seed)
        self.kernel = self.add_weight(
            name="kernel",
            shape=(channels, places, places),
            initializer=initializer,
            regularizer=self.kernel_regularizer,
        )
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                name="bias",
                shape=(channels, places),
                initializer=self.bias_initializer,
                regularizer=self.bias_regularizer,
            )
        self.built = True

    def call(self, inputs: Any) -> Any:
        channels, places = _channels_and_places(inputs.shape)
        maps = ops.moveaxis(ops.reshape(inputs, (-1, places, channels)), -1, 0)  # (M, B, P)
        sums = ops.matmul(maps, self.kernel)  # (M, B, P)
        if self.bias is not None:
            sums = sums + self.bias[:, None, :]
        return self.activation(ops.reshape(ops.moveaxis(sums, 0, -1), (-1, *inputs.shape[1:])))

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        _channels_and_places(input_shape)
        return tuple(input_shape)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "activation": keras.activations.serialize(self.activation),
            "use_bias": self.use_bias,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "bias_initializer": keras.initializers.serialize(self.bias_initializer),
            "kernel_regularizer": keras.regularizers.serialize(self.kernel_regularizer),
            "bias_regularizer": keras.regularizers.serialize(self.bias_regularizer),
            "seed": self.seed,
        }


def _channels_and_places(shape: Any) -> tuple[int, int]:
    require_rank("ChannelwiseDense", shape, 3, 4, 5)
    if None in tuple(shape)[1:]:
        raise ValueError(f"ChannelwiseDense needs to know every axis but the batch. Received: shape={tuple(shape)}")
    return int(shape[-1]), math.prod(shape[1:-1])
