"""ResNet: blocks that add to what they are given, so that a hundred layers train as readily as twenty.

    x_{l+1} = relu(F_l(x_l) + s_l(x_l))                     the blocks of layers/residual_block.py

    form "imagenet"   7 x 7 / 2, 64  ->  max pooling 3 x 3 / 2  ->  4 stages of 64, 128, 256, 512 maps (four times as
                      many behind bottlenecks)  ->  mean of each map  ->  logits.   224 -> 112 -> 56 -> 56, 28, 14, 7

         18   2, 2, 2, 2     ResidualBlock            50   3, 4, 6, 3     BottleneckBlock
         34   3, 4, 6, 3     ResidualBlock           101   3, 4, 23, 3    BottleneckBlock
                                                     152   3, 8, 36, 3    BottleneckBlock

    form "cifar"      3 x 3, 16  ->  3 stages of n ResidualBlocks of 16, 32, 64 maps  ->  mean of each map  ->  logits
                      6 n + 2 layers with weights: 20, 32, 44, 56, 110.   32 -> 32, 16, 8

Depth counts convolutions and the dense layer, projections left out. Convolutions have no bias, which the normalization
behind them would take out again; Keras's own ResNet has them (`use_bias`), PyTorch's has none. ResNet-50 has
25,557,032 parameters that learn (25,583,592 with Keras's biases) and 53,120 moving statistics.
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
from keras_course.layers.pooling import MaxPooling
from keras_course.layers.residual_block import NORMALIZATION, BottleneckBlock, ResidualBlock
from keras_course.models.vision.image_classifier import ImageClassifier

__all__ = ["ResNet"]

IMAGENET = {
    18: (ResidualBlock, (2, 2, 2, 2)),
    34: (ResidualBlock, (3, 4, 6, 3)),
    50: (BottleneckBlock, (3, 4, 6, 3)),
    101: (BottleneckBlock, (3, 4, 23, 3)),
    152: (BottleneckBlock, (3, 8, 36, 3)),
}
FILTERS = {"imagenet": (64, 128, 256, 512), "cifar": (16, 32, 64)}


@register("ResNet")
class ResNet(ImageClassifier):
    """ResNet-18, -34, -50, -101, -152, and the narrow networks of 6 n + 2 layers for small images.

    x_{l+1} = relu(F_l(x_l) + s_l(x_l)),   logits = W mean(x_L) + b

    Stages are `conv1` .. `conv5` ("imagenet") or `conv1` .. `conv4` ("cifar"), blocks `conv2_1`, `conv2_2`, ... The
    mean over the last maps makes any image size fit. With `use_bias`, 50, 101 and 152 layers are the networks of
    keras.applications: `models.vision.keras_weights` carries weights to and fro.

    Args:
        depth: int, 18, 34, 50, 101 or 152; 6 n + 2 in the form "cifar".
        input_shape: (height, width, channels) of one image; height and width may be None.
        classes: int, number of classes.
        form: "imagenet" or "cifar".
        width: float > 0, factor on all numbers of maps.
        shortcut: "A" (no weights), "B" (projection where the shape changes) or "C" (projection always); None is the
            paper's, "B" for "imagenet" and "A" for "cifar".
        strided: "1x1" (the paper, Keras) or "3x3" (PyTorch), which convolution of a bottleneck has the stride.
        use_bias: bool, whether convolutions have one, as in keras.applications.
        zero_gamma: bool, whether the last gamma of each block starts at 0, so that every block starts as its shortcut.
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
        ValueError: for a bad argument or a depth that the form does not know.

    Example:
        >>> model = ResNet(8, (8, 8, 1), 10, form="cifar", width=0.25)
        >>> model.stage_shapes()["conv4"], tuple(model(keras.ops.zeros((2, 12, 9, 1))).shape)
        ((2, 2, 16), (2, 10))

    Source: R (Residual Networks); He, Zhang, Ren and Sun 2015.
    """

    def __init__(
        self,
        depth: int = 50,
        input_shape: Any = (224, 224, 3),
        classes: int = 1000,
        form: str = "imagenet",
        width: float = 1.0,
        shortcut: str | None = None,
        strided: str = "1x1",
        use_bias: bool = False,
        zero_gamma: bool = False,
        normalization: Mapping[str, Any] | None = None,
        kernel_initializer: Any = "he_normal",
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(input_shape, classes, width, seed=seed, **kwargs)
        require_one_of("ResNet", FILTERS, form=form)
        require_one_of("ResNet", ("1x1", "3x3"), strided=strided)
        require_one_of("ResNet", (None, "A", "B", "C"), shortcut=shortcut)
        block, counts = _plan(depth, form)
        self.depth, self.form, self.shortcut, self.strided = int(depth), form, shortcut, strided
        self.use_bias, self.zero_gamma = bool(use_bias), bool(zero_gamma)
        self.normalization = None if normalization is None else dict(normalization)
        self.kernel_initializer = keras.initializers.get(kernel_initializer)

        self.add_stage("conv1", *self._stem())
        for index, (filters, count) in enumerate(zip(FILTERS[form], counts, strict=True)):
            stage = f"conv{index + 2}"
            strides = 2 if index else 1
            self.add_stage(
                stage,
                *self._pooling(index),
                *(self._block(block, f"{stage}_{i + 1}", filters, 1 if i else strides) for i in range(count)),
            )
        self.add_head_of_means()
        self.build()

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "depth": self.depth,
            "form": self.form,
            "shortcut": self.shortcut,
            "strided": self.strided,
            "use_bias": self.use_bias,
            "zero_gamma": self.zero_gamma,
            "normalization": self.normalization,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
        }

    def keras_application(self) -> keras.Model:
        """keras.applications.ResNet50, ResNet101 or ResNet152 for the same images and classes, with its own weights.

        Raises:
            ValueError: for a network that keras.applications does not have.
        """
        self._require_stock()
        stock = {
            50: keras.applications.ResNet50, 101: keras.applications.ResNet101, 152: keras.applications.ResNet152
        }[self.depth]  # fmt: skip
        shape = (*(side or 224 for side in self.image_shape[:2]), self.image_shape[2])
        return stock(weights=None, input_shape=shape, classes=self.classes, classifier_activation=None)

    def keras_layers(self) -> dict[str, keras.layers.Layer]:
        """{name of a layer of keras.applications: ours}, for every layer with weights.

        Raises:
            ValueError: for a network that keras.applications does not have.
        """
        self._require_stock()
        found = {"conv1_conv": self.conv1, "conv1_bn": self.bn1}
        for block in self.trunk:
            if isinstance(block, BottleneckBlock):
                name = block.name.replace("_", "_block")
                pairs = list(zip(block.convolutions, block.normalizations, strict=True))
                for number, pair in enumerate([(block.projection, block.projection_normalization), *pairs]):
                    for kind, layer in zip(("conv", "bn"), pair, strict=True):
                        if layer is not None:
                            found[f"{name}_{number}_{kind}"] = layer
        return {**found, "predictions": self.predictions}

    def _require_stock(self) -> None:
        fits = self.form == "imagenet" and self.depth in (50, 101, 152) and self.width == 1
        if not (fits and self.use_bias and self.shortcut in (None, "B") and self.strided == "1x1"):
            raise ValueError(
                "keras.applications has ResNet-50, -101 and -152 at width 1, shortcut 'B', strided '1x1' and "
                f"use_bias=True only. Received: depth={self.depth}, form={self.form!r}, width={self.width}, "
                f"shortcut={self.shortcut!r}, strided={self.strided!r}, use_bias={self.use_bias}"
            )

    def _stem(self) -> tuple[keras.layers.Layer, ...]:
        kernel, strides = (7, 2) if self.form == "imagenet" else (3, 1)
        return (
            Convolution2D(
                self.scaled(FILTERS[self.form][0]), kernel, strides, "zero", use_bias=self.use_bias,
                kernel_initializer=seeded(self.kernel_initializer, self.seed, "conv1", "kernel"),
                data_format="channels_last", name="conv1", dtype=self.dtype_policy,
            ),
            BatchNormalization(name="bn1", dtype=self.dtype_policy, **{**NORMALIZATION, **(self.normalization or {})}),
            keras.layers.ReLU(name="relu1", dtype=self.dtype_policy),
        )  # fmt: skip

    def _pooling(self, index: int) -> tuple[keras.layers.Layer, ...]:
        """3 x 3 / 2 before the first blocks, its zeros on both sides; behind relu they never win over a pixel."""
        if index or self.form == "cifar":
            return ()
        return (
            keras.layers.ZeroPadding2D(1, data_format="channels_last", name="pad2", dtype=self.dtype_policy),
            MaxPooling(3, 2, data_format="channels_last", name="pool2", dtype=self.dtype_policy),
        )

    def _block(self, block: type, name: str, filters: int, strides: int) -> keras.layers.Layer:
        placed = {"strided": self.strided} if block is BottleneckBlock else {}
        return block(  # type: ignore[no-any-return]
            self.scaled(filters), strides, shortcut=self.shortcut or {"imagenet": "B", "cifar": "A"}[self.form],
            use_bias=self.use_bias, zero_gamma=self.zero_gamma, normalization=self.normalization,
            kernel_initializer=self.kernel_initializer, seed=self.seed_of(name), name=name, dtype=self.dtype_policy,
            **placed,
        )  # fmt: skip


def _plan(depth: int, form: str) -> tuple[type, tuple[int, ...]]:
    """(block, how many of it in each stage)."""
    if form == "imagenet":
        require_one_of("ResNet", IMAGENET, depth=depth)
        return IMAGENET[depth]
    if isinstance(depth, bool) or not isinstance(depth, int) or depth < 8 or (depth - 2) % 6:
        raise ValueError(f"ResNet of the form 'cifar' has 6 n + 2 layers, 8, 14, 20, ... Received: depth={depth!r}")
    return ResidualBlock, ((depth - 2) // 6,) * 3
