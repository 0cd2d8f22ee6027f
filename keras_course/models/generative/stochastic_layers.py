"""A chain of Gaussian codes over x: the recognition network upwards, the prior downwards.

    q(z_1 ... z_L | x) = q(z_1 | x) q(z_2 | z_1) ... q(z_L | z_{L-1})
    p(z_1 ... z_L)     = p(z_L) p(z_{L-1} | z_L) ... p(z_1 | z_2)
    z_l                = mean_l + scale_l * noise_l,   noise_l ~ N(0, I)

Every conditional is a diagonal Gaussian whose mean and scale a network gives; p(z_L) may be any distribution. One layer
(L = 1) is the usual variational autoencoder.
"""

from __future__ import annotations

import math
from typing import Any

import keras
import tensorflow as tf
from keras import ops

from keras_course.core.seeds import derive_seed, normal_noise, seed_pair
from keras_course.core.serial import register
from keras_course.core.shapes import checked_count
from keras_course.distributions import DistributionOutput, Family, Normal, get_family
from keras_course.models.generative.conditional_network import ConditionalNetwork
from keras_course.ops.elbo import diagonal_gaussian_divergence, diagonal_gaussian_log_density, reparametrised

__all__ = ["StochasticLayers", "conditional"]


@register("StochasticLayers")
class StochasticLayers(keras.layers.Layer):
    """q(z_1 ... z_L | x) and p(z_1 ... z_L), with their draws, densities and divergence.

        KL(q || p) = E_q[ sum_{l<L} log q(z_l | z_{l-1}) - log p(z_l | z_{l+1}) + KL(q(z_L | z_{L-1}) || p(z_L)) ]

    Args:
        given_shape: tuple of ints, the shape of one x.
        latent: tuple of ints (Z_1 ... Z_L), data side first.
        units: tuple of ints, widths of the dense layers upwards; reversed downwards.
        activation: of the dense layers.
        upwards: list of L networks or None: upwards[l] reads z_l (upwards[0] reads x).
        downwards: list of L - 1 networks or None: downwards[l] reads z_{l+2} and says where z_{l+1} lies.
        prior: p(z_L), as `VariationalAutoencoder`.
        seed: int, root of the initial weights.
        **kwargs: as keras.layers.Layer.

    Raises:
        ValueError: for a prior that is none of the above or of another size.

    Example:
        >>> layers = StochasticLayers((6,), (3, 2))
        >>> z, posteriors = layers.infer(ops.ones((4, 6)), ops.zeros((1, 1, 5)))
        >>> [tuple(each.shape) for each in z]
        [(1, 4, 3), (1, 4, 2)]

    Source: R; C 19.4.
    """

    def __init__(
        self,
        given_shape: Any,
        latent: Any,
        units: Any = (),
        activation: Any = "tanh",
        upwards: Any = None,
        downwards: Any = None,
        prior: Any = None,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.given_shape, self.latent, self.units = tuple(given_shape), tuple(latent), tuple(units)
        self.activation = keras.activations.get(activation)
        self.seed = seed
        levels = len(self.latent)
        shapes = [self.given_shape, *((width,) for width in self.latent)]
        self.encoders = [
            self._gaussian(f"encoder{level + 1}", shapes[level], self.latent[level], self.units, network)
            for level, network in enumerate(upwards or [None] * levels)
        ]
        self.priors = [
            self._gaussian(f"prior{level + 1}", shapes[level + 2], self.latent[level], self.units[::-1], network)
            for level, network in enumerate(downwards or [None] * (levels - 1))
        ]
        self.wide_dtype = str(self.encoders[0].head.dtype)
        self.prior = self._checked(prior)
        self.prior_parameters = None
        if isinstance(self.prior, Family):
            self.prior_parameters = self.add_weight(
                shape=(self.prior.parameter_size,),
                initializer=keras.initializers.RandomNormal(stddev=1.0, seed=derive_seed(seed, "prior")),
                dtype=self.wide_dtype,
                autocast=False,
                name="prior_parameters",
            )

    def _gaussian(self, name: str, given: Any, width: int, units: Any, network: Any) -> ConditionalNetwork:
        # softplus(log(e - 1)) = 1: with parameters near 0 a code starts as the standard normal it is held against
        family = Normal(width, scale_offset=math.log(math.e - 1))
        return conditional(name, given, family, units, self.activation, network, self.seed, self.dtype_policy)

    def _checked(self, prior: Any) -> Any:
        top = self.latent[-1]
        prior = get_family(prior, top) if isinstance(prior, str) else prior
        if isinstance(prior, Family) and not (prior.continuous and prior.event_shape == (top,)):
            raise ValueError(f"The prior of {top} code units needs a continuous Family over them. Received: {prior!r}")
        if hasattr(prior, "event_shape_tensor"):  # a tfp object
            raise ValueError(
                "A prior that is built once would keep its first parameters for ever, and cannot be saved: give a "
                f"function that makes it. Received: prior={prior!r}"
            )
        if not (prior is None or callable(prior) or hasattr(prior, "distribution")):
            raise ValueError(
                "A prior is None, a Family, a function that makes a tfp distribution, or a layer with "
                f"distribution(). Received: prior={prior!r}"
            )
        return prior

    def build(self, input_shape: Any = None) -> None:
        for layer in (*self.encoders, *self.priors):
            layer.build()
        self.built = True

    def call(self, inputs: Any, training: Any = None) -> Any:
        return self.posterior(inputs, training)[0]  # (B, Z_1)

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        return (input_shape[0], self.latent[0])

    def posterior(self, x: Any, training: Any = False) -> tuple[Any, Any]:
        """mean and scale of q(z_1 | x), (B, Z_1) each."""
        return _mean_and_scale(self.encoders[0], x, training)

    def infer(self, x: Any, noise: Any, training: Any = False) -> tuple[list[Any], list[tuple[Any, Any]]]:
        """Draws of all codes, upwards from x.

        Args:
            x: tensor (B, *given_shape).
            noise: tensor (K, B, Z_1 + ... + Z_L), or (K, 1, ...) for the same noise in every row.
            training: bool, passed on to the networks.

        Returns:
            [z_1 ... z_L], each (K, B, Z_l), and (mean, scale) of each q(z_l | z_{l-1}).
        """
        z: list[Any] = []
        posteriors = []
        for encoder, eps in zip(self.encoders, self._split(noise), strict=True):
            posteriors.append(_mean_and_scale(encoder, z[-1] if z else x, training))
            z.append(reparametrised(*posteriors[-1], eps))
        return z, posteriors

    def _split(self, noise: Any) -> list[Any]:
        """(..., Z_1 + ... + Z_L) in L pieces."""
        bounds = [sum(self.latent[:level]) for level in range(1, len(self.latent))]
        return ops.split(noise, bounds, axis=-1) if bounds else [noise]

    def log_q(self, z: list[Any], posteriors: list[tuple[Any, Any]]) -> Any:
        """log q(z_1 ... z_L | x), (K, B)."""
        return sum(diagonal_gaussian_log_density(one, *its) for one, its in zip(z, posteriors, strict=True))

    def log_p(self, z: list[Any], training: Any = False) -> Any:
        """log p(z_1 ... z_L), (K, B)."""
        top = diagonal_gaussian_log_density(z[-1]) if self.prior is None else self.prior_distribution().log_prob(z[-1])
        return top + self._log_p_between(z, training)

    def _log_p_between(self, z: list[Any], training: Any) -> Any:
        """sum over l < L of log p(z_l | z_{l+1}); 0 for one layer."""
        return sum(
            diagonal_gaussian_log_density(low, *_mean_and_scale(prior, high, training))
            for prior, low, high in zip(self.priors, z[:-1], z[1:], strict=True)
        )

    def divergence(self, z: list[Any], posteriors: list[tuple[Any, Any]], training: Any = False) -> Any:
        """KL(q || p) at the draws: (B,) where it is a closed form, else (K, B), to be averaged over draws.

        The top layer enters in closed form if its prior is N(0, I) or a `Normal` family, the others as
        log q - log p.
        """
        mean, scale = posteriors[-1]
        if self.prior is None:
            top = diagonal_gaussian_divergence(mean, scale)
        elif isinstance(self.prior, Normal):
            parameters = ops.convert_to_tensor(self.prior_parameters)
            top = diagonal_gaussian_divergence(mean, scale, *self.prior.location_and_scale(parameters))
        else:
            top = diagonal_gaussian_log_density(z[-1], mean, scale) - self.prior_distribution().log_prob(z[-1])
        return top + self.log_q(z[:-1], posteriors[:-1]) - self._log_p_between(z, training)

    def divergence_by_group(self, z: list[Any], posteriors: list[tuple[Any, Any]], training: Any = False) -> Any:
        """The terms of which `divergence` is the sum: one a code unit, but one for all of a top layer whose prior ties
        its units together (a mixture, a flow).

        Returns:
            Tensor (B, G), or (K, B, G) where the terms depend on the draws.
        """
        terms = [
            _by_unit(diagonal_gaussian_log_density, low, *its)
            - _by_unit(diagonal_gaussian_log_density, low, *_mean_and_scale(prior, high, training))
            for prior, low, high, its in zip(self.priors, z[:-1], z[1:], posteriors[:-1], strict=True)
        ]
        if self.prior is None or isinstance(self.prior, Normal):
            against: Any = ()
            if self.prior is not None:
                against = self.prior.location_and_scale(ops.convert_to_tensor(self.prior_parameters))
            terms.append(_by_unit(diagonal_gaussian_divergence, *posteriors[-1], *against))
        else:
            top = diagonal_gaussian_log_density(z[-1], *posteriors[-1]) - self.prior_distribution().log_prob(z[-1])
            terms.append(top[..., None])
        return ops.concatenate(terms, axis=-1) if len(terms) > 1 else terms[0]

    def prior_distribution(self) -> Any:
        """p(z_L) as a tfp distribution, built anew on every call: one built once would keep its first parameters."""
        if self.prior is None:
            family = Normal(self.latent[-1], minimum_scale=0.0)
            zeros = ops.zeros((self.latent[-1],), self.wide_dtype)
            return family.distribution(family.parameters_from(zeros, zeros + 1))
        if isinstance(self.prior, Family):
            return self.prior.distribution(ops.convert_to_tensor(self.prior_parameters))
        made = self.prior.distribution() if hasattr(self.prior, "distribution") else self.prior()
        if tuple(made.event_shape) != (self.latent[-1],):
            raise ValueError(
                f"The prior of {self.latent[-1]} code units needs a distribution over vectors of as many. "
                f"Received: event_shape={tuple(made.event_shape)}"
            )
        return made

    def sample(self, seed: Any, n: Any) -> Any:
        """Ancestral draws of z_1, (n, Z_1): z_L from the prior, then down.

        Args:
            seed: integer tensor (2,).
            n: int >= 0, or a scalar integer tensor.
        """
        n = checked_count("StochasticLayers.sample", n=n)
        top, between = tf.unstack(tf.random.split(seed_pair(seed), 2, alg="philox"))
        noise = self._split(normal_noise((n, sum(self.latent)), between, self.wide_dtype))
        if self.prior is None:
            z = noise[-1]
        elif isinstance(self.prior, Family):
            z = self.prior.sample(ops.convert_to_tensor(self.prior_parameters), top, n)
        else:
            z = self.prior_distribution().sample(n, seed=top)
        for prior, eps in zip(self.priors[::-1], noise[-2::-1], strict=True):
            z = reparametrised(*_mean_and_scale(prior, z, False), eps)
        return z

    def get_config(self) -> dict[str, Any]:
        serialize = keras.saving.serialize_keras_object
        return {
            **super().get_config(),
            "given_shape": list(self.given_shape),
            "latent": list(self.latent),
            "units": list(self.units),
            "activation": keras.activations.serialize(self.activation),
            "upwards": serialize([layer.network for layer in self.encoders]),
            "downwards": serialize([layer.network for layer in self.priors]),
            "prior": serialize(self.prior),
            "seed": self.seed,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> StochasticLayers:
        parts = {name: config.pop(name) for name in ("upwards", "downwards", "prior")}
        return cls(**config, **{name: keras.saving.deserialize_keras_object(part) for name, part in parts.items()})


def conditional(
    name: str, given: Any, family: Any, units: Any, activation: Any, network: Any, seed: int, dtype: Any
) -> ConditionalNetwork:
    """A conditional network whose initial weights depend on the seed and its name alone.

    Args:
        name: str, name of the layer.
        given: tuple of ints, shape of what is conditioned on.
        family: `Family`, or a `DistributionOutput` that is taken as it is.
        units, activation, network, seed, dtype: as `ConditionalNetwork`.
    """
    head = family
    if isinstance(family, Family):
        initializer = keras.initializers.GlorotUniform(seed=derive_seed(seed, name, "head"))
        head = DistributionOutput(family, kernel_initializer=initializer, dtype=dtype, name="head")
    return ConditionalNetwork(given, head, units, activation, network, derive_seed(seed, name), dtype=dtype, name=name)


def _by_unit(function: Any, *tensors: Any) -> Any:
    """A function that sums over the last axis, of each unit by itself."""
    return function(*(tensor[..., None] for tensor in tensors))


def _mean_and_scale(layer: ConditionalNetwork, given: Any, training: Any) -> tuple[Any, Any]:
    """mean and standard deviation (..., Z) that a Gaussian conditional network says."""
    return layer.head.family.location_and_scale(layer(given, training=training))
