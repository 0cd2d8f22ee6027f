"""A deep energy model: any network as the energy of x, trained against its own samples.

    p(x) = exp(-E(x)) / Z,   E(x) = network(x) + |x|^2 / (2 s^2)              the second term with a base of scale s
    x' <- x' - eta grad E(x') + sqrt(2 eta T) noise                           Langevin chains, kept in a buffer
    loss = mean_i E(x_i) - mean_j E(x'_j) + alpha (mean_i E(x_i)^2 + mean_j E(x'_j)^2)
    classes:  p(x, y) = exp(-E(x, y)) / Z,  E(x) = -log sum_y exp(-E(x, y)),  p(y | x) = softmax(-E(x, .))

Conventions that bite. The slope of the loss is that of -mean log p(x_i) only as far as the chains are samples of p; its
value is no likelihood, and stands near 0 when samples and data look alike to the network. A network whose output is
bounded on one side or grows linearly has a Z only with a base. eta has to stay below 2 over the greatest curvature of
E, or the chains run away. With T below 1 the chains are nearer to the modes than the density of E.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from keras_course.callbacks.energy_watch import EnergyWatch
from keras_course.callbacks.training_reports import with_reports
from keras_course.core.model import Endpoint
from keras_course.core.seeds import derive_seed, fold_in, normal_noise, seed_pair, uniform_noise
from keras_course.core.serial import register
from keras_course.core.shapes import checked_count, require_positive_int
from keras_course.layers.sub_networks import require_shape, restored, sub_network, told
from keras_course.models.asked_draws import asked_draws
from keras_course.models.class_labels import one_hot_classes, require_classes
from keras_course.models.energy.langevin_chains import (
    energy_gradient,
    langevin_chain,
    langevin_walk,
    normal_starts,
)
from keras_course.models.generative_model import GenerativeModel
from keras_course.ops.energy_models import (
    disjunction_energy,
    energy_contrast,
    energy_penalty,
    grid_log_partition,
)

__all__ = ["EnergyModel"]


@register("EnergyModel")
class EnergyModel(GenerativeModel):
    """Densities of real x by a network that gives every x an energy, or every pair of x and class.

        loss = mean E(x_i) - mean E(x'_j) + penalty,   x'_j moved by Langevin steps from where the last step left them

    `model(x)` and `predict` give E(x). `fit(x)`, or with classes `fit(x, y)`; `compile()` takes an optimizer, no loss.
    Metrics: `contrast` = mean E(x_i) - mean E(x'_j), nats, and with classes `accuracy` of argmax_y p(y | x). In
    evaluation x' is the whole buffer as it stands.

    A training step moves the next `negatives` states of the buffer; a share `restart` of them, drawn anew each time,
    begins afresh from N(0, start_scale^2 I). The buffer is a weight of the model: saved with it, resumed with it.
    Energies that run away from each other are reported by name, `EnergiesRunAway` (`callbacks.EnergyWatch`).

    Endpoints: serving_default and energy (x), score (x: -grad E), sample (seed, n, steps); with classes also
    class_energies and classify (x), and sample_class (seed, labels, steps).

    Args:
        shape: int D or tuple, the shape of one x.
        units: ints, widths of dense layers, or a Keras layer or model (B, *shape) -> (B, 1), or (B, classes). With
            its layers in `keras.layers.SpectralNormalization` the slope of E stays bounded.
        classes: int K, or None for x alone.
        base_scale: float s, or None for no base.
        start_scale: float > 0, deviation of the states where chains begin.
        step_size: float > 0, eta.
        langevin_steps: int >= 1, steps of a chain in a training step.
        temperature: float >= 0, T.
        buffer_size: int, states kept; a multiple of `negatives`.
        negatives: int, states moved in a training step.
        restart: float in [0, 1].
        penalty: float >= 0, alpha.
        sampling_steps: int, steps of `sample` where none are asked for.
        activation: of the dense layers; a smooth one, for the chains follow its slope.
        seed: int, root of weights, starts and noise.
        **kwargs: as keras.Model.

    Input shape:
        (B, *shape).

    Output shape:
        (B,).

    Raises:
        ValueError: for arguments out of range, a network of another output, a loss in `compile`, no y for classes.
        InvalidDataError: in fit and evaluate, for an array with NaN or infinite values, or labels out of range.

    Example:
        >>> model = EnergyModel(2, units=(8,), base_scale=2.0)
        >>> x = ops.ones((3, 2))
        >>> tuple(model(x).shape), tuple(model.score(x).shape), tuple(model.sample(seed=1, n=4, steps=5).shape)
        ((3,), (3, 2), (4, 2))

    Source: C 17.3, R; Du and Mordatch 2019, Grathwohl et al. 2020.
    """

    own_loss = "the contrast of energies"

    def __init__(
        self,
        shape: Any,
        units: Any = (64, 64),
        classes: int | None = None,
        base_scale: float | None = None,
        start_scale: float = 1.0,
        step_size: float = 0.01,
        langevin_steps: int = 20,
        temperature: float = 1.0,
        buffer_size: int = 1000,
        negatives: int = 100,
        restart: float = 0.05,
        penalty: float = 0.0,
        sampling_steps: int = 500,
        activation: Any = "swish",
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed=seed, **kwargs)
        self.event_shape = require_shape("EnergyModel", shape)
        require_positive_int(
            "EnergyModel", langevin_steps=langevin_steps, buffer_size=buffer_size, negatives=negatives,
            sampling_steps=sampling_steps, **({} if classes is None else {"classes": classes}),
        )  # fmt: skip
        if buffer_size % negatives:
            raise ValueError(
                "EnergyModel needs a buffer_size that is a multiple of negatives. Received: "
                f"buffer_size={buffer_size}, negatives={negatives}"
            )
        for name, value, fine in (
            ("base_scale", base_scale, base_scale is None or base_scale > 0),
            ("start_scale", start_scale, start_scale > 0),
            ("step_size", step_size, step_size > 0),
            ("temperature", temperature, temperature >= 0),
            ("restart", restart, 0 <= restart <= 1),
            ("penalty", penalty, penalty >= 0),
        ):
            if not fine:
                raise ValueError(f"EnergyModel got a {name} out of range. Received: {name}={value!r}")
        self.classes, self.base_scale, self.start_scale = classes, base_scale, float(start_scale)
        self.step_size, self.langevin_steps, self.temperature = float(step_size), langevin_steps, float(temperature)
        self.buffer_size, self.negatives, self.restart = buffer_size, negatives, float(restart)
        self.penalty, self.sampling_steps = float(penalty), sampling_steps
        self.activation = keras.activations.get(activation)
        self.units_given = units
        self.network = sub_network(
            "EnergyModel", "units", units, self.activation, self.seed, self.dtype_policy, output=classes or 1
        )
        self.contrast_mean = keras.metrics.Mean(name="contrast")
        if classes is not None:
            self.accuracy_mean = keras.metrics.Mean(name="accuracy")
        self.build((None, *self.event_shape))

    def build(self, input_shape: Any = None) -> None:
        shape = (None, *self.event_shape) if self.network is self.units_given else (None, math.prod(self.event_shape))
        if not self.network.built:
            self.network.build(shape)
        output = tuple(self.network.compute_output_shape(shape))
        if output not in ((None, self.columns), (None,) if self.classes is None else None):
            raise ValueError(
                f"EnergyModel needs a network with outputs (B, {self.columns}), an energy a column. Received: {output}"
            )
        starts = normal_starts(
            self.buffer_size, self.event_shape, self.start_scale, seed_pair(derive_seed(self.seed, "buffer")), "float32"
        )
        self.buffer = self.add_weight(
            shape=(self.buffer_size, *self.event_shape), initializer=lambda shape, dtype=None: ops.cast(starts, dtype),
            trainable=False, aggregation="only_first_replica", name="buffer",
        )  # fmt: skip
        self.built = True

    @property
    def columns(self) -> int:
        """Energies of one x: a class each, or one."""
        return self.classes or 1

    @property
    def _float(self) -> str:
        return str(keras.backend.standardize_dtype(self.variable_dtype))

    def class_energies(self, x: Any, training: Any = False) -> Any:
        """E(x, y) of every class, (B, K); of a model without classes (B, 1)."""
        x = ops.cast(self.checked(x), self._float)
        flat = ops.reshape(x, (-1, math.prod(self.event_shape)))  # (B, D)
        found = self.network(x if self.network is self.units_given else flat, training=training)
        found = ops.reshape(ops.cast(found, self._float), (-1, self.columns))
        if self.base_scale is None:
            return found
        return found + ops.sum(ops.square(flat), axis=-1, keepdims=True) / (2 * self.base_scale**2)

    def energy(self, x: Any, training: Any = False) -> Any:
        """E(x), (B,): -log p(x) up to a constant, classes summed out."""
        return self._of_all_classes(self.class_energies(x, training))

    def _of_all_classes(self, energies: Any) -> Any:
        return energies[:, 0] if self.classes is None else disjunction_energy(energies)

    def call(self, inputs: Any, training: Any = False) -> Any:
        """E(x), (B,); in training E(x, y) of all classes, for the loss."""
        energies = self.class_energies(inputs, training)
        return energies if training else self._of_all_classes(energies)

    def score(self, x: Any) -> Any:
        """-grad E(x) = grad log p(x), (B, *shape): the way uphill in density."""
        return -energy_gradient(self.energy, ops.cast(self.checked(x), self._float))

    def classify(self, x: Any) -> Any:
        """p(y | x), (B, K)."""
        return ops.softmax(-self.class_energies(x), axis=-1)

    def log_partition(self, low: Any, high: Any, points: int = 200) -> Any:
        """log Z by a grid, for x of one or two values; chains at T = 1 sample the density that it normalises.

        Args:
            low, high: numbers or (D,), the box that holds the density.
            points: int, along each axis.

        Raises:
            ValueError: for x of more than two values.
        """
        size = math.prod(self.event_shape)
        if size > 2:
            raise ValueError(f"EnergyModel integrates over 1 or 2 values of x. Received: {size}")
        low, high = (np.broadcast_to(np.asarray(each, "float64"), (size,)) for each in (low, high))
        axes = [np.linspace(start, stop, points) for start, stop in zip(low, high, strict=True)]
        grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, *self.event_shape)
        return grid_log_partition(self.energy(grid), math.prod((high - low) / (points - 1)))

    def log_prob(self, x: Any, log_partition: Any) -> Any:
        """log p(x) = -E(x) - log Z, (B,), nats."""
        return -self.energy(x) - log_partition

    def next_negatives(self) -> Any:
        """Moves the states of the buffer whose turn it is; (negatives, *shape), new states, also in the buffer."""
        turn = self.optimizer.iterations if getattr(self, "optimizer", None) is not None else 0
        first = ops.cast(ops.mod(turn, self.buffer_size // self.negatives), "int32") * self.negatives
        places = first + tf.range(self.negatives)  # no slice: where it starts would have XLA compile every step anew
        buffer = ops.convert_to_tensor(self.buffer)
        x = tf.gather(buffer, places)
        seed = self.step_seed("negatives")
        fresh = normal_starts(self.negatives, self.event_shape, self.start_scale, fold_in(seed, 0), self._float)
        coins = uniform_noise((self.negatives, *(1 for _ in self.event_shape)), fold_in(seed, 1), self._float)
        noise = normal_noise((self.langevin_steps, self.negatives, *self.event_shape), fold_in(seed, 2), self._float)
        x = langevin_walk(
            self.energy, ops.where(coins < self.restart, fresh, x), noise, self.step_size, self.temperature
        )
        self.buffer.assign(tf.tensor_scatter_nd_update(buffer, places[:, None], x))
        return x

    def compile(self, optimizer: Any = "adam", loss: Any = None, **kwargs: Any) -> None:
        super().compile(optimizer=optimizer, loss=loss, **kwargs)

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Any:
        energies = y_pred if training else self.class_energies(x)  # (B, K)
        data = self._of_data(energies, y)
        states = ops.stop_gradient(self.next_negatives()) if training else ops.convert_to_tensor(self.buffer)
        model = self.energy(states, training)

        contrast = energy_contrast(data, model)  # (B,)
        self.contrast_mean.update_state(contrast, sample_weight)
        if self.classes is not None:
            right = ops.argmin(energies, axis=-1) == ops.cast(ops.reshape(y, (-1,)), "int32")
            self.accuracy_mean.update_state(right, sample_weight)
        losses = contrast + self.penalty * energy_penalty(data, model) if self.penalty else contrast
        return self.weighted_mean(losses, sample_weight)

    def _of_data(self, energies: Any, y: Any) -> Any:
        """E(x_i, y_i), or E(x_i) of a model without classes."""
        if self.classes is None:
            return energies[:, 0]
        if y is None:
            raise ValueError(f"EnergyModel with classes={self.classes} learns from pairs: fit(x, y). Received: y=None")
        return ops.sum(energies * one_hot_classes("EnergyModel", y, self.classes, energies.dtype), axis=-1)

    def fit(self, x: Any = None, y: Any = None, *args: Any, **kwargs: Any) -> Any:
        self.require_labels(y)
        kwargs["callbacks"] = with_reports(kwargs.get("callbacks"), EnergyWatch())
        return super().fit(x, y, *args, **kwargs)

    def evaluate(self, x: Any = None, y: Any = None, *args: Any, **kwargs: Any) -> Any:
        self.require_labels(y)
        return super().evaluate(x, y, *args, **kwargs)

    def require_labels(self, y: Any) -> None:
        """Refuses an array of labels that are no classes.

        Raises:
            InvalidDataError: names the first row.
        """
        if self.classes is not None:
            require_classes("EnergyModel", y, self.classes)

    def sample(self, seed: Any, n: Any, steps: Any = None, combine: Callable[[Any], Any] | None = None) -> Any:
        """The ends of chains from N(0, start_scale^2 I), (n, *shape); the same for the same seed.

        Args:
            seed: int, or integer tensor (2,).
            n: int >= 0, or a scalar integer tensor.
            steps: int >= 0, or a scalar integer tensor; None takes `sampling_steps`.
            combine: function of E(x, y) of all classes (n, K) -> (n,), the energy to sample instead of E(x):
                `lambda e: conjunction_energy(e[:, 1:3])`. See `ops.energy_models`.
        """
        starts, moves = (fold_in(seed_pair(seed), number) for number in (0, 1))
        energy = self.energy if combine is None else lambda x: _one_a_row(combine(self.class_energies(x)))
        steps = checked_count("EnergyModel.sample", steps=self.sampling_steps if steps is None else steps)

        def draw(n: Any) -> Any:
            x = normal_starts(n, self.event_shape, self.start_scale, starts, self._float)
            return langevin_chain(energy, x, moves, steps, self.step_size, self.temperature)

        return asked_draws("EnergyModel.sample", n, draw)

    def sample_class(self, seed: Any, labels: Any, steps: Any = None) -> Any:
        """Draws of x given a class each, (n, *shape), for labels (n,)."""
        chosen = one_hot_classes("EnergyModel", labels, self.columns, self._float)  # (n, K)
        return self.sample(seed, ops.shape(chosen)[0], steps, lambda energies: ops.sum(chosen * energies, axis=-1))

    def endpoints(self) -> dict[str, Endpoint]:
        x = keras.InputSpec(shape=(None, *self.event_shape), dtype=self.input_dtype, name="x")
        seed, steps = tf.TensorSpec((2,), "int32", name="seed"), tf.TensorSpec((), "int32", name="steps")
        functions: dict[str, Endpoint] = {
            "serving_default": (self.energy, [x]),
            "energy": (self.energy, [x]),
            "score": (self.score, [x]),
            "sample": (self.sample, [seed, tf.TensorSpec((), "int32", name="n"), steps]),
        }
        if self.classes is not None:
            labels = tf.TensorSpec((None,), "int32", name="labels")
            functions["class_energies"] = (self.class_energies, [x])
            functions["classify"] = (self.classify, [x])
            functions["sample_class"] = (self.sample_class, [seed, labels, steps])
        return functions

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        return (input_shape[0],)

    def get_config(self) -> dict[str, Any]:
        plain = (
            "classes", "base_scale", "start_scale", "step_size", "langevin_steps", "temperature", "buffer_size",
            "negatives", "restart", "penalty", "sampling_steps",
        )  # fmt: skip
        return {
            **super().get_config(),
            **{name: getattr(self, name) for name in plain},
            "shape": list(self.event_shape),
            "units": told(self.units_given),
            "activation": keras.activations.serialize(self.activation),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> EnergyModel:
        return cls(**{**config, "units": restored(config["units"])})


def _one_a_row(energies: Any) -> Any:
    if len(energies.shape) != 1:
        raise ValueError(
            "EnergyModel.sample needs a combine whose result is an energy a row, (n,). "
            f"Received: a result of shape {tuple(energies.shape)}"
        )
    return energies
