"""Quantiles where no formula gives them: bisection on the distribution function, inside the graph.

    continuous   v with F(v) = q,                 low <= v <= high known
    counts       smallest k with F(k) >= q,       0 <= k <= bound known

A fixed number of halvings, so the same code runs eagerly, as a graph, under XLA and in a SavedModel.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
from keras import ops


def invert_cdf(cdf: Callable[[Any], Any], density: Callable[[Any], Any], q: Any, low: Any, high: Any) -> Any:
    """The v in [low, high] with cdf(v) = q, differentiable in whatever cdf depends on.

        dv / dtheta = -(dF(v; theta) / dtheta) / p(v; theta)    (implicit function theorem)

    Args:
        cdf: increasing function, elementwise.
        density: its derivative, used in the gradient alone.
        q: tensor in [0, 1], broadcasts against low.
        low, high: tensors with cdf(low) <= q <= cdf(high); where both are the same (infinite for q of 0 and 1), that
            is the answer.

    Returns:
        Tensor of the broadcast shape.
    """
    low, high, q = (ops.stop_gradient(bound) for bound in (low, high, q + ops.zeros_like(low)))
    steps = 70 if keras.backend.standardize_dtype(low.dtype) == "float64" else 40

    def halve(_: Any, bracket: tuple[Any, Any]) -> tuple[Any, Any]:
        below, above = bracket
        middle = below + (above - below) / 2
        short = cdf(middle) < q
        return ops.where(short, middle, below), ops.where(short, above, middle)

    below, above = ops.fori_loop(0, steps, halve, (low, high))
    root = ops.stop_gradient(ops.where(low == high, low, below + (above - below) / 2))
    # Zero in value; its gradient is that of the implicit function. Infinite quantiles have none.
    finite = ops.isfinite(root)
    point = ops.where(finite, root, ops.zeros_like(root))
    slope = ops.stop_gradient(density(point))
    usable = ops.logical_and(finite, slope > 0)
    step = -cdf(point) / ops.where(usable, slope, ops.ones_like(slope))
    return root + ops.where(usable, step - ops.stop_gradient(step), ops.zeros_like(step))


def smallest_integer(reached: Callable[[Any], Any], bound: Any, q: Any) -> Any:
    """The smallest whole number k in 0 ... bound with reached(k), for a `reached` that stays true once true.

    Args:
        reached: elementwise, numbers -> booleans.
        bound: floating tensor of whole numbers, reached(bound) holds.
        q: tensor; the answer has the broadcast shape of bound and q.

    Returns:
        Floating tensor of whole numbers (exact below the integer range of the dtype).
    """
    high = bound + ops.zeros_like(q)
    low = ops.full_like(high, -1)  # never reached

    def halve(_: Any, bracket: tuple[Any, Any]) -> tuple[Any, Any]:
        below, above = bracket
        middle = ops.floor((below + above) / 2)
        there = reached(ops.maximum(middle, 0))
        closed = above - below <= 1
        return (
            ops.where(ops.logical_or(closed, there), below, middle),
            ops.where(ops.logical_and(there, ops.logical_not(closed)), middle, above),
        )

    return ops.fori_loop(0, 64, halve, (low, high))[1]
