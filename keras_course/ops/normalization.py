"""Batch normalization: the moments of a batch, the moments of a whole set, and what a unit makes of them.

    m   = 1/N sum_n x_n                        batch_moments (N counts every axis but the units')
    v   = 1/N sum_n (x_n - m)**2               the biased variance: 1/N, not 1/(N-1)
    y   = gamma (x - m) / sqrt(v + eps) + beta          standardize
    (N_a, m_a, v_a) + (N_b, m_b, v_b) -> (N, m, v)      merge_moments, exact for uneven batches

The notes print neither gamma, beta nor eps: that form is gamma = 1, beta = 0, eps = 0.
"""

from __future__ import annotations

from typing import Any

from keras import ops

from keras_course.ops.floating import as_floating

__all__ = ["batch_moments", "merge_moments", "standardize"]


def batch_moments(x: Any, axis: int = -1, weights: Any = None, synchronized: bool = False) -> tuple[Any, Any, Any]:
    """Count, mean and variance of each unit over a batch.

    N = sum_n s_n,   m = 1/N sum_n s_n x_n,   v = 1/N sum_n s_n (x_n - m)**2

    Two passes, so that a large mean does not eat the variance. Where N is 0 mean and variance are 0, not NaN.

    Args:
        x: tensor (..., U, ...).
        axis: int, the axis of the units; all other axes are averaged over.
        weights: None (all ones), or a tensor of s >= 0 that has as many leading axes of x as it has axes: a mask (B, T)
            for x (B, T, U). Entries of weight 0 are not read: they may be NaN.
        synchronized: bool, whether the replicas of a tf.distribute strategy average over the global batch.

    Returns:
        (count, mean, variance), tensors (U,) each; a synchronised count is the mean over replicas.

    Raises:
        ValueError: if x has no axis besides that of the units, or weights do not fit.

    Example:
        >>> count, mean, variance = batch_moments([[1.0, 0.0], [3.0, 0.0]])
        >>> [ops.convert_to_numpy(part).tolist() for part in (count, mean, variance)]
        [[2.0, 2.0], [2.0, 0.0], [1.0, 0.0]]

    Source: C 7.7.
    """
    x = as_floating(x)
    rank = len(x.shape)
    if rank < 2:
        raise ValueError(f"batch_moments needs an axis besides that of the units. Received: x.shape={tuple(x.shape)}")
    others = [index for index in range(rank) if index != axis % rank]
    shared = _replica_mean if synchronized else lambda value: value
    s = _weights_like(x, weights)  # broadcasts against x
    if s is not None:
        x = ops.where(s > 0, x, ops.zeros_like(x))

    count = shared(ops.sum(ops.ones_like(x) if s is None else ops.broadcast_to(s, ops.shape(x)), others))  # (U,)
    size = ops.where(count > 0, count, ops.ones_like(count))
    mean = shared(ops.sum(x if s is None else s * x, others)) / size  # (U,)
    away = ops.square(x - _along(mean, axis, rank))
    variance = shared(ops.sum(away if s is None else s * away, others)) / size
    return count, mean, variance


def merge_moments(one: tuple[Any, Any, Any], other: tuple[Any, Any, Any]) -> tuple[Any, Any, Any]:
    """Moments of two sets together, from the moments of each (Chan, Golub and LeVeque).

    N = N_a + N_b,   d = m_b - m_a
    m = m_a + d N_b / N
    v = (N_a v_a + N_b v_b) / N + d**2 N_a N_b / N**2

    The mean of the batches' variances is not the variance: it lacks the last term, the spread of the means, and weighs
    a short last batch as much as a full one.

    Args:
        one, other: (count, mean, variance), tensors of one shape, counts >= 0.

    Returns:
        (count, mean, variance) of the union; an empty set changes nothing.

    Example:
        >>> merged = merge_moments((1.0, 0.0, 0.0), (3.0, 4.0, 0.0))
        >>> [float(part) for part in merged]
        [4.0, 3.0, 3.0]

    Source: C 7.7; Chan, Golub and LeVeque 1983.
    """
    n_a, m_a, v_a = (as_floating(part) for part in one)
    n_b, m_b, v_b = (as_floating(part) for part in other)
    count = n_a + n_b
    size = ops.where(count > 0, count, ops.ones_like(count))
    share_a, share_b = n_a / size, n_b / size
    away = m_b - m_a
    return count, m_a + away * share_b, share_a * v_a + share_b * v_b + ops.square(away) * share_a * share_b


def standardize(
    x: Any, mean: Any, variance: Any, gamma: Any = None, beta: Any = None, epsilon: float = 0.0, axis: int = -1
) -> Any:
    """Centres and scales each unit, then lets it choose its own scale and centre.

    y = gamma (x - mean) / sqrt(variance + epsilon) + beta

    With epsilon = 0 a unit that does not vary (variance 0) is only centred to 0: its slope is taken as 0, not infinite.

    Args:
        x: tensor (..., U, ...).
        mean: tensor (U,).
        variance: tensor (U,), >= 0.
        gamma: tensor (U,), or None for 1.
        beta: tensor (U,), or None for 0.
        epsilon: number >= 0.
        axis: int, the axis of the units.

    Returns:
        Tensor like x.

    Raises:
        ValueError: if epsilon is negative.

    Example:
        >>> ops.convert_to_numpy(standardize([[1.0], [5.0]], [3.0], [4.0], beta=[0.5])).tolist()
        [[-0.5], [1.5]]

    Source: C 7.7; Ioffe and Szegedy 2015.
    """
    if not epsilon >= 0:
        raise ValueError(f"standardize needs epsilon >= 0. Received: epsilon={epsilon}")
    x = as_floating(x)
    rank = len(x.shape)
    spread = as_floating(variance, x.dtype) + as_floating(epsilon, x.dtype)
    varies = spread > 0
    slope = ops.where(varies, ops.rsqrt(ops.where(varies, spread, ops.ones_like(spread))), ops.zeros_like(spread))
    if gamma is not None:
        slope = slope * as_floating(gamma, x.dtype)
    y = (x - _along(as_floating(mean, x.dtype), axis, rank)) * _along(slope, axis, rank)
    return y if beta is None else y + _along(as_floating(beta, x.dtype), axis, rank)


def _along(values: Any, axis: int, rank: int) -> Any:
    """(U,) as (1, ..., U, ..., 1)."""
    if axis in (-1, rank - 1):
        return values
    shape = [1] * rank
    shape[axis] = -1
    return ops.reshape(values, shape)


def _weights_like(x: Any, weights: Any) -> Any:
    """Weights of leading axes, with axes of one behind them."""
    if weights is None:
        return None
    weights = ops.cast(weights, x.dtype)
    missing = len(x.shape) - len(weights.shape)
    if missing < 0:
        raise ValueError(
            "batch_moments needs weights of the leading axes of x. Received: "
            f"weights.shape={tuple(weights.shape)}, x.shape={tuple(x.shape)}"
        )
    return ops.reshape(weights, (*ops.shape(weights), *[1] * missing))


def _replica_mean(value: Any) -> Any:
    """The mean of a tensor over the replicas: Keras's synchronised moments of a batch of one are that."""
    return ops.moments(value[None], axes=[0], synchronized=True)[0]
