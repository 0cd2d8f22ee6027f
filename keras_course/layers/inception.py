"""The inception module: several sizes of filter side by side, their maps stacked.

    y = [conv_1x1(x), conv_3x3(x), conv_5x5(x), pool_3x3(x)]                                          naive
    y = [conv_1x1(x), conv_3x3(conv_1x1(x)), conv_5x5(conv_1x1(x)), conv_1x1(pool_3x3(x))]            reduced

The 1 x 1 convolutions in front of the large ones (and behind the pool) reduce the number of maps: on 28 x 28 x 192 with
64, 128 and 32 filters the naive module needs 387,296 weights and biases, the reduced one 163,696. Zero padding and
stride 1 keep the size of the image; rectifiers follow every convolution. The naive module's output holds all maps of
its input as well, and grows from module to module.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from keras_course.core.serial import register
from keras_course.core.shapes import normalize_tuple, require_rank
from keras_course.initializers.seeding import seeded
from keras_course.layers.convolution import Convolution2D
from keras_course.layers.pooling import MaxPooling

__all__ = ["InceptionModule"]


@register("InceptionModule")
class InceptionModule(keras.layers.Layer):
    """Filters of 1 x 1, 3 x 3 and 5 x 5 and a pool over one image, stacked.

    reduced: y = [c1(x), c3(r3(x)), c5(r5(x)), p(pool(x))],   c, r, p = relu(convolution + bias), r and p 1 x 1
    naive:   y = [c1(x), c3(x), c5(x), pool(x)]

    Args:
        filters: 3 ints, maps of c1, c3 and c5.
        reductions: 3 ints, maps of r3, r5 and of the projection p behind the pool; None for the naive module.
        activation: name, function or None.
        kernel_initializer: as Keras takes it.
        seed: int, root of the kernels' draws, one seed a convolution; None takes Keras's global seed.
        **kwargs: as keras.layers.Layer.

    Input shape:
        (batch, height, width, maps); height and width may be unknown.

    Output shape:
        (batch, height, width, sum of filters + reductions[2]); naive: sum of filters + maps of the input.

    Raises:
        ValueError: for a bad argument or a rank other than 4.

    Example:
        >>> tuple(InceptionModule((64, 128, 32), (96, 16, 32))(ops.ones((1, 4, 4, 192))).shape)
        (1, 4, 4, 256)
        >>> tuple(InceptionModule((64, 128, 32))(ops.ones((1, 4, 4, 192))).shape)
        (1, 4, 4, 416)

    Source: R GoogLeNet, S 9.2 Fancy structures; Szegedy et al. 2015.
    """

    def __init__(
        self,
        filters: Any,
        reductions: Any = None,
        activation: Any = "relu",
        kernel_initializer: Any = "glorot_uniform",
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.filters = normalize_tuple("InceptionModule", filters, 3, "filters")
        self.reductions = None
        if reductions is not None:
            self.reductions = normalize_tuple("InceptionModule", reductions, 3, "reductions")
        self.activation = keras.activations.get(activation)
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.seed = seed

        self.conv1, self.conv3, self.conv5 = (
            self._convolution(f"conv{size}", maps, size) for size, maps in zip((1, 3, 5), self.filters, strict=True)
        )
        self.reduce3 = self.reduce5 = self.project = None
        if self.reductions is not None:
            self.reduce3, self.reduce5, self.project = (
                self._convolution(name, maps, 1)
                for name, maps in zip(("reduce3", "reduce5", "project"), self.reductions, strict=True)
            )
        self.pool = MaxPooling(3, strides=1, padding="same", data_format="channels_last", dtype=self.dtype_policy)

    def build(self, input_shape: Any) -> None:
        self.compute_output_shape(input_shape)
        for path in self.paths:
            shape = tuple(input_shape)
            for layer in path:
                layer.build(shape)
                shape = layer.compute_output_shape(shape)
        self.input_spec = keras.InputSpec(ndim=4, axes={-1: input_shape[-1]})
        self.built = True

    def call(self, inputs: Any) -> Any:
        outputs = []
        for path in self.paths:
            maps = inputs
            for layer in path:
                maps = layer(maps)
            outputs.append(maps)
        return ops.concatenate(outputs, axis=-1)  # (B, H, W, sum of maps)

    @property
    def paths(self) -> tuple[tuple[keras.layers.Layer, ...], ...]:
        """The four ways from input to output, in the order of the stacked maps."""
        if self.reductions is None:
            return (self.conv1,), (self.conv3,), (self.conv5,), (self.pool,)
        return (self.conv1,), (self.reduce3, self.conv3), (self.reduce5, self.conv5), (self.pool, self.project)

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        require_rank("InceptionModule", input_shape, 4)
        if input_shape[-1] is None:
            raise ValueError(f"InceptionModule needs a known number of maps. Received: input_shape={input_shape}")
        last = input_shape[-1] if self.reductions is None else self.reductions[2]
        return (*input_shape[:-1], sum(self.filters) + last)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "filters": self.filters,
            "reductions": self.reductions,
            "activation": keras.activations.serialize(self.activation),
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "seed": self.seed,
        }

    def _convolution(self, name: str, maps: int, size: int) -> Convolution2D:
        return Convolution2D(
            maps,
            size,
            padding="zero",
            activation=self.activation,
            kernel_initializer=seeded(self.kernel_initializer, self.seed, name, "kernel"),
            data_format="channels_last",
            dtype=self.dtype_policy,
            name=name,
        )
