"""The fast gradient sign method: the step of a given size that a linearised loss grows most by.

    x' = clip(x + epsilon sign(dJ/dx), bounds)

Among all perturbations r with max_i |r_i| <= epsilon, epsilon sign(g) is the one of greatest g . r = epsilon ||g||_1.
So a linear score w . x moves by epsilon ||w||_1, about epsilon times the number of inputs, though no input moves by
more than epsilon: many imperceptible changes add up. sign(0) = 0: an input without influence stays.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from keras import ops

from keras_course.core.backend import gradient
from keras_course.ops.floating import as_floating

__all__ = ["fast_gradient_sign", "require_attack"]


def fast_gradient_sign(
    model: Callable[[Any], Any],
    loss: Callable[[Any, Any], Any],
    x: Any,
    y: Any,
    epsilon: float,
    bounds: tuple[float, float] | None = None,
) -> Any:
    """Adversarial examples x' near x; no gradient flows through them.

    x' = clip(x + epsilon sign(d/dx sum_i J(y_i, model(x_i))), bounds)

    Args:
        model: callable x -> outputs; a Keras model is called as it is (give a function to choose `training`).
        loss: callable (y, outputs) -> losses of any shape (a Keras loss too): only the sign of the gradient counts, so
            a mean will do as well as a sum. Examples must not influence each other's outputs.
        x: floating tensor (B, ...).
        y: what `loss` takes.
        epsilon: float >= 0, the largest change of any input, in the unit of x.
        bounds: (lowest, highest) value an input may have, or None.

    Returns:
        Tensor of the shape and dtype of x.

    Raises:
        ValueError: for a negative epsilon or bounds that are not (low, high).

    Example:
        >>> w = ops.array([[1.0], [-3.0], [0.0]])
        >>> x = fast_gradient_sign(
        ...     lambda x: ops.matmul(x, w), lambda y, z: ops.softplus(-y * z), ops.zeros((1, 3)), 1.0, 0.5
        ... )
        >>> x.numpy().tolist()
        [[-0.5, 0.5, 0.0]]

    Source: C 6.13, R; Goodfellow, Shlens and Szegedy 2015.
    """
    require_attack("fast_gradient_sign", epsilon, bounds)
    x = as_floating(x)
    slope = gradient(lambda x: ops.sum(loss(y, model(x))), x)
    moved = x + epsilon * ops.sign(slope)
    if bounds is not None:
        moved = ops.clip(moved, *bounds)
    return ops.stop_gradient(moved)


def require_attack(who: str, epsilon: Any, bounds: Any) -> None:
    """Refuses a size below 0 and bounds that are not (low, high)."""
    if isinstance(epsilon, bool) or not epsilon >= 0:
        raise ValueError(f"{who} needs epsilon >= 0. Received: epsilon={epsilon!r}")
    if bounds is not None and not (len(tuple(bounds)) == 2 and bounds[0] < bounds[1]):
        raise ValueError(f"{who} needs bounds as (low, high) with low < high, or None. Received: bounds={bounds!r}")
