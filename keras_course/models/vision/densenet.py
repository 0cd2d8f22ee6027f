"""DenseNet: every layer is connected to all before it in its block, and so needs few maps of its own.

    x_l = [x_{l-1}, H_l(x_{l-1})]                           the layers of layers/dense_block.py

    7 x 7 / 2, 2 k  ->  max pooling 3 x 3 / 2  ->  4 dense blocks, a transition between two  ->  BN, relu
    ->  mean of each map  ->  logits.                       224 -> 112 -> 56 -> 56, 28, 14, 7 -> 1

        121   6, 12, 24, 16   k = 32            201   6, 12, 48, 32   k = 32
        169   6, 12, 32, 32   k = 32            161   6, 12, 36, 24   k = 48

Depth counts convolutions and the dense layer: 2 for each H_l, one for each of 3 transitions, the first and the last.
Convolutions have no bias. DenseNet-121 has 7,978,856 parameters that learn and 83,648 moving statistics, of which
Keras counts both (8,062,504) and PyTorch the first.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras

from keras_course.core.serial import register
from keras_course.core.shapes import require_one_of
from keras_course.layers.batch_normalization import BatchNormalization
from keras_course.layers.convolution import Convolution2D
from keras_course.layers.dense_block import DenseBlock, TransitionLayer
from keras_course.layers.pooling import MaxPooling
from keras_course.layers.residual_block import NORMALIZATION
from keras_course.models.vision.image_classifier import ImageClassifier

__all__ = ["DenseNet"]

PLANS = {
    121: (32, (6, 12, 24, 16)),
    161: (48, (6, 12, 36, 24)),
    169: (32, (6, 12, 32, 32)),
    201: (32, (6, 12, 48, 32)),
}


@register("DenseNet")
class DenseNet(ImageClassifier):
    """DenseNet-121, -169, -201 and -161 (bottlenecks and compression, "DenseNet-BC"), or of blocks of your own.

    x_l = [x_{l-1}, H_l(x_{l-1})],   logits = W mean(relu(BN(x_L))) + b

    Stages are `conv1`, `block1`, `transition1`, ... `block4`. Three transitions halve the image after it was quartered,
    each rounding down, so an image of four blocks has at least 29 x 29 pixels; with `small_stem` at least 8 x 8.

    Args:
        input_shape: (height, width, channels) of one image; height and width may be None.
        classes: int, number of classes.
        depth: 121, 169, 201 or 161; None takes `blocks`.
        blocks: ints, layers of each dense block, where depth is None.
        growth_rate: int k, maps that each layer adds; None takes that of the depth (32, or 48 for 161).
        width: float > 0, factor on k, rounded; all other numbers of maps follow from it.
        bottleneck: int, the 1 x 1 convolutions leave bottleneck * k maps; None leaves them out.
        compression: float in (0, 1], share of the maps behind a transition.
        small_stem: bool, a 3 x 3 convolution without stride and pooling comes first, for images of some 32 pixels.
        use_bias: bool, whether convolutions have one.
        normalization: mapping of arguments for layers.BatchNormalization, over momentum 0.9 and epsilon 1.001e-5;
            {"synchronized": True} lets the replicas of a tf.distribute strategy share the statistics of the batch.
        freeze_trunk: whether the last layer alone learns; statistics stay as they are.
        seed: int, root of the initial weights (He normal; Glorot uniform for the dense layer).
        **kwargs: as keras.Model.

    Input shape:
        (batch, height, width, channels).

    Output shape:
        (batch, classes), logits.

    Raises:
        ValueError: for a bad argument, or an image too small.

    Example:
        >>> model = DenseNet((8, 8, 1), 10, depth=None, blocks=(2, 2), growth_rate=4, small_stem=True)
        >>> model.stage_shapes()["block2"], tuple(model(keras.ops.zeros((2, 12, 9, 1))).shape)
        ((4, 4, 16), (2, 10))

    Source: R (Dense Convolutional Networks); Huang, Liu, van der Maaten and Weinberger 2017.
    """

    def __init__(
        self,
        input_shape: Any = (224, 224, 3),
        classes: int = 1000,
        depth: int | None = 121,
        blocks: Any = None,
        growth_rate: int | None = None,
        width: float = 1.0,
        bottleneck: int | None = 4,
        compression: float = 0.5,
        small_stem: bool = False,
        use_bias: bool = False,
        normalization: Mapping[str, Any] | None = None,
        freeze_trunk: bool = False,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(input_shape, classes, width, freeze_trunk=freeze_trunk, seed=seed, **kwargs)
        self.depth, self.blocks, self.growth_rate = depth, blocks if blocks is None else tuple(blocks), growth_rate
        rate, counts = _plan(self.depth, self.blocks, growth_rate)
        self.bottleneck, self.compression, self.small_stem = bottleneck, float(compression), bool(small_stem)
        self.use_bias = bool(use_bias)
        self.normalization = None if normalization is None else dict(normalization)

        k = self.scaled(rate)
        self.add_stage("conv1", *self._stem(2 * k))
        settings: dict[str, Any] = {
            "use_bias": self.use_bias, "normalization": self.normalization, "dtype": self.dtype_policy
        }  # fmt: skip
        for index, count in enumerate(counts, start=1):
            if index > 1:
                name = f"transition{index - 1}"
                self.add_stage(name, TransitionLayer(compression, seed=self.seed_of(name), name=name, **settings))
            name = f"block{index}"
            block = DenseBlock(count, k, bottleneck, seed=self.seed_of(name), name=name, **settings)
            last = [self._bn("bn"), self._relu("relu")] if index == len(counts) else []
            self.add_stage(name, *self._pooling(index), block, *last)
        initializer = keras.initializers.GlorotUniform(seed=self.seed_of("logits", "kernel"))
        self.add_head(
            keras.layers.GlobalAveragePooling2D(name="mean", data_format="channels_last", dtype=self.dtype_policy),
            keras.layers.Dense(classes, kernel_initializer=initializer, name="logits", dtype=self.dtype_policy),
        )
        self.build()

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        del config["dropout"]
        return {
            **config,
            "depth": self.depth,
            "blocks": self.blocks,
            "growth_rate": self.growth_rate,
            "bottleneck": self.bottleneck,
            "compression": self.compression,
            "small_stem": self.small_stem,
            "use_bias": self.use_bias,
            "normalization": self.normalization,
        }

    def _stem(self, filters: int) -> tuple[keras.layers.Layer, ...]:
        kernel, strides = (3, 1) if self.small_stem else (7, 2)
        convolution = Convolution2D(
            filters, kernel, strides, "zero", use_bias=self.use_bias, data_format="channels_last", name="conv1",
            kernel_initializer=keras.initializers.HeNormal(seed=self.seed_of("conv1", "kernel")),
            dtype=self.dtype_policy,
        )  # fmt: skip
        return (convolution,) if self.small_stem else (convolution, self._bn("bn1"), self._relu("relu1"))

    def _pooling(self, index: int) -> tuple[keras.layers.Layer, ...]:
        """3 x 3 / 2 before the first block, its zeros on both sides; behind relu they never win over a pixel."""
        if index > 1 or self.small_stem:
            return ()
        return (
            keras.layers.ZeroPadding2D(1, data_format="channels_last", name="pad1", dtype=self.dtype_policy),
            MaxPooling(3, 2, data_format="channels_last", name="pool1", dtype=self.dtype_policy),
        )

    def _bn(self, name: str) -> BatchNormalization:
        return BatchNormalization(
            name=name, dtype=self.dtype_policy, **{**NORMALIZATION, **(self.normalization or {})}
        )  # fmt: skip

    def _relu(self, name: str) -> keras.layers.Layer:
        return keras.layers.ReLU(name=name, dtype=self.dtype_policy)


def _plan(depth: Any, blocks: Any, growth_rate: Any) -> tuple[int, tuple[int, ...]]:
    """(k, layers of each block)."""
    if (depth is None) == (blocks is None):
        raise ValueError(f"DenseNet needs a depth or blocks, not both. Received: depth={depth!r}, blocks={blocks!r}")
    if depth is None:
        if not blocks or growth_rate is None:
            raise ValueError(
                "DenseNet with blocks of your own needs at least one, and a growth_rate. Received: "
                f"blocks={blocks!r}, growth_rate={growth_rate!r}"
            )
        return growth_rate, tuple(blocks)
    require_one_of("DenseNet", PLANS, depth=depth)
    rate, counts = PLANS[depth]
    return (rate if growth_rate is None else growth_rate), counts
