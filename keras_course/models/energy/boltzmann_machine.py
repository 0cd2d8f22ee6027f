"""The Boltzmann machine: binary units that may all be connected, some of them hidden.

    E(x) = -x.W x / 2 - b.x,   x = (v, h) in {0, 1}^N,   W symmetric, zeros on its diagonal,   P(x) = exp(-E(x)) / Z
    P(x_i = 1 | all others) = sigmoid(b_i + (W x)_i)
    d/dW_ij mean log P(v) = <x_i x_j>_data - <x_i x_j>_model
    data:  v clamped, h at its mean field m_j = sigmoid(b_j + (W x)_j), x = (v, m)
    model: persistent chains, single-site Gibbs sampling, unit after unit

Conventions that bite. Units are 0 and 1. A pair counts once. What is trained is a triangle of W: both copies of W_ij
are one weight, so its slope is that of the pair. With hidden units the mean field makes the data's term a lower bound
of log P(v); without them training is maximum likelihood up to the chains' noise.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from keras_course.core.model import Endpoint
from keras_course.core.seeds import derive_seed, seed_pair, uniform_noise
from keras_course.core.serial import register
from keras_course.core.shapes import checked_count, require_positive_int
from keras_course.models.energy.binary_machine import BinaryMachine
from keras_course.models.energy.chains import gibbs_seeds
from keras_course.ops.boltzmann import (
    MOST_ENUMERATED,
    binary_states,
    boltzmann_energy,
    boltzmann_log_partition,
)

__all__ = ["BoltzmannMachine"]

TOGETHER = 10  # hidden units whose states stand beside every example at a time


@register("BoltzmannMachine")
class BoltzmannMachine(BinaryMachine):
    """A density of binary vectors by pairwise connections, with or without hidden units.

        parameters follow -d/dtheta (mean E(v, m) - mean E(x')),   x' persistent chains

    `model(x)` and `predict` give P(x_i = 1 | all other visible units, hidden ones at their mean field). `compile()`
    takes an optimizer, no loss. In training `loss` is the difference of energies above, no likelihood; in evaluation it
    is minus sum_i log P(x_i | the others), as above. Metric: `conditional_error`, the squared error of those
    probabilities, a mean over units and examples. Fastest on a CPU: `compile(optimizer, jit_compile=True)`.

    Endpoints: serving_default and conditionals (x), mean_field (x) with hidden units, energy (units), sample (seed, n),
    and log_prob (x) for at most 20 units.

    Args:
        features: int D, visible units.
        hidden: int >= 0, hidden units.
        gibbs_steps: int >= 1, sweeps over all units in a training step.
        chains: int, persistent chains; their states are weights of the model.
        mean_field_steps: int >= 1, sweeps of the mean field over the hidden units, unit after unit: each raises
            the bound.
        sampling_steps: int, sweeps from fair coins to a sample.
        kernel_scale: float >= 0, deviation of the first W. Hidden units need it: at 0 they all stay alike.
        seed: int, root of weights, chains and noise.
        **kwargs: as keras.Model.

    Input shape:
        (B, D).

    Output shape:
        (B, D).

    Raises:
        ValueError: for impossible sizes, or a loss in `compile`.
        InvalidDataError: in fit and evaluate, for an array with values other than 0 and 1.

    Example:
        >>> machine = BoltzmannMachine(features=3, hidden=2)
        >>> states = binary_states(3)
        >>> round(float(ops.sum(ops.exp(machine.log_prob(states)))), 5)
        1.0

    Source: C 17.3, C 18.3, R; Ackley, Hinton and Sejnowski 1985.
    """

    own_loss = "the difference of energies"

    def __init__(
        self,
        features: int,
        hidden: int = 0,
        gibbs_steps: int = 1,
        chains: int = 100,
        mean_field_steps: int = 10,
        sampling_steps: int = 500,
        kernel_scale: float = 0.01,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed=seed, **kwargs)
        require_positive_int(
            "BoltzmannMachine", features=features, gibbs_steps=gibbs_steps, chains=chains,
            mean_field_steps=mean_field_steps, sampling_steps=sampling_steps,
        )  # fmt: skip
        if isinstance(hidden, bool) or not isinstance(hidden, int) or hidden < 0:
            raise ValueError(f"BoltzmannMachine needs an integer hidden of at least 0. Received: hidden={hidden!r}")
        if not kernel_scale >= 0:
            raise ValueError(f"BoltzmannMachine needs kernel_scale >= 0. Received: kernel_scale={kernel_scale!r}")
        self.features, self.hidden, self.units = features, hidden, features + hidden
        self.event_shape = (features,)
        self.gibbs_steps, self.chains, self.mean_field_steps = gibbs_steps, chains, mean_field_steps
        self.sampling_steps, self.kernel_scale = sampling_steps, float(kernel_scale)
        self.conditional_error = keras.metrics.Mean(name="conditional_error")
        self.build((None, features))

    def build(self, input_shape: Any = None) -> None:
        start = keras.initializers.RandomNormal(0.0, self.kernel_scale, seed=derive_seed(self.seed, "kernel"))
        pairs = self.units * (self.units - 1) // 2
        self.couplings = self.add_weight(shape=(pairs,), initializer=start, name="couplings")
        self.bias = self.add_weight(shape=(self.units,), initializer="zeros", name="bias")
        self.chain_states = self.add_chains(self.chains, self.units)
        rows, columns = np.triu_indices(self.units, 1)
        self._place_of_pair = np.zeros((self.units, self.units), "int32")  # of the couplings, and a zero, in W
        self._place_of_pair[rows, columns] = self._place_of_pair[columns, rows] = np.arange(1, pairs + 1)
        self.built = True

    @property
    def kernel(self) -> Any:
        """W, (N, N): symmetric, zeros on its diagonal; visible units first."""
        couplings = ops.convert_to_tensor(self.couplings)
        return ops.take(ops.concatenate([ops.zeros((1,), couplings.dtype), couplings]), self._place_of_pair)

    def energy(self, units: Any) -> Any:
        """E of states of all units, (B, N) -> (B,)."""
        return boltzmann_energy(units, self.kernel, self.bias)

    def _clamped(self, x: Any, hidden: Any) -> Any:
        """(v, h), (B, N)."""
        return ops.concatenate([x, hidden], axis=-1)

    def mean_field(self, x: Any) -> Any:
        """m_j ~ P(h_j = 1 | x) of the factorised q that `mean_field_steps` sweeps of coordinate ascent find, (B, H)."""
        x = ops.cast(self.checked(x), self.bias.dtype)
        if not self.hidden:
            return x[:, :0]  # XLA ends the process over a product with an empty side
        kernel = self.kernel
        visible = ops.matmul(x, kernel[: self.features, self.features :]) + self.bias[self.features :]  # (B, H)
        among = kernel[self.features :, self.features :]
        m = ops.sigmoid(visible)
        for _ in range(self.mean_field_steps if self.hidden > 1 else 0):
            for unit in range(self.hidden):
                new = ops.sigmoid(visible[:, unit] + ops.matmul(m, among[:, unit]))
                m = ops.concatenate([m[:, :unit], new[:, None], m[:, unit + 1 :]], axis=-1)
        return m

    def call(self, inputs: Any) -> Any:
        return ops.sigmoid(self.conditional_logits(inputs))

    def conditionals(self, x: Any) -> Any:
        """P(x_i = 1 | all other visible units), hidden units at their mean field given x, (B, D)."""
        return self.call(x)

    def conditional_logits(self, x: Any) -> Any:
        """The log odds of `conditionals`, (B, D)."""
        x = ops.cast(self.checked(x), self.bias.dtype)
        units = self._clamped(x, self.mean_field(x))
        return ops.matmul(units, self.kernel[:, : self.features]) + self.bias[: self.features]

    def log_partition(self) -> Any:
        """log Z, exact, for at most 20 units.

        Raises:
            ValueError: for more.
        """
        return boltzmann_log_partition(self.kernel, self.bias)

    def log_prob(self, x: Any) -> Any:
        """log P(x), (B,), nats, hidden units summed out, for at most 20 units in all.

        Raises:
            ValueError: for more.
        """
        x = ops.cast(self.checked(x), self.bias.dtype)
        kernel, bias, d = self.kernel, self.bias, self.features
        log_partition = self.log_partition()  # refuses too many units
        alone = -boltzmann_energy(x, kernel[:d, :d], bias[:d])
        if not self.hidden:
            return alone - log_partition
        drive = ops.matmul(x, kernel[:d, d:]) + bias[d:]  # (B, H)
        low = min(self.hidden, TOGETHER)
        states = binary_states(self.hidden, keras.backend.standardize_dtype(bias.dtype))
        blocks = ops.reshape(states, (-1, 2**low, self.hidden))
        total = None
        for block in ops.unstack(blocks):
            among = -boltzmann_energy(block, kernel[d:, d:], ops.zeros_like(bias[d:]))  # (S,)
            summed = ops.logsumexp(ops.matmul(drive, ops.transpose(block)) + among, axis=-1)
            total = summed if total is None else ops.logaddexp(total, summed)
        return alone + total - log_partition

    def sweep(self, units: Any, uniforms: Any) -> Any:
        """One sweep of single-site Gibbs sampling, unit 0 to unit N - 1.

        Args:
            units: tensor (B, N) of 0 and 1.
            uniforms: tensor (B, N), uniform in (0, 1).

        Returns:
            Tensor (B, N).
        """
        kernel, bias = self.kernel, ops.convert_to_tensor(self.bias)
        drive = ops.matmul(units, kernel) + bias  # kept up to date, so that a flip costs one row of W
        here = tf.eye(self.units, dtype=drive.dtype)

        def visit(i: Any, units: Any, drive: Any) -> Any:
            new = tf.cast(tf.gather(uniforms, i, axis=1) < tf.sigmoid(tf.gather(drive, i, axis=1)), drive.dtype)
            change = (new - tf.gather(units, i, axis=1))[:, None]  # (B, 1)
            return i + 1, units + change * here[i], drive + change * kernel[i]

        count = self.units
        return tf.while_loop(lambda i, *_: i < count, visit, (0, units, drive), maximum_iterations=count)[1]

    def advance_chains(self) -> Any:
        """Moves the persistent chains by `gibbs_steps` sweeps; their states, (chains, N)."""
        units = ops.convert_to_tensor(self.chain_states)
        for seed in gibbs_seeds(self.step_seed("gibbs"), self.gibbs_steps):
            units = self.sweep(units, uniform_noise((self.chains, self.units), seed, self.wide_dtype))
        self.chain_states.assign(units)
        return units

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Any:
        x = ops.cast(x, self.bias.dtype)
        errors = ops.mean(ops.square(x - ops.cast(y_pred, x.dtype)), axis=-1)  # (B,)
        self.conditional_error.update_state(errors, sample_weight)
        if training:
            clamped = ops.stop_gradient(self._clamped(x, self.mean_field(x)))
            losses = self.energy(clamped) - ops.mean(self.energy(ops.stop_gradient(self.advance_chains())))
        else:
            losses = ops.sum(ops.softplus((1 - 2 * x) * self.conditional_logits(x)), axis=-1)
        return self.weighted_mean(losses, sample_weight)

    @property
    def wanted(self) -> str:
        return "units of 0 and 1"

    def possible(self, values: np.ndarray) -> np.ndarray:
        return (values == 0) | (values == 1)

    def sample(self, seed: Any, n: Any) -> Any:
        """Draws of the visible units, (n, D), `sampling_steps` sweeps from fair coins; the same for the same seed.

        Args:
            seed: int, or integer tensor (2,).
            n: int >= 0, or a scalar integer tensor.
        """
        n = checked_count("BoltzmannMachine.sample", n=n)
        pairs = tf.random.split(seed_pair(seed), self.sampling_steps + 1, alg="philox")
        dtype = self.wide_dtype

        def sweep(step: Any, units: Any) -> Any:
            return step + 1, self.sweep(units, uniform_noise(tf.shape(units), pairs[step], dtype))

        coins = tf.cast(uniform_noise((n, self.units), pairs[0], dtype) < 0.5, dtype)
        shapes = (tf.TensorShape(()), tf.TensorShape((None, self.units)))
        last = self.sampling_steps
        units = tf.while_loop(lambda step, _: step <= last, sweep, (1, coins), shape_invariants=shapes)[1]
        return units[:, : self.features]

    def endpoints(self) -> dict[str, Endpoint]:
        x = keras.InputSpec(shape=(None, self.features), dtype=self.input_dtype, name="x")
        units = keras.InputSpec(shape=(None, self.units), dtype=self.input_dtype, name="units")
        seed, n = tf.TensorSpec((2,), "int32", name="seed"), tf.TensorSpec((), "int32", name="n")
        functions: dict[str, Endpoint] = {
            "serving_default": (self.conditionals, [x]),
            "conditionals": (self.conditionals, [x]),
            "energy": (self.energy, [units]),
            "sample": (self.sample, [seed, n]),
        }
        if self.hidden:
            functions["mean_field"] = (self.mean_field, [x])
        if self.units <= MOST_ENUMERATED:
            functions["log_prob"] = (self.log_prob, [x])
        return functions

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        return (input_shape[0], self.features)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "features": self.features,
            "hidden": self.hidden,
            "gibbs_steps": self.gibbs_steps,
            "chains": self.chains,
            "mean_field_steps": self.mean_field_steps,
            "sampling_steps": self.sampling_steps,
            "kernel_scale": self.kernel_scale,
        }
