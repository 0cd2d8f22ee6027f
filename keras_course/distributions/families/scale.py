"""Scales from real numbers: positive, never so small that one label costs everything.

    scale(r) = minimum_scale + softplus(r + scale_offset),   softplus(r) = log(1 + exp(r))

softplus grows like r and falls like exp(r), so no value of r overflows or reaches 0. minimum_scale bounds the density
from above: without it a mixture component can shrink onto a single label and drive the likelihood to infinity.
"""

from __future__ import annotations

import math
from typing import Any

from keras import ops


def positive_scale(raw: Any, minimum_scale: float, scale_offset: float) -> Any:
    """minimum_scale + softplus(raw + scale_offset), shape of `raw`.

    Args:
        raw: floating tensor.
        minimum_scale: float >= 0, in units of the label.
        scale_offset: float; 0 gives softplus(0) = 0.693 at raw = 0, `math.log(math.e - 1)` gives 1.

    Example:
        >>> round(float(positive_scale(0.0, 0.0, math.log(math.e - 1))), 4)
        1.0

    Source: C 4.3.1.
    """
    return minimum_scale + ops.softplus(raw + scale_offset)


def raw_scale(scale: Any, minimum_scale: float, scale_offset: float) -> Any:
    """The raw value that `positive_scale` turns into `scale`: s + log(1 - exp(-s)) - scale_offset, s = scale - minimum.

    Args:
        scale: floating tensor, above minimum_scale.
        minimum_scale, scale_offset: floats, as `positive_scale`.

    Example:
        >>> round(float(positive_scale(raw_scale(2.5, 0.0, 0.0), 0.0, 0.0)), 4)
        2.5

    Source: C 4.3.1.
    """
    above = ops.convert_to_tensor(scale) - minimum_scale
    return above + ops.log(-ops.expm1(-above)) - scale_offset


def standard_normal(uniform: Any) -> Any:
    """Standard normal numbers from uniform ones, by the inverse distribution function.

    Args:
        uniform: floating tensor, values inside (0, 1).

    Source: C 3.1.
    """
    import tensorflow as tf

    return tf.math.ndtri(uniform)


def check_scale_arguments(who: str, minimum_scale: Any, scale_offset: Any) -> None:
    """Raises ValueError unless minimum_scale is finite and >= 0 and scale_offset finite."""
    for name, value in (("minimum_scale", minimum_scale), ("scale_offset", scale_offset)):
        number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        if not number or (name == "minimum_scale" and value < 0):
            wanted = "a finite minimum_scale >= 0" if name == "minimum_scale" else "a finite scale_offset"
            raise ValueError(f"{who} needs {wanted}. Received: {name}={value!r}")
