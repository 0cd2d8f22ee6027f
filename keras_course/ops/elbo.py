"""The evidence lower bound (ELBO) of a model with a latent variable, in every form the notes print.

    log p(x) >= ELBO(x) = E_q[log p(x, z) - log q(z|x)]              two log-densities at the same draws
                        = E_q log p(x, z) + H(q(z|x))                the entropy in closed form
                        = E_q log p(x|z) - KL(q(z|x) || p(z))        reconstruction minus divergence
    log p(x) - ELBO(x)  = KL(q(z|x) || p(z|x)) >= 0

Conventions that bite. A log-density is a SUM over the last axis (pixels, code units), never a mean: a mean over D
pixels would weigh the divergence D times as much. An expectation is a MEAN over the leading axis of K draws. Nothing
here averages over examples. Nats throughout. `scale` is the standard deviation: z = mean + scale noise; where the notes
say that mu and sigma represent the mean and the variance, sigma is the deviation all the same.
"""

from __future__ import annotations

import math
from typing import Any

from keras import ops

from keras_course.ops.floating import as_floating

__all__ = [
    "active_units",
    "bernoulli_log_likelihood",
    "diagonal_gaussian_divergence",
    "diagonal_gaussian_entropy",
    "diagonal_gaussian_log_density",
    "elbo_from_divergence",
    "elbo_from_entropy",
    "elbo_from_joint",
    "importance_weighted_bound",
    "reparametrised",
    "with_free_bits",
]

LOG_2_PI = math.log(2 * math.pi)


def reparametrised(mean: Any, scale: Any, noise: Any) -> Any:
    """A draw from N(mean, diag(scale**2)) as a smooth function of mean and scale.

    z = mean + scale * noise,   noise ~ N(0, I)

    So dz/dmean = 1 and dz/dscale = noise: gradients pass through the draw.

    Args:
        mean: tensor (..., Z).
        scale: tensor (..., Z), standard deviations, positive.
        noise: tensor that broadcasts against mean, usually (K, ..., Z).

    Returns:
        Tensor of the broadcast shape.

    Example:
        >>> reparametrised([1.0, 2.0], [0.5, 2.0], [[1.0, 1.0], [-1.0, 0.0]]).numpy().tolist()
        [[1.5, 4.0], [0.5, 2.0]]

    Source: C 19.3, C 19.4, R; Kingma and Welling 2013.
    """
    mean = as_floating(mean)
    return mean + as_floating(scale, mean.dtype) * as_floating(noise, mean.dtype)


def diagonal_gaussian_log_density(z: Any, mean: Any = 0.0, scale: Any = 1.0) -> Any:
    """log N(z; mean, diag(scale**2)), summed over the last axis.

    log N = sum_j -((z_j - mean_j) / scale_j)**2 / 2 - log scale_j - log(2 pi) / 2

    Args:
        z: tensor (..., Z).
        mean, scale: numbers or tensors that broadcast against z; scale > 0, standard deviations.

    Returns:
        Tensor (...).

    Example:
        >>> round(float(diagonal_gaussian_log_density([0.0, 0.0])), 6)  # -log(2 pi)
        -1.837877

    Source: C 19.4, R.
    """
    z = as_floating(z)
    scale = as_floating(scale, z.dtype)
    standard = (z - as_floating(mean, z.dtype)) / scale
    return -ops.sum(ops.square(standard) / 2 + ops.log(scale) + LOG_2_PI / 2, axis=-1)


def diagonal_gaussian_entropy(scale: Any) -> Any:
    """H(N(mean, diag(scale**2))), whatever the mean.

    H = sum_j log scale_j + (1 + log(2 pi)) / 2

    Args:
        scale: tensor (..., Z), standard deviations, positive.

    Returns:
        Tensor (...).

    Example:
        >>> round(float(diagonal_gaussian_entropy([1.0])), 6)
        1.418939

    Source: C 19.4, R.
    """
    return ops.sum(ops.log(as_floating(scale)) + (1 + LOG_2_PI) / 2, axis=-1)


def diagonal_gaussian_divergence(mean: Any, scale: Any, prior_mean: Any = 0.0, prior_scale: Any = 1.0) -> Any:
    """KL(N(mean, diag(scale**2)) || N(prior_mean, diag(prior_scale**2))), in this order: not symmetric.

    KL = 1/2 sum_j r_j**2 - 1 - 2 log r_j + ((mean_j - prior_mean_j) / prior_scale_j)**2,   r = scale / prior_scale

    Args:
        mean: tensor (..., Z).
        scale: tensor (..., Z), standard deviations, positive.
        prior_mean, prior_scale: numbers or tensors that broadcast against mean.

    Returns:
        Tensor (...), >= 0 up to rounding; 0 for two equal Gaussians.

    Example:
        >>> float(diagonal_gaussian_divergence([2.0, 0.0], [1.0, 1.0]))
        2.0

    Source: C 19.4, R.
    """
    mean = as_floating(mean)
    prior_scale = as_floating(prior_scale, mean.dtype)
    ratio = as_floating(scale, mean.dtype) / prior_scale
    shift = (mean - as_floating(prior_mean, mean.dtype)) / prior_scale
    return ops.sum(ops.square(ratio) - 1 - 2 * ops.log(ratio) + ops.square(shift), axis=-1) / 2


def bernoulli_log_likelihood(x: Any, logits: Any) -> Any:
    """log p(x|z) of D independent Bernoulli pixels, from logits, summed over the last axis.

    log p(x|z) = sum_d x_d a_d - softplus(a_d),   p(x_d = 1|z) = sigmoid(a_d)

    For x strictly between 0 and 1 this is minus a cross-entropy and no log-probability of anything: it does not sum to
    one over the values of x, so it compares with no likelihood. The naive x log p + (1 - x) log(1 - p) is infinite as
    soon as p rounds to 0 or 1.

    Args:
        x: tensor (..., D), 0 or 1 (or in between, see above).
        logits: tensor (..., D), broadcasts against x.

    Returns:
        Tensor (...).

    Example:
        >>> round(float(bernoulli_log_likelihood([1.0, 0.0], [0.0, -200.0])), 6)  # -log 2
        -0.693147

    Source: C 19.4, R.
    """
    logits = as_floating(logits)
    return ops.sum(as_floating(x, logits.dtype) * logits - ops.softplus(logits), axis=-1)


def elbo_from_divergence(log_likelihood: Any, divergence: Any, beta: float = 1.0) -> Any:
    """Reconstruction minus divergence.

    ELBO_beta = log_likelihood - beta * divergence,   a lower bound of log p(x) for every beta >= 1

    Args:
        log_likelihood: tensor, E_q log p(x|z), summed over pixels.
        divergence: tensor of the same shape, KL(q(z|x) || p(z)), summed over code units.
        beta: float >= 0; 1 is the ELBO.

    Returns:
        Tensor of the same shape.

    Example:
        >>> float(elbo_from_divergence(-10.0, 2.0)), float(elbo_from_divergence(-10.0, 2.0, beta=4.0))
        (-12.0, -18.0)

    Source: C 19.4, R.
    """
    log_likelihood = as_floating(log_likelihood)
    return log_likelihood - beta * as_floating(divergence, log_likelihood.dtype)


def elbo_from_joint(log_joint: Any, log_q: Any, weights: Any = None) -> Any:
    """E_q[log p(x, z) - log q(z|x)]: needs no closed form of anything.

    ELBO = sum_k w_k (log p(x, z_k) - log q(z_k|x)),   w_k = 1/K for draws z_k ~ q

    Args:
        log_joint: tensor (K, ...), log p(x, z_k).
        log_q: tensor (K, ...), log q(z_k|x) at the same z_k.
        weights: tensor (K, ...) that sums to 1 over k, where the points are enumerated (then q itself) or nodes of a
            quadrature; None for draws.

    Returns:
        Tensor (...).

    Example:
        >>> float(elbo_from_joint([-2.0, -4.0], [-1.0, -1.0]))
        -2.0

    Source: R.
    """
    log_joint = as_floating(log_joint)
    return _expectation(log_joint - as_floating(log_q, log_joint.dtype), weights)


def elbo_from_entropy(log_joint: Any, entropy: Any, weights: Any = None) -> Any:
    """E_q log p(x, z) + H(q(z|x)). One of the sources writes the entropy H(q|z).

    ELBO = sum_k w_k log p(x, z_k) + H(q(z|x)),   w_k = 1/K for draws z_k ~ q

    Args:
        log_joint: tensor (K, ...), log p(x, z_k).
        entropy: tensor (...), nats.
        weights: as `elbo_from_joint`.

    Returns:
        Tensor (...).

    Example:
        >>> float(elbo_from_entropy([-2.0, -4.0], 1.0))
        -2.0

    Source: C 19.4, R.
    """
    log_joint = as_floating(log_joint)
    return _expectation(log_joint, weights) + as_floating(entropy, log_joint.dtype)


def importance_weighted_bound(log_joint: Any, log_q: Any) -> Any:
    """The ELBO's tighter relative: the logarithm of a mean of weights, where the ELBO is the mean of logarithms.

    L_K = log 1/K sum_k exp(log p(x, z_k) - log q(z_k|x)),   z_k ~ q(z|x) independent

    E L_1 = ELBO, E L_K rises with K, and L_K tends to log p(x). The naive exponential overflows; this is a log-sum-exp.

    Args:
        log_joint: tensor (K, ...), K >= 1.
        log_q: tensor (K, ...), at the same draws.

    Returns:
        Tensor (...).

    Example:
        >>> float(importance_weighted_bound([-1000.0, -1000.0], [0.0, 0.0]))
        -1000.0

    Source: C 19.4; Burda, Grosse and Salakhutdinov 2015.
    """
    log_joint = as_floating(log_joint)
    log_weights = log_joint - as_floating(log_q, log_joint.dtype)  # (K, ...)
    draws = ops.cast(ops.shape(log_weights)[0], log_weights.dtype)
    return ops.logsumexp(log_weights, axis=0) - ops.log(draws)


def with_free_bits(divergences: Any, least: float, means: Any = None) -> Any:
    """A divergence of which each group of code units may spend `least` nats for nothing.

    d_i = sum_g d_ig where mean_g > least, least elsewhere;   so mean_i d_i = sum_g max(least, mean_g),
    mean_g = mean_i d_ig over the batch, which decides: an example may well spend less

    A group that spends less than `least` feels no pull back to the prior, so it is not switched off before it is of
    use. The published form has the mean over the batch inside of the maximum, as here. What is left of the ELBO is a
    bound below it.

    Args:
        divergences: tensor (B, G), nats a group: a SUM over the units of a group, a mean over nothing.
        least: float >= 0, lambda, nats a group (and not bits, whatever the name).
        means: tensor (G,), where the batch is larger than what is here; None takes the mean over the rows.

    Returns:
        Tensor (B,).

    Example:
        >>> with_free_bits([[0.1, 2.0], [0.3, 1.0]], least=0.5).numpy().tolist()
        [2.5, 1.5]

    Source: C 19.4; Kingma et al. 2016.
    """
    divergences = as_floating(divergences)
    means = ops.mean(divergences, axis=0) if means is None else as_floating(means, divergences.dtype)
    return ops.sum(ops.where(means > least, divergences, ops.full_like(divergences, least)), axis=-1)


def active_units(means: Any, threshold: float = 0.01) -> Any:
    """Which units of a code say anything of x.

    active_j = Var_i(E_q[z_j | x_i]) > threshold,   the variance over examples (by N, not by N - 1)

    A unit that q leaves at its prior has the same mean for all x: the posterior has collapsed there.

    Args:
        means: tensor (N, Z), E_q[z | x_i] of many examples.
        threshold: float, in squared units of the code.

    Returns:
        bool tensor (Z,).

    Example:
        >>> active_units([[0.0, 1.0], [0.1, -1.0]]).numpy().tolist()
        [False, True]

    Source: Burda, Grosse and Salakhutdinov 2015.
    """
    return ops.var(as_floating(means), axis=0) > threshold


def _expectation(values: Any, weights: Any) -> Any:
    """Mean over the leading axis, or the weighted sum; a weight of 0 counts nothing, also times -inf."""
    if weights is None:
        return ops.mean(values, axis=0)
    weights = as_floating(weights, values.dtype)
    used = ops.where(weights > 0, values, ops.zeros_like(values))
    return ops.sum(weights * used, axis=0)
