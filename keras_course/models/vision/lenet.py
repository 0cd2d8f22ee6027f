"""LeNet-5: two convolutions, two poolings, three dense layers; the first network that read post codes and cheques.

    C1  h1 = f(W1 * x  + b1)        6 maps, 5 x 5
    S2  p1 = pool(h1)               2 x 2
    C3  h2 = f(W2 * p1 + b2)       16 maps, 5 x 5
    S4  p2 = pool(h2)               2 x 2
    C5  h3 = f(W3' vec(p2) + b3)  120 units
    F6  h4 = f(W4' h3 + b4)        84 units
        z  =   W5' h4 + b5          logits, p(y | x) = softmax(z)

`*` is cross-correlation, vec runs over height, width, channel. A 32 x 32 x 1 image and ten classes give the shapes
28, 14, 10, 5 and 156 + 2,416 + 48,120 + 10,164 + 850 = 61,706 parameters.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

from keras_course.core.model import Endpoint, Model
from keras_course.core.seeds import derive_seed
from keras_course.core.serial import register
from keras_course.core.shapes import normalize_tuple, require_one_of, require_positive_int
from keras_course.layers.convolution import Convolution2D
from keras_course.layers.pooling import AveragePooling, MaxPooling
from keras_course.ops.convolution import output_size

__all__ = ["LeNet"]

KERNEL, WINDOW = 5, 2


@register("LeNet")
class LeNet(Model):
    """LeNet-5 as it is built today; `call` returns logits.

    x -> C1 conv 5x5 -> f -> S2 pool 2x2 -> C3 conv 5x5 -> f -> S4 pool 2x2 -> C5 dense -> f -> F6 dense -> f -> logits

    Differences from the network of 1998: every map of C3 sees all maps of S2 (there: a table of partial connections,
    and so 60,000 weights); pooling has no trainable coefficient and bias; f is tanh or relu (there: a scaled tanh);
    the output is a softmax layer (there: radial basis functions around drawn digits).

    Args:
        input_shape: (height, width, channels) of one image.
        classes: int, number of classes.
        filters: 2 ints, maps of C1 and C3; larger numbers make a wider network.
        units: 2 ints, widths of C5 and F6.
        pooling: "average" (1998) or "max".
        activation: "tanh" (1998), "relu" or any Keras activation.
        padding: "valid", "zero" or "replicate", one for both convolutions or one each. None takes the first of
            (valid, valid), (zero, valid), (zero, zero) that leaves at least one pixel: 32 x 32 and 28 x 28 images stay
            unpadded, 8 x 8 are padded twice.
        seed: int, root of the initial weights (Glorot uniform; each layer's own seed is derived from it).
        **kwargs: as keras.Model.

    Input shape:
        (batch, height, width, channels).

    Output shape:
        (batch, classes), logits.

    Raises:
        ValueError: for a bad argument, or an image too small for the padding.

    Example:
        >>> LeNet(input_shape=(32, 32, 1)).count_params()
        61706
        >>> tuple(LeNet()(ops.zeros((3, 8, 8, 1))).shape)
        (3, 10)

    Source: S 9.2, R; LeCun, Bottou, Bengio, Haffner 1998.
    """

    def __init__(
        self,
        input_shape: Any = (8, 8, 1),
        classes: int = 10,
        filters: Any = (6, 16),
        units: Any = (120, 84),
        pooling: str = "average",
        activation: Any = "tanh",
        padding: Any = None,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed=seed, **kwargs)
        self.image_shape = normalize_tuple("LeNet", input_shape, 3, "input_shape")
        require_positive_int("LeNet", classes=classes)
        self.classes = int(classes)
        self.filters = normalize_tuple("LeNet", filters, 2, "filters")
        self.units = normalize_tuple("LeNet", units, 2, "units")
        require_one_of("LeNet", ("average", "max"), pooling=pooling)
        self.pooling = pooling
        self.activation = keras.activations.get(activation)
        self.padding = padding if padding is None or isinstance(padding, str) else tuple(padding)
        first, second = _paddings(self.padding, self.image_shape)

        pool = {"average": AveragePooling, "max": MaxPooling}[pooling]
        self.conv1 = self._seeded(Convolution2D, self.filters[0], KERNEL, padding=first, name="conv1")
        self.pool1 = pool(WINDOW, dtype=self.dtype_policy, name="pool1")
        self.conv2 = self._seeded(Convolution2D, self.filters[1], KERNEL, padding=second, name="conv2")
        self.pool2 = pool(WINDOW, dtype=self.dtype_policy, name="pool2")
        self.flatten = keras.layers.Flatten(dtype=self.dtype_policy, name="flatten")
        self.dense1 = self._seeded(keras.layers.Dense, self.units[0], name="dense1")
        self.dense2 = self._seeded(keras.layers.Dense, self.units[1], name="dense2")
        self.dense3 = self._seeded(keras.layers.Dense, self.classes, name="dense3", activation=None)
        self.build((None, *self.image_shape))

    def call(self, images: Any) -> Any:
        return self.dense3(self.code(images))  # (B, K) logits

    def code(self, images: Any) -> Any:
        """F6, what the network knows of an image before it decides.

        h4 = f(W4' f(W3' vec(p2) + b3) + b4)

        Args:
            images: tensor (B, H, W, C).

        Returns:
            Tensor (B, units[1]).
        """
        maps = self.pool1(self.conv1(images))  # (B, 14, 14, 6) of a 32 x 32 image
        maps = self.pool2(self.conv2(maps))  # (B, 5, 5, 16)
        return self.dense2(self.dense1(self.flatten(maps)))

    def probabilities(self, images: Any) -> Any:
        """p(y | x) = softmax(z), tensor (B, classes) of at least float32."""
        logits = self(images, training=False)
        return ops.softmax(ops.cast(logits, "float64" if self.compute_dtype == "float64" else "float32"))

    def most_probable(self, images: Any) -> Any:
        """The class of largest probability, the first of equals, int32 tensor (B,)."""
        return ops.cast(ops.argmax(self(images, training=False), axis=-1), "int32")

    @property
    def first_layer_filters(self) -> np.ndarray:
        """Kernel of C1 as an array (5, 5, channels, filters), for figures."""
        return np.asarray(ops.convert_to_numpy(self.conv1.kernel))

    def build(self, input_shape: Any = None) -> None:
        shape = (None, *self.image_shape)
        for layer in (self.conv1, self.pool1, self.conv2, self.pool2, self.flatten):
            layer.build(shape)
            shape = layer.compute_output_shape(shape)
        for layer in (self.dense1, self.dense2, self.dense3):
            layer.build(shape)
            shape = (None, layer.units)
        self.input_spec = keras.InputSpec(shape=(None, *self.image_shape))
        self.built = True

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        return (input_shape[0], self.classes)

    def endpoints(self) -> dict[str, Endpoint]:
        """`serving_default` probabilities (B, classes), `logits`, `class` int32 (B,), `code` (B, units[1])."""
        images = [keras.InputSpec(shape=(None, *self.image_shape), dtype=self.input_dtype, name="images")]
        return {
            "serving_default": (lambda images: self.probabilities(images), images),
            "logits": (lambda images: self(images, training=False), images),
            "class": (lambda images: self.most_probable(images), images),
            "code": (lambda images: self.code(images), images),
        }

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "input_shape": self.image_shape,
            "classes": self.classes,
            "filters": self.filters,
            "units": self.units,
            "pooling": self.pooling,
            "activation": keras.activations.serialize(self.activation),
            "padding": self.padding,
        }

    def _seeded(self, layer: type, *args: Any, name: str, **kwargs: Any) -> Any:
        """A layer whose initial weights depend on this model's seed and its own name alone."""
        initializer = keras.initializers.GlorotUniform(seed=derive_seed(self.seed, name, "kernel"))
        settings = {"activation": self.activation, "dtype": self.dtype_policy, **kwargs}
        return layer(*args, kernel_initializer=initializer, name=name, **settings)


def _paddings(padding: Any, image_shape: tuple[int, ...]) -> tuple[str, str]:
    """The padding of C1 and C3, made sure to leave a pixel."""
    if padding is None:
        choices = [("valid", "valid"), ("zero", "valid"), ("zero", "zero")]
    else:
        choices = [(padding, padding) if isinstance(padding, str) else padding]
        if len(choices[0]) != 2:
            raise ValueError(f"LeNet takes one padding, or one for each of two convolutions. Received: {padding=}")
        require_one_of("LeNet", ("valid", "zero", "replicate"), padding=choices[0][0])
        require_one_of("LeNet", ("valid", "zero", "replicate"), padding=choices[0][1])
    for choice in choices:
        sides = list(image_shape[:2])
        for one in choice:  # a convolution, then a pooling
            sides = [output_size(n, KERNEL, padding=one) or 0 for n in sides]
            sides = [output_size(n, WINDOW, WINDOW) or 0 for n in sides]
        if min(sides) >= 1:
            return choice
    raise ValueError(
        f"LeNet needs a larger image: two 5 x 5 convolutions with padding {choices[-1]} and two 2 x 2 poolings leave "
        f"no pixel (4 x 4 is the least with 'zero', 16 x 16 with 'valid'). "
        f"Received: input_shape={image_shape}, padding={padding!r}"
    )
