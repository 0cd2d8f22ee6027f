"""Search directions that do not undo one another.

    d_t = -grad J(theta) + beta_t d_{t-1},      d_0 = -grad J(theta)
    Fletcher-Reeves   beta_t = g_t . g_t / (g_{t-1} . g_{t-1})
    Polak-Ribiere     beta_t = max(0, (g_t - g_{t-1}) . g_t / (g_{t-1} . g_{t-1}))

On a quadratic with exact line searches both make d_t' H d_{t-1} = 0, without H. The notes print +grad J, which climbs;
there the direction is meant to be subtracted.
"""

from __future__ import annotations

from typing import Any

from keras import ops

from keras_course.core.shapes import require_one_of
from keras_course.ops.floating import as_floating

__all__ = ["CONJUGACY_RULES", "conjugacy_coefficient", "conjugate_direction"]

CONJUGACY_RULES = ("fletcher-reeves", "polak-ribiere")


def conjugacy_coefficient(gradient: Any, previous_gradient: Any, rule: str = "polak-ribiere") -> Any:
    """How much of the last direction to add to the new one.

    beta = g . g / (g_old . g_old)                       "fletcher-reeves"
         = max(0, (g - g_old) . g / (g_old . g_old))     "polak-ribiere"; 0 forgets the past: steepest descent

    Args:
        gradient: tensor g (n,), at the new point.
        previous_gradient: tensor g_old (n,), not zero.
        rule: which of the two.

    Returns:
        Scalar tensor.

    Raises:
        ValueError: for another rule.

    Example:
        >>> float(conjugacy_coefficient([1.0, 1.0], [2.0, 0.0], "fletcher-reeves"))
        0.5
        >>> float(conjugacy_coefficient([1.0, 1.0], [2.0, 0.0]))
        0.0

    Source: C 7.6.
    """
    require_one_of("conjugacy_coefficient", CONJUGACY_RULES, rule=rule)
    gradient, previous = as_floating(gradient), as_floating(previous_gradient)
    length = ops.sum(previous * previous)
    if rule == "fletcher-reeves":
        return ops.sum(gradient * gradient) / length
    return ops.maximum(ops.sum((gradient - previous) * gradient) / length, 0.0)


def conjugate_direction(gradient: Any, previous_direction: Any, coefficient: Any) -> Any:
    """The next direction to search along, downhill.

    d = -g + beta d_old

    Args:
        gradient: tensor g (n,).
        previous_direction: tensor d_old (n,), zeros at the start.
        coefficient: number or scalar tensor, beta.

    Returns:
        Tensor (n,).

    Example:
        >>> print(conjugate_direction([1.0, 2.0], [4.0, 0.0], 0.5).numpy())
        [ 1. -2.]

    Source: C 7.6.
    """
    return coefficient * as_floating(previous_direction) - as_floating(gradient)
