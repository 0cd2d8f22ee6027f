"""Convolutions and poolings without an end: the feature maps of every scale, for a network that needs several.

    h_0 = images,   h_k = pool(f(W_kn * ... f(W_k1 * h_{k-1} + b_k1) ... + b_kn)),   k = 1 … n,   stride 2^k
    the last map passes through the head:   h_n <- f(W * h_n + b), once for each of its widths

`*` is cross-correlation of 3 x 3 windows, zeros around; the first kernel of the head may be larger. With the widths and
numbers of VGG-16 and a head of (4096, 4096), 7 x 7 at first, these are the weights of that network without its last
layer, whose dense layers have become convolutions.
"""

from __future__ import annotations

from typing import Any

import keras

from keras_course.core.seeds import derive_seed
from keras_course.core.serial import register
from keras_course.core.shapes import normalize_tuple, require_positive_int, require_rank
from keras_course.layers.convolution import Convolution2D
from keras_course.layers.pooling import MaxPooling

__all__ = ["ConvolutionalTrunk"]

KERNEL, WINDOW = 3, 2


@register("ConvolutionalTrunk")
class ConvolutionalTrunk(keras.layers.Layer):
    """Feature maps of falling resolution, finest first.

    h_k = max pool 2 x 2 (f(conv 3 x 3 (… h_{k-1} …))),   h_n <- head(h_n)

    Args:
        filters: ints, number of maps in each of the n stages.
        convolutions: int, or one int a stage, convolutions before its pooling.
        head: ints, widths of the convolutions behind the last pooling; may be empty.
        head_kernel: int, size of the first of them; the others are 1 x 1.
        activation: name or function f.
        seed: int, root of the initial weights (He normal).
        **kwargs: as keras.layers.Layer.

    Input shape:
        (batch, height, width, channels), any height and width.

    Output shape:
        List of n shapes (batch, ceil(height / 2^k), ceil(width / 2^k), filters of k), the last with the head's width.

    Raises:
        ValueError: for numbers below 1, no stage, or a wrong rank.

    Example:
        >>> trunk = ConvolutionalTrunk((4, 8), head=(16,))
        >>> [tuple(maps.shape) for maps in trunk(keras.ops.ones((1, 8, 12, 3)))]
        [(1, 4, 6, 4), (1, 2, 3, 16)]

    Source: C 8.1.8; Simonyan and Zisserman 2015; Long, Shelhamer and Darrell 2015.
    """

    def __init__(
        self,
        filters: Any = (64, 128, 256, 512, 512),
        convolutions: Any = 2,
        head: Any = (),
        head_kernel: int = 1,
        activation: Any = "relu",
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        stages = 1 if isinstance(filters, int) else len(tuple(filters))
        self.filters = normalize_tuple("ConvolutionalTrunk", filters, max(stages, 1), "filters")
        self.convolutions = normalize_tuple("ConvolutionalTrunk", convolutions, stages, "convolutions")
        self.head = normalize_tuple("ConvolutionalTrunk", head, len(tuple(head)), "head")
        require_positive_int("ConvolutionalTrunk", head_kernel=head_kernel)
        self.head_kernel = int(head_kernel)
        self.activation = keras.activations.get(activation)
        self.seed = seed
        self.stages = [
            [self._convolution(width, KERNEL, f"stage{k}_conv{i}") for i in range(1, count + 1)]
            for k, (width, count) in enumerate(zip(self.filters, self.convolutions, strict=True), start=1)
        ]
        self.pool = MaxPooling(WINDOW, padding="same", dtype=self.dtype_policy, name="pool")
        self.head_layers = [
            self._convolution(width, self.head_kernel if i == 1 else 1, f"head_conv{i}")
            for i, width in enumerate(self.head, start=1)
        ]

    def _convolution(self, width: int, kernel: int, name: str) -> Convolution2D:
        return Convolution2D(
            width, kernel, padding="zero", activation=self.activation, dtype=self.dtype_policy, name=name,
            kernel_initializer=keras.initializers.HeNormal(seed=derive_seed(self.seed, name, "kernel")),
        )  # fmt: skip

    def build(self, input_shape: Any) -> None:
        require_rank("ConvolutionalTrunk", input_shape, 4)
        shape = tuple(input_shape)
        for stage in self.stages:
            for layer in stage:
                layer.build(shape)
                shape = layer.compute_output_shape(shape)
            shape = self.pool.compute_output_shape(shape)
        for layer in self.head_layers:
            layer.build(shape)
            shape = layer.compute_output_shape(shape)
        self.pool.build(shape)
        self.built = True

    def call(self, images: Any) -> list[Any]:
        maps, found = images, []
        for stage in self.stages:
            for layer in stage:
                maps = layer(maps)
            maps = self.pool(maps)  # (B, H / 2^k, W / 2^k, filters of k)
            found.append(maps)
        for layer in self.head_layers:
            found[-1] = layer(found[-1])
        return found

    def compute_output_shape(self, input_shape: Any) -> list[tuple[int | None, ...]]:
        require_rank("ConvolutionalTrunk", input_shape, 4)
        batch, *sides, _ = input_shape
        widths = [*self.filters[:-1], (self.filters[-1], *self.head)[-1]]
        return [
            (batch, *(None if n is None else -(-n // WINDOW**k) for n in sides), width)
            for k, width in enumerate(widths, start=1)
        ]

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "filters": self.filters,
            "convolutions": self.convolutions,
            "head": self.head,
            "head_kernel": self.head_kernel,
            "activation": keras.activations.serialize(self.activation),
            "seed": self.seed,
        }
