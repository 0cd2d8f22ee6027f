"""From one code to another: along the straight line, or along the great circle.

    linear     z(t) = (1 - t) z_1 + t z_2
    spherical  z(t) = (sin((1 - t) a) z_1 + sin(t a) z_2) / sin a,   a the angle between z_1 and z_2

Codes of many units drawn from N(0, I) all have a length near sqrt(Z). Half way along the straight line it is shorter by
sqrt(2): a place where the generator was hardly ever asked. The great circle keeps the length.
"""

from __future__ import annotations

from typing import Any

from keras import ops

from keras_course.core.shapes import require_one_of
from keras_course.ops.floating import as_floating

__all__ = ["interpolate"]

WAYS = ("linear", "spherical")


def interpolate(first: Any, second: Any, shares: Any, way: str = "linear") -> Any:
    """Codes on the way from one to another.

    Args:
        first: tensor (..., Z), where the way begins.
        second: tensor (..., Z), where it ends.
        shares: tensor (T,), t of each point; 0 is the first, 1 the second, exactly.
        way: "linear" or "spherical". Codes in one direction, or opposite ones, have no great circle of their own: they
            are joined by the straight line.

    Returns:
        Tensor (T, ..., Z).

    Raises:
        ValueError: for another way.

    Example:
        >>> interpolate([1.0, 0.0], [0.0, 1.0], [0.0, 0.5, 1.0]).numpy().tolist()
        [[1.0, 0.0], [0.5, 0.5], [0.0, 1.0]]
        >>> interpolate([1.0, 0.0], [0.0, 1.0], [0.5], "spherical").numpy().round(6).tolist()
        [[0.7071070075035095, 0.7071070075035095]]

    Source: R; White 2016.
    """
    require_one_of("interpolate", WAYS, way=way)
    first = as_floating(first)
    second = as_floating(second, first.dtype)
    t = ops.reshape(as_floating(shares, first.dtype), (-1,) + (1,) * len(first.shape))  # (T, 1 ...)
    if way == "linear":
        return (1 - t) * first + t * second
    lengths = _length(first) * _length(second)
    cosine = ops.sum(first * second, axis=-1, keepdims=True) / ops.where(lengths == 0, ops.ones_like(lengths), lengths)
    sine = ops.sqrt(ops.maximum(1 - ops.square(cosine), 0.0))
    straight = sine < 1e-3  # float32 knows such an angle to a few digits only
    angle = ops.where(straight, ops.ones_like(sine), ops.arctan2(sine, cosine))
    curved = (ops.sin((1 - t) * angle) * first + ops.sin(t * angle) * second) / ops.sin(angle)
    return ops.where(straight, (1 - t) * first + t * second, curved)


def _length(z: Any) -> Any:
    return ops.sqrt(ops.sum(ops.square(z), axis=-1, keepdims=True))
