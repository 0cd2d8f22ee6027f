"""How far a reconstruction is from what it reconstructs, row by row.

    |x - r|^2                                                  squared_errors
    -sum_j x_j log s(a_j) + (1 - x_j) log(1 - s(a_j))          bernoulli_errors, s the logistic function
    1/D |x - r|^2                                              mean_squared_errors

Sums over everything but the first axis, where Keras's losses take means over the last.
"""

from __future__ import annotations

from typing import Any

from keras import ops

from keras_course.ops.floating import as_floating

__all__ = ["bernoulli_errors", "mean_squared_errors", "squared_errors"]


def squared_errors(x: Any, r: Any) -> Any:
    """Squared distance of each row.

    L(x, r) = |x - r|^2

    Args:
        x, r: tensors (B, ...).

    Returns:
        Tensor (B,).

    Example:
        >>> squared_errors(ops.array([[1.0, 2.0]]), ops.array([[0.0, 4.0]])).numpy().tolist()
        [5.0]

    Source: C 16.2.
    """
    return ops.sum(_squares(x, r), axis=-1)


def mean_squared_errors(x: Any, r: Any) -> Any:
    """Mean over the values of each row of the squared difference.

    1/D |x - r|^2

    Args:
        x, r: tensors (B, ...), D values a row.

    Returns:
        Tensor (B,).

    Example:
        >>> mean_squared_errors(ops.array([[1.0, 2.0]]), ops.array([[0.0, 4.0]])).numpy().tolist()
        [2.5]

    Source: C 16.2.
    """
    return ops.mean(_squares(x, r), axis=-1)


def bernoulli_errors(x: Any, logits: Any) -> Any:
    """Cross-entropy of each row's values in nats, from logits, so that no probability is rounded to 0 or 1.

    L(x, a) = sum_j x_j softplus(-a_j) + (1 - x_j) softplus(a_j)  =  -log p(x | h) for x of 0 and 1

    For x in between it is not 0 at the best reconstruction r = x, but the entropy of x.

    Args:
        x: tensor (B, ...), values in [0, 1].
        logits: tensor (B, ...), a; the reconstruction is sigmoid(a).

    Returns:
        Tensor (B,).

    Example:
        >>> [round(float(v), 6) for v in bernoulli_errors(ops.array([[1.0, 0.0]]), ops.array([[0.0, 0.0]]))]
        [1.386294]

    Source: C 16.1, 4.3.
    """
    x, logits = as_floating(x), as_floating(logits)
    costs = x * ops.softplus(-logits) + (1 - x) * ops.softplus(logits)  # a difference would cancel
    return ops.sum(ops.reshape(costs, (ops.shape(costs)[0], -1)), axis=-1)


def _squares(x: Any, r: Any) -> Any:
    squares = ops.square(as_floating(x) - as_floating(r))
    return ops.reshape(squares, (ops.shape(squares)[0], -1))
