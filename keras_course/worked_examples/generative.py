"""Worked examples of the chapters on generative models: the evidence lower bound, by enumeration and by networks.

Each function takes a golden's inputs and returns its outputs, through the public API.
"""

from __future__ import annotations

from typing import Any

from keras import ops

from keras_course.core.backend import compiled, jacobian
from keras_course.distributions.families import Normal
from keras_course.models.generative.variational_autoencoder import VariationalAutoencoder
from keras_course.ops.elbo import (
    bernoulli_log_likelihood,
    diagonal_gaussian_divergence,
    diagonal_gaussian_entropy,
    diagonal_gaussian_log_density,
    elbo_from_divergence,
    elbo_from_entropy,
    elbo_from_joint,
    importance_weighted_bound,
    reparametrised,
    with_free_bits,
)
from keras_course.ops.information import entropy, kl_divergence

__all__ = [
    "bernoulli_autoencoder",
    "bernoulli_pixels",
    "divergence_of_codes",
    "elbo_by_enumeration",
    "free_bits",
    "importance_weighted_bounds",
    "linear_gaussian_bound",
    "reparametrised_draws",
    "slopes_of_the_bound",
    "two_stochastic_layers",
]


def divergence_of_codes(mean: Any, scale: Any, prior_mean: Any, prior_scale: Any) -> dict[str, Any]:
    """What it costs a code to tell anything: KL(q || p), and the entropy of q. Source: C 19.4, R."""
    return {
        "divergence": compiled(diagonal_gaussian_divergence)(mean, scale, prior_mean, prior_scale),
        "entropy": compiled(diagonal_gaussian_entropy)(scale),
    }


def bernoulli_pixels(x: Any, logits: Any) -> dict[str, Any]:
    """log p(x|z) of an image of black and white pixels. Source: C 19.4."""
    return {"log_likelihood": compiled(bernoulli_log_likelihood)(x, logits)}


def reparametrised_draws(mean: Any, scale: Any, noise: Any) -> dict[str, Any]:
    """z = mean + scale noise: over balanced noise z varies by scale**2. Source: C 19.3, C 19.4, R."""
    z = compiled(reparametrised)(mean, scale, noise)
    return {"z": z, "variance": ops.mean(ops.square(z - ops.mean(z, axis=0)), axis=0)}


def elbo_by_enumeration(prior: Any, likelihood: Any, q: Any) -> dict[str, Any]:
    """A code with three values: the bound in its three forms, the gap, and log p(x) itself. Source: C 19.4, R."""

    def bounds(prior: Any, likelihood: Any, q: Any) -> Any:
        log_joint = ops.log(prior) + ops.log(likelihood)  # (M,)
        evidence = ops.sum(prior * likelihood)
        reconstruction = ops.sum(q * ops.log(likelihood))
        forms = [
            elbo_from_divergence(reconstruction, kl_divergence(q, prior, base="e")),
            elbo_from_joint(log_joint, ops.log(q), weights=q),
            elbo_from_entropy(log_joint, entropy(q, base="e"), weights=q),
        ]
        gap = kl_divergence(q, prior * likelihood / evidence, base="e")
        return ops.stack(forms), ops.reshape(gap, (1,)), ops.reshape(ops.log(evidence), (1,))

    elbo, gap, log_evidence = compiled(bounds)(prior, likelihood, q)
    return {"elbo": elbo, "gap": gap, "log_evidence": log_evidence}


def free_bits(divergences: Any, least: float) -> dict[str, Any]:
    """What a group of code units may spend for nothing; the mean is sum_g max(least, mean_g). Source: C 19.4."""
    rows = compiled(with_free_bits)(divergences, least)
    return {"rows": rows, "mean": ops.mean(rows)}


def _linear_gaussian(
    size: int, weight: Any, bias: Any, noise_scale: Any, code_weight: Any, code_bias: Any, code_scale: Any
) -> VariationalAutoencoder:
    """x = weight z + bias + noise_scale e, z ~ N(0, 1), under q(z|x) = N(code_weight x + code_bias, code_scale**2)."""
    model = VariationalAutoencoder(size, latent=1, units=(), family=Normal(size, minimum_scale=0.0))
    encoder, decoder = model.codes.encoders[0].head, model.decoder.head
    zeros = ops.zeros_like(code_weight)[:, None]
    encoder.projection.kernel.assign(ops.concatenate([code_weight[:, None], zeros], axis=1))
    encoder.projection.bias.assign(encoder.family.parameters_from(code_bias, code_scale))
    decoder.projection.kernel.assign(ops.concatenate([weight, ops.zeros_like(weight)])[None])
    decoder.projection.bias.assign(decoder.family.parameters_from(bias, noise_scale))
    return model


def linear_gaussian_bound(
    x: Any, weight: Any, bias: Any, noise_scale: Any, code_weight: Any, code_bias: Any, code_scale: Any, nodes: Any
) -> dict[str, Any]:
    """ELBO + KL(q || posterior) = log p(x), where log p(x) is known: a linear decoder. Source: C 19.2, C 19.4, R.

    The log-densities are quadratic in the noise, so its two nodes -1 and 1 give their expectations exactly.
    """
    model = _linear_gaussian(x.shape[1], weight, bias, noise_scale, code_weight, code_bias, code_scale)
    noise = nodes[:, None, None]  # (K, 1, 1)

    def gap(x: Any) -> Any:
        precision = weight / ops.square(noise_scale)
        spread = ops.sqrt(1 / (1 + ops.sum(weight * precision)))
        centre = ops.square(spread) * ops.sum(precision * (x - bias), axis=-1, keepdims=True)
        code = model.encode(x)
        return diagonal_gaussian_divergence(code["mean"], code["scale"], centre, spread)

    reconstruction, divergence = compiled(model.reconstruction_and_divergence)(x, noise)
    elbo, gap_of_x = compiled(model.elbo)(x, noise), compiled(gap)(x)
    return {
        "reconstruction": reconstruction,
        "divergence": divergence,
        "elbo": elbo,
        "elbo_from_joint": compiled(model.elbo_from_joint)(x, noise),
        "gap": gap_of_x,
        "log_evidence": elbo + gap_of_x,
    }


def importance_weighted_bounds(
    x: Any, weight: Any, bias: Any, noise_scale: Any, code_weight: Any, code_bias: Any, code_scale: Any, noise: Any
) -> dict[str, Any]:
    """log of the mean weight of the first 1, 2, ... K draws. Source: C 19.4; Burda et al. 2015."""
    model = _linear_gaussian(x.shape[1], weight, bias, noise_scale, code_weight, code_bias, code_scale)

    def bounds(x: Any, noise: Any) -> Any:
        log_joint, log_q = model.log_joint_and_log_q(x, noise[:, None, None])
        return ops.stack([importance_weighted_bound(log_joint[:k], log_q[:k]) for k in range(1, noise.shape[0] + 1)])

    return {"bounds": compiled(bounds)(x, noise)}


def slopes_of_the_bound(
    x: Any, weight: Any, bias: Any, noise_scale: Any, mean: Any, scale: Any, nodes: Any
) -> dict[str, Any]:
    """The gradient passes through the draw: the slopes of the ELBO by mean and scale of a code. Source: R, C 19.3."""

    def elbo(mean: Any, scale: Any) -> Any:
        z = reparametrised(mean, scale, nodes[:, None])  # (K, Z)
        log_likelihood = diagonal_gaussian_log_density(x, ops.matmul(z, weight) + bias, noise_scale)
        return elbo_from_divergence(ops.mean(log_likelihood), diagonal_gaussian_divergence(mean, scale))

    return {
        "by_mean": compiled(lambda mean, scale: jacobian(lambda value: elbo(value, scale), mean))(mean, scale),
        "by_scale": compiled(lambda mean, scale: jacobian(lambda value: elbo(mean, value), scale))(mean, scale),
    }


def bernoulli_autoencoder(
    x: Any, encoder: dict[str, Any], decoder: dict[str, Any], noise: Any, beta: float
) -> dict[str, Any]:
    """A network with a hidden layer on either side, through the draws that the noise makes. Source: C 19.4.

    encoder and decoder hold hidden_kernel, hidden_bias, kernel and bias, in this order.
    """
    hidden, latent = len(encoder["hidden_bias"]), noise.shape[1]
    model = VariationalAutoencoder(x.shape[1], latent, units=(hidden,), family="bernoulli", beta=beta)
    for layer, weights in ((model.codes.encoders[0], encoder), (model.decoder, decoder)):
        for variable, value in zip(layer.trainable_variables, weights.values(), strict=True):
            variable.assign(value)
    eps = noise[:, None]  # (K, 1, Z)
    reconstruction, divergence = compiled(model.reconstruction_and_divergence)(x, eps)
    return {
        "reconstruction": reconstruction,
        "divergence": divergence,
        "elbo_from_joint": compiled(model.elbo_from_joint)(x, eps),
        "objective": elbo_from_divergence(reconstruction, divergence, model.beta),
    }


def two_stochastic_layers(x: Any, parameters: dict[str, Any], noise: Any) -> dict[str, Any]:
    """p(z_2) p(z_1 | z_2) p(x | z_1) under q(z_1 | x) q(z_2 | z_1), all linear. Source: R.

    parameters holds [kernel, bias] of the heads of q1, q2, p1 and x.
    """
    widths = [len(parameters[name][1]) // 2 for name in ("q1", "q2")]
    model = VariationalAutoencoder(x.shape[1], widths, units=(), family="bernoulli")
    layers = {"q1": model.codes.encoders[0], "q2": model.codes.encoders[1], "p1": model.codes.priors[0]}
    for name, layer in {**layers, "x": model.decoder}.items():
        for variable, value in zip(layer.trainable_variables, parameters[name], strict=True):
            variable.assign(value)
    eps = noise[:, None]  # (K, 1, Z_1 + Z_2)
    return {"elbo": compiled(model.elbo)(x, eps), "elbo_from_joint": compiled(model.elbo_from_joint)(x, eps)}
