"""What every network of the zoo shares: a trunk of stages that makes feature maps, a head that decides.

    maps   = stage_n( ... stage_1(images))        features(images)     B H' W' C
    code   = head_m-1( ... head_1(maps))          code(images)         what is known before the decision
    logits = W code + b                           call(images)         p(y | x) = softmax(logits)

A network is a list of layers: `add_stage("conv1", layer, layer)` for the trunk, `add_head(pool, dense)`, and
`build` last in `__init__`. Blocks (residual, dense, inception) are layers too. A frozen trunk keeps its weights while
the head learns; its batch normalizations then use their global statistics in training too, as in Keras.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from numbers import Integral
from typing import Any, ClassVar, NamedTuple

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from keras_course.core.model import Endpoint, Model
from keras_course.core.seeds import derive_seed, uniform_noise
from keras_course.core.shapes import require_positive_int, require_rank
from keras_course.initializers.seeding import seeded
from keras_course.ops.dropout import drop_units, dropout_mask, require_rate

__all__ = ["Blueprint", "ImageClassifier", "blueprint", "parameter_count"]

LARGEST_SIDE = 2**14  # no architecture needs an image larger than this; where the search for the smallest one ends


class ImageClassifier(Model):
    """Base of the networks of this folder; `call` returns logits.

    Layers are attributes under their own names (`model.conv1`), and their paths in a saved file.

    Args:
        input_shape: (height, width, channels) of one image. Height and width may be None, and are no more than an
            example, where the architecture allows any size (`any_size`).
        classes: int, number of classes.
        width: float > 0, factor on the numbers of channels and hidden units, each rounded, at least 1.
        dropout: float in [0, 1), probability of dropping a unit of the head's layers named in `add_head`. Masks are
            drawn from (seed, layer, step): a resumed run draws what the uninterrupted one would have drawn, and so do
            replicas.
        freeze_trunk: whether the head alone learns. `model.freeze_trunk = False` thaws; compile again afterwards.
        seed: int, root of the initial weights (each layer's own seed is derived from it and the layer's name).
        **kwargs: as keras.Model.

    Raises:
        ValueError: for a bad argument, or an image too small for the architecture.
    """

    any_size: ClassVar[bool] = True

    def __init__(
        self,
        input_shape: Any,
        classes: int,
        width: float = 1.0,
        dropout: float = 0.0,
        freeze_trunk: bool = False,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed=seed, **kwargs)
        self.image_shape = self._image_shape(input_shape)
        require_positive_int(type(self).__name__, classes=classes)
        self.classes = int(classes)
        if not 0 < width < float("inf"):
            raise ValueError(f"{type(self).__name__} needs a finite width > 0. Received: width={width}")
        self.width = float(width)
        require_rate(type(self).__name__, dropout)
        self.dropout = float(dropout)
        self._frozen = bool(freeze_trunk)
        self._stages: list[tuple[str, tuple[str, ...]]] = []
        self._head: tuple[str, ...] = ()
        self._dropped: tuple[str, ...] = ()
        self._smallest = 1

    def add_stage(self, name: str, *layers: keras.layers.Layer) -> None:
        """The next stage of the trunk: its layers in order, each kept as the attribute of its own name."""
        self._stages.append((name, tuple(self._keep(layer) for layer in layers)))

    def add_head(self, *layers: keras.layers.Layer, dropped: Iterable[str] = ()) -> None:
        """The head's layers in order, the last of which gives the logits; `dropped` names those that dropout thins."""
        self._head = tuple(self._keep(layer) for layer in layers)
        self._dropped = tuple(dropped)

    def add_head_of_means(self) -> None:
        """Means over all places of the maps, which dropout thins, under one dense layer: "mean" and "predictions"."""
        means = keras.layers.GlobalAveragePooling2D(data_format="channels_last", name="mean", dtype=self.dtype_policy)
        self.add_head(means, self.dense("predictions", self.classes), dropped=("mean",))

    def dense(
        self, name: str, units: int, activation: Any = None, kernel_initializer: Any = "glorot_uniform"
    ) -> keras.layers.Layer:
        """A dense layer that starts from a seed of its own, as `seed_of(name, "kernel")` gives it."""
        start = seeded(kernel_initializer, self.seed, name, "kernel")
        return keras.layers.Dense(units, activation, kernel_initializer=start, dtype=self.dtype_policy, name=name)

    def scaled(self, channels: int) -> int:
        """A number of channels or units times `width`, rounded (halves up), at least 1."""
        return max(1, int(channels * self.width + 0.5))

    def seed_of(self, *path: object) -> int:
        """The seed of one named layer, whatever else was built."""
        return derive_seed(self.seed, *path)

    @property
    def trunk(self) -> list[keras.layers.Layer]:
        """Layers of all stages, in order."""
        return [getattr(self, name) for _, names in self._stages for name in names]

    @property
    def stages(self) -> dict[str, list[keras.layers.Layer]]:
        """{stage: its layers}, in order."""
        return {stage: [getattr(self, name) for name in names] for stage, names in self._stages}

    @property
    def head(self) -> list[keras.layers.Layer]:
        """Layers of the head, in order; the last gives the logits."""
        return [getattr(self, name) for name in self._head]

    @property
    def freeze_trunk(self) -> bool:
        """Whether the head alone learns."""
        return self._frozen

    @freeze_trunk.setter
    def freeze_trunk(self, value: bool) -> None:
        self._frozen = bool(value)
        self._freeze()

    def call(self, images: Any, training: bool | None = None) -> Any:
        return self.head[-1](self.code(images, training))  # (B, K) logits

    def features(self, images: Any) -> Any:
        """Feature maps, what the last stage of the trunk gives.

        Args:
            images: tensor (B, H, W, C).

        Returns:
            Tensor (B, H', W', maps).

        Raises:
            ValueError: for images smaller than `smallest_side`.
        """
        require_rank(type(self).__name__, images.shape, 4)
        self._require_pixels(images.shape[1:3])
        for layer in self.trunk:
            images = layer(images)
        return images

    def code(self, images: Any, training: bool | None = None) -> Any:
        """What the network knows of an image before it decides: the units in front of the logits.

        Args:
            images: tensor (B, H, W, C).
            training: whether dropout thins the head.

        Returns:
            Tensor (B, units).
        """
        return self.code_of(self.features(images), training)

    def code_of(self, maps: Any, training: bool | None = None) -> Any:
        """The same from feature maps that are there already.

        Args:
            maps: tensor (B, H', W', maps), as `features` returns.
            training: whether dropout thins the head.

        Returns:
            Tensor (B, units).
        """
        units = maps
        for layer in self.head[:-1]:
            units = layer(units)
            if training and layer.name in self._dropped:
                units = self.thinned(units, layer.name)
        return units

    def thinned(self, units: Any, layer: str, rate: float | None = None) -> Any:
        """Units under this training step's mask, mu x / (1 - rate).

        Args:
            units: tensor (B, ...).
            layer: name that tells this mask from others of the step.
            rate: probability of dropping; None takes `dropout`.

        Returns:
            Tensor like units.
        """
        rate = self.dropout if rate is None else rate
        if rate == 0:
            return units
        rows, *sizes = ops.shape(units)
        first, total = self.share_of_batch(rows)
        uniforms = uniform_noise((total, *sizes), self.step_seed(f"{layer}/mask"))
        return drop_units(units, dropout_mask(uniforms[first : first + rows], rate), rate)

    def probabilities(self, images: Any) -> Any:
        """p(y | x) = softmax(z), tensor (B, classes) of at least float32."""
        logits = self(images, training=False)
        return ops.softmax(ops.cast(logits, "float64" if self.compute_dtype == "float64" else "float32"))

    def most_probable(self, images: Any) -> Any:
        """The class of largest probability, the first of equals, int32 tensor (B,)."""
        return ops.cast(ops.argmax(self(images, training=False), axis=-1), "int32")

    def stage_shapes(self, height: int | None = None, width: int | None = None) -> dict[str, tuple[Any, ...]]:
        """The table of output sizes.

        Args:
            height, width: pixels of the image; None takes those of `input_shape`.

        Returns:
            {stage: (height, width, maps)}, in order.

        Raises:
            ValueError: for an image too small for the architecture.
        """
        known = self.image_shape
        sides = (known[0] if height is None else height, known[1] if width is None else width)
        if self._smallest > 1:
            self._require_pixels(sides)
        return self._shapes_of(*sides)

    @property
    def smallest_side(self) -> int:
        """The least height, and the least width, that leaves a pixel behind every stage."""
        return self._smallest

    @property
    def first_layer_filters(self) -> np.ndarray:
        """Kernel of the first layer as an array (height, width, channels, filters), for figures."""
        return np.asarray(ops.convert_to_numpy(self.trunk[0].kernel))

    def build(self, input_shape: Any = None) -> None:
        if self.built:
            return
        self._smallest = 1 + bisect_left(range(1, LARGEST_SIDE), True, key=self._leaves_a_pixel)
        self._require_pixels(self.image_shape[:2])
        shape = (None, *self.image_shape)
        for layer in (*self.trunk, *self.head):
            layer.build(shape)
            shape = layer.compute_output_shape(shape)
        sides = (None, None) if self.any_size else self.image_shape[:2]
        self.input_spec = keras.InputSpec(shape=(None, *sides, self.image_shape[2]))
        self._freeze()  # after the layers are built: their variables follow
        self.built = True

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        return (input_shape[0], self.classes)

    def endpoints(self) -> dict[str, Endpoint]:
        """`serving_default` probabilities (B, classes), `logits`, `class` int32 (B,), `code` (B, units)."""
        images = [keras.InputSpec(shape=self.input_spec.shape, dtype=self.input_dtype, name="images")]
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
            "width": self.width,
            "dropout": self.dropout,
            "freeze_trunk": self.freeze_trunk,
        }

    def _freeze(self) -> None:
        for layer in self.trunk:
            layer.trainable = not self._frozen

    def _keep(self, layer: keras.layers.Layer) -> str:
        if hasattr(self, layer.name):
            raise ValueError(
                f"{type(self).__name__} has {layer.name!r} already; each layer needs a name of its own that is no "
                f"attribute of a model. Received: name={layer.name!r}"
            )
        setattr(self, layer.name, layer)
        return str(layer.name)

    def _image_shape(self, input_shape: Any) -> tuple[int | None, int | None, int]:
        who, given = type(self).__name__, tuple(input_shape) if isinstance(input_shape, Iterable) else ()
        sizes = [size for size in given if size is not None]
        whole = all(isinstance(size, Integral) and not isinstance(size, bool) and size >= 1 for size in sizes)
        if len(given) != 3 or not whole or given[2] is None:
            raise ValueError(f"{who} needs input_shape=(height, width, channels). Received: input_shape={input_shape}")
        if not self.any_size and len(sizes) < 3:
            raise ValueError(
                f"{who} needs a known height and width: its dense layers see every pixel of the last feature maps. "
                f"Received: input_shape={given}"
            )
        height, width, channels = (None if size is None else int(size) for size in given)
        return height, width, channels or 1

    def _shapes_of(self, height: int | None, width: int | None) -> dict[str, tuple[Any, ...]]:
        shape: tuple[Any, ...] = (None, height, width, self.image_shape[2])
        table = {}
        for stage, names in self._stages:
            for name in names:
                shape = getattr(self, name).compute_output_shape(shape)
            table[stage] = tuple(shape[1:])
        return table

    def _leaves_a_pixel(self, side: int) -> bool:
        try:
            self._shapes_of(side, side)
        except ValueError:
            return False
        return True

    def _require_pixels(self, sides: Iterable[int | None]) -> None:
        sides = tuple(sides)
        if any(side is not None and side < self._smallest for side in sides):
            raise ValueError(
                f"{type(self).__name__} needs an image of at least {self._smallest} x {self._smallest} pixels. "
                f"Received: {' x '.join(str(side) for side in sides)}"
            )


class Blueprint(NamedTuple):
    """A network's numbers without its weights: parameters of all variables and of those that learn, both by layer in
    the order of the network, and the size behind each stage."""

    parameters: int
    trainable: int
    layers: dict[str, int]
    stages: dict[str, tuple[Any, ...]]


def blueprint(network: type[ImageClassifier], **arguments: Any) -> Blueprint:
    """Counts a network of any width without allocating it: its variables exist as symbols of a graph only.

    Args:
        network: the class.
        **arguments: its constructor's.

    Returns:
        Blueprint(parameters, trainable, layers, stages).

    Example:
        >>> from keras_course.models.vision.lenet import LeNet
        >>> blueprint(LeNet, input_shape=(32, 32, 1)).layers["conv2"]
        2416
    """
    with tf.Graph().as_default():
        model = network(**arguments)
        return Blueprint(
            parameters=model.count_params(),
            trainable=sum(int(np.prod(variable.shape)) for variable in model.trainable_variables),
            layers={layer.name: layer.count_params() for layer in model.layers if layer.weights},
            stages=model.stage_shapes(),
        )


def parameter_count(network: type[ImageClassifier], **arguments: Any) -> int:
    """Number of all parameters, moving statistics of batch normalization included, without allocating them.

    Args:
        network: the class.
        **arguments: its constructor's.

    Returns:
        int.

    Example:
        >>> from keras_course.models.vision.lenet import LeNet
        >>> parameter_count(LeNet, input_shape=(32, 32, 1))
        61706
    """
    return blueprint(network, **arguments).parameters
