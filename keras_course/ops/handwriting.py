"""Densities of pen offsets and a soft window over a text: the formulas of handwriting synthesis.

    N(x; mu, sigma, rho) = exp(-Z / (2 (1 - rho^2))) / (2 pi sigma_1 sigma_2 sqrt(1 - rho^2))
    Z = (x_1 - mu_1)^2 / sigma_1^2 + (x_2 - mu_2)^2 / sigma_2^2 - 2 rho (x_1 - mu_1)(x_2 - mu_2) / (sigma_1 sigma_2)

    phi(t, u) = sum_k alpha_k exp(-beta_k (kappa_k - u)^2),   w_t = sum_u phi(t, u) c_u,   u = 0 ... U - 1

The weights phi are not normalised: a window may look at nothing. Positions count from 0 here, from 1 in Graves.
"""

from __future__ import annotations

import math
from typing import Any

from keras import ops

from keras_course.core.shapes import require_rank

__all__ = ["bivariate_mixture_log_density", "bivariate_normal_log_density", "sharpened", "soft_window"]


def bivariate_normal_log_density(x: Any, mean: Any, scale: Any, correlation: Any) -> Any:
    """Log-density of two correlated numbers.

    log N = -(z_1^2 + v^2) / 2 - log(2 pi sigma_1 sigma_2 sqrt(1 - rho^2))
    z = (x - mu) / sigma,   v = (z_2 - rho z_1) / sqrt(1 - rho^2)

    A sum of squares, equal to Graves's Z / (1 - rho^2), whose three terms cancel where rho is near 1.

    Args:
        x: tensor (..., 2).
        mean: tensor (..., 2), mu.
        scale: tensor (..., 2), sigma > 0, in the unit of x.
        correlation: tensor (...), rho in (-1, 1).

    Returns:
        Tensor (...), nats.

    Example:
        >>> round(float(bivariate_normal_log_density([0.0, 0.0], [0.0, 0.0], [1.0, 1.0], 0.0)), 4)  # -log 2 pi
        -1.8379

    Source: B; Graves 2013, equations 24 and 25.
    """
    x, mean, scale, rho = (ops.convert_to_tensor(each) for each in (x, mean, scale, correlation))
    z = (x - mean) / scale  # (..., 2)
    rest = (1 - rho) * (1 + rho)  # 1 - rho^2
    v_squared = ops.square(z[..., 1] - rho * z[..., 0]) / rest
    log_scales = ops.log(scale[..., 0]) + ops.log(scale[..., 1]) + 0.5 * ops.log(rest)
    return -0.5 * (ops.square(z[..., 0]) + v_squared) - log_scales - math.log(2 * math.pi)


def bivariate_mixture_log_density(x: Any, logits: Any, mean: Any, scale: Any, correlation: Any) -> Any:
    """Log-density of a mixture of bivariate Gaussians.

    log p(x) = logsumexp_m(log pi_m + log N(x; mu_m, sigma_m, rho_m)),   pi = softmax(logits)

    Args:
        x: tensor (..., 2).
        logits: tensor (..., M).
        mean, scale: tensors (..., M, 2).
        correlation: tensor (..., M).

    Returns:
        Tensor (...), nats.

    Example:
        >>> one = bivariate_mixture_log_density([0.5, 0.0], [0.0], [[0.5, 0.0]], [[1.0, 0.5]], [0.0])
        >>> round(float(one), 4)  # -log pi
        -1.1447

    Source: B; Graves 2013, equation 23.
    """
    x = ops.expand_dims(ops.convert_to_tensor(x), -2)  # (..., 1, 2)
    each = bivariate_normal_log_density(x, mean, scale, correlation)  # (..., M)
    return ops.logsumexp(ops.log_softmax(ops.convert_to_tensor(logits), axis=-1) + each, axis=-1)


def sharpened(logits: Any, scale: Any, bias: Any) -> tuple[Any, Any]:
    """A mixture that keeps nearer to its likeliest components.

    pi = softmax((1 + b) logits),   sigma = exp(-b) sigma

    b = 0 changes nothing; as b grows, the draws approach the mean of the heaviest component.

    Args:
        logits: tensor (..., M).
        scale: tensor (..., M, 2).
        bias: b >= 0, number or scalar tensor.

    Returns:
        Tuple (logits, scale) of the sharper mixture.

    Example:
        >>> logits, scale = sharpened([1.0, 2.0], [[1.0, 1.0], [2.0, 2.0]], bias=1.0)
        >>> [round(float(each), 4) for each in (logits[1], scale[1][0])]
        [4.0, 0.7358]

    Source: B; Graves 2013, equations 61 and 62.
    """
    logits, scale = ops.convert_to_tensor(logits), ops.convert_to_tensor(scale)
    bias = ops.cast(bias, logits.dtype)
    return (1 + bias) * logits, ops.exp(-bias) * scale


def soft_window(importance: Any, sharpness: Any, place: Any, characters: Any) -> tuple[Any, Any]:
    """What a window sees of a text at every step.

    phi(t, u) = sum_k alpha_k exp(-beta_k (kappa_k - u)^2),   w_t = sum_u phi(t, u) c_u

    Args:
        importance: tensor (B, T, K), alpha > 0.
        sharpness: tensor (B, T, K), beta > 0, per squared character.
        place: tensor (B, T, K), kappa, in characters from the first.
        characters: tensor (B, U, V), c; rows of zeros beyond the end of a text.

    Returns:
        Tuple: window w (B, T, V), and weights phi (B, T, U).

    Raises:
        ValueError: for tensors of another rank.

    Example:
        >>> w, phi = soft_window([[[1.0]]], [[[1.0]]], [[[1.0]]], [[[1.0, 0.0], [0.0, 1.0]]])
        >>> [round(float(each), 4) for each in phi[0, 0]]
        [0.3679, 1.0]

    Source: B; Graves 2013, equations 46 and 47.
    """
    alpha, beta, kappa, c = (ops.convert_to_tensor(each) for each in (importance, sharpness, place, characters))
    require_rank("soft_window", kappa.shape, 3)
    require_rank("soft_window", c.shape, 3)
    u = ops.cast(ops.arange(ops.shape(c)[1]), kappa.dtype)  # (U,)
    distance = kappa[..., None] - u  # (B, T, K, U)
    phi = ops.sum(alpha[..., None] * ops.exp(-beta[..., None] * ops.square(distance)), axis=2)  # (B, T, U)
    return ops.matmul(phi, c), phi
