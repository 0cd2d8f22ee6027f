"""FCN, a fully convolutional network: a class for each pixel of an image of any size.

    maps     h_1, …, h_n = trunk(x),                             strides s_1 < … < s_n, each divides the next
    scores   z_n = V_n * h_n,                                    V_k a 1 x 1 convolution to one map a class
    skips    z_k = up(z_{k+1}; s_{k+1} / s_k) + V_k * h_k,       as often as `skips` says
    pixels   z   = up(z_k; s_k),   p(class at (i, j) | x) = softmax(z[i, j])

up(.; f) is a transposed convolution of stride f that starts as bilinear interpolation. The deep maps know what is
there, the shallow ones where it ends: without skips the border of an object is as coarse as s_n. With five poolings
(s_n = 32) and 0, 1 or 2 skips these are FCN-32s, FCN-16s and FCN-8s.

No weight depends on the image's size, so any size will do. Zeros are added below and to the right until s_n divides
both sides, so that sample (i, j) of a map of stride s stands for the pixels [s i, s i + s) x [s j, s j + s) and all
maps fit exactly; the scores of what was added are cut off again.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from keras_course.core.model import Endpoint, Model
from keras_course.core.seeds import derive_seed
from keras_course.core.serial import register
from keras_course.core.shapes import require_positive_int, require_rank
from keras_course.initializers.bilinear import Bilinear
from keras_course.layers.convolution import Convolution2D
from keras_course.layers.transposed_convolution import TransposedConvolution2D
from keras_course.models.vision.convolutional_trunk import ConvolutionalTrunk

__all__ = ["FCN"]

PROBE = 768  # 2^8 * 3 samples a side, to see by what a trunk divides it


@register("FCN")
class FCN(Model):
    """A fully convolutional network; `call` returns the logits of every pixel.

    z = up(… up(V_n * h_n) + V_{n-1} * h_{n-1} …),   h = trunk(x),   up = transposed convolution, bilinear at first

    Differences from Long, Shelhamer and Darrell: everything is trained at once and from the first step (there: from a
    network for whole images, skips added one by one with scores that start at zero), zeros surround each convolution
    (there: 100 pixels around the image), and no dropout.

    Args:
        input_shape: (height, width, channels) of one image; height and width may be None, for images of any size.
        classes: int >= 2, number of classes, background included.
        trunk: a Keras layer or model from images to a list of feature maps, finest first, whose sides are the image's
            divided by whole numbers, each a multiple of the one before (one map alone will do): a `StageMaps` of a
            classifier's layers, a functional keras.Model. Or ints, widths of the stages of a `ConvolutionalTrunk`.
        skips: int, how many of the finer maps add their scores; None takes all.
        learn_upsampling: whether the transposed convolutions are trained, or stay bilinear.
        seed: int, root of the initial weights.
        **kwargs: as keras.Model.

    Input shape:
        (batch, height, width, channels), any height and width of at least 1 unless `input_shape` fixes them.

    Output shape:
        (batch, height, width, classes), logits.

    Raises:
        ValueError: for a bad argument, or a trunk whose maps do not divide each other.

    Example:
        >>> model = FCN((None, None, 1), classes=3, trunk=(4, 8), seed=1)
        >>> [tuple(model(ops.zeros((2, height, 7, 1))).shape) for height in (1, 6, 13)]
        [(2, 1, 7, 3), (2, 6, 7, 3), (2, 13, 7, 3)]

    Source: C 8.1.5, 8.1.12; Long, Shelhamer and Darrell 2015.
    """

    def __init__(
        self,
        input_shape: Any = (None, None, 1),
        classes: int = 11,
        trunk: Any = (16, 32, 64),
        skips: int | None = None,
        learn_upsampling: bool = True,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed=seed, **kwargs)
        self.image_shape = _image_shape(input_shape)
        require_positive_int("FCN", classes=classes)
        if classes < 2:
            raise ValueError(f"FCN needs at least 2 classes, background included. Received: classes={classes}")
        if skips is not None and (isinstance(skips, bool) or not isinstance(skips, int) or skips < 0):
            raise ValueError(f"FCN needs skips as an integer of at least 0, or None for all. Received: skips={skips!r}")
        self.classes, self.skips, self.learn_upsampling = int(classes), skips, bool(learn_upsampling)
        self.trunk_widths = None if isinstance(trunk, keras.layers.Layer) else trunk
        if self.trunk_widths is not None:
            trunk = ConvolutionalTrunk(
                trunk, seed=derive_seed(self.seed, "trunk"), dtype=self.dtype_policy, name="trunk"
            )
        self.trunk = trunk
        channels = self.image_shape[-1]
        probed = _as_list(self.trunk(keras.KerasTensor((1, PROBE, PROBE, channels), dtype=self.compute_dtype)))
        self.strides = _strides([tuple(maps.shape) for maps in probed])
        levels = range(len(self.strides))
        used = len(self.strides) if skips is None else skips + 1
        if used > len(self.strides):
            raise ValueError(
                f"FCN has {len(self.strides) - 1} maps to skip from, the trunk's without its coarsest. "
                f"Received: skips={skips}"
            )
        self.levels = tuple(reversed(levels))[:used]  # coarsest first
        self.score_layers = [self._score(level, probed[level].shape) for level in self.levels]
        finer = [*(self.strides[level] for level in self.levels[1:]), 1]
        factors = [self.strides[level] // stride for level, stride in zip(self.levels, finer, strict=True)]
        self.upsampling = [self._up(level, factor) for level, factor in zip(self.levels, factors, strict=True)]
        self.build((None, *self.image_shape))

    def _score(self, level: int, shape: Any) -> Convolution2D:
        name = f"score{self.strides[level]}"
        start = keras.initializers.GlorotUniform(seed=derive_seed(self.seed, name, "kernel"))
        layer = Convolution2D(self.classes, 1, kernel_initializer=start, dtype=self.dtype_policy, name=name)
        layer.build((None, None, None, shape[-1]))
        return layer

    def _up(self, level: int, factor: int) -> TransposedConvolution2D:
        layer = TransposedConvolution2D(
            self.classes, 2 * factor - factor % 2, factor, "same", use_bias=False, kernel_initializer=Bilinear(),
            trainable=self.learn_upsampling, dtype=self.dtype_policy, name=f"up{self.strides[level]}",
        )  # fmt: skip
        layer.build((None, None, None, self.classes))
        return layer

    def build(self, input_shape: Any = None) -> None:
        self.input_spec = keras.InputSpec(shape=(None, *self.image_shape))
        self.built = True

    def call(self, images: Any, training: bool | None = None) -> Any:
        _, height, width, _ = ops.shape(images)
        maps = _as_list(self.trunk(_padded(images, self.strides[-1])))  # Keras hands `training` on
        scores = None
        for level, score, up in zip(self.levels, self.score_layers, self.upsampling, strict=True):
            own = score(maps[level])  # (B, H / s, W / s, K)
            scores = up(own if scores is None else scores + own)
        return scores[:, :height, :width]  # (B, H, W, K)

    def probabilities(self, images: Any) -> Any:
        """p(class | x) of each pixel, tensor (B, H, W, classes) of at least float32."""
        logits = self(images, training=False)
        return ops.softmax(ops.cast(logits, "float64" if self.compute_dtype == "float64" else "float32"))

    def most_probable(self, images: Any) -> Any:
        """The class of largest probability of each pixel, the first of equals, int32 tensor (B, H, W)."""
        return ops.cast(ops.argmax(self(images, training=False), axis=-1), "int32")

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        require_rank("FCN", input_shape, 4)
        return (*input_shape[:3], self.classes)

    def endpoints(self) -> dict[str, Endpoint]:
        """`serving_default` probabilities (B, H, W, classes), `logits`, `class` int32 (B, H, W)."""
        images = [keras.InputSpec(shape=(None, *self.image_shape), dtype=self.input_dtype, name="images")]
        return {
            "serving_default": (lambda images: self.probabilities(images), images),
            "logits": (lambda images: self(images, training=False), images),
            "class": (lambda images: self.most_probable(images), images),
        }

    def get_config(self) -> dict[str, Any]:
        told = self.trunk_widths
        return {
            **super().get_config(),
            "input_shape": self.image_shape,
            "classes": self.classes,
            "trunk": keras.saving.serialize_keras_object(self.trunk) if told is None else told,
            "skips": self.skips,
            "learn_upsampling": self.learn_upsampling,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> FCN:
        trunk = config["trunk"]
        return cls(
            **{**config, "trunk": keras.saving.deserialize_keras_object(trunk) if isinstance(trunk, dict) else trunk}
        )


def _image_shape(shape: Any) -> tuple[int | None, int | None, int]:
    """(height, width, channels); the first two may be unknown."""
    sizes = tuple(shape)
    if len(sizes) != 3:
        raise ValueError(f"FCN needs input_shape=(height, width, channels). Received: input_shape={shape!r}")
    require_positive_int("FCN", channels=sizes[2])
    require_positive_int("FCN", **{n: v for n, v in zip(("height", "width"), sizes, strict=False) if v is not None})
    return sizes


def _as_list(maps: Any) -> list[Any]:
    return list(maps) if isinstance(maps, list | tuple) else [maps]


def _strides(shapes: list[tuple[Any, ...]]) -> tuple[int, ...]:
    """By what each map of the trunk divides the sides of an image, finest first."""
    for shape in shapes:
        if len(shape) != 4 or shape[1] != shape[2] or not shape[1] or PROBE % shape[1]:
            raise ValueError(
                f"FCN needs a trunk whose maps divide the image by a whole number. Received: {PROBE} x {PROBE} pixels "
                f"become {shape}"
            )
    strides = tuple(PROBE // shape[1] for shape in shapes)
    if any(coarse % fine for fine, coarse in zip(strides, strides[1:], strict=False)):
        raise ValueError(f"FCN needs maps whose strides divide the next, finest first. Received: strides={strides}")
    return strides


def _padded(images: Any, stride: int) -> Any:
    """Zeros below and to the right until `stride` divides height and width."""
    _, height, width, _ = ops.shape(images)
    below, right = -height % stride, -width % stride
    if isinstance(below, int) and isinstance(right, int) and below == right == 0:
        return images
    return ops.pad(images, [(0, 0), (0, below), (0, right), (0, 0)])
