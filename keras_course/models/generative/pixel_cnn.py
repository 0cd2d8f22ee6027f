"""PixelCNN: the density of an image as a product over its pixels, each told by those before it.

    p(x) = prod_i p(x_i | x_1 ... x_{i-1}),   reading order; within a pixel p(R) p(G | R) p(B | R, G)
    p(x_i | x_<i) = family(parameters_i),     all parameters at once from one network of masked convolutions
    bits per dimension = -log2 p(x) / (H W C)

Training and scoring take one pass, sampling a pass for every number, because x_i must be drawn before x_{i+1} can be
told. `sample` keeps what earlier pixels have computed, and so takes about the work of a single pass.
"""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from keras_course.core.errors import InvalidDataError
from keras_course.core.model import Endpoint
from keras_course.core.seeds import derive_seed, seed_pair, uniform_noise
from keras_course.core.serial import register
from keras_course.core.shapes import normalize_tuple, require_positive_int
from keras_course.distributions import Bernoulli, Categorical, get_family
from keras_course.layers.masked_convolution import MaskedConvolution2D
from keras_course.models.asked_draws import asked_draws
from keras_course.models.class_labels import one_hot_classes, require_classes
from keras_course.models.generative.pixel_stacks import GatedPixelStack, OneByOne, ResidualPixelStack
from keras_course.models.generative.pixel_walk import walk
from keras_course.models.generative_model import GenerativeModel

__all__ = ["PixelCNN"]


@register("PixelCNN")
class PixelCNN(GenerativeModel):
    """An exact density of images with few or many levels, grey or coloured, of a condition if you like.

        log p(x | t) = sum_i log p(x_i | x_<i, t)

    `model(x)` gives the parameters of every p(x_i | x_<i). Fit it with `fit(x)`; with a condition `fit(x, y)`, y being
    classes (B,) or vectors (B, T), and so `evaluate`. The loss is -log p(x), nats an image; `bits_per_dimension` and
    `log_likelihood` are metrics.

    Endpoints: serving_default (x) with the parameters, log_prob (x), sample (seed, n), complete (x, given, seed); a
    condition comes last in each, and sample draws an image a row of it, without n.

    Args:
        shape: (H, W) or (H, W, C), C colours.
        levels: int K >= 2; x holds 0 ... K - 1.
        filters: int F, maps of a layer; in the gated form a multiple of C.
        blocks: int, residual blocks, or gated layers above the first.
        gated: True for the gated form, False for residual blocks, which are blind for a wedge to the upper right.
        first_kernel: odd int, size of the first convolution.
        kernel_size: odd int, size of the others.
        head_filters: int, maps of the layer between stack and parameters, or None for as many as the stack's.
        family: of one number x_i: a discrete Family with `from_uniforms`, or its name; None for Bernoulli with two
            levels and categorical with more.
        classes: int, number of classes of a condition, or None.
        condition: int T, size of a condition that is a vector, or None.
        seed: int, root of the initial weights.
        **kwargs: as keras.Model.

    Input shape:
        (B, *shape), levels 0 ... K - 1 of any number type.

    Output shape:
        (B, H, W, C, P), P parameters of a number, float32 or wider.

    Raises:
        ValueError: for impossible sizes, both kinds of condition, a missing one, or a loss in `compile`.
        InvalidDataError: in fit and evaluate, for an array with other values than levels.

    Example:
        >>> model = PixelCNN((3, 3), filters=4, blocks=1, first_kernel=3)
        >>> x = ops.ones((2, 3, 3))
        >>> tuple(model(x).shape), tuple(model.log_prob(x).shape), tuple(model.sample(seed=1, n=5).shape)
        ((2, 3, 3, 1, 1), (2,), (5, 3, 3))

    Source: R (PixelCNN); van den Oord et al. 2016.
    """

    def __init__(
        self,
        shape: Any,
        levels: int = 2,
        filters: int = 32,
        blocks: int = 4,
        gated: bool = True,
        first_kernel: int = 7,
        kernel_size: int = 3,
        head_filters: int | None = None,
        family: Any = None,
        classes: int | None = None,
        condition: int | None = None,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed=seed, **kwargs)
        who = "PixelCNN"
        length = len(shape) if hasattr(shape, "__len__") else 0
        if length not in (2, 3):
            raise ValueError(f"{who} needs shape (H, W) or (H, W, C). Received: shape={shape!r}")
        self.event_shape = normalize_tuple(who, shape, length, "shape")
        self.image_shape = (*self.event_shape, 1)[:3]
        given = {"head_filters": head_filters, "classes": classes, "condition": condition}
        require_positive_int(
            who, levels=levels, filters=filters, first_kernel=first_kernel, kernel_size=kernel_size,
            **{name: value for name, value in given.items() if value is not None},
        )  # fmt: skip
        if levels < 2 or isinstance(blocks, bool) or not isinstance(blocks, int) or blocks < 0:
            raise ValueError(f"{who} needs levels >= 2 and blocks >= 0. Received: levels={levels}, blocks={blocks!r}")
        if classes is not None and condition is not None:
            raise ValueError(f"{who} takes classes or a condition. Received: classes={classes}, condition={condition}")
        colours = self.image_shape[2]
        if gated and filters % colours:
            raise ValueError(f"{who} needs filters of all {colours} colours alike. Received: filters={filters}")
        self.levels, self.filters, self.blocks, self.gated = levels, filters, blocks, bool(gated)
        self.first_kernel, self.kernel_size, self.head_filters = first_kernel, kernel_size, head_filters
        self.family_given, self.classes, self.condition = family, classes, condition
        if family is None:
            family = Bernoulli(1) if levels == 2 else Categorical(levels)
        self.family = get_family(family)
        one = self.family.event_shape in ((), (1,))
        if not one or self.family.continuous or self.family.uniforms is None:
            raise ValueError(
                f"{who} needs a discrete Family of one number, with from_uniforms. Received: family={family!r}"
            )

        self.stack = (GatedPixelStack if self.gated else ResidualPixelStack)(
            filters, blocks, first_kernel, kernel_size, colours, self.conditional, derive_seed(seed, "stack"),
            name="stack", dtype=self.dtype_policy,
        )  # fmt: skip
        self.between = self._pointwise("between", head_filters or self.stack.output_filters)
        self.ahead = self._pointwise("ahead", colours * self.family.parameter_size)
        self.wide_dtype = "float64" if self.variable_dtype == "float64" else "float32"
        self.bits = keras.metrics.Mean(name="bits_per_dimension")
        self.likelihood = keras.metrics.Mean(name="log_likelihood")
        # one graph for all samples; past Keras's and TensorFlow's tracking, which would save it with the model
        vars(self)["_drawing"] = tf.function(self._draw, autograph=False, reduce_retracing=True)
        self.build((None, *self.event_shape))

    def _pointwise(self, name: str, filters: int) -> MaskedConvolution2D:
        start = keras.initializers.GlorotUniform(derive_seed(self.seed, name))
        return MaskedConvolution2D(
            filters, 1, "B", self.image_shape[2], kernel_initializer=start, name=name, dtype=self.dtype_policy
        )

    def build(self, input_shape: Any = None) -> None:
        told = (None, self.classes or self.condition) if self.conditional else None
        self.stack.build((None, *self.image_shape), told)
        self.between.build((None, None, None, self.stack.output_filters))
        self.ahead.build((None, None, None, self.between.filters))
        self.built = True

    @property
    def conditional(self) -> bool:
        """Whether x is told anything."""
        return self.classes is not None or self.condition is not None

    @property
    def wanted(self) -> str:
        return f"levels 0 to {self.levels - 1}"

    def possible(self, values: np.ndarray) -> np.ndarray:
        return (values >= 0) & (values <= self.levels - 1) & (values == np.floor(values))

    def call(self, inputs: Any, condition: Any = None) -> Any:
        """The parameters; without a condition those that the part of the network without condition gives."""
        x = self.scaled(ops.reshape(self.checked(inputs), (-1, *self.image_shape)))
        told = None if condition is None else self._told(condition)
        h = self.stack(x, told)
        maps = self.ahead(ops.relu(self.between(ops.relu(h))))  # (B, H, W, P C)
        return ops.cast(self._by_colours(maps), self.wide_dtype)

    def parameters(self, x: Any, condition: Any = None) -> Any:
        """The parameters of every p(x_i | x_<i), (B, H, W, C, P)."""
        return self(x, self._given(condition))

    def scaled(self, levels: Any) -> Any:
        """Levels as the network sees them: -1 to 1, so that the zeros around the image are grey."""
        return ops.cast(levels, self.compute_dtype) * (2 / (self.levels - 1)) - 1

    def _by_colours(self, maps: Any) -> Any:
        """(..., P C), colour fastest, as the masks have it, -> (..., C, P)."""
        split = ops.reshape(maps, (-1, *maps.shape[1:-1], self.family.parameter_size, self.image_shape[2]))
        return ops.swapaxes(split, -1, -2)

    def head_steps(self) -> Any:
        """From the features of single pixels (B, F) to their parameters (B, C, P)."""
        between, ahead = OneByOne(self.between), OneByOne(self.ahead)
        return lambda h: self._by_colours(ahead(ops.relu(between(ops.relu(h)))))

    def _given(self, condition: Any) -> Any:
        if self.conditional != (condition is not None):
            wanted = "classes (B,)" if self.classes else f"vectors (B, {self.condition})"
            raise ValueError(
                f"PixelCNN was made with {wanted} as condition, and needs one. Received: condition=None"
                if self.conditional
                else "PixelCNN was made without classes or condition, and takes none. Received: a condition"
            )
        return condition

    def _told(self, condition: Any) -> Any:
        """The condition as the stack takes it, (B, T): classes one-hot."""
        if self.classes:
            return one_hot_classes("PixelCNN", condition, self.classes, self.compute_dtype)
        condition = ops.convert_to_tensor(condition)
        if len(condition.shape) != 2 or condition.shape[-1] != self.condition:
            raise ValueError(
                f"PixelCNN needs a condition (B, {self.condition}). Received: condition.shape={condition.shape}"
            )
        return ops.cast(condition, self.compute_dtype)

    def log_prob(self, x: Any, condition: Any = None) -> Any:
        """log p(x | condition), exact, nats, (B,)."""
        return self._score(self.parameters(x, condition), x)

    def _score(self, parameters: Any, x: Any) -> Any:
        levels = ops.reshape(x, (-1, *self.image_shape))
        return ops.sum(self.family.log_prob(parameters, levels), axis=(1, 2, 3))

    def bits_per_dimension(self, x: Any, condition: Any = None) -> Any:
        """-log2 p(x | condition) / (H W C), (B,)."""
        return self._bits(self.log_prob(x, condition))

    def _bits(self, log_prob: Any) -> Any:
        return -log_prob / (math.log(2) * math.prod(self.event_shape))

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Any:
        # what call made of x alone knows no condition; the graph leaves it out
        log_prob = self.log_prob(x, y) if self.conditional else self._score(y_pred, x)
        self.bits.update_state(self._bits(log_prob), sample_weight)
        self.likelihood.update_state(log_prob, sample_weight)
        return self.weighted_mean(-log_prob, sample_weight)

    def fit(self, x: Any = None, y: Any = None, *args: Any, **kwargs: Any) -> Any:
        self._require_condition(x, y)
        return super().fit(x, y, *args, **kwargs)

    def evaluate(self, x: Any = None, y: Any = None, *args: Any, **kwargs: Any) -> Any:
        self._require_condition(x, y)
        return super().evaluate(x, y, *args, **kwargs)

    def _require_condition(self, x: Any, y: Any) -> None:
        if not self.conditional or not isinstance(x, np.ndarray | tf.Tensor):
            return
        values = np.asarray(self._given(y))
        if self.classes:
            require_classes("PixelCNN", values, self.classes)
        if not np.all(np.isfinite(values)):
            raise InvalidDataError("PixelCNN needs finite conditions as y. Received: NaN or infinite values")

    def noise(self, seed: Any, index: Any, n: Any) -> Any:
        """What number `index` of n images is drawn with: uniform numbers (n, U), a pure function of seed and index."""
        own = tf.random.experimental.stateless_fold_in(seed_pair(seed), index, alg="philox")
        return uniform_noise((n, self.family.uniforms), own, "float64")

    def sample(self, seed: Any, n: Any = None, condition: Any = None) -> Any:
        """Draws of x, (n, *shape); the same for the same seed.

        Args:
            seed: int, or integer tensor (2,).
            n: int >= 0, or a scalar integer tensor; with a condition None: an image for every row of it.
            condition: classes (n,) or vectors (n, T), for a model that takes one.
        """
        if self._given(condition) is not None:
            n = ops.shape(condition)[0]
            return self.complete(tf.zeros((n, *self.event_shape), self.wide_dtype), 0, seed, condition)

        def draw(n: Any) -> Any:
            return self.complete(tf.zeros((n, *self.event_shape), self.wide_dtype), 0, seed)

        return asked_draws("PixelCNN.sample", n, draw)

    def complete(self, x: Any, given: Any, seed: Any, condition: Any = None) -> Any:
        """Keeps the first numbers of x and draws the rest from p(rest | those): images to be finished.

        Args:
            x: tensor (B, *shape) of levels.
            given: int or scalar integer tensor, how many numbers stay, in reading order (colours within a pixel);
                H // 2 * W * C for the upper half.
            seed: int, or integer tensor (2,).
            condition: classes (B,) or vectors (B, T), for a model that takes one.

        Returns:
            Tensor (B, *shape).
        """
        return self.complete_with_parameters(x, given, seed, condition)[0]

    def complete_with_parameters(self, x: Any, given: Any, seed: Any, condition: Any = None) -> tuple[Any, Any]:
        """As `complete`, and the parameters (B, H, W, C, P) that each number was drawn from."""
        x = ops.reshape(ops.cast(self.checked(x), self.wide_dtype), (-1, *self.image_shape))
        told = None if self._given(condition) is None else self._told(condition)
        levels, parameters = vars(self)["_drawing"](x, tf.cast(given, "int32"), seed_pair(seed), told)
        return ops.reshape(levels, (-1, *self.event_shape)), parameters

    def _draw(self, x: Any, given: Any, seed: Any, told: Any) -> tuple[Any, Any]:
        rows = ops.shape(x)[0]
        return walk(self, x, given, lambda index: self.noise(seed, index, rows), told)

    def endpoints(self) -> dict[str, Endpoint]:
        x = keras.InputSpec(shape=(None, *self.event_shape), dtype=self.input_dtype, name="x")
        seed, n = tf.TensorSpec((2,), "int32", name="seed"), tf.TensorSpec((), "int32", name="n")
        given = tf.TensorSpec((), "int32", name="given")
        if not self.conditional:
            return {
                "serving_default": (self.parameters, [x]),
                "log_prob": (self.log_prob, [x]),
                "sample": (self.sample, [seed, n]),
                "complete": (self.complete, [x, given, seed]),
            }
        told = (
            tf.TensorSpec((None,), "int32", name="condition")
            if self.classes
            else tf.TensorSpec((None, self.condition), self.compute_dtype, name="condition")
        )
        return {
            "serving_default": (self.parameters, [x, told]),
            "log_prob": (self.log_prob, [x, told]),
            "sample": (lambda seed, condition: self.sample(seed, None, condition), [seed, told]),
            "complete": (self.complete, [x, given, seed, told]),
        }

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        return (input_shape[0], *self.image_shape, self.family.parameter_size)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "shape": list(self.event_shape),
            "levels": self.levels,
            "filters": self.filters,
            "blocks": self.blocks,
            "gated": self.gated,
            "first_kernel": self.first_kernel,
            "kernel_size": self.kernel_size,
            "head_filters": self.head_filters,
            "family": keras.saving.serialize_keras_object(self.family_given),
            "classes": self.classes,
            "condition": self.condition,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> PixelCNN:
        family = keras.saving.deserialize_keras_object(config.pop("family"))
        return cls(family=family, **config)
