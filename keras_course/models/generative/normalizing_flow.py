"""Normalizing flows: a density that is known exactly, because data are an invertible map of noise.

    z = f(x),   log p(x) = log p_base(f(x)) + log |det df/dx|,   x = f^-1(z) with z ~ p_base draws from it
    loss = -mean log p(x)

    pixels k of L levels:  y = (k + u) / L, u ~ U(0, 1),   log P(k) >= E_u log p(y) - D log L
    bits per dimension = -log p / (D log 2)

Conventions that bite. log p is a sum over the numbers of x, the loss a mean over examples: nats. Of pixels log_prob is
the bound above, so that it compares with models of whole numbers; each training step draws other u, evaluation takes
one fixed bank for all examples. Of real x log p depends on the unit of x: compare only on the same scale.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Any, ClassVar

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from keras_course.callbacks.flow_watch import FlowWatch
from keras_course.callbacks.training_reports import with_reports
from keras_course.core.model import Endpoint
from keras_course.core.seeds import seed_pair, stateless_seed, uniform_noise
from keras_course.core.serial import register
from keras_course.core.shapes import checked_count, normalize_tuple, require_positive_int
from keras_course.layers.flows.chain import FlowChain
from keras_course.layers.flows.diagnosis import FlowReading, flow_readings, leaves_of
from keras_course.layers.flows.flow_layer import FlowLayer
from keras_course.models.asked_draws import asked_draws
from keras_course.models.generative.base_density import base_distribution, base_draws, base_log_prob, checked_base
from keras_course.models.generative.conditions import Condition
from keras_course.models.generative_model import GenerativeModel
from keras_course.ops.dequantization import bits_per_dimension, dequantised, quantised

__all__ = ["NormalizingFlow"]

START_ROWS = 512  # at most, for data-dependent starts
WATCHED_ROWS = 128
LEAST_PARTED = 256  # rows of a batch whose halves are worth programs of their own


@register("NormalizingFlow")
class NormalizingFlow(GenerativeModel):
    """A density of x by invertible layers, exact and quick to draw from.

        log p(x | c) = log p_base(z) + sum_l log det_l,   z = f_L(... f_1(x, c) ..., c)

    `model(x)` and `predict` give log p(x), nats; `compile()` takes an optimizer, no loss. Metric: `bits_per_dimension`.
    Training data of a conditional flow are `fit(x, y)` with y the condition; elsewhere the model takes (x, y).

    The first `fit` or `train_on_batch` gives layers with a data-dependent start (`ActNorm`) their start, `fit` from at
    most 512 rows; for a training loop of your own call `start_at`. Every `fit` watches each layer (`FlowWatch`).

    Fastest on a CPU: `compile(optimizer, jit_compile=True, steps_per_execution=100)` and `fit` on arrays. All steps of
    an execution are then one program, in which the halves of a batch (NICE, RealNVP and MAF of vectors, 256 rows or
    more) run side by side: 0.7 of the time of single kernels on one core, 0.6 on two. It takes some seconds to compile,
    so a short training does without.

    Endpoints: serving_default and log_prob, bits_per_dimension, encode (x), decode (z), sample (seed, n). With a
    condition each takes it last, and sample (seed, condition) draws one x a row of it.

    Args:
        shape: int D or tuple, the shape of one x.
        flows: `FlowLayer`s, the first reads x.
        base: "normal", "logistic", a function without arguments that makes a tfp distribution over vectors of all
            codes, or a layer with a method `distribution()`; registered with Keras, to be saved.
        condition_size: int N, for densities given a vector (B, N), or None.
        classes: int K, for densities given a class 0 ... K-1, or None.
        levels: int L, if x are intensities k / (L - 1) of pixels, or None for real x. The first flow then usually is a
            `LogitTransform`.
        evaluation_samples: int >= 1, draws of u an example in evaluation, for pixels alone.
        seed: int, root of noise.
        **kwargs: as keras.Model.

    Input shape:
        (B, *shape); with a condition the pair of it and (B, N), or (B,) classes.

    Output shape:
        (B,).

    Raises:
        ValueError: for sizes below 1, both kinds of condition, flows that do not fit, or a loss in `compile`.
        InvalidDataError: by `fit` and `evaluate`, for values or classes that the model gives no density.

    Example:
        >>> from keras_course.layers.flows import AffineCoupling
        >>> model = NormalizingFlow(2, [AffineCoupling(units=(8,)), AffineCoupling(units=(8,), flip=True, seed=1)])
        >>> x = ops.ones((3, 2))
        >>> tuple(model(x).shape), tuple(model.encode(x).shape), tuple(model.sample(seed=1, n=4).shape)
        ((3,), (3, 2), (4, 2))

    Source: R; Rezende and Mohamed 2015; Theis et al. 2016 on pixels.
    """

    own_loss = "minus log p(x)"
    keras_step = True
    one_program = True  # a graph around every step took 1.1 to 1.2 of the time
    rows_apart: ClassVar[bool] = False  # whether no network looks at other rows: then halves of a batch may part
    options: dict[str, Any] | None = None  # what a subclass that makes its flows itself tells instead of them

    def __init__(
        self,
        shape: Any,
        flows: Iterable[FlowLayer],
        base: Any = "normal",
        condition_size: int | None = None,
        classes: int | None = None,
        levels: int | None = None,
        evaluation_samples: int = 8,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed=seed, **kwargs)
        who = type(self).__name__
        self.autocast = False  # densities are float32 at least, whatever networks compute in
        self.event_shape = normalize_tuple(who, shape, 1 if isinstance(shape, int) else len(tuple(shape)), "shape")
        require_positive_int(who, evaluation_samples=evaluation_samples)
        if levels is not None and (isinstance(levels, bool) or not isinstance(levels, int) or levels < 2):
            raise ValueError(f"{who} needs an integer of at least 2 levels, or None. Received: levels={levels!r}")
        self.condition, self.levels, self.evaluation_samples = (
            Condition(who, condition_size, classes),
            levels,
            evaluation_samples,
        )
        self.base = checked_base(who, base)
        self.flow = FlowChain(flows, dtype=self.dtype_policy, name="flow")
        self.bits_mean = keras.metrics.Mean(name="bits_per_dimension")
        self.build()

    def build(self, input_shape: Any = None) -> None:
        width = self.condition.width
        self.flow.build((None, *self.event_shape), None if width is None else (None, width))
        self.built = True

    @property
    def size(self) -> int:
        """D, the numbers of one x, and of its code."""
        return math.prod(self.event_shape)

    def call(self, inputs: Any, training: Any = False) -> Any:
        """log p(x), (B,); in training at this step's noise."""
        x, y = self.condition.parted(inputs)
        if not training or self.levels is None:
            return self.log_prob(x, y, training)
        noise = self.training_noise(ops.shape(x)[0])
        noisy = dequantised(ops.cast(self.checked(x), noise.dtype), noise, self.levels)
        return self._log_prob_of(noisy, self.condition_of(y), training)

    def condition_of(self, y: Any) -> Any:
        """What the flow layers are given for y, (B, N) or None; ValueError if it does not fit."""
        return self.condition.encoded(y, self.flow.compute_dtype)

    def log_prob(self, x: Any, y: Any = None, training: Any = False) -> Any:
        """log p(x | y), (B,), nats; of pixels the bound on log P(x | y) at the fixed bank of noise.

        Args:
            x: tensor (B, *shape).
            y: condition (B, N) or classes (B,), or None.
            training: bool, passed on to networks.
        """
        condition = self.condition_of(y)
        if self.levels is None:
            return self._log_prob_of(x, condition, training)
        bounds = self._log_prob_of(*self._noisy_copies(x, condition), training)
        return ops.mean(ops.reshape(bounds, (self.evaluation_samples, ops.shape(x)[0])), axis=0)

    def _noisy_copies(self, x: Any, condition: Any) -> tuple[Any, Any]:
        """Pixels at every draw of the bank, (K B, *shape) in (0, 1), and the condition as often."""
        noise = self.evaluation_noise()[:, None]  # (K, 1, *shape)
        y = dequantised(ops.cast(self.checked(x), noise.dtype)[None], noise, self.levels)  # (K, B, *shape)
        condition = None if condition is None else ops.tile(condition, (self.evaluation_samples, 1))
        return ops.reshape(y, (-1, *self.event_shape)), condition

    def _log_prob_of(self, x: Any, condition: Any, training: Any) -> Any:
        """log p, (B,), of what the first flow layer reads; with levels of the whole numbers behind it."""
        if training and self._parts(x):
            half = x.shape[0] // 2
            cuts = (slice(None, half), slice(half, None))
            given = [None if condition is None else condition[cut] for cut in cuts]
            return ops.concatenate(
                [self._log_prob_of_rows(x[cut], c, training) for cut, c in zip(cuts, given, strict=True)]
            )
        return self._log_prob_of_rows(x, condition, training)

    def _parts(self, x: Any) -> bool:
        """Whether the halves of a batch go side by side: XLA runs them on two cores, and on one they fit its cache."""
        rows = x.shape[0]
        large = rows is not None and rows >= LEAST_PARTED and rows % 2 == 0 and len(self.event_shape) == 1
        return self.rows_apart and large and bool(self.jit_compile) and not tf.config.list_logical_devices("GPU")

    def _log_prob_of_rows(self, x: Any, condition: Any, training: Any) -> Any:
        z, log_det = self.flow.forward(ops.cast(self.checked(x), self.flow.compute_dtype), condition, training)
        log_prob = base_log_prob(self.base, ops.reshape(z, (-1, self.size))) + log_det
        return log_prob if self.levels is None else log_prob - self.size * math.log(self.levels)

    def bits_per_dimension(self, x: Any, y: Any = None) -> Any:
        """-log p(x | y) / (D log 2), (B,)."""
        return bits_per_dimension(self.log_prob(x, y), self.size)

    def evaluation_noise(self) -> Any:
        """The fixed bank of u, (K, *shape): pairs u, 1 - u, a function of the seed alone."""
        pairs = (self.evaluation_samples + 1) // 2
        u = uniform_noise(
            (pairs, *self.event_shape), stateless_seed(self.seed, "evaluation", 0), self.flow.compute_dtype
        )
        return ops.concatenate([u, 1.0 - u], axis=0)[: self.evaluation_samples]

    def training_noise(self, rows: Any) -> Any:
        """This step's u for this replica's examples, (rows, *shape)."""
        start, total = self.share_of_batch(rows)
        u = uniform_noise((total, *self.event_shape), self.step_seed("dequantisation"), self.flow.compute_dtype)
        return u[start : start + rows]

    def encode(self, x: Any, y: Any = None) -> Any:
        """z of x, (B, ...); of pixels at u = 1/2."""
        x = ops.cast(self.checked(x), self.flow.compute_dtype)
        x = x if self.levels is None else dequantised(x, 0.5, self.levels)
        return self.flow.forward(x, self.condition_of(y))[0]

    def decode(self, z: Any, y: Any = None) -> Any:
        """x of z, (B, *shape); pixels are intensities k / (L - 1)."""
        x = self.flow.inverse(z, self.condition_of(y))
        return x if self.levels is None else quantised(x, self.levels)

    def sample(self, seed: Any, n: Any = None, y: Any = None) -> Any:
        """Draws of x, (n, *shape), the same for the same seed.

        Args:
            seed: int, or integer tensor (2,).
            n: int >= 0, or a scalar integer tensor; None for one draw a row of y.
            y: condition (n, N) or classes (n,), or None.

        Raises:
            ValueError: for neither n nor y.
        """
        if n is None and y is None:
            raise ValueError(f"{type(self).__name__}.sample needs n, or a condition. Received: n=None, y=None")
        pair = seed_pair(seed)

        def draw(n: Any) -> Any:
            z = base_draws(self.base, self.size, pair, n, self.flow.compute_dtype)
            return self.decode(ops.reshape(z, (-1, *self.flow.code_shape)), y)

        if y is None:
            return asked_draws(f"{type(self).__name__}.sample", n, draw)
        n = ops.shape(y)[0] if n is None else checked_count(f"{type(self).__name__}.sample", n=n)
        return draw(n)

    def as_bijector(self, y: Any = None) -> Any:
        """The tfp bijector of all layers: forward generates x (of pixels y in (0, 1), not yet made whole) from z."""
        return self.flow.as_bijector(self.condition_of(y))

    def distribution(self, y: Any = None) -> Any:
        """p(x) as a tfp distribution with this model's weights; make it where it is used. Codes must be vectors."""
        import tensorflow_probability as tfp

        if len(self.flow.code_shape) != 1:
            raise ValueError(f"distribution() needs codes that are vectors. Received: codes of {self.flow.code_shape}")
        base = base_distribution(self.base, self.size, self.flow.compute_dtype)
        return tfp.distributions.TransformedDistribution(base, self.as_bijector(y))

    def start_at(self, x: Any, y: Any = None) -> None:
        """Gives every layer with a data-dependent start the start from these rows, anew.

        Args:
            x: tensor or array (B, *shape), B >= 1.
            y: condition, or None.
        """
        x, condition = ops.cast(self.checked(ops.convert_to_tensor(x)), self.flow.compute_dtype), self.condition_of(y)
        if self.levels is not None:
            x, condition = self._noisy_copies(x, condition)
        with self.distribute_strategy.scope():
            self.flow.start_at(x, condition)

    def readings(self, x: Any, y: Any = None) -> list[FlowReading]:
        """What each layer makes of some rows: finite or not, its log-determinants, its saturated scales."""
        x = ops.cast(self.checked(ops.convert_to_tensor(x)), self.flow.compute_dtype)
        x = x if self.levels is None else dequantised(x, 0.5, self.levels)
        return flow_readings(self.flow, x, self.condition_of(y))

    def train_step(self, data: Any) -> Any:
        return super().train_step(self._with_condition(data))

    def test_step(self, data: Any) -> Any:
        return super().test_step(self._with_condition(data))

    def _with_condition(self, data: Any) -> Any:
        """(x, y) of a conditional flow as ((x, y), None): y is no target but what x is given."""
        if not self.condition:
            return data
        x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        return (x if y is None else (x, y)), None, sample_weight

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Any:
        self.bits_mean.update_state(bits_per_dimension(y_pred, self.size), sample_weight)
        return self.weighted_mean(-y_pred, sample_weight)

    def fit(self, x: Any = None, y: Any = None, *args: Any, **kwargs: Any) -> Any:
        kwargs.update(zip(("batch_size", "epochs", "verbose", "callbacks"), args, strict=False))
        if isinstance(x, np.ndarray | tf.Tensor):
            self.condition.parted(x if y is None else (x, y))  # a missing condition is told before anything is traced
        self.condition.require_possible(y)
        rows = self._first_rows(x, y)
        if rows is not None:
            self.require_possible(rows[0])
            self._start_once(*rows)
            watched = [None if part is None else part[:WATCHED_ROWS] for part in rows]
            kwargs["callbacks"] = with_reports(kwargs.get("callbacks"), FlowWatch(*watched))
        return super().fit(x, y, *args[4:], **kwargs)

    def train_on_batch(self, x: Any, y: Any = None, *args: Any, **kwargs: Any) -> Any:
        self._start_once(x, y if self.condition else None)
        return super().train_on_batch(x, y, *args, **kwargs)

    def _start_once(self, x: Any, y: Any) -> None:
        if any(
            not int(tf.convert_to_tensor(leaf.started.value))
            for _, leaf in leaves_of(self.flow)
            if hasattr(leaf, "started")
        ):
            self.start_at(x, y)

    def evaluate(self, x: Any = None, y: Any = None, *args: Any, **kwargs: Any) -> Any:
        self.condition.require_possible(y)
        return super().evaluate(x, y, *args, **kwargs)

    def _first_rows(self, x: Any, y: Any) -> tuple[Any, Any] | None:
        """At most 512 rows of what `fit` was given, and their condition; None where a look would use them up."""
        if isinstance(x, Iterator):
            return None
        if not hasattr(x, "shape") and hasattr(x, "__getitem__") and isinstance(x, keras.utils.PyDataset):
            x, y, _ = keras.utils.unpack_x_y_sample_weight(x[0])
        elif not hasattr(x, "shape") and not isinstance(x, list | tuple) and hasattr(x, "__iter__"):
            x, y, _ = keras.utils.unpack_x_y_sample_weight(next(iter(x)))
        if isinstance(x, list | tuple) and self.condition and y is None:
            x, y = x
        if not hasattr(x, "shape") or x.shape[0] == 0:
            return None
        return x[:START_ROWS], y[:START_ROWS] if self.condition and y is not None else None

    @property
    def wanted(self) -> str:
        return "finite values" if self.levels is None else f"intensities k / {self.levels - 1} in [0, 1]"

    def possible(self, values: np.ndarray) -> np.ndarray:
        if self.levels is None:
            return np.isfinite(values)
        whole = values.astype("float64") * (self.levels - 1)
        near = np.abs(whole - np.round(whole)) < 0.01
        return near & (values >= 0) & (values <= 1)  # False for NaN

    def endpoints(self) -> dict[str, Endpoint]:
        dtype = self.flow.compute_dtype
        x = keras.InputSpec(shape=(None, *self.event_shape), dtype=dtype, name="x")
        z = keras.InputSpec(shape=(None, *self.flow.code_shape), dtype=dtype, name="z")
        seed, n = tf.TensorSpec((2,), "int32", name="seed"), tf.TensorSpec((), "int32", name="n")
        given = self.condition.specs(dtype)
        draw = (lambda seed, y: self.sample(seed, y=y)) if given else self.sample
        return {
            "serving_default": (self.log_prob, [x, *given]),
            "log_prob": (self.log_prob, [x, *given]),
            "bits_per_dimension": (self.bits_per_dimension, [x, *given]),
            "encode": (self.encode, [x, *given]),
            "decode": (self.decode, [z, *given]),
            "sample": (draw, [seed, *(given or [n])]),
        }

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        nested = isinstance(input_shape[0], list | tuple)
        return (input_shape[0][0] if nested else input_shape[0],)

    def get_config(self) -> dict[str, Any]:
        serialize = keras.saving.serialize_keras_object
        made = {"flows": serialize(self.flow.flows)} if self.options is None else self.options
        return {
            **super().get_config(),
            "shape": list(self.event_shape),
            "base": self.base if isinstance(self.base, str) else serialize(self.base),
            "condition_size": self.condition.size,
            "classes": self.condition.classes,
            "levels": self.levels,
            "evaluation_samples": self.evaluation_samples,
            **made,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> NormalizingFlow:
        parts = {name: config.pop(name) for name in ("flows", "base") if name in config}
        made = {name: keras.saving.deserialize_keras_object(part) for name, part in parts.items()
                if not isinstance(part, str)}  # fmt: skip
        return cls(**config, **{**parts, **made})
