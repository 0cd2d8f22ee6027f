"""Gradients made shorter before a cliff, parameters kept in a box.

    by norm          g' = g min(1, c / |g|)                 direction kept, one tensor at a time
    by global norm   g_i' = g_i min(1, c / sqrt(sum_i |g_i|^2))    direction kept, all tensors together
    parameters       w' = max(-c, min(c, w))

Norms are taken of g / max|g|, so that squares neither overflow nor vanish. A gradient with an infinite or undefined
entry has no direction: every entry becomes NaN, and a guard on weights or loss can see it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from keras import ops

from keras_course.ops.floating import as_floating

__all__ = ["clip_by_global_norm", "clip_by_norm", "clip_parameters"]


def clip_by_norm(gradient: Any, threshold: float) -> Any:
    """A gradient of at most a given length, in its own direction.

    g' = g min(1, c / |g|)

    Args:
        gradient: tensor g, any shape; |g| is over all its entries.
        threshold: number > 0, c.

    Returns:
        Tensor like g.

    Raises:
        ValueError: if threshold <= 0.

    Example:
        >>> print(clip_by_norm([30.0, 40.0], 5.0).numpy())
        [3. 4.]

    Source: C 7.2.4.
    """
    return clip_by_global_norm([gradient], threshold)[0]


def clip_by_global_norm(gradients: Sequence[Any], threshold: float) -> list[Any]:
    """All gradients of a model made shorter by one factor, so that their common direction stays.

    g_i' = g_i min(1, c / sqrt(sum_i |g_i|^2))

    Args:
        gradients: tensors g_i, any shapes.
        threshold: number > 0, c.

    Returns:
        List of tensors like the g_i.

    Raises:
        ValueError: if threshold <= 0.

    Example:
        >>> [clipped.numpy().tolist() for clipped in clip_by_global_norm([[30.0], [40.0]], 5.0)]
        [[3.0], [4.0]]

    Source: C 7.2.4.
    """
    _require_threshold("clip_by_norm", threshold)
    gradients = [as_floating(gradient) for gradient in gradients]
    largest = ops.max(ops.stack([ops.max(ops.abs(gradient)) for gradient in gradients]))
    largest = ops.where(largest > 0, largest, ops.ones_like(largest))
    length = ops.sqrt(sum(ops.sum((gradient / largest) ** 2) for gradient in gradients))  # of g / largest: 1 to sqrt(n)
    factor = ops.minimum(1.0, (threshold / largest) / ops.where(length > 0, length, ops.ones_like(length)))
    undefined = ops.where(length == length, ops.zeros_like(length), length)  # inf / inf above is NaN: it stays
    return [gradient * factor + undefined for gradient in gradients]


def clip_parameters(parameters: Any, limit: float) -> Any:
    """Every parameter within [-c, c].

    w' = max(-c, min(c, w))

    An infinite parameter comes back to the border, NaN stays NaN.

    Args:
        parameters: tensor w, any shape.
        limit: number > 0, c.

    Returns:
        Tensor like w.

    Raises:
        ValueError: if limit <= 0.

    Example:
        >>> print(clip_parameters([-7.0, 0.5, 7.0], 1.0).numpy())
        [-1.   0.5  1. ]

    Source: S 9.4.
    """
    _require_threshold("clip_parameters", limit)
    return ops.clip(as_floating(parameters), -limit, limit)


def _require_threshold(who: str, value: float) -> None:
    if not value > 0:
        raise ValueError(f"{who} needs a bound > 0. Received: {value!r}")
