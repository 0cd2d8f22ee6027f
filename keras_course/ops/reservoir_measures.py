"""What a reservoir remembers, how its units speak, and how far a prediction is off."""

from __future__ import annotations

from typing import Any

from keras import ops

from keras_course.core.shapes import require_positive_int, require_rank

__all__ = ["exponential_divergence", "linear_memory_curve", "normalised_rmse", "squared_correlation"]


def normalised_rmse(true: Any, predicted: Any) -> Any:
    """Root of the mean squared error, in units of the targets' standard deviation.

    NRMSE = sqrt(mean (y - o)^2 / mean (y - mean y)^2)

    0 is perfect, 1 is what the mean of the targets would reach. Texts that divide by the range give smaller numbers.

    Args:
        true: tensor, y.
        predicted: tensor of the same shape, o.

    Returns:
        Scalar tensor.

    Example:
        >>> float(normalised_rmse(ops.array([0.0, 2.0]), ops.array([1.0, 1.0])))
        1.0

    Source: C 13.4; Jaeger and Haas 2004.
    """
    variance = ops.mean((true - ops.mean(true)) ** 2)
    return ops.sqrt(ops.mean((true - predicted) ** 2) / variance)


def squared_correlation(a: Any, b: Any) -> Any:
    """The squared correlation coefficient of each column: one term of the memory capacity.

    r^2 = cov(a, b)^2 / (var(a) var(b)),    MC = sum_k r^2(x_{t-k}, o_k)

    The notes begin the sum at k = 0, Jaeger at k = 1. A constant column correlates with nothing: 0.

    Args:
        a, b: tensors (T, K).

    Returns:
        Tensor (K,), in [0, 1].

    Example:
        >>> a = ops.array([[1.0], [2.0], [3.0]])
        >>> float(squared_correlation(a, -2 * a)[0])
        1.0

    Source: C 13.4; Jaeger 2001.
    """
    require_rank("squared_correlation", a.shape, 2)
    a, b = a - ops.mean(a, axis=0), b - ops.mean(b, axis=0)
    product = ops.sum(a * b, axis=0)
    scale = ops.sum(a * a, axis=0) * ops.sum(b * b, axis=0)
    return ops.where(scale > 0, product**2 / ops.where(scale > 0, scale, ops.ones_like(scale)), ops.zeros_like(scale))


def linear_memory_curve(recurrent_kernel: Any, input_row: Any, delays: int) -> Any:
    """How much of each past input a linear reservoir h_t = h_{t-1} W + x_t u holds, in closed form.

    K = [u; u W; u W^2; ...],    r^2_k = (K (K^T K)^+ K^T)_kk,    sum_k r^2_k = rank K <= N

    For independent inputs of any distribution and the best linear read-out of each delay. The powers are cut off after
    `delays` rows, so take enough for W^delays to vanish. Directions whose share of K is below rounding count as
    forgotten, as they are for anyone who reads the states in this precision.

    Args:
        recurrent_kernel: tensor (N, N), W, of spectral radius below 1.
        input_row: tensor (N,), u.
        delays: int, how many delays k = 0, 1, ... .

    Returns:
        Tensor (delays,).

    Raises:
        ValueError: for a wrong rank or a number of delays below 1.

    Example:
        >>> shift = ops.array([[0.0, 1.0], [0.0, 0.0]])  # two cells that hand the input on
        >>> [round(float(r), 6) for r in linear_memory_curve(shift, ops.array([1.0, 0.0]), 3)]
        [1.0, 1.0, 0.0]

    Source: C 13.4; Jaeger 2001 (at most N).
    """
    require_rank("linear_memory_curve", recurrent_kernel.shape, 2)
    require_positive_int("linear_memory_curve", delays=delays)
    kernel = ops.convert_to_tensor(recurrent_kernel)
    rows, power = ops.reshape(ops.convert_to_tensor(input_row), (1, -1)), kernel
    while rows.shape[0] < delays:  # twice as many each time: K_2m = [K_m; K_m W^m]
        rows, power = ops.concatenate([rows, ops.matmul(rows, power)]), ops.matmul(power, power)
    left, values, _ = ops.svd(rows[:delays], full_matrices=False)  # (delays, R), (R,)
    unit = 2.0**-53 if "64" in str(values.dtype) else 2.0**-24
    counted = ops.cast(values > 2 * max(delays, kernel.shape[0]) * unit * values[0], left.dtype)
    return ops.sum(left**2 * counted, axis=-1)


def exponential_divergence(values: Any, mean: float, bins: int = 20) -> Any:
    """How far numbers in [0, 1] are from an exponential distribution: KL of their histogram.

    KL = sum_i p_i log(p_i / q_i),   q_i the exponential's share of bin i, normalised to [0, 1]

    Args:
        values: tensor of any shape, in [0, 1].
        mean: float > 0, mean of the exponential before it is cut off at 1.
        bins: int, of equal width.

    Returns:
        Scalar tensor, nats.

    Raises:
        ValueError: for a mean that is not positive, or fewer than 2 bins.

    Example:
        >>> float(exponential_divergence(ops.array([0.2, 0.7]), 1e9, bins=2)) < 1e-6  # as good as uniform
        True

    Source: C 13.4; Triesch 2005.
    """
    if not mean > 0:
        raise ValueError(f"exponential_divergence needs a positive mean. Received: mean={mean}")
    if bins < 2:
        raise ValueError(f"exponential_divergence needs at least 2 bins. Received: bins={bins}")
    values = ops.reshape(ops.convert_to_tensor(values), (-1,))
    index = ops.clip(ops.cast(ops.floor(values * bins), "int32"), 0, bins - 1)
    p = ops.mean(ops.one_hot(index, bins, dtype=values.dtype), axis=0)  # (bins,)
    edges = ops.cast(ops.arange(bins + 1), values.dtype) / bins
    weights = -ops.expm1(-1 / (bins * mean) * ops.ones_like(p)) * ops.exp(-edges[:-1] / mean)
    q = weights / ops.sum(weights)
    return ops.sum(ops.where(p > 0, p * ops.log(ops.where(p > 0, p, ops.ones_like(p)) / q), ops.zeros_like(p)))
