"""AlexNet: five convolutions and three dense layers, the network that made the field turn to depth.

    conv1  96 maps 11 x 11, stride 4 -> relu -> LRN -> max pool 3 x 3, stride 2      227 -> 55 -> 27
    conv2 256 maps  5 x 5           -> relu -> LRN -> max pool 3 x 3, stride 2        27 -> 27 -> 13
    conv3 384 maps  3 x 3           -> relu                                           13
    conv4 384 maps  3 x 3           -> relu                                           13
    conv5 256 maps  3 x 3           -> relu -> max pool 3 x 3, stride 2               13 -> 13 -> 6
    fc6 4096, fc7 4096, each relu and dropout 1/2; fc8 classes

With two towers, as on the paper's two graphics cards, conv2, conv4 and conv5 see half of the maps each: 60,965,224
parameters, the "~60 million" of R. In one tower every map sees all: 62,378,344. Both with biases. The paper says
224 x 224; its 55 x 55 first maps need 227 (or padding).
"""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from keras_course.core.serial import register
from keras_course.core.shapes import require_one_of
from keras_course.initializers.seeding import seeded
from keras_course.layers.convolution import Convolution2D
from keras_course.layers.local_response_normalization import LocalResponseNormalization
from keras_course.layers.pooling import MaxPooling
from keras_course.models.vision.image_classifier import ImageClassifier

__all__ = ["AlexNet"]


@register("AlexNet")
class AlexNet(ImageClassifier):
    """Eight layers with weights for 1,000 classes of photographs; `call` returns logits.

    x -> conv1 -> LRN -> pool -> conv2 -> LRN -> pool -> conv3 -> conv4 -> conv5 -> pool -> fc6 -> fc7 -> logits

    Rectifiers throughout, overlapping pooling, local response normalization over all maps with the paper's constants.
    Kernels start from the initializer given, biases at 0 (paper: N(0, 0.01**2), and 1 in some layers).

    Args:
        input_shape: (height, width, channels) of one image, at least 67 x 67.
        classes: int, number of classes.
        towers: 2 (the paper's: conv2, conv4 and conv5 in two halves that do not see each other) or 1.
        width: float > 0, factor on all maps and units.
        dropout: float in [0, 1), for fc6 and fc7.
        kernel_initializer: as Keras takes it; each layer draws with a seed of its own.
        seed: int, root of the initial weights and of the masks.
        **kwargs: as ImageClassifier (freeze_trunk, name, dtype).

    Input shape:
        (batch, height, width, channels), as input_shape says.

    Output shape:
        (batch, classes), logits.

    Raises:
        ValueError: for a bad argument, an unknown size, or an image smaller than 67 x 67.

    Example:
        >>> from keras_course.models.vision.image_classifier import blueprint
        >>> blueprint(AlexNet).parameters, blueprint(AlexNet, towers=1).parameters
        (60965224, 62378344)
        >>> AlexNet((67, 67, 1), classes=10, width=0.05).stage_shapes()["pool5"]
        (1, 1, 12)

    Source: R Modern architectures, S 9.2; Krizhevsky, Sutskever, Hinton 2012.
    """

    any_size = False

    def __init__(
        self,
        input_shape: Any = (227, 227, 3),
        classes: int = 1000,
        towers: int = 2,
        width: float = 1.0,
        dropout: float = 0.5,
        kernel_initializer: Any = "glorot_uniform",
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(input_shape, classes, width, dropout, seed=seed, **kwargs)
        require_one_of("AlexNet", (1, 2), towers=towers)
        self.towers = towers
        self.kernel_initializer = keras.initializers.get(kernel_initializer)

        self.add_stage("conv1", self._convolution("conv1", 96, 11, strides=4, padding="valid"), self._damping("norm1"))
        self.add_stage("pool1", self._pooling("pool1"))
        self.add_stage("conv2", self._convolution("conv2", 256, 5, towers), self._damping("norm2"))
        self.add_stage("pool2", self._pooling("pool2"))
        self.add_stage("conv3", self._convolution("conv3", 384, 3))
        self.add_stage("conv4", self._convolution("conv4", 384, 3, towers))
        self.add_stage("conv5", self._convolution("conv5", 256, 3, towers))
        self.add_stage("pool5", self._pooling("pool5"))
        self.add_head(
            keras.layers.Flatten(dtype=self.dtype_policy, name="flatten"),
            self.dense("fc6", self.scaled(4096), "relu", self.kernel_initializer),
            self.dense("fc7", self.scaled(4096), "relu", self.kernel_initializer),
            self.dense("fc8", self.classes, None, self.kernel_initializer),
            dropped=("fc6", "fc7"),
        )
        self.build((None, *self.image_shape))

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "towers": self.towers,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
        }

    def _convolution(self, name: str, maps: int, size: int, towers: int = 1, **kwargs: Any) -> keras.layers.Layer:
        share = self.scaled(maps // self.towers)  # whole towers at every width
        settings = {"padding": "zero", "activation": "relu", "dtype": self.dtype_policy, **kwargs}
        parts = [name] if towers == 1 else [f"{name}_{tower}" for tower in range(1, towers + 1)]
        filters = share * self.towers // towers
        layers = [
            Convolution2D(filters, size, kernel_initializer=self._kernel(part), name=part, **settings) for part in parts
        ]
        return layers[0] if towers == 1 else _Towers(layers, dtype=self.dtype_policy, name=name)

    def _kernel(self, name: str) -> Any:
        return seeded(self.kernel_initializer, self.seed, name, "kernel")

    def _damping(self, name: str) -> keras.layers.Layer:
        return LocalResponseNormalization(dtype=self.dtype_policy, name=name)

    def _pooling(self, name: str) -> keras.layers.Layer:
        return MaxPooling(3, 2, dtype=self.dtype_policy, name=name)


class _Towers(keras.layers.Layer):
    """Convolutions side by side, each on its share of the maps: y = [conv_1(x_1), conv_2(x_2)]."""

    def __init__(self, towers: list[keras.layers.Layer], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.towers = towers

    def build(self, input_shape: Any) -> None:
        for tower in self.towers:
            tower.build(self._share(input_shape))
        self.built = True

    def call(self, inputs: Any) -> Any:
        shares = ops.split(inputs, len(self.towers), axis=-1)
        return ops.concatenate([tower(share) for tower, share in zip(self.towers, shares, strict=True)], axis=-1)

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        shapes = [tower.compute_output_shape(self._share(input_shape)) for tower in self.towers]
        return (*shapes[0][:-1], sum(shape[-1] for shape in shapes))

    def _share(self, input_shape: Any) -> tuple[int | None, ...]:
        return (*input_shape[:-1], input_shape[-1] // len(self.towers))
