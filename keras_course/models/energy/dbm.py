"""The deep Boltzmann machine: layers of binary units, each connected with the next in both directions.

    E(v, h^1 .. h^L) = -sum_l b^l.h^l - sum_l h^(l-1).W^l h^l,   P(v) = sum_h exp(-E(v, h)) / Z
    d/dtheta log P(v) = -E_{h ~ P(. | v)} dE/dtheta + E_{v', h' ~ P} dE/dtheta
    data:   P(h | v) is replaced by independent units of means m(v), the mean field
    model:  v', h' are persistent chains, block Gibbs: all even layers given the odd ones, then the other way round
    log P(v) >= -E(v, m) + H(m) - log Z

Conventions that bite. `loss` in training is mean E(v, m) less the mean free energy of the chains: no likelihood, it may
well rise. In evaluation it is the cross-entropy of x and E[v | m^1], nats. Means over examples; sums over units. The
mean field climbs to the bound next to where it starts: there may be others.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from keras_course.core.model import Endpoint
from keras_course.core.seeds import derive_seed, seed_pair, uniform_noise
from keras_course.core.serial import register
from keras_course.core.shapes import checked_count, require_positive_int
from keras_course.models.energy.annealing import LogPartition, annealed_log_partition
from keras_course.models.energy.binary_machine import BinaryMachine
from keras_course.models.energy.chains import decision_noise, gibbs_seeds
from keras_course.models.energy.greedy import trained_levels
from keras_course.ops.boltzmann import (
    rbm_free_energy,
    rbm_hidden_logits,
    rbm_visible_parameters,
)
from keras_course.ops.deep_boltzmann import (
    MOST_SUMMED,
    as_restricted,
    deep_energy,
    deep_log_partition,
    deep_mean_field,
    deep_unnormalised,
    mean_field_bound,
)

__all__ = ["DBM"]


@register("DBM")
class DBM(BinaryMachine):
    """A density of binary vectors with several layers of hidden units, undirected.

    `model(x)` and `predict` give the mean field of all hidden layers, side by side. `pretrain` starts the machine from
    greedily trained levels; `fit` trains all layers together. `compile()` takes an optimizer, no loss. Metric:
    `reconstruction_error`, the squared error of E[v | m^1], a mean over units and examples.

    Endpoints: serving_default and encode (x), decode (h^1), reconstruct (x), unnormalised_bound (x; less log Z it is
    the bound on log P), sample (seed, n), and log_prob (x) where the odd layers have at most 14 units together.

    Args:
        features: int D, visible units.
        units: ints H_1 .. H_L, hidden units, two layers or more.
        mean_field_steps: int >= 0, sweeps of the mean field: each raises the bound.
        gibbs_steps: int >= 1, sweeps of the chains in a training step.
        chains: int, persistent chains; the states of their odd layers are weights of the model: saved, resumed, the
            same on every replica.
        sampling_steps: int, sweeps from fair coins to a sample.
        kernel_scale: float > 0, deviation of the first kernels.
        seed: int, root of weights, chains and noise.
        **kwargs: as keras.Model.

    Input shape:
        (B, D), values in [0, 1].

    Output shape:
        (B, H_1 + .. + H_L).

    Raises:
        ValueError: for impossible sizes, or a loss in `compile`.
        InvalidDataError: in fit and evaluate, for an array with values outside [0, 1].

    Example:
        >>> model = DBM(features=4, units=(3, 2))
        >>> x = ops.ones((2, 4))
        >>> tuple(model(x).shape), tuple(model.sample(seed=1, n=5).shape), tuple(model.log_prob(x).shape)
        ((2, 5), (5, 4), (2,))

    Source: R; Salakhutdinov and Hinton 2009.
    """

    own_loss = "the difference of energies"

    def __init__(
        self,
        features: int,
        units: Sequence[int],
        mean_field_steps: int = 10,
        gibbs_steps: int = 1,
        chains: int = 100,
        sampling_steps: int = 500,
        kernel_scale: float = 0.01,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed=seed, **kwargs)
        units = list(units)
        require_positive_int(
            "DBM", features=features, gibbs_steps=gibbs_steps, chains=chains, sampling_steps=sampling_steps,
            **{f"units[{n}]": size for n, size in enumerate(units)},
        )  # fmt: skip
        if len(units) < 2:
            raise ValueError(f"DBM needs two hidden layers or more; one is an RBM. Received: units={units}")
        if isinstance(mean_field_steps, bool) or not isinstance(mean_field_steps, int) or mean_field_steps < 0:
            raise ValueError(f"DBM needs an integer mean_field_steps >= 0. Received: {mean_field_steps!r}")
        if not kernel_scale > 0:
            raise ValueError(f"DBM needs a positive kernel_scale. Received: kernel_scale={kernel_scale!r}")
        self.features, self.units, self.mean_field_steps = features, units, mean_field_steps
        self.gibbs_steps, self.chains, self.sampling_steps = gibbs_steps, chains, sampling_steps
        self.kernel_scale = float(kernel_scale)
        self.event_shape = (features,)
        self.reconstruction_error = keras.metrics.Mean(name="reconstruction_error")
        self.build((None, features))

    def build(self, input_shape: Any = None) -> None:
        sizes = [self.features, *self.units]
        self.kernels, self.biases = [], []
        for layer, (below, above) in enumerate(zip(sizes[:-1], sizes[1:], strict=True), start=1):
            start = keras.initializers.RandomNormal(
                0.0, self.kernel_scale, seed=derive_seed(self.seed, "kernel", layer)
            )
            self.kernels.append(self.add_weight(shape=(below, above), initializer=start, name=f"kernel_{layer}"))
        for layer, size in enumerate(sizes):
            self.biases.append(self.add_weight(shape=(size,), initializer="zeros", name=f"bias_{layer}"))
        self.chain_states = self.add_chains(self.chains, self.odd_units)
        self.built = True

    @property
    def odd_units(self) -> int:
        """Units of h^1, h^3, ... together: what a chain remembers."""
        return sum(self.units[0::2])

    @property
    def even_units(self) -> int:
        """Units of v, h^2, ... together."""
        return self.features + sum(self.units[1::2])

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        return self.encode(inputs)

    def encode(self, x: Any) -> Any:
        """The mean field of all hidden layers, side by side, (B, H_1 + .. + H_L)."""
        return ops.concatenate(self.mean_field(x), axis=-1)

    def mean_field(self, x: Any) -> list[Any]:
        """m^l ~ P(h^l = 1 | x), tensors (B, H_1) .. (B, H_L)."""
        return deep_mean_field(self.states_of(x), self.kernels, self.biases, self.mean_field_steps)

    def decode(self, h: Any) -> Any:
        """E[v | h^1], (B, D), for h^1 (B, H_1) in [0, 1]."""
        return ops.sigmoid(rbm_visible_parameters(h, self.kernels[0], self.biases[0]))

    def reconstruct(self, x: Any) -> Any:
        """E[v | m^1(x)], (B, D)."""
        return self.decode(self.mean_field(x)[0])

    def restricted(self) -> tuple[Any, Any, Any]:
        """(kernel, biases of the even layers, of the odd ones) of the same machine with two layers."""
        return as_restricted(self.kernels, self.biases)

    def sweep(self, odd: Any, noise: tuple[Any, Any], restricted: tuple[Any, Any, Any]) -> tuple[Any, Any]:
        """A sweep of block Gibbs sampling.

        Args:
            odd: tensor (N, odd units) of 0 and 1.
            noise: uniform numbers (N, odd units), (N, even units).
            restricted: as the method of this name returns it.

        Returns:
            Tuple (even, odd): v, h^2 .. given the odd layers, then h^1, h^3 .. given those.
        """
        kernel, even_bias, odd_bias = restricted
        for_odd, for_even = noise
        even = ops.cast(for_even < ops.sigmoid(rbm_visible_parameters(odd, kernel, even_bias)), odd.dtype)
        return even, ops.cast(for_odd < ops.sigmoid(rbm_hidden_logits(even, kernel, odd_bias)), odd.dtype)

    def advance_chains(self) -> Any:
        """Moves the persistent chains by `gibbs_steps` sweeps; their even layers, (chains, even units)."""
        odd, even, restricted = ops.convert_to_tensor(self.chain_states), None, self.restricted()
        for seed in gibbs_seeds(self.step_seed("gibbs"), self.gibbs_steps):
            noise = decision_noise(self.chains, (self.odd_units, self.even_units), seed, self.wide_dtype)
            even, odd = self.sweep(odd, noise, restricted)
        self.chain_states.assign(odd)
        return even

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Any:
        x = ops.cast(x, self.variable_dtype)
        places = np.cumsum(self.units)[:-1].tolist()
        means = ops.split(ops.stop_gradient(ops.cast(y_pred, x.dtype)), places, axis=-1)
        told = self.decode(means[0])
        self.reconstruction_error.update_state(ops.mean(ops.square(x - told), axis=-1), sample_weight)
        if not training:
            return self.weighted_mean(self.cross_entropies(x, told), sample_weight)
        even = ops.stop_gradient(self.advance_chains())
        model = ops.mean(rbm_free_energy(even, *self.restricted()))  # the odd layers summed out
        return self.weighted_mean(deep_energy([x, *means], self.kernels, self.biases) - model, sample_weight)

    def pretrain(
        self, x: Any, epochs: int, batch_size: int = 32, optimizer: Any = "adam", verbose: Any = 0
    ) -> list[list[float]]:
        """Starts the machine from levels trained one after the other, by contrastive divergence.

        A level counts twice the layer that it knows of the two that its units will hear (`models.energy.greedy`); a
        hidden bias is the mean of its two levels' answers. The chains start anew, at what the data say.

        Args:
            x: array (N, D) in [0, 1].
            epochs: int, of each level.
            batch_size: int.
            optimizer: name of an optimizer, or a function without arguments that makes one.
            verbose: as keras.Model.fit.

        Returns:
            The reconstruction errors of every level's epochs, outermost first.

        Raises:
            ValueError: for a wrong shape.
            InvalidDataError: for values outside [0, 1].
        """
        self.require_possible(x)
        last = len(self.units) - 1
        factors = [(2.0 if level < last else 1.0, 2.0 if level else 1.0) for level in range(last + 1)]
        machines, errors = trained_levels(
            x, self.units, factors, epochs, batch_size, optimizer, verbose, gibbs_steps=self.gibbs_steps,
            kernel_scale=self.kernel_scale, seed=self.seed, dtype=self.dtype_policy,
        )  # fmt: skip
        for kernel, machine in zip(self.kernels, machines, strict=True):
            kernel.assign(machine.kernel)
        self.biases[0].assign(machines[0].visible_bias)
        self.biases[-1].assign(machines[-1].hidden_bias)
        for bias, below, above in zip(self.biases[1:-1], machines[:-1], machines[1:], strict=True):
            bias.assign((ops.convert_to_tensor(below.hidden_bias) + above.visible_bias) / 2)
        rows = np.arange(self.chains) % len(x)
        means = ops.concatenate(self.mean_field(np.asarray(x, "float32")[rows])[0::2], axis=-1)
        (noise,) = decision_noise(
            self.chains, (self.odd_units,), seed_pair(derive_seed(self.seed, "start")), self.wide_dtype
        )
        self.chain_states.assign(ops.cast(noise < means, means.dtype))
        return errors

    def log_partition(self) -> Any:
        """log Z, exact, where the even or the odd layers have at most 20 units together."""
        return deep_log_partition(self.kernels, self.biases)

    def annealed_log_partition(
        self, steps: int = 1000, chains: int = 100, seed: int = 0, visible_bias: Any = None
    ) -> LogPartition:
        """log Z by annealed importance sampling, with an interval: see `models.energy.annealing`.

        Args:
            steps: int, temperatures on the way from independent units to this machine.
            chains: int >= 2, runs.
            seed: int.
            visible_bias: array (D,), of the independent visible units, such as the log odds of the data's means; None
                for this machine's own.
        """
        kernel, even, odd = self.restricted()
        base = None
        if visible_bias is not None:
            base = np.concatenate([np.asarray(visible_bias), ops.convert_to_numpy(even)[self.features :]])
        return annealed_log_partition(kernel, even, odd, None, steps, chains, seed, base)

    def log_prob(self, x: Any, log_partition: Any = None) -> Any:
        """log P(x), (B,), nats, exact for at most 14 units in the odd layers; `log_partition` None is the exact one."""
        log_partition = self.log_partition() if log_partition is None else log_partition
        return deep_unnormalised(self.states_of(x), self.kernels, self.biases) - log_partition

    def unnormalised_bound(self, x: Any) -> Any:
        """-E(x, m) + H(m), (B,), nats: the bound and log Z."""
        x = self.states_of(x)
        return mean_field_bound(x, self.mean_field(x), self.kernels, self.biases)

    def bound(self, x: Any, log_partition: Any = None) -> Any:
        """The variational bound on log P(x), (B,), nats; `log_partition` None is the exact one."""
        return self.unnormalised_bound(x) - (self.log_partition() if log_partition is None else log_partition)

    def sample(self, seed: Any, n: Any) -> Any:
        """Draws of v, (n, D), `sampling_steps` sweeps from fair coins; the same for the same seed.

        Args:
            seed: int, or integer tensor (2,).
            n: int >= 0, or a scalar integer tensor.
        """
        n = checked_count("DBM.sample", n=n)
        pairs = tf.random.split(seed_pair(seed), self.sampling_steps + 1, alg="philox")
        odd = tf.cast(uniform_noise((n, self.odd_units), pairs[0], self.wide_dtype) < 0.5, self.wide_dtype)
        restricted = self.restricted()

        def step(number: Any, odd: Any, even: Any) -> Any:
            noise = decision_noise(n, (self.odd_units, self.even_units), pairs[number], self.wide_dtype)
            even, odd = self.sweep(odd, noise, restricted)
            return number + 1, odd, even

        even = tf.zeros((n, self.even_units), self.wide_dtype)
        shapes = (tf.TensorShape(()), tf.TensorShape((None, self.odd_units)), tf.TensorShape((None, self.even_units)))
        last = self.sampling_steps
        return tf.while_loop(lambda number, *_: number <= last, step, (1, odd, even), shapes)[2][:, : self.features]

    def endpoints(self) -> dict[str, Endpoint]:
        x = keras.InputSpec(shape=(None, self.features), dtype=self.input_dtype, name="x")
        h = keras.InputSpec(shape=(None, self.units[0]), dtype=self.input_dtype, name="h")
        seed, n = tf.TensorSpec((2,), "int32", name="seed"), tf.TensorSpec((), "int32", name="n")
        functions: dict[str, Endpoint] = {
            "serving_default": (self.encode, [x]),
            "encode": (self.encode, [x]),
            "decode": (self.decode, [h]),
            "reconstruct": (self.reconstruct, [x]),
            "unnormalised_bound": (self.unnormalised_bound, [x]),
            "sample": (self.sample, [seed, n]),
        }
        if self.odd_units <= MOST_SUMMED:
            functions["log_prob"] = (self.log_prob, [x])
        return functions

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        return (input_shape[0], sum(self.units))

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "features": self.features,
            "units": list(self.units),
            "mean_field_steps": self.mean_field_steps,
            "gibbs_steps": self.gibbs_steps,
            "chains": self.chains,
            "sampling_steps": self.sampling_steps,
            "kernel_scale": self.kernel_scale,
        }
