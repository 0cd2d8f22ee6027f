"""GoogLeNet: nine inception modules, and two auxiliary classifiers that bring the gradient into the middle.

    conv 7x7/2 64, pool 3x3/2, LRN, conv 1x1 64, conv 3x3 192, LRN, pool 3x3/2      224 -> 112 -> 56 -> 28
    inception 3a 3b, pool, 4a 4b 4c 4d 4e, pool, 5a 5b                              28 -> 14 -> 7
    global average pool, dropout 0.4, linear                                        1024 -> classes

    training:   J = J(logits) + 0.3 J(logits behind 4a) + 0.3 J(logits behind 4d)
    afterwards: the auxiliary classifiers are not asked, and no export holds them

22 layers with weights. With biases 6,998,552 parameters for 1,000 classes, the auxiliary classifiers 6,379,728 more.
The paper's own column of parameters is loose: 2.7K beside a 7 x 7 convolution of 3 channels into 64 (9,408 weights).
"""

from __future__ import annotations

import os
from typing import Any, NamedTuple

import keras
from keras import ops

from keras_course.core.serial import register
from keras_course.initializers.seeding import seeded
from keras_course.layers.convolution import Convolution2D
from keras_course.layers.inception import InceptionModule
from keras_course.layers.local_response_normalization import LocalResponseNormalization
from keras_course.layers.pooling import AveragePooling, MaxPooling
from keras_course.models.vision.image_classifier import ImageClassifier

__all__ = ["Decisions", "GoogLeNet"]

# 1x1, 3x3 reduce, 3x3, 5x5 reduce, 5x5, pool projection: the order of the paper's table.
MODULES = {
    "3a": (64, 96, 128, 16, 32, 32),
    "3b": (128, 128, 192, 32, 96, 64),
    "4a": (192, 96, 208, 16, 48, 64),
    "4b": (160, 112, 224, 24, 64, 64),
    "4c": (128, 128, 256, 24, 64, 64),
    "4d": (112, 144, 288, 32, 64, 64),
    "4e": (256, 160, 320, 32, 128, 128),
    "5a": (256, 160, 320, 32, 128, 128),
    "5b": (384, 192, 384, 48, 128, 128),
}
AUXILIARY_BEHIND = ("4a", "4d")
AUXILIARY_RATE = 0.7  # of their dropout


class Decisions(NamedTuple):
    """What a GoogLeNet says in training: its logits, and those of the auxiliary classifiers, first module first."""

    logits: Any
    auxiliary: tuple[Any, ...]


@register("GoogLeNet")
class GoogLeNet(ImageClassifier):
    """Inception modules with dimension reductions, 22 layers deep; `call` returns logits.

    x -> stem -> inception 3a ... 5b -> global average -> dropout -> logits

    In training with auxiliary classifiers, `call` returns `Decisions(logits, auxiliary)`; `compute_loss`
    adds the compiled loss of the auxiliary logits, metrics see the logits alone. Each auxiliary classifier is an
    average pool 5 x 5, stride 3 (smaller where the maps are), a 1 x 1 convolution to 128 maps, 1024 hidden units with
    dropout 0.7, and logits; its hidden layer fixes the size of the training images, inference takes any size.

    Args:
        input_shape: (height, width, channels) of one image; height and width may be None without auxiliary classifiers.
        classes: int, number of classes.
        modules: names of the modules that are there, in order, for a shallower network; None is all nine, "3a" to
            "5b". Pools stand between the threes, the fours and the fives.
        auxiliary: whether there are auxiliary classifiers, behind 4a and 4d.
        auxiliary_weight: float >= 0, their losses' weight.
        width: float > 0, factor on all maps and units.
        dropout: float in [0, 1), behind the global average.
        kernel_initializer: as Keras takes it; each layer draws with a seed of its own.
        seed: int, root of the initial weights and of the masks.
        **kwargs: as ImageClassifier (freeze_trunk, name, dtype). Behind a frozen trunk the auxiliary classifiers learn.

    Input shape:
        (batch, height, width, channels), any size.

    Output shape:
        (batch, classes), logits.

    Raises:
        ValueError: for a bad argument, or auxiliary classifiers for images of unknown size.

    Example:
        >>> from keras_course.models.vision.image_classifier import parameter_count
        >>> parameter_count(GoogLeNet, auxiliary=False), parameter_count(GoogLeNet)
        (6998552, 13378280)
        >>> GoogLeNet((32, 32, 1), classes=10, width=0.05).stage_shapes()["inception_5b"]
        (1, 1, 50)

    Source: R GoogLeNet, S 9.2 Fancy structures; Szegedy et al. 2015.
    """

    def __init__(
        self,
        input_shape: Any = (224, 224, 3),
        classes: int = 1000,
        modules: Any = None,
        auxiliary: bool = True,
        auxiliary_weight: float = 0.3,
        width: float = 1.0,
        dropout: float = 0.4,
        kernel_initializer: Any = "glorot_uniform",
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(input_shape, classes, width, dropout, seed=seed, **kwargs)
        if not 0 <= auxiliary_weight < float("inf"):
            raise ValueError(f"GoogLeNet needs auxiliary_weight >= 0. Received: auxiliary_weight={auxiliary_weight}")
        self.modules = tuple(MODULES) if modules is None else tuple(modules)
        if not self.modules or self.modules != tuple(name for name in MODULES if name in self.modules):
            raise ValueError(f"GoogLeNet needs modules out of {tuple(MODULES)}, in order. Received: modules={modules}")
        if auxiliary and not set(AUXILIARY_BEHIND) & set(self.modules):
            raise ValueError(
                f"GoogLeNet has auxiliary classifiers behind {AUXILIARY_BEHIND}; take one of these modules, or "
                f"auxiliary=False. Received: modules={modules}"
            )
        if auxiliary and None in self.image_shape:
            raise ValueError(
                "GoogLeNet needs a known height and width for its auxiliary classifiers, or auxiliary=False. "
                f"Received: input_shape={self.image_shape}"
            )
        self.auxiliary = bool(auxiliary)
        self.auxiliary_weight = float(auxiliary_weight)
        self.kernel_initializer = keras.initializers.get(kernel_initializer)

        policy = {"dtype": self.dtype_policy}
        self.add_stage("conv1", self._convolution("conv1", 64, 7, strides=2))
        self.add_stage("pool1", self._pooling("pool1"), LocalResponseNormalization(name="norm1", **policy))
        self.add_stage("conv2_reduce", self._convolution("conv2_reduce", 64, 1))
        self.add_stage("conv2", self._convolution("conv2", 192, 3), LocalResponseNormalization(name="norm2", **policy))
        self.add_stage("pool2", self._pooling("pool2"))
        level = 3
        for name in self.modules:
            for passed in range(level, int(name[0])):
                self.add_stage(f"pool{passed}", self._pooling(f"pool{passed}"))
            level = int(name[0])
            self.add_stage(f"inception_{name}", self._module(name))
        self.add_head(
            keras.layers.GlobalAveragePooling2D(name="average", **policy),
            self.dense("predictions", self.classes, None, self.kernel_initializer),
            dropped=("average",),
        )
        self._auxiliary: dict[str, tuple[str, ...]] = {}
        if self.auxiliary:
            shapes = self.stage_shapes()
            behind = [name for name in AUXILIARY_BEHIND if name in self.modules]
            self._auxiliary = {name: self._classifier(name, shapes[f"inception_{name}"]) for name in behind}
        self.build((None, *self.image_shape))

    def build(self, input_shape: Any = None) -> None:
        if self.built:
            return
        shapes = self.stage_shapes()
        for name, layers in self._auxiliary.items():
            shape = (None, *shapes[f"inception_{name}"])
            for layer in map(self._named, layers):
                layer.build(shape)
                shape = layer.compute_output_shape(shape)
        super().build(input_shape)

    def call(self, images: Any, training: bool | None = None) -> Any:
        if not (training and self.auxiliary):
            return super().call(images, training)
        maps, decisions = images, []
        for layer in self.trunk:
            maps = layer(maps)
            if (module := layer.name.removeprefix("inception_")) in self._auxiliary:
                decisions.append(self.auxiliary_logits(module, maps, training))
        return Decisions(self.head[-1](self.code_of(maps, training)), tuple(decisions))

    def auxiliary_logits(self, module: str, maps: Any, training: bool | None = None) -> Any:
        """What the classifier behind a module in the middle says.

        Args:
            module: "4a" or "4d".
            maps: tensor (B, H', W', maps), that module's output for images of input_shape.
            training: whether dropout thins its hidden layer.

        Returns:
            Tensor (B, classes).
        """
        pool, reduction, flatten, hidden, last = map(self._named, self._auxiliary[module])
        units = hidden(flatten(reduction(pool(maps))))
        if training and self.dropout > 0:
            units = self.thinned(units, hidden.name, AUXILIARY_RATE)
        return last(units)

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Any:
        """J, in training with the auxiliary classifiers' share."""
        if not isinstance(y_pred, Decisions):
            return super().compute_loss(x, y, y_pred, sample_weight, training=training)
        first, *others = (
            super(GoogLeNet, self).compute_loss(x, y, logits, sample_weight, training)
            for logits in (y_pred.logits, *y_pred.auxiliary)
        )
        # Each of them holds the penalties on the weights, which count once.
        penalties = self.mean_over_rows(ops.reshape(sum(self.losses), (1,))) if self.losses else 0.0
        return first + self.auxiliary_weight * sum(loss - penalties for loss in others)

    def compute_metrics(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        logits = y_pred.logits if isinstance(y_pred, Decisions) else y_pred
        return super().compute_metrics(x, y, logits, sample_weight)

    def without_auxiliary(self) -> GoogLeNet:
        """The same network and weights without auxiliary classifiers, as it is served."""
        plain = GoogLeNet.from_config({**self.get_config(), "auxiliary": False})
        for ours, theirs in zip((*self.trunk, *self.head), (*plain.trunk, *plain.head), strict=True):
            theirs.set_weights(ours.get_weights())
        return plain

    def export(self, filepath: str | os.PathLike[str], format: str = "tf_saved_model", **kwargs: Any) -> None:
        """As `core.model.Model.export`, of the network without auxiliary classifiers."""
        if self.auxiliary:
            self.without_auxiliary().export(filepath, format, **kwargs)
        else:
            super().export(filepath, format, **kwargs)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "modules": self.modules,
            "auxiliary": self.auxiliary,
            "auxiliary_weight": self.auxiliary_weight,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
        }

    def _module(self, name: str) -> InceptionModule:
        one, reduce3, three, reduce5, five, projection = (self.scaled(maps) for maps in MODULES[name])
        return InceptionModule(
            (one, three, five),
            (reduce3, reduce5, projection),
            kernel_initializer=self.kernel_initializer,
            seed=self.seed_of(f"inception_{name}"),
            dtype=self.dtype_policy,
            name=f"inception_{name}",
        )

    def _classifier(self, name: str, shape: tuple[int, ...]) -> tuple[str, ...]:
        """Keeps the layers of one auxiliary classifier on maps of this shape; their names."""
        window = tuple(min(5, side) for side in shape[:2])
        layers = (
            AveragePooling(window, 3, dtype=self.dtype_policy, name=f"auxiliary_{name}_pool"),
            self._convolution(f"auxiliary_{name}_conv", 128, 1),
            keras.layers.Flatten(dtype=self.dtype_policy, name=f"auxiliary_{name}_flatten"),
            self.dense(f"auxiliary_{name}_hidden", self.scaled(1024), "relu", self.kernel_initializer),
            self.dense(f"auxiliary_{name}_logits", self.classes, None, self.kernel_initializer),
        )
        return tuple(self._keep(layer) for layer in layers)

    def _named(self, name: str) -> keras.layers.Layer:
        return getattr(self, name)

    def _convolution(self, name: str, maps: int, size: int, strides: int = 1) -> Convolution2D:
        return Convolution2D(
            self.scaled(maps),
            size,
            strides,
            "zero",
            activation="relu",
            kernel_initializer=self._kernel(name),
            dtype=self.dtype_policy,
            name=name,
        )

    def _kernel(self, name: str) -> Any:
        return seeded(self.kernel_initializer, self.seed, name, "kernel")

    def _pooling(self, name: str) -> MaxPooling:
        return MaxPooling(3, 2, "same", dtype=self.dtype_policy, name=name)
