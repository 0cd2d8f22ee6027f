"""How much an event tells, in bits or nats, for distributions given as vectors of probabilities.

    I(x)        = -log P(x)
    H(P)        = -sum_i P_i log P_i
    H(P, Q)     = -sum_i P_i log Q_i = H(P) + D_KL(P || Q)
    D_KL(P||Q)  =  sum_i P_i log(P_i / Q_i)

The logarithm is base 2 (bits) unless told otherwise; base="e" gives nats. 0 log 0 = 0, and an event that Q calls
impossible but P does not costs infinity. Gradients are finite at P_i = 0, where the term is left out: minus infinity,
the true slope there, would destroy any optimiser step.
"""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_course.ops.floating import as_floating, concrete

__all__ = ["cross_entropy", "entropy", "kl_divergence", "require_distribution", "self_information"]


def self_information(p: Any, base: float | str = 2) -> Any:
    """How surprising an event of probability p is.

    I(x) = -log P(x)

    Args:
        p: tensor of any shape, probabilities in [0, 1]. In compiled code, where no value can be checked, a negative
            one gives NaN.
        base: 2 for bits, "e" for nats, or any number > 1.

    Returns:
        Tensor like p, values >= 0; infinite where p = 0.

    Raises:
        ValueError: if a probability is outside [0, 1], or base is not above 1.

    Example:
        >>> ops.convert_to_numpy(self_information([0.5, 0.125])).tolist()
        [1.0, 3.0]

    Source: C 3.1.
    """
    p = as_floating(p)
    _require_probabilities("self_information", "p", p)
    return ops.abs(ops.log(p)) / _log_of(base)  # |log p| = -log p, and 0.0 rather than -0.0 for the sure event


def entropy(p: Any, base: float | str = 2, axis: int = -1) -> Any:
    """Expected self-information of a draw: what a symbol costs on average under the best code.

    H(P) = -sum_i P_i log P_i,   0 log 0 = 0

    Args:
        p: tensor of any shape, distributions along `axis`. In compiled code a negative entry gives NaN.
        base: 2 for bits, "e" for nats, or any number > 1.
        axis: int, the axis of the outcomes.

    Returns:
        Tensor of p's shape without `axis`, values between 0 and log(number of outcomes).

    Raises:
        ValueError: if an entry is negative, a distribution does not sum to 1, or base is not above 1.

    Example:
        >>> float(entropy([0.5, 0.5]))
        1.0

    Source: C 3.1.
    """
    p = as_floating(p)
    require_distribution("entropy", "p", p, axis)
    return ops.sum(-p * _log_or_zero(p), axis=axis) / _log_of(base)


def cross_entropy(p: Any, q: Any, base: float | str = 2, axis: int = -1) -> Any:
    """What a symbol drawn from P costs under the code that is best for Q.

    H(P, Q) = -sum_i P_i log Q_i = H(P) + D_KL(P || Q),   0 log 0 = 0

    From logits use `keras_course.ops.losses.softmax_loss`: a softmax that rounds to 0 makes this one infinite.

    Args:
        p: tensor of any shape, the distributions that draw, along `axis`.
        q: tensor that broadcasts against p, the distributions that code.
        base: 2 for bits, "e" for nats, or any number > 1.
        axis: int, the axis of the outcomes.

    Returns:
        Tensor of the broadcast shape without `axis`; infinite where q = 0 < p.

    Raises:
        ValueError: if an entry is negative, a distribution does not sum to 1, or base is not above 1.

    Example:
        >>> round(float(cross_entropy([0.5, 0.5], [0.25, 0.75], base=2)), 4)
        1.2075

    Source: C 3.1.
    """
    p, q = _two_distributions("cross_entropy", p, q, axis)
    return ops.sum(-p * _log_where_needed(p, q), axis=axis) / _log_of(base)


def kl_divergence(p: Any, q: Any, base: float | str = 2, axis: int = -1) -> Any:
    """Kullback-Leibler divergence: information lost when Q stands in for P. Not symmetric.

    D_KL(P || Q) = sum_i P_i log(P_i / Q_i) = sum_i P_i (log P_i - log Q_i),   0 log 0 = 0

    Args:
        p: tensor of any shape, the true distributions, along `axis`.
        q: tensor that broadcasts against p, the approximations.
        base: 2 for bits, "e" for nats, or any number > 1.
        axis: int, the axis of the outcomes.

    Returns:
        Tensor of the broadcast shape without `axis`, values >= 0 up to rounding; infinite where q = 0 < p.

    Raises:
        ValueError: if an entry is negative, a distribution does not sum to 1, or base is not above 1.

    Example:
        >>> round(float(kl_divergence([0.5, 0.5], [0.25, 0.75], base=2)), 4)
        0.2075
        >>> float(kl_divergence([0.5, 0.5], [1.0, 0.0]))
        inf

    Source: C 3.1.
    """
    p, q = _two_distributions("kl_divergence", p, q, axis)
    # A difference of logs, not log(p / q): in float16 the quotient overflows from q = 1e-5 on.
    return ops.sum(p * (_log_or_zero(p) - _log_where_needed(p, q)), axis=axis) / _log_of(base)


def require_distribution(who: str, name: str, p: Any, axis: int = -1) -> None:
    """Refuses probabilities that are negative or do not sum to 1; silent while a graph is traced.

    Args:
        who: name of the caller, for the message.
        name: name of the argument, for the message.
        p: floating tensor, distributions along `axis`.
        axis: int, the axis of the outcomes.

    Raises:
        ValueError: for a scalar, a negative or NaN entry, or a sum that is off by more than `sum_tolerance`.

    Example:
        >>> require_distribution("entropy", "p", [0.5, 0.25])
        Traceback (most recent call last):
            ...
        ValueError: entropy needs p to sum to 1 along axis -1. Received: a sum of 0.75
    """
    p = as_floating(p)
    if len(p.shape) == 0:
        raise ValueError(f"{who} needs {name} with an axis of outcomes. Received: {name}.shape=()")
    values = _require_probabilities(who, name, p)
    if values is None:
        return
    total = values.sum(axis=axis)
    off = np.abs(total - 1)
    if off.size and off.max() > sum_tolerance(p.dtype):
        worst = float(np.ravel(total)[np.argmax(off)])
        raise ValueError(f"{who} needs {name} to sum to 1 along axis {axis}. Received: a sum of {worst:g}")


def sum_tolerance(dtype: Any) -> float:
    """How far from 1 the sum of one distribution may be: rounding of its dtype, at least 1e-5."""
    roundoff = {"float16": 2.0**-10, "bfloat16": 2.0**-7}
    return max(1e-5, 4 * roundoff.get(keras.backend.standardize_dtype(dtype), 0.0))


def _require_probabilities(who: str, name: str, p: Any) -> Any:
    values = concrete(ops.stop_gradient(p))
    if values is None:
        return None
    values = values.astype("float64")  # NumPy has no sums of bfloat16
    high = 1 + sum_tolerance(p.dtype)
    wrong = ~((values >= 0) & (values <= high))
    if wrong.any():
        raise ValueError(
            f"{who} needs probabilities in [0, 1]. Received: {name} with an entry {values[wrong].flat[0]:g}"
        )
    return values


def _two_distributions(who: str, p: Any, q: Any, axis: int) -> tuple[Any, Any]:
    p, q = as_floating(p), as_floating(q)
    require_distribution(who, "p", p, axis)
    require_distribution(who, "q", q, axis)
    return p, q


def _log_of(base: float | str) -> float:
    if base == "e":
        return 1.0
    if isinstance(base, str) or not base > 1:
        raise ValueError(f'The base of a logarithm of information is "e" or a number > 1. Received: base={base!r}')
    return math.log(base)


def _log_or_zero(p: Any) -> Any:
    """log p, and 0 with a zero gradient where p = 0; NaN where p < 0."""
    return ops.log(ops.where(p == 0, ops.ones_like(p), p))


def _log_where_needed(p: Any, q: Any) -> Any:
    """log q, and 0 with a zero gradient where p = q = 0; minus infinity where q = 0 < p."""
    return ops.log(ops.where((p == 0) & (q == 0), ops.ones_like(q), q))
