"""Dense blocks: every layer sees the maps of all layers before it, and hands its own few on to all after it.

    x_l = [x_{l-1}, H_l(x_{l-1})],   H_l = W2 * relu(BN(W1 * relu(BN(x_{l-1}))))      1 x 1 to 4 k maps, 3 x 3 to k
    transition: average pooling 2 x 2 of W * relu(BN(x))                              1 x 1 to compression * maps

[., .] is concatenation of channels: after L layers C + L k maps, k the growth rate. In the tables of DenseNet "conv"
stands for BN, relu, convolution, in this order. Nothing is added up, so nothing that was found is lost.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
from keras import ops

from keras_course.core.serial import register
from keras_course.core.shapes import require_positive_int, require_rank
from keras_course.initializers.seeding import seeded
from keras_course.layers.batch_normalization import BatchNormalization
from keras_course.layers.convolution import Convolution2D
from keras_course.layers.pooling import AveragePooling
from keras_course.layers.residual_block import NORMALIZATION

__all__ = ["DenseBlock", "TransitionLayer"]


class _Normalized(keras.layers.Layer):
    """What both layers share: convolutions that normalize and rectify their input first."""

    def __init__(
        self,
        use_bias: bool,
        normalization: Mapping[str, Any] | None,
        kernel_initializer: Any,
        seed: int | None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.use_bias = bool(use_bias)
        self.normalization = None if normalization is None else dict(normalization)
        self.kernel_initializer, self.seed = keras.initializers.get(kernel_initializer), seed

    def _pair(self, name: str, filters: int, kernel: int) -> tuple[Any, Any]:
        """BN and the convolution behind it."""
        settings = {**NORMALIZATION, **(self.normalization or {})}
        return (
            BatchNormalization(name=f"{name}_bn", dtype=self.dtype_policy, **settings),
            Convolution2D(
                filters, kernel, padding="zero", use_bias=self.use_bias, name=f"{name}_conv", dtype=self.dtype_policy,
                kernel_initializer=seeded(self.kernel_initializer, self.seed, name, "kernel"),
                data_format="channels_last",
            ),
        )  # fmt: skip

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "use_bias": self.use_bias,
            "normalization": self.normalization,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "seed": self.seed,
        }

    def _known(self, input_shape: Any) -> tuple[Any, ...]:
        who = type(self).__name__
        require_rank(who, input_shape, 4)
        if not input_shape[-1]:
            raise ValueError(f"{who} needs a known number of channels. Received: input_shape={tuple(input_shape)}")
        return tuple(input_shape)


@register("DenseBlock")
class DenseBlock(_Normalized):
    """L layers of k new maps each, every one on top of all maps before it.

    x_l = [x_{l-1}, W2 * relu(BN(W1 * relu(BN(x_{l-1}))))],   l = 1 .. L

    Args:
        layers: int L. Kept as `depth`: `layers` is a name of Keras's own.
        growth_rate: int k, maps that each layer adds.
        bottleneck: int, the 1 x 1 convolution leaves bottleneck * k maps for the 3 x 3; None leaves it out.
        use_bias: bool, whether convolutions have one.
        normalization: mapping of arguments for layers.BatchNormalization (`momentum`, `epsilon`, `synchronized`), over
            momentum 0.9 and epsilon 1.001e-5.
        kernel_initializer: of the convolutions, each with a seed of its own.
        seed: int, root of the initial weights, or None for Keras's global stream.
        **kwargs: as keras.layers.Layer.

    Input shape:
        (batch, height, width, channels); height and width may be unknown.

    Output shape:
        (batch, height, width, channels + layers * growth_rate).

    Raises:
        ValueError: for a bad argument or a wrong rank.

    Example:
        >>> block = DenseBlock(6, 32)
        >>> tuple(block(ops.ones((1, 7, 7, 64))).shape)
        (1, 7, 7, 256)

    Source: R (Dense Convolutional Networks); Huang, Liu, van der Maaten and Weinberger 2017.
    """

    def __init__(
        self,
        layers: int,
        growth_rate: int,
        bottleneck: int | None = 4,
        use_bias: bool = False,
        normalization: Mapping[str, Any] | None = None,
        kernel_initializer: Any = "he_normal",
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(use_bias, normalization, kernel_initializer, seed, **kwargs)
        require_positive_int("DenseBlock", layers=layers, growth_rate=growth_rate)
        if bottleneck is not None:
            require_positive_int("DenseBlock", bottleneck=bottleneck)
        self.depth, self.growth_rate, self.bottleneck = int(layers), int(growth_rate), bottleneck
        narrow = [] if bottleneck is None else [("1", int(bottleneck) * self.growth_rate, 1)]
        convolutions = [*narrow, ("2", self.growth_rate, 3)]
        pairs = [
            self._pair(f"{layer}_{name}", filters, kernel)
            for layer in range(1, self.depth + 1)
            for name, filters, kernel in convolutions
        ]
        self.normalizations, self.convolutions = [bn for bn, _ in pairs], [convolution for _, convolution in pairs]

    def build(self, input_shape: Any) -> None:
        *around, channels = self._known(input_shape)
        for index, pairs in enumerate(self._by_layer()):
            shape: tuple[Any, ...] = (*around, channels + index * self.growth_rate)
            for normalization, convolution in pairs:
                normalization.build(shape)
                convolution.build(shape)
                shape = convolution.compute_output_shape(shape)
        self.input_spec = keras.InputSpec(ndim=4, axes={-1: channels})
        self.built = True

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        maps = inputs
        for pairs in self._by_layer():
            new = maps
            for normalization, convolution in pairs:
                new = convolution(ops.relu(normalization(new, training=training)))
            maps = ops.concatenate([maps, new], axis=-1)  # (B, H, W, C + l k)
        return maps

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        *around, channels = self._known(input_shape)
        return (*around, channels + self.depth * self.growth_rate)

    def get_config(self) -> dict[str, Any]:
        own = {"layers": self.depth, "growth_rate": self.growth_rate, "bottleneck": self.bottleneck}
        return {**super().get_config(), **own}

    def _by_layer(self) -> list[list[tuple[Any, Any]]]:
        """[(BN, convolution), ...] of each H_l. Files hold flat lists of layers, and none inside another."""
        pairs = list(zip(self.normalizations, self.convolutions, strict=True))
        each = len(pairs) // self.depth
        return [pairs[start : start + each] for start in range(0, len(pairs), each)]


@register("TransitionLayer")
class TransitionLayer(_Normalized):
    """Between two dense blocks: fewer maps, then half the height and width.

    y = average pooling 2 x 2 of W * relu(BN(x)),   W: 1 x 1 to floor(compression * C) maps

    Args:
        compression: float in (0, 1], share of the maps that is kept; 1 compresses none.
        use_bias, normalization, kernel_initializer, seed: as DenseBlock.
        **kwargs: as keras.layers.Layer.

    Input shape:
        (batch, height, width, channels), at least 2 x 2; height and width may be unknown.

    Output shape:
        (batch, height // 2, width // 2, floor(compression * channels)).

    Raises:
        ValueError: for a bad argument, a wrong rank, or an image smaller than 2 x 2.

    Example:
        >>> tuple(TransitionLayer()(ops.ones((1, 7, 6, 16))).shape)
        (1, 3, 3, 8)

    Source: R (Dense Convolutional Networks); Huang, Liu, van der Maaten and Weinberger 2017.
    """

    def __init__(
        self,
        compression: float = 0.5,
        use_bias: bool = False,
        normalization: Mapping[str, Any] | None = None,
        kernel_initializer: Any = "he_normal",
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(use_bias, normalization, kernel_initializer, seed, **kwargs)
        if not 0 < compression <= 1:
            raise ValueError(f"TransitionLayer needs compression in (0, 1]. Received: compression={compression!r}")
        self.compression = float(compression)
        self.bn = self.convolution = None
        self.pool = AveragePooling(2, data_format="channels_last", dtype=self.dtype_policy, name="pool")

    def build(self, input_shape: Any) -> None:
        *around, channels = self._known(input_shape)
        self.compute_output_shape(input_shape)
        self.bn, self.convolution = self._pair("1", self._kept(channels), 1)
        self.bn.build(input_shape)
        self.convolution.build(input_shape)
        self.pool.build((*around, self._kept(channels)))
        self.input_spec = keras.InputSpec(ndim=4, axes={-1: channels})
        self.built = True

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        return self.pool(self.convolution(ops.relu(self.bn(inputs, training=training))))

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        *around, channels = self._known(input_shape)
        return self.pool.compute_output_shape((*around, self._kept(channels)))  # type: ignore[no-any-return]

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "compression": self.compression}

    def _kept(self, channels: int) -> int:
        kept = int(channels * self.compression)
        if kept < 1:
            raise ValueError(
                f"TransitionLayer with compression {self.compression} keeps no map. Received: channels={channels}"
            )
        return kept
