"""Mini-batch descent of least squares: walks, their exact mean, and the floor of a constant rate.

    w' = w - eta g,   g = mean over m examples, drawn with replacement, of x_i (x_i . w - y_i)

The first two moments of e = w - w* follow an exact recursion, m_t = E e and S_t = E e e^T, with H the curvature
(mean of x_i x_i^T) and r_i = y_i - x_i . w*; no step of it is an approximation:

    m' = (I - eta H) m
    S' = S - eta (H S + S H) + eta^2 ((1 - 1/m) H S H + D / m),
         D = mean of (x_i . S x_i - 2 r_i x_i . m + r_i^2) x_i x_i^T
"""

from __future__ import annotations

import math
from typing import Any

import tensorflow as tf
from keras import ops

from keras_course.core.shapes import require_positive_int
from keras_course.ops.floating import as_floating

__all__ = ["descend_on_batches", "expected_excess", "stationary_excess"]


def descend_on_batches(x: Any, y: Any, start: Any, batches: Any, rates: Any) -> Any:
    """Mini-batch descent of least squares, for several series of rates and several walks at once.

        w' = w - eta_t mean over the batch of x_i (x_i . w - y_i),   loss(w) = mean over all of (x_i . w - y_i)^2 / 2

    Args:
        x: tensor (N, D).
        y: tensor (N,).
        start: tensor (D,), where every walk starts.
        batches: int tensor (T, K, m), rows of x in every step of each of K walks.
        rates: tensor (T, R), the rate of every step in each of R series; a walk sees the same batches at all of them.

    Returns:
        Tensor (T + 1, R, K): the loss over all examples, before the first step and after each.

    Example:
        >>> loss = descend_on_batches([[1.0], [1.0]], [0.0, 2.0], [0.0], [[[0, 1]], [[1, 1]]], [[0.5], [0.5]])
        >>> loss[:, 0, 0].numpy().tolist()
        [1.0, 0.625, 0.53125]

    Source: C 7.1.2, C 7.3.1.
    """
    x = as_floating(x)
    y, rates, start = (as_floating(value, x.dtype) for value in (y, rates, start))
    batches = ops.cast(batches, "int32")
    steps, walks, size = batches.shape
    series, features = rates.shape[1], x.shape[1]

    def loss(w: Any) -> Any:  # (R, K, D) -> (R, K)
        residual = ops.matmul(w, ops.transpose(x)) - y
        return ops.mean(residual**2, -1) / 2

    def step(t: Any, w: Any, losses: Any) -> tuple[Any, Any, Any]:
        rows = tf.gather(x, batches[t])  # (K, m, D)
        residual = ops.einsum("kmd,rkd->rkm", rows, w) - tf.gather(y, batches[t])
        w = w - rates[t][:, None, None] * ops.einsum("rkm,kmd->rkd", residual, rows) / size
        return t + 1, w, losses.write(t + 1, loss(w))

    w = ops.broadcast_to(start, (series, walks, features))
    losses = tf.TensorArray(w.dtype, steps + 1, element_shape=(series, walks)).write(0, loss(w))
    _, _, losses = tf.while_loop(lambda t, *_: t < steps, step, (tf.constant(0), w, losses), maximum_iterations=steps)
    return losses.stack()


def expected_excess(x: Any, y: Any, start: Any, batch_size: int, rates: Any) -> Any:
    """Mean over all walks of the excess loss, exactly.

        excess_t = tr(H S_t) / 2,   S_t = E e e^T by the recursion at the head of this module

    Args:
        x: tensor (N, D) of full rank D.
        y: tensor (N,).
        start: tensor (D,), where the walks start.
        batch_size: int, m, examples a step, drawn with replacement.
        rates: tensor (T,), the rate of every step.

    Returns:
        Tensor (T + 1,), before the first step and after each.

    Example:
        >>> expected_excess([[1.0], [1.0]], [0.0, 2.0], [0.0], 1, [0.5, 0.5]).numpy().tolist()
        [0.5, 0.25, 0.1875]

    Source: C 7.1.2, C 7.3.1.
    """
    require_positive_int("expected_excess", batch_size=batch_size)
    x, y, hessian, solution, residual = _quadratic(x, y)
    rates = as_floating(rates, x.dtype)
    steps, share = rates.shape[0], 1 / batch_size
    mean = as_floating(start, x.dtype) - solution

    def excess(second: Any) -> Any:
        return ops.sum(hessian * second) / 2

    def step(t: Any, mean: Any, second: Any, found: Any) -> tuple[Any, Any, Any, Any]:
        eta, turned = rates[t], hessian @ second
        sizes = ops.sum((x @ second) * x, -1) - 2 * residual * ops.matmul(x, mean) + residual**2  # E (x_i . e - r_i)^2
        spread = ops.transpose(x) @ (sizes[:, None] * x) / x.shape[0]
        noise = (1 - share) * (turned @ hessian) + share * spread
        second = second - eta * (turned + ops.transpose(turned)) + eta**2 * noise
        second = (second + ops.transpose(second)) / 2  # the antisymmetric part of the rounding errors would grow
        return t + 1, mean - eta * ops.matmul(hessian, mean), second, found.write(t + 1, excess(second))

    second = mean[:, None] * mean[None, :]
    found = tf.TensorArray(x.dtype, steps + 1, element_shape=()).write(0, excess(second))
    state = (tf.constant(0), mean, second, found)
    return tf.while_loop(lambda t, *_: t < steps, step, state, maximum_iterations=steps)[-1].stack()


def stationary_excess(x: Any, y: Any, batch_size: int, rate: Any) -> Any:
    """The floor at which a constant rate ends: mean excess loss of the stationary walk.

        S H + H S = eta ((1 - 1/m) H S H + mean of (x_i . S x_i + r_i^2) x_i x_i^T / m),   floor = tr(H S) / 2

    For small rates the right side is eta C / m, whence tr(H S) / 2 = eta tr C / (4 m).

    Args:
        x: tensor (N, D) of full rank D.
        y: tensor (N,).
        batch_size: int, m, examples a step, drawn with replacement.
        rate: number or scalar tensor, eta > 0.

    Returns:
        Scalar tensor; infinity where the rate is too large for a stationary walk.

    Example:
        >>> [round(float(stationary_excess([[1.0], [1.0]], [0.0, 2.0], 1, rate)), 6) for rate in (0.1, 1.0, 3.0)]
        [0.026316, 0.5, inf]

    Source: C 7.3.1.
    """
    require_positive_int("stationary_excess", batch_size=batch_size)
    x, y, hessian, _, residual = _quadratic(x, y)
    rate, share, features = as_floating(rate, x.dtype), 1 / batch_size, x.shape[1]
    eye = ops.eye(features, dtype=x.dtype)
    pairs = ops.reshape(x[:, :, None] * x[:, None, :], (-1, features**2))  # (N, D^2), x_i x_i^T
    fourth = ops.transpose(pairs) @ pairs / x.shape[0]
    matrix = _kronecker(hessian, eye) + _kronecker(eye, hessian)
    matrix = matrix - rate * ((1 - share) * _kronecker(hessian, hessian) + share * fourth)
    spread = ops.mean(residual[:, None] ** 2 * pairs, 0)  # C
    second = ops.reshape(ops.solve(matrix, rate * share * spread[:, None]), (features, features))
    second = (second + ops.transpose(second)) / 2
    floor = ops.sum(hessian * second) / 2
    # A walk is stable exactly where the fixed point is the second moment of something.
    least = ops.min(ops.linalg.eigh(second)[0])
    return ops.where(least >= -1e-5 * ops.trace(second), floor, math.inf)


def _quadratic(x: Any, y: Any) -> tuple[Any, Any, Any, Any, Any]:
    """(x, y, H, w*, r): curvature, minimiser and residuals at it."""
    x = as_floating(x)
    y = as_floating(y, x.dtype)
    hessian = ops.transpose(x) @ x / x.shape[0]
    solution = ops.solve(hessian, (ops.transpose(x) @ y[:, None]) / x.shape[0])[:, 0]
    return x, y, hessian, solution, y - ops.matmul(x, solution)


def _kronecker(a: Any, b: Any) -> Any:
    """Matrix of S -> a S b^T on the rows of S laid end to end."""
    size = a.shape[0]
    return ops.reshape(a[:, None, :, None] * b[None, :, None, :], (size**2, size**2))
