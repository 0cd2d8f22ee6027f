"""The variational autoencoder: a directed model of x, trained by gradients on a lower bound of log p(x).

    p(x, z) = p(z) p(x | z)                                   prior and decoder
    q(z|x)  = N(mean(x), diag(scale(x)**2))                   encoder
    z       = mean(x) + scale(x) * noise,  noise ~ N(0, I)    reparametrisation
    ELBO(x) = E_q log p(x | z) - KL(q(z|x) || p(z))  <=  log p(x)
    loss    = mean over examples of -(E_q log p(x | z) - beta KL(q(z|x) || p(z)))      (others: `training_bounds`)

Conventions that bite. Densities are summed over pixels and code units and the loss is a mean over examples: nats an
example. scale is the standard deviation (the notes call it the variance, and use it as the deviation). Training draws
its noise from (seed, step); evaluation takes one fixed bank of noise for all examples, so that what it reports depends
on neither the batch size nor the order.
"""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from keras_course.callbacks.code_watch import CodeWatch
from keras_course.core.model import Endpoint
from keras_course.core.seeds import normal_noise, seed_pair, stateless_seed
from keras_course.core.serial import register
from keras_course.core.shapes import checked_count, require_positive_int
from keras_course.distributions import Family
from keras_course.models.asked_draws import asked_draws
from keras_course.models.generative.draws import balanced_noise
from keras_course.models.generative.stochastic_layers import StochasticLayers, conditional
from keras_course.models.generative.training_bounds import LaterGradient, bound_of_groups, mean_over_replicas
from keras_course.models.generative.vae_arguments import check_objective, checked_family, networks, sizes
from keras_course.models.generative_model import GenerativeModel
from keras_course.ops.elbo import (
    diagonal_gaussian_log_density,
    elbo_from_divergence,
    elbo_from_joint,
    importance_weighted_bound,
    with_free_bits,
)

__all__ = ["VariationalAutoencoder"]


@register("VariationalAutoencoder")
class VariationalAutoencoder(GenerativeModel):
    """Codes z of x and a generator of x from z, learned together.

        loss = mean_i -(E_q log p(x_i | z) - beta KL(q(z | x_i) || p(z)))

    `model(x)` and `predict` reconstruct: E[x | z] at the mean code. `compile()` takes an optimizer, no loss. Metrics:
    `elbo` (with beta = 1, whatever beta trains), `reconstruction` = E_q log p(x | z) and `divergence`, nats an example.

    Evaluation takes its noise from a fixed bank of `evaluation_samples` draws in antithetic pairs (e, -e), a function
    of the seed alone, shared by all examples. It gives an unbiased estimate of the ELBO of every example; the Monte
    Carlo error left is common to all of them, and falls with `evaluation_samples`, not with the number of examples.

    Several stochastic layers: latent=(Z_1 ... Z_L) is p(z_L) p(z_{L-1} | z_L) ... p(x | z_1) under
    q(z_1 | x) q(z_2 | z_1) ..., see `StochasticLayers`; encode and decode then speak of z_1, sample of all.

    Endpoints: serving_default and reconstruct (x), encode (x: mean and scale), decode (z), sample (seed, n), elbo (x),
    log_prob_importance_weighted (x, seed, n: the bound with n draws, not log p(x) itself).

    Args:
        shape: int D or tuple, the shape of one x.
        latent: int Z, number of code units, or a tuple (Z_1 ... Z_L), data side first.
        units: int or tuple of ints, widths of the dense layers of every encoder; reversed in the decoders.
        family: p(x | z): name in `FAMILIES` ("bernoulli" for x of 0 and 1, "normal" for real x), a `Family` over as
            many values as x has (`CategoricalLevels`, `DiscretizedLogistic` for grey levels 0 ... K-1, which the
            encoder sees divided by K-1), or a `DistributionOutput` (project=False if the decoder ends in the
            parameters).
        encoder, decoder: Keras layers or models instead of the dense layers, x -> features and z -> features. With L
            stochastic layers lists of L, None among them for dense ones: encoder[0] reads x, decoder[0] is below z_1.
        prior: p(z_L). None is N(0, I). A continuous `Family` over Z_L values (a mixture, say), or its name: its
            parameters are then weights of this model. A function without arguments, or a layer or flow with a method
            `distribution()`, that makes a tfp distribution over vectors of Z_L; registered with Keras, to be saved.
        beta: float >= 0, weight of the divergence in the loss.
        free_bits: float >= 0, nats a group that cost nothing in training: a group is a code unit, or a whole top layer
            whose prior ties its units together (`ops.elbo.with_free_bits`). Evaluation knows none.
        objective: "elbo", or "iwae" or "dreg" for the importance-weighted bound of `samples` draws by its plain or its
            doubly reparametrised gradient (`training_bounds`); these take beta = 1 and no free bits.
        samples: int >= 1, draws of z an example in a training step.
        evaluation_samples: int >= 1, size of the bank; at least `samples` for the importance-weighted bound.
        activation: of the dense layers.
        seed: int, root of weights and noise.
        **kwargs: as keras.Model.

    Input shape:
        (B, *shape).

    Output shape:
        (B, *shape), the reconstruction.

    Raises:
        ValueError: for sizes below 1, a family or prior of another size, objectives that do not go together, wrong
            shapes, or a loss in `compile`.
        InvalidDataError: by `fit` and `evaluate`, for NaN or values that p(x | z) calls impossible.

    Example:
        >>> model = VariationalAutoencoder(shape=6, latent=2, units=(8,))
        >>> x = ops.ones((3, 6))
        >>> tuple(model(x).shape), tuple(model.elbo(x).shape), tuple(model.sample(seed=1, n=4).shape)
        ((3, 6), (3,), (4, 6))

    Source: C 19.4, R; Kingma and Welling 2013; Burda et al. 2015; Kingma et al. 2016; Tucker et al. 2018.
    """

    own_loss = "the negative ELBO: choose a family instead"

    def __init__(
        self,
        shape: Any,
        latent: Any = 2,
        units: Any = (64,),
        family: Any = "bernoulli",
        encoder: Any = None,
        decoder: Any = None,
        prior: Any = None,
        beta: float = 1.0,
        free_bits: float = 0.0,
        objective: str = "elbo",
        samples: int = 1,
        evaluation_samples: int = 32,
        activation: Any = "tanh",
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed=seed, **kwargs)
        self.event_shape = sizes(shape, "shape")
        self.latent = sizes(latent, "latent")
        self.units = sizes(units, "units")
        require_positive_int("VariationalAutoencoder", samples=samples, evaluation_samples=evaluation_samples)
        for name, value in (("beta", beta), ("free_bits", free_bits)):
            if not value >= 0:
                raise ValueError(f"VariationalAutoencoder needs {name} >= 0. Received: {name}={value!r}")
        self.samples, self.evaluation_samples = samples, evaluation_samples
        self.beta, self.free_bits, self.objective = float(beta), float(free_bits), objective
        check_objective(self)
        self.activation = keras.activations.get(activation)
        self.family_given = checked_family(family, math.prod(self.event_shape))

        upwards, downwards = (
            networks(name, given, self.latent) for name, given in (("encoder", encoder), ("decoder", decoder))
        )
        self.codes = StochasticLayers(
            self.event_shape, self.latent, self.units, self.activation, upwards, downwards[1:], prior,
            seed=self.seed, dtype=self.dtype_policy, name="codes",
        )  # fmt: skip
        self.decoder = conditional(
            "decoder", self.latent[:1], self.family_given, self.units[::-1], self.activation, downwards[0],
            self.seed, self.dtype_policy,
        )  # fmt: skip
        self.elbo_mean = keras.metrics.Mean(name="elbo")
        self.reconstruction_mean = keras.metrics.Mean(name="reconstruction")
        self.divergence_mean = keras.metrics.Mean(name="divergence")
        self.build((None, *self.event_shape))

    @property
    def family(self) -> Family:
        """The `Family` of p(x | z)."""
        return self.decoder.head.family

    def build(self, input_shape: Any = None) -> None:
        self.codes.build()
        self.decoder.build()
        self.built = True

    def call(self, inputs: Any) -> Any:
        # Without noise and in inference mode, in training too: there it only serves metrics, and graphs leave it out.
        return self.decode(self.codes.posterior(self._read(inputs))[0])

    def _read(self, x: Any) -> Any:
        """x as the encoder sees it."""
        x, unit = self.checked(x), self.family.label_unit
        return x if unit == 1 else ops.cast(x, self.codes.wide_dtype) / unit

    def log_likelihood(self, x: Any, z: Any, training: Any = False) -> Any:
        """log p(x | z_1), (K, B), of x (B, *shape) at z_1 (K, B, Z_1)."""
        parameters = self.decoder(z, training=training)  # (K, B, P)
        flat = ops.reshape(ops.cast(x, parameters.dtype), (-1, math.prod(self.event_shape)))  # (B, D)
        return self.family.log_prob(parameters, ops.broadcast_to(flat, (*ops.shape(z)[:2], flat.shape[-1])))

    def reconstruction_and_divergence(self, x: Any, noise: Any, training: Any = False) -> tuple[Any, Any]:
        """The two terms of the ELBO, E_q log p(x | z) and KL(q || p), each (B,).

        The divergence is a closed form for Gaussian priors of one stochastic layer, and else an estimate at the draws.

        Args:
            x: tensor (B, *shape).
            noise: tensor (K, B, Z_1 + ... + Z_L), or (K, 1, ...) for the same noise in every row.
            training: bool, passed on to the networks.
        """
        z, posteriors = self.codes.infer(self._read(x), noise, training)
        reconstruction = ops.mean(self.log_likelihood(x, z[0], training), axis=0)
        divergence = self.codes.divergence(z, posteriors, training)
        return reconstruction, ops.mean(divergence, axis=0) if len(divergence.shape) == 2 else divergence

    def log_joint_and_log_q(self, x: Any, noise: Any) -> tuple[Any, Any]:
        """log p(x, z) and log q(z | x) at the draws, (K, B) each."""
        log_likelihood, log_p, log_q = self._log_terms(x, noise)
        return log_likelihood + log_p, log_q

    def _log_terms(self, x: Any, noise: Any, training: Any = False) -> tuple[Any, Any, Any]:
        """log p(x | z_1), log p(z) and log q(z | x) at the draws, (K, B) each."""
        z, posteriors = self.codes.infer(self._read(x), noise, training)
        if self.objective == "dreg" and training:
            later = LaterGradient()
            z = [later(z[0])]
            log_q = diagonal_gaussian_log_density(z[0], *map(ops.stop_gradient, posteriors[0]))
        else:
            log_q = self.codes.log_q(z, posteriors)
        log_likelihood, log_p = self.log_likelihood(x, z[0], training), self.codes.log_p(z, training)
        if self.objective == "dreg" and training:
            later.factor = ops.softmax(log_likelihood + log_p - log_q, axis=0)[..., None]  # (K, B, 1)
        return log_likelihood, log_p, log_q

    def elbo(self, x: Any, noise: Any = None) -> Any:
        """Reconstruction minus divergence, (B,); noise None takes the fixed bank of evaluation."""
        noise = self.evaluation_noise() if noise is None else noise
        return elbo_from_divergence(*self.reconstruction_and_divergence(x, noise))

    def elbo_from_joint(self, x: Any, noise: Any = None) -> Any:
        """E_q[log p(x, z) - log q(z | x)], (B,): the same expectation with no closed form in it, so noisier."""
        noise = self.evaluation_noise() if noise is None else noise
        return elbo_from_joint(*self.log_joint_and_log_q(x, noise))

    def importance_weighted_bound(self, x: Any, noise: Any) -> Any:
        """log 1/K sum_k p(x, z_k) / q(z_k | x), (B,), at the given noise (K, B, Z_1 + ... + Z_L)."""
        return importance_weighted_bound(*self.log_joint_and_log_q(x, noise))

    def log_prob_importance_weighted(self, x: Any, seed: Any, n: Any) -> Any:
        """The importance-weighted bound with n draws: below log p(x) on average, and closer the larger n.

        Args:
            x: tensor (B, *shape).
            seed: int, or integer tensor (2,).
            n: int >= 1, or a scalar integer tensor.

        Returns:
            Tensor (B,), nats. The likelihoods of all n B draws are in memory at a time.

        Raises:
            ValueError: for a number n < 1. A served n < 1 is an InvalidArgumentError.
        """
        n = checked_count("log_prob_importance_weighted", 1, n=n)
        return self.importance_weighted_bound(x, self._noise((n, ops.shape(x)[0]), seed_pair(seed)))

    def _noise(self, shape: tuple[Any, Any], seed: Any) -> Any:
        return normal_noise((*shape, sum(self.latent)), seed, self.codes.wide_dtype)

    def evaluation_noise(self) -> Any:
        """The fixed bank, (evaluation_samples, 1, Z_1 + ... + Z_L): pairs e, -e, a function of the seed alone."""
        seed = stateless_seed(self.seed, "evaluation", 0)
        return balanced_noise(self.evaluation_samples, sum(self.latent), seed, self.codes.wide_dtype)[:, None]

    def training_noise(self, rows: Any) -> Any:
        """This step's noise for this replica's examples, (samples, rows, Z_1 + ... + Z_L)."""
        start, total = self.share_of_batch(rows)
        return self._noise((self.samples, total), self.step_seed("noise"))[:, start : start + rows]

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Any:
        noise = self.training_noise(ops.shape(x)[0]) if training else self.evaluation_noise()

        if self.objective == "elbo":
            reconstruction, divergence, paid = self._terms_of_elbo(x, noise, training)
            loss = -elbo_from_divergence(reconstruction, paid, self.beta)
        else:
            reconstruction, divergence, bound = self.bound_terms(x, noise, training)
            loss = -bound

        self.elbo_mean.update_state(elbo_from_divergence(reconstruction, divergence), sample_weight)
        self.reconstruction_mean.update_state(reconstruction, sample_weight)
        self.divergence_mean.update_state(divergence, sample_weight)
        return self.weighted_mean(loss, sample_weight)

    def _terms_of_elbo(self, x: Any, noise: Any, training: Any) -> tuple[Any, Any, Any]:
        """Reconstruction, divergence, and the divergence as it is paid for, (B,) each."""
        if not (training and self.free_bits):
            reconstruction, divergence = self.reconstruction_and_divergence(x, noise, training)
            return reconstruction, divergence, divergence
        z, posteriors = self.codes.infer(self._read(x), noise, training)
        groups = self.codes.divergence_by_group(z, posteriors, training)
        groups = ops.mean(groups, axis=0) if len(groups.shape) == 3 else groups  # (B, G)
        reconstruction = ops.mean(self.log_likelihood(x, z[0], training), axis=0)
        paid = with_free_bits(groups, self.free_bits, mean_over_replicas(groups))
        return reconstruction, ops.sum(groups, axis=-1), paid

    def bound_terms(self, x: Any, noise: Any, training: Any) -> tuple[Any, Any, Any]:
        """Reconstruction, divergence, and the bound of `samples` draws: the mean over all such groups of the noise."""
        whole = noise.shape[0] // self.samples * self.samples
        log_likelihood, log_p, log_q = self._log_terms(x, noise[:whole], training)
        bound = bound_of_groups(log_likelihood + log_p - log_q, self.samples)
        return ops.mean(log_likelihood, axis=0), ops.mean(log_q - log_p, axis=0), bound

    @property
    def wanted(self) -> str:
        return f"finite x that its {self.family.name} family can produce"

    def possible(self, values: np.ndarray) -> np.ndarray:
        values = values.astype(self.codes.wide_dtype)
        finite = np.isfinite(values)
        return finite & np.asarray(self.family.in_support(np.where(finite, values, self.family.support_point)))

    def watches(self, x: Any) -> tuple[Any, ...]:
        return (CodeWatch(x if isinstance(x, np.ndarray) else None),)

    def code_statistics(self, x: Any) -> dict[str, Any]:
        """What `callbacks.code_watch` looks at: q(z_1 | x), the divergence by group, sigma of p(x | z) at the mean."""
        x = self.checked(x)
        zeros = ops.zeros((1, ops.shape(x)[0], sum(self.latent)), self.codes.wide_dtype)
        z, posteriors = self.codes.infer(self._read(x), zeros)
        groups = self.codes.divergence_by_group(z, posteriors)
        wide = self.family.continuous and self.family.defines("stddev")
        scale = self.family.narrowest_scale(self.decoder(z[0], training=False))[0] if wide else None
        divergence = ops.mean(groups, axis=0) if len(groups.shape) == 3 else groups
        mean, code_scale = posteriors[0]
        return {"mean": mean, "scale": code_scale, "divergence": divergence, "decoder_scale": scale}

    def encode(self, x: Any) -> dict[str, Any]:
        """{"mean", "scale"} of q(z_1 | x), (B, Z_1) each; scale is the standard deviation."""
        mean, scale = self.codes.posterior(self._read(x))
        return {"mean": mean, "scale": scale}

    def decode(self, z: Any) -> Any:
        """E[x | z_1] (the mode where the family has no mean), (B, *shape), for z_1 (B, Z_1)."""
        parameters, family = self.decoder(z, training=False), self.family
        x = family.mean(parameters) if family.defines("mean") else family.mode(parameters)
        return ops.reshape(x, (-1, *self.event_shape))

    def sample(self, seed: Any, n: Any) -> Any:
        """Draws of x, (n, *shape): codes from the prior, then x ~ p(x | z); the same for the same seed.

        Args:
            seed: int, or integer tensor (2,).
            n: int >= 0, or a scalar integer tensor.
        """
        codes, pixels = tf.unstack(tf.random.split(seed_pair(seed), 2, alg="philox"))

        def draw(n: Any) -> Any:
            parameters = self.decoder(self.codes.sample(codes, n), training=False)
            return ops.reshape(self.family.sample(parameters, pixels), (-1, *self.event_shape))

        return asked_draws("VariationalAutoencoder.sample", n, draw)

    def endpoints(self) -> dict[str, Endpoint]:
        x = keras.InputSpec(shape=(None, *self.event_shape), dtype=self.input_dtype, name="x")
        z = keras.InputSpec(shape=(None, self.latent[0]), dtype=self.codes.wide_dtype, name="z")
        seed, n = tf.TensorSpec((2,), "int32", name="seed"), tf.TensorSpec((), "int32", name="n")
        return {
            "serving_default": (self.call, [x]),
            "reconstruct": (self.call, [x]),
            "encode": (self.encode, [x]),
            "decode": (self.decode, [z]),
            "sample": (self.sample, [seed, n]),
            "elbo": (self.elbo, [x]),
            "log_prob_importance_weighted": (self.log_prob_importance_weighted, [x, seed, n]),
        }

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        return (input_shape[0], *self.event_shape)

    def get_config(self) -> dict[str, Any]:
        serialize = keras.saving.serialize_keras_object
        return {
            **super().get_config(),
            "shape": list(self.event_shape),
            "latent": list(self.latent),
            "units": list(self.units),
            "family": serialize(self.family_given),
            "encoder": serialize([layer.network for layer in self.codes.encoders]),
            "decoder": serialize([layer.network for layer in (self.decoder, *self.codes.priors)]),
            "prior": serialize(self.codes.prior),
            "beta": self.beta,
            "free_bits": self.free_bits,
            "objective": self.objective,
            "samples": self.samples,
            "evaluation_samples": self.evaluation_samples,
            "activation": keras.activations.serialize(self.activation),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> VariationalAutoencoder:
        parts = {name: config.pop(name) for name in ("family", "encoder", "decoder", "prior")}
        return cls(**config, **{name: keras.saving.deserialize_keras_object(part) for name, part in parts.items()})
