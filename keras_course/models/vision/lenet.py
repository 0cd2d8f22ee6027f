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

from keras_course.core.serial import register
from keras_course.core.shapes import normalize_tuple, require_one_of
from keras_course.layers.convolution import Convolution2D
from keras_course.layers.pooling import AveragePooling, MaxPooling
from keras_course.models.vision.image_classifier import ImageClassifier
from keras_course.ops.convolution import output_size

__all__ = ["LeNet"]

KERNEL, WINDOW = 5, 2


@register("LeNet")
class LeNet(ImageClassifier):
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
        **kwargs: as ImageClassifier (width, a factor on filters and units; dropout of C5 and F6; freeze_trunk).

    Input shape:
        (batch, height, width, channels).

    Output shape:
        (batch, classes), logits.

    Raises:
        ValueError: for a bad argument, or an image too small for the padding.

    Example:
        >>> LeNet(input_shape=(32, 32, 1)).count_params()
        61706
        >>> tuple(LeNet()(keras.ops.zeros((3, 8, 8, 1))).shape)
        (3, 10)

    Source: S 9.2, R; LeCun, Bottou, Bengio, Haffner 1998.
    """

    any_size = False

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
        super().__init__(input_shape, classes, seed=seed, **kwargs)
        self.filters = normalize_tuple("LeNet", filters, 2, "filters")
        self.units = normalize_tuple("LeNet", units, 2, "units")
        require_one_of("LeNet", ("average", "max"), pooling=pooling)
        self.pooling = pooling
        self.activation = keras.activations.get(activation)
        self.padding = padding if padding is None or isinstance(padding, str) else tuple(padding)
        first, second = _paddings(self.padding, self.image_shape)

        pool = {"average": AveragePooling, "max": MaxPooling}[pooling]
        maps, units = [self.scaled(one) for one in self.filters], [self.scaled(one) for one in self.units]
        self.add_stage("conv1", self._seeded(Convolution2D, maps[0], KERNEL, padding=first, name="conv1"))
        self.add_stage("pool1", pool(WINDOW, dtype=self.dtype_policy, name="pool1"))
        self.add_stage("conv2", self._seeded(Convolution2D, maps[1], KERNEL, padding=second, name="conv2"))
        self.add_stage("pool2", pool(WINDOW, dtype=self.dtype_policy, name="pool2"))
        self.add_head(
            keras.layers.Flatten(dtype=self.dtype_policy, name="flatten"),
            self._seeded(keras.layers.Dense, units[0], name="dense1"),
            self._seeded(keras.layers.Dense, units[1], name="dense2"),
            self._seeded(keras.layers.Dense, self.classes, name="dense3", activation=None),
            dropped=("dense1", "dense2"),
        )
        self.build((None, *self.image_shape))

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "filters": self.filters,
            "units": self.units,
            "pooling": self.pooling,
            "activation": keras.activations.serialize(self.activation),
            "padding": self.padding,
        }

    def _seeded(self, layer: type, *args: Any, name: str, **kwargs: Any) -> Any:
        """A layer whose initial weights depend on this model's seed and its own name alone."""
        initializer = keras.initializers.GlorotUniform(seed=self.seed_of(name, "kernel"))
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
