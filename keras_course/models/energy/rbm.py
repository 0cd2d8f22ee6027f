"""The restricted Boltzmann machine: visible and hidden units, connected across and not among themselves.

    E(v, h) = -b.v - c.h - v.W h,   P(v) = exp(-F(v)) / Z,   F(v) = -b.v - sum_j softplus(c_j + (v W)_j)
    P(h_j = 1 | v) = sigmoid(c_j + (v W)_j),   P(v_i = 1 | h) = sigmoid(b_i + (W h)_i)
    d/dtheta log P(v) = -dF(v)/dtheta + E_{v' ~ P} dF(v')/dtheta
    contrastive divergence: v' is k sweeps of block Gibbs sampling away from the data;
    persistent:             v' are chains that go on from step to step

Conventions that bite. The slopes that training follows are those of mean F(v) - mean F(v') with v' held fixed: `loss`
in training is that difference, and no likelihood; it may well rise. In evaluation `loss` is minus the
log-pseudo-likelihood (binary units) or the reconstruction error (Gaussian units), the same for the same weights. Means
over examples; sums over units; nats.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from keras_course.core.model import Endpoint
from keras_course.core.seeds import derive_seed, normal_noise, seed_pair, uniform_noise
from keras_course.core.serial import register
from keras_course.core.shapes import checked_count, require_one_of, require_positive_int
from keras_course.models.energy.annealing import LogPartition, annealed_log_partition
from keras_course.models.energy.binary_machine import BinaryMachine
from keras_course.models.energy.chains import decision_noise, gibbs_seeds, rows_of
from keras_course.ops.boltzmann import (
    MOST_ENUMERATED,
    pseudo_log_likelihood,
    rbm_free_energy,
    rbm_hidden_logits,
    rbm_log_partition,
    rbm_visible_parameters,
)
from keras_course.ops.contrastive_divergence import free_energy_contrast

__all__ = ["RBM"]


@register("RBM")
class RBM(BinaryMachine):
    """A density of binary or real vectors with one layer of binary hidden units.

        v' <- k sweeps of h ~ P(h | v), v ~ P(v | h), from the data or from where the chains stand
        parameters follow -d/dtheta (mean F(v) - mean F(v'))

    `model(x)` and `predict` give the features P(h = 1 | x). `compile()` takes an optimizer, no loss. Metric:
    `reconstruction_error`, the squared error of E[v | E[h | x]], a mean over units and examples (in contrastive
    divergence's training of E[v | h] at the h that was drawn, which costs no product of its own).

    Fastest on a CPU: `compile(optimizer, jit_compile=True, steps_per_execution=50)` and `fit` on arrays.

    Endpoints: serving_default and encode (x), decode (h), reconstruct (x), free_energy (x), sample (seed, n), and
    log_prob (x) where one layer has at most 20 units (Gaussian x: the hidden one), so that log Z is exact.

    Args:
        features: int D, visible units.
        units: int H, hidden units.
        visible: "bernoulli" for x in [0, 1] (grey values are taken as probabilities), or "gaussian" for real x.
        scale: standard deviation of Gaussian visible units, float > 0; 1 for standardised data.
        gibbs_steps: int k >= 1, sweeps a training step.
        chains: None for contrastive divergence (chains start at the data in every step), or the number of persistent
            chains, whose hidden states are weights of this model: saved, resumed, and the same on every replica.
        sampling_steps: int, sweeps from fair coins to a sample.
        kernel_scale: float > 0, deviation of the first W.
        kernel_regularizer: of W, or None.
        seed: int, root of weights, chains and noise.
        **kwargs: as keras.Model.

    Input shape:
        (B, D).

    Output shape:
        (B, H).

    Raises:
        ValueError: for impossible sizes, or a loss in `compile`.
        InvalidDataError: in fit and evaluate, for an array with NaN, infinite values, or binary units outside [0, 1].

    Example:
        >>> model = RBM(features=4, units=3)
        >>> x = ops.ones((2, 4))
        >>> tuple(model(x).shape), tuple(model.sample(seed=1, n=5).shape), tuple(model.log_prob(x).shape)
        ((2, 3), (5, 4), (2,))

    Source: C 18.3, R; Smolensky 1986, Hinton 2002, Tieleman 2008.
    """

    own_loss = "the contrast of free energies"

    def __init__(
        self,
        features: int,
        units: int,
        visible: str = "bernoulli",
        scale: float = 1.0,
        gibbs_steps: int = 1,
        chains: int | None = None,
        sampling_steps: int = 500,
        kernel_scale: float = 0.01,
        kernel_regularizer: Any = None,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed=seed, **kwargs)
        require_positive_int(
            "RBM", features=features, units=units, gibbs_steps=gibbs_steps, sampling_steps=sampling_steps,
            **({} if chains is None else {"chains": chains}),
        )  # fmt: skip
        require_one_of("RBM", ("bernoulli", "gaussian"), visible=visible)
        for name, value in (("scale", scale), ("kernel_scale", kernel_scale)):
            if not value > 0:
                raise ValueError(f"RBM needs a positive {name}. Received: {name}={value!r}")
        self.features, self.units, self.visible, self.scale = features, units, visible, float(scale)
        self.event_shape = (features,)
        self.gibbs_steps, self.chains, self.sampling_steps = gibbs_steps, chains, sampling_steps
        self.kernel_scale = float(kernel_scale)
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)
        self.reconstruction_error = keras.metrics.Mean(name="reconstruction_error")
        self.build((None, features))

    def build(self, input_shape: Any = None) -> None:
        start = keras.initializers.RandomNormal(0.0, self.kernel_scale, seed=derive_seed(self.seed, "kernel"))
        self.kernel = self.add_weight(
            shape=(self.features, self.units), initializer=start, regularizer=self.kernel_regularizer, name="kernel"
        )
        self.visible_bias = self.add_weight(shape=(self.features,), initializer="zeros", name="visible_bias")
        self.hidden_bias = self.add_weight(shape=(self.units,), initializer="zeros", name="hidden_bias")
        if self.chains is not None:
            self.chain_states = self.add_chains(self.chains, self.units)
        self.built = True

    @property
    def deviation(self) -> float | None:
        """`scale` for Gaussian visible units, None for binary ones: what the functions in `ops.boltzmann` take."""
        return self.scale if self.visible == "gaussian" else None

    @property
    def parameters(self) -> tuple[Any, Any, Any]:
        """W (D, H), b (D,), c (H,)."""
        return self.kernel, self.visible_bias, self.hidden_bias

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        """P(h = 1 | x), (B, H); in training its log odds, for the loss."""
        return self.hidden_logits(self.checked(inputs)) if training else self.encode(inputs)

    def encode(self, x: Any) -> Any:
        """P(h = 1 | x), (B, H)."""
        return ops.sigmoid(self.hidden_logits(self.checked(x)))

    def decode(self, h: Any) -> Any:
        """E[v | h], (B, D), for h (B, H) in [0, 1]."""
        parameters = rbm_visible_parameters(h, self.kernel, self.visible_bias, self.deviation)
        return parameters if self.visible == "gaussian" else ops.sigmoid(parameters)

    def reconstruct(self, x: Any) -> Any:
        """E[v | h = P(h = 1 | x)], (B, D)."""
        return self.decode(self.encode(x))

    def hidden_logits(self, v: Any) -> Any:
        """log P(h = 1 | v) / P(h = 0 | v), (B, H)."""
        return rbm_hidden_logits(v, self.kernel, self.hidden_bias, self.deviation)

    def free_energy(self, x: Any) -> Any:
        """F(x), (B,): log P(x) = -F(x) - log Z."""
        return rbm_free_energy(self.checked(x), *self.parameters, self.deviation)

    def pseudo_log_likelihood(self, x: Any) -> Any:
        """sum_i log P(x_i | all other x), (B,), binary units; B D H numbers are in memory at a time."""
        self._require_binary("pseudo_log_likelihood")
        return pseudo_log_likelihood(self.checked(x), *self.parameters)

    def log_partition(self) -> Any:
        """log Z, exact; where a layer has at most 20 units (Gaussian x: the hidden layer).

        Raises:
            ValueError: if both layers are larger; `annealed_log_partition` estimates it.
        """
        return rbm_log_partition(*self.parameters, self.deviation)

    def log_prob(self, x: Any, log_partition: Any = None) -> Any:
        """log P(x), (B,), nats; `log_partition` None is the exact one (see `log_partition`)."""
        log_partition = self.log_partition() if log_partition is None else log_partition
        return -self.free_energy(x) - log_partition

    def annealed_log_partition(
        self, steps: int = 1000, chains: int = 100, seed: int = 0, visible_bias: Any = None
    ) -> LogPartition:
        """log Z by annealed importance sampling, with an interval: see `models.energy.annealing`.

        Args:
            steps: int, temperatures on the way from independent units to this machine.
            chains: int >= 2, runs.
            seed: int.
            visible_bias: array (D,), of the independent units, such as the log odds of the data's means; None for
                this machine's own.
        """
        return annealed_log_partition(
            self.kernel, self.visible_bias, self.hidden_bias, self.deviation, steps, chains, seed, visible_bias
        )

    def draw_hidden(self, v: Any, uniforms: Any) -> Any:
        """h ~ P(h | v), (B, H), at uniform numbers (B, H)."""
        return ops.cast(uniforms < ops.sigmoid(self.hidden_logits(v)), self.variable_dtype)

    def draw_visible(self, h: Any, noise: Any) -> Any:
        """v ~ P(v | h), (B, D), at uniform (binary units) or standard normal numbers (B, D)."""
        return self.draw_around(self.decode(h), noise)

    def draw_around(self, mean: Any, noise: Any) -> Any:
        """v of the given means, (B, D), as `draw_visible`."""
        return mean + self.scale * noise if self.visible == "gaussian" else ops.cast(noise < mean, self.variable_dtype)

    def sweep_noise(self, rows: Any, seed: Any) -> tuple[Any, Any]:
        """The noise of one sweep: uniform numbers (rows, H), and (rows, D) for the visible units."""
        dtype = self.wide_dtype
        if self.visible == "gaussian":
            first, second = tf.unstack(tf.random.split(seed, 2, alg="philox"))
            (hidden,) = decision_noise(rows, (self.units,), first, dtype)
            return hidden, normal_noise((rows, self.features), second, dtype)
        return decision_noise(rows, (self.units, self.features), seed, dtype)

    def negative_phase(self, hidden_logits: Any, seed: Any = None) -> tuple[Any, Any, Any]:
        """States of the model to hold against data, and what the first sweep made of the data.

        Args:
            hidden_logits: tensor (B, H), the data's log odds of the hidden units.
            seed: integer tensor (2,), or None for this training step's.

        Returns:
            Tuple (states, logits, means): (B, D), their log odds of the hidden units (B, H) and E[v | h] (B, D) at the
            drawn h; with persistent chains, which move, (chains, D), (chains, H) and E[v | P(h = 1 | x)].
        """
        seeds = gibbs_seeds(self.step_seed("gibbs") if seed is None else seed, self.gibbs_steps)
        if self.chains is not None:
            h = ops.convert_to_tensor(self.chain_states)
            both = self.decode(ops.concatenate([h, ops.sigmoid(hidden_logits)]))  # one product
            for sweep, seed in enumerate(seeds):
                hidden_noise, visible_noise = self.sweep_noise(self.chains, seed)
                mean = self.decode(h) if sweep else both[: self.chains]
                v = self.draw_around(mean, visible_noise)
                logits = self.hidden_logits(v)
                h = ops.cast(hidden_noise < ops.sigmoid(logits), logits.dtype)
            self.chain_states.assign(h)
            return v, logits, both[self.chains :]
        rows = ops.shape(hidden_logits)[0]
        start, total = self.share_of_batch(rows)
        v, logits, first = None, hidden_logits, None
        for seed in seeds:
            hidden_noise, visible_noise = rows_of(self.sweep_noise(total, seed), start, rows, total)
            h = ops.cast(hidden_noise < ops.sigmoid(logits), logits.dtype)
            mean = self.decode(h)
            first = mean if first is None else first
            v = self.draw_around(mean, visible_noise)
            logits = self.hidden_logits(v)
        return v, logits, first

    def contrast(self, x: Any, hidden_logits: Any, v: Any, logits: Any, sample_weight: Any = None) -> Any:
        """mean F(x) - mean F(v), a scalar whose slopes take x and v as they are.

        Args:
            x: tensor (B, D).
            hidden_logits: tensor (B, H), of x.
            v: tensor (B, D), states of the model row by row, or (chains, D) of persistent chains.
            logits: tensor (B, H) or (chains, H), of v.
            sample_weight: None, or tensor (B,): each row's difference counts so often.
        """
        rows = ops.cast(ops.maximum(ops.shape(x)[0], 1), x.dtype)
        weights = ops.ones_like(x[:, 0]) if sample_weight is None else ops.cast(sample_weight, x.dtype)
        shares = ops.reshape(weights, (-1,)) / rows  # (B,)
        against = shares
        if self.chains is not None:
            against = ops.full((self.chains,), 1 / self.chains, x.dtype) * ops.sum(shares)
        return free_energy_contrast(
            ops.concatenate([x, v]), ops.concatenate([hidden_logits, logits]), ops.concatenate([shares, -against]),
            *self.parameters, self.deviation,
        )  # fmt: skip

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Any:
        x = ops.cast(x, self.variable_dtype)
        told = ops.cast(y_pred, x.dtype)
        if training:
            told = ops.stop_gradient(told)
            v, logits, means = (ops.stop_gradient(each) for each in self.negative_phase(told))
        else:
            v, logits, means = None, None, self.decode(told)
        reconstructed = ops.mean(ops.square(x - means), axis=-1)  # (B,)
        self.reconstruction_error.update_state(reconstructed, sample_weight)
        if training:
            return self.weighted_mean(self.contrast(x, told, v, logits, sample_weight))
        losses = reconstructed if self.visible == "gaussian" else -self.pseudo_log_likelihood(x)
        return self.weighted_mean(losses, sample_weight)

    @property
    def wanted(self) -> str:
        return "finite values" if self.visible == "gaussian" else f"{super().wanted} for binary units"

    def possible(self, values: np.ndarray) -> np.ndarray:
        return np.isfinite(values) if self.visible == "gaussian" else super().possible(values)

    def _require_binary(self, name: str) -> None:
        if self.visible != "bernoulli":
            raise ValueError(f"RBM has a {name} for binary units alone. Received: visible={self.visible!r}")

    def sample(self, seed: Any, n: Any) -> Any:
        """Draws of v, (n, D), `sampling_steps` sweeps from fair coins; the same for the same seed.

        Args:
            seed: int, or integer tensor (2,).
            n: int >= 0, or a scalar integer tensor.
        """
        return self.swept(seed, checked_count("RBM.sample", n=n), lambda v: v)

    def swept(self, seed: Any, n: Any, hold: Callable[[Any], Any]) -> Any:
        """As `sample`, with v replaced by `hold` of it, a function (n, D) -> (n, D), in every sweep."""
        pairs = tf.random.split(seed_pair(seed), self.sampling_steps + 1, alg="philox")
        dtype = self.wide_dtype
        h = tf.cast(uniform_noise((n, self.units), pairs[0], dtype) < 0.5, dtype)

        def sweep(step: Any, h: Any, v: Any) -> Any:
            hidden_noise, visible_noise = self.sweep_noise(n, pairs[step])
            v = hold(self.draw_visible(h, visible_noise))
            return step + 1, self.draw_hidden(v, hidden_noise), v

        v = tf.zeros((n, self.features), dtype)
        shapes = (tf.TensorShape(()), tf.TensorShape((None, self.units)), tf.TensorShape((None, self.features)))
        return tf.while_loop(lambda step, *_: step <= self.sampling_steps, sweep, (1, h, v), shape_invariants=shapes)[2]

    def endpoints(self) -> dict[str, Endpoint]:
        x = keras.InputSpec(shape=(None, self.features), dtype=self.input_dtype, name="x")
        h = keras.InputSpec(shape=(None, self.units), dtype=self.input_dtype, name="h")
        seed, n = tf.TensorSpec((2,), "int32", name="seed"), tf.TensorSpec((), "int32", name="n")
        functions: dict[str, Endpoint] = {
            "serving_default": (self.encode, [x]),
            "encode": (self.encode, [x]),
            "decode": (self.decode, [h]),
            "reconstruct": (self.reconstruct, [x]),
            "free_energy": (self.free_energy, [x]),
            "sample": (self.sample, [seed, n]),
        }
        enumerated = self.units if self.visible == "gaussian" else min(self.units, self.features)
        if enumerated <= MOST_ENUMERATED:
            functions["log_prob"] = (self.log_prob, [x])
        return functions

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        return (input_shape[0], self.units)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "features": self.features,
            "units": self.units,
            "visible": self.visible,
            "scale": self.scale,
            "gibbs_steps": self.gibbs_steps,
            "chains": self.chains,
            "sampling_steps": self.sampling_steps,
            "kernel_scale": self.kernel_scale,
            "kernel_regularizer": keras.regularizers.serialize(self.kernel_regularizer),
        }
