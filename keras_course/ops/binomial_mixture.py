"""Mixtures of binomials: coins of hidden kind, each tossed a known number of times.

    p(x, z = k) = pi_k prod_d C(n, x_d) p_kd^x_d (1 - p_kd)^(n - x_d)
    M-step        pi_k = N_k / (samples),   p_kd = sum_i q_ik x_id / (n N_k),   N_k = sum_i q_ik

With n = 1 these are Bernoulli mixtures; with one feature and a row a set of tosses, the problem of the two coins.
"""

from __future__ import annotations

import math
from typing import Any

from keras import ops

from keras_course.core.shapes import require_features, require_rank
from keras_course.ops.floating import as_floating

__all__ = ["binomial_log_joint", "binomial_m_step"]


def binomial_log_joint(x: Any, weights: Any, probabilities: Any, trials: int) -> Any:
    """log pi_k prod_d C(n, x_id) p_kd^x_id (1 - p_kd)^(n - x_id): coins of hidden kind, tossed n times each.

    Args:
        x: tensor (B, D), successes in [0, n].
        weights: tensor (M,), pi.
        probabilities: tensor (M, D) in [0, 1]; 0 and 1 give -inf where x contradicts them.
        trials: int >= 1, n; 1 is the Bernoulli mixture.

    Returns:
        Tensor (B, M).

    Example:
        >>> print(binomial_log_joint([[1.0]], [1.0], [[0.5]], 1).numpy().round(4))
        [[-0.6931]]

    Source: B.
    """
    x = as_floating(x)
    weights, p = ops.cast(weights, x.dtype), ops.cast(probabilities, x.dtype)
    require_rank("binomial_log_joint", x.shape, 2)
    require_features("binomial_log_joint", x.shape, p.shape[-1])
    one = ops.ones_like(p)
    # log 0 times a count of 0 is 0: a zero is put off to the end, where its count decides.
    heads, tails = ops.log(ops.where(p > 0, p, one)), ops.log(ops.where(p < 1, one - p, one))
    impossible = ops.matmul(x, ops.transpose(ops.cast(p <= 0, x.dtype)))
    impossible = impossible + ops.matmul(trials - x, ops.transpose(ops.cast(p >= 1, x.dtype)))  # (B, M)
    likelihood = ops.matmul(x, ops.transpose(heads)) + ops.matmul(trials - x, ops.transpose(tails))
    likelihood = ops.where(impossible > 0, ops.full_like(likelihood, -math.inf), likelihood)
    return ops.log(weights) + likelihood + ops.sum(_log_choose(x, trials), axis=-1, keepdims=True)


def _log_choose(x: Any, trials: int) -> Any:
    """log C(n, x) for whole x, looked up by interpolation between the n + 1 known values."""
    table = [math.lgamma(trials + 1) - math.lgamma(h + 1) - math.lgamma(trials - h + 1) for h in range(trials + 1)]
    table = ops.convert_to_tensor(table, dtype=x.dtype)
    below = ops.clip(ops.floor(x), 0, max(trials - 1, 0))
    index = ops.cast(below, "int32")
    low, high = ops.take(table, index), ops.take(table, index + 1)
    return low + (x - below) * (high - low)


def binomial_m_step(x: Any, q: Any, trials: int) -> tuple[Any, Any]:
    """p_kd = (expected successes) / (expected trials) = sum_i q_ik x_id / (n sum_i q_ik),  pi_k = N_k / (samples).

    Args:
        x: tensor (B, D), successes.
        q: tensor (B, M), responsibilities, every column with a positive sum.
        trials: int >= 1, n.

    Returns:
        Tuple of weights (M,) and probabilities (M, D).

    Example:
        >>> weights, p = binomial_m_step([[1.0], [3.0]], [[1.0], [1.0]], 4)
        >>> p.numpy().tolist()
        [[0.5]]

    Source: B.
    """
    x = as_floating(x)
    q = ops.cast(q, x.dtype)
    sizes = ops.sum(q, axis=0)
    return sizes / ops.sum(sizes), ops.matmul(ops.transpose(q), x) / (trials * sizes[:, None])
