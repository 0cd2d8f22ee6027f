"""VGG: many narrow convolutions instead of few wide ones; the table "ConvNet Configuration" of the notes.

every convolution 3 x 3 (two of them see 5 x 5, three 7 x 7), stride 1, zero padding, relu
C alone has three 1 x 1 convolutions; A-LRN a local response normalization after the first one
five blocks, each ends in a max pool 2 x 2:   224 -> 112 -> 56 -> 28 -> 14 -> 7
maps 64, 128, 256, 512, 512; then FC-4096, FC-4096, FC-1000

layers with weights    A 11, A-LRN 11, B 13, C 16, D 16, E 19
parameters (biases)    132,863,336 (A and A-LRN), 133,047,848, 133,638,952, 138,357,544, 143,667,240
"""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from keras_course.core.serial import register
from keras_course.core.shapes import require_one_of, require_rank
from keras_course.initializers.seeding import seeded
from keras_course.layers.convolution import Convolution2D
from keras_course.layers.local_response_normalization import LocalResponseNormalization
from keras_course.layers.pooling import MaxPooling
from keras_course.models.vision.image_classifier import ImageClassifier
from keras_course.ops.convolution import feature_maps

__all__ = ["VGG"]

MAPS = (64, 128, 256, 512, 512)

# Kernel sizes of each block, one column of the table a configuration.
CONFIGURATIONS: dict[str, tuple[tuple[int, ...], ...]] = {
    "A": ((3,), (3,), (3, 3), (3, 3), (3, 3)),
    "A-LRN": ((3,), (3,), (3, 3), (3, 3), (3, 3)),
    "B": ((3, 3), (3, 3), (3, 3), (3, 3), (3, 3)),
    "C": ((3, 3), (3, 3), (3, 3, 1), (3, 3, 1), (3, 3, 1)),
    "D": ((3, 3), (3, 3), (3, 3, 3), (3, 3, 3), (3, 3, 3)),
    "E": ((3, 3), (3, 3), (3, 3, 3, 3), (3, 3, 3, 3), (3, 3, 3, 3)),
}


@register("VGG")
class VGG(ImageClassifier):
    """One column of the table: 11 to 19 layers with weights; `call` returns logits.

    x -> five blocks of (3x3 conv -> relu) and a 2x2 max pool -> fc1 -> fc2 -> logits

    D and E are keras.applications.VGG16 and VGG19, layer for layer and name for name: `models.vision.keras_weights`
    moves weights both ways. `score_map` answers for larger images.

    Args:
        configuration: "A", "A-LRN", "B", "C", "D" or "E".
        input_shape: (height, width, channels) of one image, at least 32 x 32.
        classes: int, number of classes.
        width: float > 0, factor on all maps and units.
        dropout: float in [0, 1), for the two hidden dense layers (paper: 0.5).
        kernel_initializer: as Keras takes it; each layer draws with a seed of its own. Rectifiers this deep learn
            sooner from "he_normal".
        seed: int, root of the initial weights and of the masks.
        **kwargs: as ImageClassifier (freeze_trunk, name, dtype).

    Input shape:
        (batch, height, width, channels), as input_shape says.

    Output shape:
        (batch, classes), logits.

    Raises:
        ValueError: for a bad argument, an unknown size, or an image smaller than 32 x 32.

    Example:
        >>> from keras_course.models.vision.image_classifier import parameter_count
        >>> parameter_count(VGG, configuration="E")
        143667240
        >>> VGG("A", (32, 32, 1), classes=10, width=0.05).stage_shapes()["pool5"]
        (1, 1, 26)

    Source: S 9.2 Depth vs. Width; Simonyan and Zisserman 2015.
    """

    any_size = False

    def __init__(
        self,
        configuration: str = "D",
        input_shape: Any = (224, 224, 3),
        classes: int = 1000,
        width: float = 1.0,
        dropout: float = 0.5,
        kernel_initializer: Any = "glorot_uniform",
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(input_shape, classes, width, dropout, seed=seed, **kwargs)
        require_one_of("VGG", CONFIGURATIONS, configuration=configuration)
        self.configuration = configuration
        self.kernel_initializer = keras.initializers.get(kernel_initializer)

        for block, (maps, kernels) in enumerate(zip(MAPS, CONFIGURATIONS[configuration], strict=True), start=1):
            layers = [
                self._convolution(f"block{block}_conv{number}", maps, size)
                for number, size in enumerate(kernels, start=1)
            ]
            if configuration == "A-LRN" and block == 1:
                layers.append(LocalResponseNormalization(dtype=self.dtype_policy, name="block1_norm"))
            self.add_stage(f"block{block}", *layers)
            self.add_stage(f"pool{block}", MaxPooling(2, dtype=self.dtype_policy, name=f"block{block}_pool"))
        self.add_head(
            keras.layers.Flatten(dtype=self.dtype_policy, name="flatten"),
            self.dense("fc1", self.scaled(4096), "relu", self.kernel_initializer),
            self.dense("fc2", self.scaled(4096), "relu", self.kernel_initializer),
            self.dense("predictions", self.classes, None, self.kernel_initializer),
            dropped=("fc1", "fc2"),
        )
        self.build((None, *self.image_shape))

    def score_map(self, images: Any) -> Any:
        """Dense evaluation: the classifier at every place of a larger image, its dense layers taken as convolutions.

        scores[b, i, j] = logits of the part of the image whose last maps start at (i, j)

        The first dense layer is a convolution as large as the last maps of an image of input_shape, the others are
        1 x 1; the mean over places is the paper's answer for the whole image. One place for an image of input_shape:
        exactly `call`.

        Args:
            images: tensor (B, H, W, C), H and W at least those of input_shape.

        Returns:
            Tensor (B, H', W', classes).

        Raises:
            ValueError: for a smaller image.
        """
        require_rank("VGG.score_map", images.shape, 4)
        maps, window = self.features(images), self.stage_shapes()["pool5"]
        if any(have is not None and have < need for have, need in zip(maps.shape[1:3], window[:2], strict=True)):
            raise ValueError(
                f"VGG.score_map needs an image at least as large as input_shape={self.image_shape}. "
                f"Received: images.shape={tuple(images.shape)}"
            )
        for layer, size in zip(self.head[1:], (window[:2], (1, 1), (1, 1)), strict=True):
            kernel = ops.reshape(ops.cast(layer.kernel, maps.dtype), (*size, -1, layer.units))
            maps = layer.activation(feature_maps(maps, kernel) + ops.cast(layer.bias, maps.dtype))
        return maps

    def keras_application(self) -> keras.Model:
        """keras.applications.VGG16 or VGG19 for the same images and classes, with weights of its own.

        Raises:
            ValueError: for another configuration than D and E, or another width than 1.
        """
        stock = {"D": keras.applications.VGG16, "E": keras.applications.VGG19}.get(self.configuration)
        if stock is None or self.width != 1:
            raise ValueError(
                "keras.applications has VGG D and E (VGG16, VGG19) at width 1 only. "
                f"Received: configuration={self.configuration!r}, width={self.width}"
            )
        shape = {"input_shape": self.image_shape, "classes": self.classes}
        return stock(weights=None, classifier_activation=None, **shape)

    def keras_layers(self) -> dict[str, keras.layers.Layer]:
        """{name of a layer of keras.applications: ours}, for every layer with weights."""
        return {layer.name: layer for layer in (*self.trunk, *self.head) if layer.weights}

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "configuration": self.configuration,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
        }

    def _convolution(self, name: str, maps: int, size: int) -> keras.layers.Layer:
        return Convolution2D(
            self.scaled(maps),
            size,
            padding="zero",
            activation="relu",
            kernel_initializer=seeded(self.kernel_initializer, self.seed, name, "kernel"),
            dtype=self.dtype_policy,
            name=name,
        )
