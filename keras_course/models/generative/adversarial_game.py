"""A generator and a discriminator that learn against each other: what GAN and WGAN have in common.

    x = out(G(z, y)),  z ~ N(0, I)          generator; y a class, if there are classes
    d(x, y)                                 discriminator or critic, one score
    a training step                         k steps of the discriminator, then one of the generator (Algorithm 1)

Each of the k steps has examples and codes of its own: a batch of k m rows gives them m each, rows j, j + k, j + 2k ...
of the batch to the j-th. The generator's step then takes m new codes. So `batch_size` is that of a whole training step,
and an epoch shows every example to the discriminator once, whatever k is. A batch of fewer rows than k is dealt out as
far as it goes, and begun again.

Codes come from (seed, step) and are drawn for the rows of all replicas; evaluation takes a fixed bank of codes for all
examples, so that what it reports depends on neither the batch size nor the order.
"""

from __future__ import annotations

import math
from typing import Any, ClassVar

import keras
import tensorflow as tf
from keras import ops

from keras_course.callbacks.training_reports import with_reports
from keras_course.core.model import Endpoint
from keras_course.core.seeds import normal_noise, seed_pair, stateless_seed, uniform_noise
from keras_course.core.shapes import checked_count, require_positive_int
from keras_course.layers.given_parts import plain_parts, told_parts
from keras_course.layers.sub_networks import require_shape, restored, sub_network
from keras_course.models.asked_draws import asked_draws
from keras_course.models.class_labels import one_hot_classes, require_classes
from keras_course.models.generative_model import GenerativeModel
from keras_course.models.two_players import TwoPlayers
from keras_course.ops.interpolation import interpolate

__all__ = ["AdversarialGame"]

PRIOR_LAYER = "flat"


class AdversarialGame(TwoPlayers, GenerativeModel):
    """Base of GAN and WGAN, which say what either player's losses are.

    Args:
        shape: int D or tuple, the shape of one x.
        latent: int Z >= 1, number of code units.
        generator: Keras layer or model (B, Z) -> (B, *shape) or (B, values of shape), or widths of dense layers. With
            classes it is given (B, Z + classes).
        discriminator: Keras layer or model (B, *shape) -> (B, 1), or widths of dense layers. With classes the last
            axis of what it is given is longer by as many: an image has the class as further channels.
        steps: int k >= 1, of the discriminator in a training step.
        classes: int, number of classes to condition on, or None. `fit` and `evaluate` then take y, int (B,).
        output_activation: of the generator's last values, name or function ("sigmoid" for x in [0, 1], "tanh"); None
            leaves them.
        activation: of the dense layers.
        evaluation_samples: int >= 1, codes (a class) that evaluation takes.
        seed: int, root of weights and codes.
        **kwargs: as keras.Model.

    Raises:
        ValueError: for sizes below 1, networks whose shapes do not fit, a discriminator without weights, missing
            labels, or a loss in `compile`.
    """

    own_loss: ClassVar[str] = "the losses of its game"
    metric_names: ClassVar[tuple[str, ...]] = ()

    def __init__(
        self,
        shape: Any,
        latent: int = 16,
        generator: Any = (64,),
        discriminator: Any = (64,),
        steps: int = 1,
        classes: int | None = None,
        output_activation: Any = None,
        activation: Any = "relu",
        evaluation_samples: int = 64,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed=seed, **kwargs)
        who = type(self).__name__
        self.event_shape = require_shape(who, shape)
        require_positive_int(who, latent=latent, steps=steps, evaluation_samples=evaluation_samples)
        if classes is not None:
            require_positive_int(who, classes=classes)
        self.latent, self.steps, self.classes, self.evaluation_samples = latent, steps, classes, evaluation_samples
        self.activation = keras.activations.get(activation)
        self.output_activation = keras.activations.get(output_activation)
        generator, discriminator = restored(generator), restored(discriminator)
        self.given = plain_parts(generator=generator, discriminator=discriminator)
        self.generator = sub_network(
            who, "generator", generator, activation, seed, self.dtype_policy, math.prod(self.event_shape)
        )
        judge = sub_network(who, "discriminator", discriminator, activation, seed, self.dtype_policy, 1)
        if judge is not discriminator:
            flat = keras.layers.Flatten(dtype=self.dtype_policy, name=PRIOR_LAYER)
            judge = keras.Sequential([flat, *judge.layers], name="discriminator")
        self.discriminator = judge
        self.wide_dtype = keras.backend.result_type(self.compute_dtype, "float32")
        self.means = {name: keras.metrics.Mean(name=name) for name in self.metric_names}
        self.build((None, *self.event_shape))

    def build(self, input_shape: Any = None) -> None:
        who = type(self).__name__
        codes = keras.KerasTensor((None, self.latent + (self.classes or 0)), dtype=self.compute_dtype)
        made = tuple(self.generator(codes).shape)
        if made not in ((None, *self.event_shape), (None, math.prod(self.event_shape))):
            raise ValueError(f"{who} needs a generator to {self.event_shape}. Received: {made}")
        width = self.event_shape[-1] + (self.classes or 0)
        judged = keras.KerasTensor((None, *self.event_shape[:-1], width), dtype=self.compute_dtype)
        score = tuple(self.discriminator(judged).shape)
        if score != (None, 1):
            raise ValueError(f"{who} needs a discriminator to (B, 1). Received: {score}")
        if not self.discriminator.trainable_variables:
            raise ValueError(f"{who} needs a discriminator with weights. Received: {self.discriminator!r}")
        self.built = True

    @property
    def first_variables(self) -> list[Any]:
        """Trainable variables of the generator."""
        return self.generator.trainable_variables

    @property
    def second_variables(self) -> list[Any] | None:
        """Trainable variables of the discriminator."""
        return self.discriminator.trainable_variables

    def generate(self, z: Any, labels: Any = None, training: bool | None = False) -> Any:
        """x = out(G(z, y)), (B, *shape), for codes (B, Z) and, with classes, labels int (B,)."""
        z = ops.cast(z, self.compute_dtype)
        if len(z.shape) != 2 or z.shape[-1] not in (None, self.latent):
            raise ValueError(
                f"{type(self).__name__} expects codes z of shape (B, {self.latent}). Received: {tuple(z.shape)}"
            )
        made = self.generator(self._with_class(z, labels), training=training)
        return self.output_activation(ops.reshape(made, (-1, *self.event_shape)))

    def score(self, x: Any, labels: Any = None, training: bool | None = False) -> Any:
        """d(x, y), (B,)."""
        judged = self._with_class(ops.cast(x, self.compute_dtype), labels)
        return ops.cast(self.discriminator(judged, training=training)[:, 0], self.wide_dtype)

    def _with_class(self, x: Any, labels: Any) -> Any:
        """x with its class as further entries of the last axis, the same everywhere."""
        if self.classes is None:
            return x
        if labels is None:
            raise ValueError(f"{type(self).__name__} with classes={self.classes} needs labels. Received: labels=None")
        one_hot = one_hot_classes(type(self).__name__, labels, self.classes, x.dtype)  # (B, K)
        between = (1,) * (len(x.shape) - 2)
        maps = ops.reshape(one_hot, (-1, *between, self.classes))
        return ops.concatenate([x, ops.broadcast_to(maps, (*ops.shape(x)[:-1], self.classes))], axis=-1)

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        """Scores of x: (B,), or (B, classes), of x as each class."""
        x = self.checked(inputs)
        if self.classes is None:
            return self.score(x, training=training)
        rows = ops.shape(x)[0]
        each = [self.score(x, ops.full((rows,), k, dtype="int32"), training) for k in range(self.classes)]
        return ops.stack(each, axis=-1)

    def discriminator_costs(self, real: Any, fake: Any) -> dict[str, Any]:
        """Of the scores of data and fakes, (B,) each: {metric: (B,)}, "discriminator_loss" among them."""
        raise TypeError(f"{type(self).__name__} does not say what its discriminator pays.")

    def generator_costs(self, fake: Any) -> Any:
        """Of the scores of fakes, any shape: what the generator descends on."""
        raise TypeError(f"{type(self).__name__} does not say what its generator pays.")

    def penalties_of_rows(self, x: Any, fake: Any, labels: Any, shares: Any, training: bool | None) -> Any:
        """What the discriminator pays besides, (B,), or None."""
        return None

    def after_discriminator_step(self) -> None:
        """What is done to the discriminator's weights after each of its steps."""

    def reports(self) -> list[keras.callbacks.Callback]:
        """Callbacks that `fit` adds: what this game reports by itself."""
        return []

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: Any = "auto",
        callbacks: Any = None,
        *args: Any,
        **kwargs: Any,
    ) -> Any:
        if self.classes is not None:
            require_classes(type(self).__name__, y, self.classes)
        callbacks = with_reports(callbacks, *self.reports())
        return super().fit(x, y, batch_size, epochs, verbose, callbacks, *args, **kwargs)

    def train_step(self, data: Any) -> Any:
        x, labels, weight = keras.utils.unpack_x_y_sample_weight(data)
        rows = ops.shape(x)[0]
        first, total = self.share_of_batch(rows)

        codes = normal_noise((2, total, self.latent), self.step_seed("codes"), self.wide_dtype)
        shares = uniform_noise((total,), self.step_seed("shares"), self.wide_dtype)
        codes, shares = codes[:, first : first + rows], shares[first : first + rows]
        self.play(x, None if self.classes is None else labels, weight, codes, shares, (first, total))

        return self.get_metrics_result()

    def play(self, x: Any, labels: Any, weight: Any, codes: Any, shares: Any, place: tuple[Any, Any]) -> None:
        """One training step with the given random numbers: k steps of the discriminator, one of the generator.

        Args:
            x: tensor (B, *shape), this replica's data.
            labels: int tensor (B,), or None.
            weight: tensor (B,), or None; counts a row of data with its fake.
            codes: tensor (2, B, Z), codes of the discriminator's fakes and of the generator's.
            shares: tensor (B,), in (0, 1), for `penalties_of_rows`.
            place: (first row, rows of all replicas), as `share_of_batch` says.
        """
        x = self.checked(x)
        for turn in range(self.steps):
            mine, total = self._dealt(turn, *place)
            self._discriminator_step(*(_rows(each, mine) for each in (x, labels, weight, codes[0], shares)), total)
            self.after_discriminator_step()
        mine, total = self._dealt(0, *place)
        self._generator_step(_rows(codes[1], mine), _rows(labels, mine), total)

    def _dealt(self, turn: int, first: Any, total: Any) -> tuple[Any, Any]:
        """Which of this replica's rows a step takes, and how many those of all replicas are together."""
        if self.steps == 1:
            return slice(None), total
        stride = ops.minimum(ops.convert_to_tensor(total, "int32"), self.steps)
        stride = ops.maximum(stride, 1)
        rest = turn % stride
        return slice((rest - first) % stride, None, stride), (total - rest + stride - 1) // stride

    def _discriminator_step(self, x: Any, labels: Any, weight: Any, codes: Any, shares: Any, total: Any) -> None:
        fake = ops.stop_gradient(self.generate(codes, labels, training=True))
        with tf.GradientTape() as tape:
            real_score, fake_score = self.score(x, labels, True), self.score(fake, labels, True)
            costs = self.discriminator_costs(real_score, fake_score)
            penalty = self.penalties_of_rows(x, fake, labels, shares, True)
            loss = costs["discriminator_loss"]
            if penalty is not None:
                loss = loss + penalty
                costs = {**costs, "discriminator_loss": loss, "penalty": penalty}
            loss = self.part_of_mean(loss, weight, total, self.discriminator.losses)
            loss = self.discriminator_optimizer.scale_loss(loss)
        self._move(self.discriminator_optimizer, tape, loss, self.second_variables)
        self._count(costs, weight)

    def _generator_step(self, codes: Any, labels: Any, total: Any) -> None:
        with tf.GradientTape() as tape:
            fake = self.generate(codes, labels, training=True)
            costs = self.generator_costs(self.score(fake, labels, True))
            loss = self.part_of_mean(costs, None, total, self.generator.losses)
            loss = self.optimizer.scale_loss(loss)
        self._move(self.optimizer, tape, loss, self.first_variables)
        self._loss_tracker.update_state(costs)

    @staticmethod
    def _move(optimizer: Any, tape: Any, loss: Any, variables: Any) -> None:
        gradients = tape.gradient(loss, variables)
        optimizer.apply_gradients(zip(gradients, variables, strict=True))

    def _count(self, costs: dict[str, Any], weight: Any) -> None:
        for name, mean in self.means.items():
            mean.update_state(costs[name], weight)

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Any:
        """The generator's loss of evaluation; every example meets the same fakes (those of its class)."""
        real = y_pred  # (B,) or (B, K)
        bank = self._bank()  # (N, Z)
        if self.classes is None:
            made = self.generate(bank)
            fake = self.score(made)[None]  # (1, N)
        else:
            kinds = ops.repeat(ops.arange(self.classes, dtype="int32"), self.evaluation_samples)
            made = self.generate(ops.tile(bank, (self.classes, 1)), kinds)
            by_class = ops.reshape(self.score(made, kinds), (self.classes, -1))  # (K, N)
            labels = ops.cast(ops.reshape(self._labels(y), (-1,)), "int32")
            fake = ops.take(by_class, labels, axis=0)  # (B, N)
            real = ops.sum(real * ops.one_hot(labels, self.classes, dtype=real.dtype), axis=-1)
            made = ops.take(made, labels * self.evaluation_samples, axis=0)  # the first of its class
            y = labels
        costs = {name: ops.mean(cost, axis=-1) for name, cost in self.discriminator_costs(real[:, None], fake).items()}
        penalty = self._penalty_of_evaluation(x, made, y)
        if penalty is not None:
            costs = {**costs, "discriminator_loss": costs["discriminator_loss"] + penalty, "penalty": penalty}
        self._count(costs, sample_weight)
        losses = ops.mean(self.generator_costs(fake), axis=-1) + ops.zeros_like(real)
        return self.mean_over_rows(self.weighted(losses, sample_weight))

    def _penalty_of_evaluation(self, x: Any, made: Any, labels: Any) -> Any:
        """At the middle of the line from each example to one fake."""
        x = ops.cast(x, self.compute_dtype)
        one = made if self.classes is not None else ops.broadcast_to(made[:1], ops.shape(x))
        shares = ops.full((ops.shape(x)[0],), 0.5, dtype=self.wide_dtype)
        return self.penalties_of_rows(x, one, labels if self.classes is not None else None, shares, False)

    def _labels(self, y: Any) -> Any:
        if y is None:
            raise ValueError(f"{type(self).__name__} with classes={self.classes} needs labels y. Received: y=None")
        return y

    def _bank(self) -> Any:
        """Codes of evaluation, (evaluation_samples, Z), a function of the seed alone."""
        return normal_noise(
            (self.evaluation_samples, self.latent), stateless_seed(self.seed, "evaluation", 0), self.wide_dtype
        )

    def sample_codes(self, seed: Any, n: Any) -> Any:
        """z ~ N(0, I), (n, Z); the same for the same seed.

        Args:
            seed: int, or integer tensor (2,).
            n: int >= 0, or a scalar integer tensor.
        """
        n = checked_count(f"{type(self).__name__}.sample", n=n)
        return normal_noise((n, self.latent), seed_pair(seed), self.wide_dtype)

    def sample(self, seed: Any, n: Any) -> Any:
        """Draws of x, (n, *shape), of all classes in turn; the same for the same seed.

        Args:
            seed: int, or integer tensor (2,).
            n: int >= 0, or a scalar integer tensor.
        """

        def draw(n: Any) -> Any:
            labels = None if self.classes is None else tf.range(n, dtype="int32") % self.classes
            return self.generate(self.sample_codes(seed, n), labels)

        return asked_draws(f"{type(self).__name__}.sample", n, draw)

    def interpolate(self, first: Any, second: Any, steps: Any, labels: Any = None, way: str = "linear") -> Any:
        """What lies between two codes: x on the way from one to the other, both ends among them.

        Args:
            first, second: tensors (B, Z).
            steps: int >= 1, or a scalar integer tensor, points on the way.
            labels: int tensor (B,), with classes.
            way: "linear" or "spherical".

        Returns:
            Tensor (steps, B, *shape).
        """
        steps = checked_count(f"{type(self).__name__}.interpolate", 1, steps=steps)
        shares = tf.cast(tf.range(steps), self.wide_dtype) / tf.cast(tf.maximum(steps - 1, 1), self.wide_dtype)
        first, second = (ops.cast(each, self.wide_dtype) for each in (first, second))
        codes = interpolate(first, second, shares, way)  # (T, B, Z)
        if labels is not None:
            labels = ops.reshape(ops.broadcast_to(labels[None], ops.shape(codes)[:2]), (-1,))
        made = self.generate(ops.reshape(codes, (-1, self.latent)), labels)
        return ops.reshape(made, (*ops.shape(codes)[:2], *self.event_shape))

    def endpoints(self) -> dict[str, Endpoint]:
        """`serving_default` and `generate` (z); `sample` (seed, n); `interpolate` (first, second, steps).

        With classes `generate` and `interpolate` take labels last.
        """
        codes = ("z", "first", "second")
        z = [keras.InputSpec(shape=(None, self.latent), dtype=self.wide_dtype, name=name) for name in codes]
        labels = [] if self.classes is None else [tf.TensorSpec((None,), "int32", name="labels")]
        n, steps = (tf.TensorSpec((), "int32", name=name) for name in ("n", "steps"))
        seed = tf.TensorSpec((2,), "int32", name="seed")
        return {
            "serving_default": (self.generate, [z[0], *labels]),
            "generate": (self.generate, [z[0], *labels]),
            "sample": (self.sample, [seed, n]),
            "interpolate": (self.interpolate, [z[1], z[2], steps, *labels]),
        }

    def input_spec_of_x(self) -> Any:
        """What endpoints of x take."""
        return keras.InputSpec(shape=(None, *self.event_shape), dtype=self.input_dtype, name="x")

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "shape": list(self.event_shape),
            "latent": self.latent,
            **told_parts(self, self.given),
            "steps": self.steps,
            "classes": self.classes,
            "output_activation": keras.activations.serialize(self.output_activation),
            "activation": keras.activations.serialize(self.activation),
            "evaluation_samples": self.evaluation_samples,
        }


def _rows(values: Any, mine: slice) -> Any:
    """values[mine], its rank still known where the stride is not; None stays."""
    return None if values is None else tf.ensure_shape(values[mine], (None, *values.shape[1:]))
