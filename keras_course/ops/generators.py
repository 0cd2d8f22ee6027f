"""Generator networks: a simple z, a function g of it, and the distribution of x that comes out.

    direct      x = g(z) = mu + L z,  z ~ N(0, I)           =>  x ~ N(mu, L L^T)
    indirect    p(x_i = 1 | z) = g(z)_i                      =>  p(x) = E_z p(x | z)

Conventions that bite. L is the lower Cholesky factor of the covariance, which is divided by n (maximum likelihood), not
n - 1. g of the indirect generator comes as its logits, never as probabilities.
"""

from __future__ import annotations

import math
from typing import Any

from keras import ops

__all__ = [
    "affine_generator",
    "affine_log_density",
    "log_mean_likelihood",
    "matched_generator",
    "pixel_log_likelihoods",
]

LOG_2_PI = math.log(2 * math.pi)


def affine_generator(z: Any, mean: Any, factor: Any) -> Any:
    """Samples of N(mu, L L^T) from samples of N(0, I).

    x = mu + L z

    Args:
        z: tensor (..., Z).
        mean: tensor (D,), mu.
        factor: tensor (D, Z), L.

    Returns:
        Tensor (..., D).

    Example:
        >>> affine_generator([[1.0, 1.0]], [0.0, 1.0], [[2.0, 0.0], [1.0, 3.0]]).numpy().tolist()
        [[2.0, 5.0]]

    Source: C 19.3.
    """
    return ops.matmul(ops.convert_to_tensor(z), ops.transpose(ops.convert_to_tensor(factor))) + mean


def affine_log_density(x: Any, mean: Any, factor: Any) -> Any:
    """The density of what the affine generator makes, L square and lower triangular.

    log p(x) = -|L^-1 (x - mu)|^2 / 2 - sum_i log |L_ii| - D/2 log 2 pi

    Args:
        x: tensor (..., D).
        mean: tensor (D,).
        factor: tensor (D, D), lower triangular, no zero on its diagonal.

    Returns:
        Tensor (...), nats.

    Example:
        >>> round(float(affine_log_density([0.0], [0.0], [[2.0]])), 6)  # -log(2) - log(2 pi) / 2
        -1.612086

    Source: C 19.3.
    """
    x, factor = ops.convert_to_tensor(x), ops.convert_to_tensor(factor)
    width = factor.shape[-1]
    centred = ops.reshape(x - mean, (-1, width))
    z = ops.solve_triangular(factor, ops.transpose(centred), lower=True)  # (D, N)
    squares = ops.reshape(ops.sum(ops.square(z), axis=0), ops.shape(x)[:-1])
    return -squares / 2 - ops.sum(ops.log(ops.abs(ops.diagonal(factor)))) - width / 2 * LOG_2_PI


def matched_generator(x: Any, ridge: float = 0.0) -> tuple[Any, Any]:
    """The affine generator of greatest likelihood: the mean, and the Cholesky factor of the covariance.

    mu = mean x,   L L^T = mean (x - mu)(x - mu)^T + ridge I

    Args:
        x: tensor (N, D).
        ridge: float >= 0, added to every variance: data that lie in a plane have no density without it.

    Returns:
        Tuple (mu (D,), L (D, D)).

    Raises:
        ValueError: for a negative ridge, or a singular covariance (under JAX that gives NaN).

    Example:
        >>> mean, factor = matched_generator([[0.0, 0.0], [2.0, 4.0], [0.0, 2.0], [2.0, 2.0]])
        >>> mean.numpy().tolist(), factor.numpy().tolist()
        ([1.0, 2.0], [[1.0, 0.0], [1.0, 1.0]])

    Source: C 19.3.
    """
    if not ridge >= 0:
        raise ValueError(f"matched_generator needs ridge >= 0. Received: ridge={ridge!r}")
    x = ops.convert_to_tensor(x)
    mean = ops.mean(x, axis=0)
    centred = x - mean
    covariance = ops.matmul(ops.transpose(centred), centred) / ops.cast(ops.shape(x)[0], x.dtype)
    return mean, ops.cholesky(covariance + ridge * ops.eye(x.shape[-1], dtype=x.dtype))


def pixel_log_likelihoods(x: Any, logits: Any) -> Any:
    """How well each of M codes tells each of B images: log p(x | z) of independent pixels.

    log p(x_b | z_m) = sum_i x_bi a_mi - softplus(a_mi),   a = logits of g(z)

    Args:
        x: tensor (B, D) of 0 and 1.
        logits: tensor (M, D).

    Returns:
        Tensor (B, M), nats.

    Example:
        >>> round(float(pixel_log_likelihoods([[1.0, 0.0]], [[0.0, 0.0]])[0, 0]), 4)  # 2 log(1/2)
        -1.3863

    Source: C 19.3.
    """
    x, logits = ops.convert_to_tensor(x), ops.convert_to_tensor(logits)
    return ops.matmul(x, ops.transpose(logits)) - ops.sum(ops.softplus(logits), axis=-1)


def log_mean_likelihood(log_likelihoods: Any) -> Any:
    """The density of x with z summed out, M codes alike: all there are, or as many draws.

    log p(x) = log (1/M) sum_m p(x | z_m)

    Over all codes it is exact; over draws it is, on the average of draws, at most log p(x).

    Args:
        log_likelihoods: tensor (..., M).

    Returns:
        Tensor (...), nats.

    Example:
        >>> round(float(ops.exp(log_mean_likelihood(ops.log([0.2, 0.4])))), 6)
        0.3

    Source: C 19.3.
    """
    log_likelihoods = ops.convert_to_tensor(log_likelihoods)
    return ops.logsumexp(log_likelihoods, axis=-1) - math.log(log_likelihoods.shape[-1])
