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
from keras_course.initializers.seeding import seeded
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
    `models.vision.keras_weights` carries weights to and from keras.applications (121, 169, 201).

    Args:
        depth: 121, 169, 201 or 161; None takes `blocks`.
        input_shape: (height, width, channels) of one image; height and width may be None.
        classes: int, number of classes.
        blocks: ints, layers of each dense block, where depth is None.
        growth_rate: int k, maps that each layer adds; None takes that of the depth (32, or 48 for 161).
        width: float > 0, factor on k, rounded; all other numbers of maps follow from it.
        bottleneck: int, the 1 x 1 convolutions leave bottleneck * k maps; None leaves them out.
        compression: float in (0, 1], share of the maps behind a transition.
        small_stem: bool, a 3 x 3 convolution without stride and pooling comes first, for images of some 32 pixels.
        use_bias: bool, whether convolutions have one.
        normalization: mapping of arguments for layers.BatchNormalization, over momentum 0.9 and epsilon 1.001e-5;
            {"synchronized": True} lets the replicas of a tf.distribute strategy share the statistics of the batch.
        kernel_initializer: of the convolutions, each with a seed of its own; the dense layer's is Glorot uniform.
        seed: int, root of the initial weights.
        **kwargs: as ImageClassifier (freeze_trunk, dropout of the means, name, dtype).

    Input shape:
        (batch, height, width, channels).

    Output shape:
        (batch, classes), logits.

    Raises:
        ValueError: for a bad argument, or an image too small.

    Example:
        >>> model = DenseNet(None, (8, 8, 1), 10, blocks=(2, 2), growth_rate=4, small_stem=True)
        >>> model.stage_shapes()["block2"], tuple(model(keras.ops.zeros((2, 12, 9, 1))).shape)
        ((4, 4, 16), (2, 10))

    Source: R (Dense Convolutional Networks); Huang, Liu, van der Maaten and Weinberger 2017.
    """

    def __init__(
        self,
        depth: int | None = 121,
        input_shape: Any = (224, 224, 3),
        classes: int = 1000,
        blocks: Any = None,
        growth_rate: int | None = None,
        width: float = 1.0,
        bottleneck: int | None = 4,
        compression: float = 0.5,
        small_stem: bool = False,
        use_bias: bool = False,
        normalization: Mapping[str, Any] | None = None,
        kernel_initializer: Any = "he_normal",
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(input_shape, classes, width, seed=seed, **kwargs)
        self.depth, self.blocks, self.growth_rate = depth, blocks if blocks is None else tuple(blocks), growth_rate
        rate, counts = _plan(self.depth, self.blocks, growth_rate)
        self.bottleneck, self.compression, self.small_stem = bottleneck, float(compression), bool(small_stem)
        self.use_bias = bool(use_bias)
        self.normalization = None if normalization is None else dict(normalization)
        self.kernel_initializer = keras.initializers.get(kernel_initializer)

        k = self.scaled(rate)
        self.add_stage("conv1", *self._stem(2 * k))
        settings: dict[str, Any] = {
            "use_bias": self.use_bias, "normalization": self.normalization, "dtype": self.dtype_policy,
            "kernel_initializer": self.kernel_initializer,
        }  # fmt: skip
        for index, count in enumerate(counts, start=1):
            if index > 1:
                name = f"transition{index - 1}"
                self.add_stage(name, TransitionLayer(compression, seed=self.seed_of(name), name=name, **settings))
            name = f"block{index}"
            block = DenseBlock(count, k, bottleneck, seed=self.seed_of(name), name=name, **settings)
            last = [self._bn("bn"), self._relu("relu")] if index == len(counts) else []
            self.add_stage(name, *self._pooling(index), block, *last)
        self.add_head_of_means()
        self.build()

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "depth": self.depth,
            "blocks": self.blocks,
            "growth_rate": self.growth_rate,
            "bottleneck": self.bottleneck,
            "compression": self.compression,
            "small_stem": self.small_stem,
            "use_bias": self.use_bias,
            "normalization": self.normalization,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
        }

    def keras_application(self) -> keras.Model:
        """keras.applications.DenseNet121, 169 or 201 for the same images and classes, with its own weights.

        Raises:
            ValueError: for a network that keras.applications does not have.
        """
        self._require_stock()
        applications = keras.applications
        stock = {121: applications.DenseNet121, 169: applications.DenseNet169, 201: applications.DenseNet201}
        shape = (*(side or 224 for side in self.image_shape[:2]), self.image_shape[2])
        return stock[self.depth](weights=None, input_shape=shape, classes=self.classes, classifier_activation=None)

    def keras_layers(self) -> dict[str, keras.layers.Layer]:
        """{name of a layer of keras.applications: ours}, for every layer with weights.

        Raises:
            ValueError: for a network that keras.applications does not have.
        """
        self._require_stock()
        found = {"conv1_conv": self.conv1, "conv1_bn": self.bn1}
        for layer in self.trunk:
            stage = int(layer.name[-1]) + 1 if isinstance(layer, DenseBlock | TransitionLayer) else 0
            if isinstance(layer, TransitionLayer):
                found |= {f"pool{stage}_bn": layer.bn, f"pool{stage}_conv": layer.convolution}
            elif isinstance(layer, DenseBlock):
                pairs = zip(layer.normalizations, layer.convolutions, strict=True)
                for index, (normalization, convolution) in enumerate(pairs):
                    name, number = f"conv{stage}_block{index // 2 + 1}", index % 2
                    found |= {f"{name}_{number}_bn": normalization, f"{name}_{number + 1}_conv": convolution}
        return {**found, "bn": self.bn, "predictions": self.predictions}

    def _require_stock(self) -> None:
        stock = self.growth_rate in (None, 32) and self.bottleneck == 4 and self.compression == 0.5
        if not (self.depth in (121, 169, 201) and self.width == 1 and stock) or self.small_stem or self.use_bias:
            raise ValueError(
                "keras.applications has DenseNet-121, -169 and -201 at width 1, growth rate 32, bottleneck 4 and "
                f"compression 0.5, with a large stem and without biases. Received: {self.get_config()}"
            )

    def _stem(self, filters: int) -> tuple[keras.layers.Layer, ...]:
        kernel, strides = (3, 1) if self.small_stem else (7, 2)
        convolution = Convolution2D(
            filters, kernel, strides, "zero", use_bias=self.use_bias, data_format="channels_last", name="conv1",
            kernel_initializer=seeded(self.kernel_initializer, self.seed, "conv1", "kernel"),
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
