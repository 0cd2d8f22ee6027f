"""How large weights should start, from the number of units on both sides of a layer.

    uniform fan-in             W ~ U(-1/sqrt(m), 1/sqrt(m)),              variance 1 / (3 m)
    normalized                 W ~ U(-sqrt(6/(m + n)), sqrt(6/(m + n))),  variance 2 / (m + n)

m units come in, n go out. A net of m inputs of variance 1 has variance m Var(W): 1/3 under the first rule, whatever m;
under the second it is 1 where m = n, and between keeping the forward signal (1/m) and the backward one (1/n).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from keras_course.core.shapes import require_positive_int

__all__ = ["fans", "normalized_limit", "uniform_fan_in_limit"]


def fans(shape: Sequence[int]) -> tuple[int, int]:
    """How many numbers each unit of a layer reads, and how many units read each number.

    m = (size of the receptive field) * (channels in),   n = (size of the receptive field) * (channels out)

    Args:
        shape: of the kernel, (inputs, outputs), or (*field, channels in, channels out); a vector is both.

    Returns:
        (m, n).

    Raises:
        ValueError: for a scalar, or a size below 1.

    Example:
        >>> fans((3, 3, 8, 16))
        (72, 144)

    Source: C 7.4.
    """
    sizes = tuple(shape)
    if not sizes:
        raise ValueError(f"fans needs a shape with at least one axis. Received: shape={sizes}")
    for size in sizes:
        require_positive_int("fans", size=size)
    field = math.prod(sizes[:-2])
    return (field * sizes[-2], field * sizes[-1]) if len(sizes) > 1 else (sizes[0], sizes[0])


def uniform_fan_in_limit(fan_in: int) -> float:
    """Half-width of the uniform distribution that looks at the inputs alone.

    limit = 1 / sqrt(m)

    Args:
        fan_in: int >= 1, m.

    Returns:
        float.

    Raises:
        ValueError: if m < 1.

    Example:
        >>> uniform_fan_in_limit(16)
        0.25

    Source: C 7.4.
    """
    require_positive_int("uniform_fan_in_limit", fan_in=fan_in)
    return 1 / math.sqrt(fan_in)


def normalized_limit(fan_in: int, fan_out: int) -> float:
    """Half-width of the uniform distribution that compromises between both directions.

    limit = sqrt(6 / (m + n))

    Args:
        fan_in: int >= 1, m.
        fan_out: int >= 1, n.

    Returns:
        float.

    Raises:
        ValueError: if m or n < 1.

    Example:
        >>> normalized_limit(16, 8)
        0.5

    Source: C 7.4; Glorot and Bengio 2010.
    """
    require_positive_int("normalized_limit", fan_in=fan_in, fan_out=fan_out)
    return math.sqrt(6 / (fan_in + fan_out))
