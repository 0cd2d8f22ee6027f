"""Penalties on parameters and activations, and the steps they lead to.

J~(theta) = J(theta) + alpha Omega(theta)
1/2 |w|**2                 l2_penalty            weight decay
|w|_1 = sum |w_i|          l1_penalty            sparse weights; on activations h: sparse representations
|w_A - w_B|**2             tying_penalty         two models kept close

w <- w - eps (alpha w + g)                       weight_decay_step, form "penalty"
w <- (1 - eps alpha) w - eps g                   form "decoupled": the same step, for plain gradient descent
w <- (1 - lambda) w - eta g                      form "fixed": decay that does not follow the rate
w <- S(w - eps g, eps alpha)                     proximal_l1_step: exact zeros, S the soft threshold
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from keras import ops

from keras_course.core.shapes import require_one_of
from keras_course.ops.floating import as_floating
from keras_course.ops.regression import soft_threshold

__all__ = ["l1_penalty", "l2_penalty", "proximal_l1_step", "tying_penalty", "weight_decay_step"]

FORMS = ("penalty", "decoupled", "fixed")


def l2_penalty(w: Any) -> Any:
    """Half the squared length.

    Omega(w) = 1/2 |w|**2 = 1/2 sum_i w_i**2,   gradient w

    Args:
        w: tensor of any shape.

    Returns:
        Scalar tensor. keras.regularizers.L2 has no half: its factor is half of alpha.

    Example:
        >>> float(l2_penalty([3.0, -4.0]))
        12.5

    Source: C 6.2.
    """
    return ops.sum(ops.square(as_floating(w))) / 2


def l1_penalty(w: Any) -> Any:
    """Sum of absolute values.

    Omega(w) = |w|_1 = sum_i |w_i|,   gradient sign(w), 0 at 0

    Args:
        w: tensor of any shape.

    Returns:
        Scalar tensor.

    Example:
        >>> float(l1_penalty([3.0, -4.0]))
        7.0

    Source: C 6.3, C 6.11.
    """
    w = as_floating(w)
    return ops.sum(w * ops.stop_gradient(ops.sign(w)))  # the slope of abs at 0 is 0 in TensorFlow and 1 in JAX


def tying_penalty(first: Any, second: Any) -> Any:
    """Squared distance between the parameters of two models.

    Omega(w_A, w_B) = |w_A - w_B|**2,   gradient 2 (w_A - w_B) by w_A and the opposite by w_B; there is no half

    Args:
        first: tensor, or a sequence of tensors: all parameters of model A.
        second: tensor or sequence of the same shapes: those of model B.

    Returns:
        Scalar tensor, summed over all pairs.

    Raises:
        ValueError: if the numbers or shapes of the parameters differ.

    Example:
        >>> float(tying_penalty([1.0, 2.0], [4.0, -2.0]))
        25.0

    Source: C 6.10.
    """
    ones, others = _parameters(first), _parameters(second)
    shapes = [tuple(w.shape) for w in ones], [tuple(w.shape) for w in others]
    if shapes[0] != shapes[1]:
        raise ValueError(f"tying_penalty needs parameters of equal shapes. Received: {shapes[0]} and {shapes[1]}")
    return sum(ops.sum(ops.square(a - b)) for a, b in zip(ones, others, strict=True))


def weight_decay_step(w: Any, gradient: Any, rate: Any, decay: Any, form: str = "decoupled") -> Any:
    """One step of gradient descent with weight decay, in the forms that the notes print.

    penalty:   w <- w - rate (decay w + g)
    decoupled: w <- (1 - rate decay) w - rate g
    fixed:     w <- (1 - decay) w - rate g

    The first two are one step written twice. They part ways once the step is no multiple of the gradient (momentum,
    Adam), where the penalty's gradient is averaged and rescaled with the rest and the shrinking of "decoupled" is not.
    The third equals them for decay = rate times theirs, as long as the rate stays what it is. Weights shrink only while
    the factor lies in (-1, 1).

    Args:
        w: tensor of any shape.
        gradient: tensor like w, the gradient g of the cost without penalty.
        rate: number or scalar tensor > 0, the learning rate (eps, eta).
        decay: number or scalar tensor >= 0 (alpha, lambda).
        form: "penalty", "decoupled" (both C 6.2) or "fixed" (S 9.4).

    Returns:
        Tensor like w.

    Raises:
        ValueError: for an unknown form.

    Example:
        >>> [float(weight_decay_step(2.0, 1.0, rate=0.5, decay=0.25, form=form)) for form in FORMS]
        [1.25, 1.25, 1.0]

    Source: C 6.2, S 9.4.
    """
    require_one_of("weight_decay_step", FORMS, form=form)
    w = as_floating(w)
    gradient, rate, decay = (as_floating(part, w.dtype) for part in (gradient, rate, decay))
    if form == "penalty":
        return w - rate * (decay * w + gradient)
    factor = 1 - (rate * decay if form == "decoupled" else decay)
    return factor * w - rate * gradient


def proximal_l1_step(w: Any, gradient: Any, rate: Any, alpha: Any) -> Any:
    """A gradient step on the cost, then as far towards zero as the L1 penalty pulls, and never across.

    w <- S(w - rate g, rate alpha) = argmin_v g.v + 1/(2 rate) |v - w|**2 + alpha |v|_1

    A gradient step on the penalty itself moves every weight by rate * alpha (not by alpha) against its sign, jumps over
    zero and back, and leaves none exactly zero.

    Args:
        w: tensor of any shape.
        gradient: tensor like w, of the cost without penalty.
        rate: number or scalar tensor > 0.
        alpha: number or scalar tensor >= 0.

    Returns:
        Tensor like w, exactly 0 wherever |w - rate g| <= rate alpha.

    Example:
        >>> step = proximal_l1_step([1.0, 0.25, -1.0], [1.0, 0.0, 0.0], rate=0.5, alpha=0.5)
        >>> ops.convert_to_numpy(step).tolist()
        [0.25, 0.0, -0.75]

    Source: C 6.3.
    """
    w = as_floating(w)
    gradient, rate, alpha = (as_floating(part, w.dtype) for part in (gradient, rate, alpha))
    return soft_threshold(w - rate * gradient, rate * alpha)


def _parameters(given: Any) -> list[Any]:
    several = isinstance(given, Sequence) and len(given) > 0 and not isinstance(given[0], int | float)
    return [as_floating(w) for w in given] if several else [as_floating(given)]
