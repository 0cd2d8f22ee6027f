"""From uniform numbers to the parameters of a transform, and to the choice of one: what all augmentation shares.

    in_range(u, a, b)            a + (b - a) u
    standard_normals(u1, u2)     sqrt(-2 log(1 - u1)) (cos, sin)(2 pi u2)
    choose(u, relevance)         the i with  P_0 + ... + P_{i-1} <= u < P_0 + ... + P_i,   P_i = r_i / sum_j r_j

Every transform of the course is a pure function of an example and of uniform numbers, which the caller draws: from
(seed, epoch, index) in a pipeline, from a counted seed inside a model. So augmented data repeat, whatever the batch
size and however many workers make them; `in_packets` sees to the last bit.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import keras
from keras import ops

from keras_course.ops.floating import as_floating

__all__ = [
    "choose",
    "in_packets",
    "in_range",
    "of_each_example",
    "require_not_negative",
    "require_range",
    "require_relevance",
    "select_by_example",
    "standard_normals",
    "wide_dtype",
]

# A vector register holds 16 numbers at most (512 bits of float32).
PACKET = 16


def in_range(uniforms: Any, low: float, high: float) -> Any:
    """Uniform numbers of an interval.

    a + (b - a) u

    Args:
        uniforms: tensor of numbers in [0, 1).
        low: number a.
        high: number b >= a.

    Returns:
        Tensor like uniforms, in [a, b).

    Raises:
        ValueError: if an end is not finite or b < a.

    Example:
        >>> ops.convert_to_numpy(in_range([0.0, 0.5], -2.0, 2.0)).tolist()
        [-2.0, 0.0]

    Source: C 6.4.
    """
    require_range("in_range", range=(low, high))
    uniforms = as_floating(uniforms)
    return as_floating(low, uniforms.dtype) + as_floating(high - low, uniforms.dtype) * uniforms


def standard_normals(first: Any, second: Any) -> Any:
    """Twice as many normal numbers from two sets of uniform ones (Box and Muller 1958).

    r = sqrt(-2 log(1 - u1)),   n = (r cos(2 pi u2), r sin(2 pi u2))

    The logarithm sees 1 - u1, which is never 0, so all numbers are finite; of u1 with 24 bits the largest is 5.8.

    Args:
        first: tensor (..., m) in [0, 1).
        second: tensor (..., m) in [0, 1).

    Returns:
        Tensor (..., 2m), independent, of mean 0 and variance 1: all cosines, then all sines.

    Example:
        >>> ops.convert_to_numpy(standard_normals([0.5], [0.25])).astype("float64").round(3).tolist()
        [-0.0, 1.177]

    Source: Box and Muller 1958.
    """
    first = as_floating(first)
    radius = ops.sqrt(-2.0 * in_packets(ops.log, 1.0 - first))
    angle = 2.0 * math.pi * as_floating(second, first.dtype)
    cosine, sine = in_packets(ops.cos, angle), in_packets(ops.sin, angle)
    return ops.concatenate([radius * cosine, radius * sine], axis=-1)


def in_packets(function: Callable[[Any], Any], x: Any) -> Any:
    """A transcendental function with the same bits of f(x_b) whatever stands beside x_b.

    CPU code computes cos, exp or log for whole vector registers at once, and what is left at the end of a tensor by
    another routine that may differ in the last bit: the same example would depend on the size of its batch. Here every
    row is filled up to whole registers. (Sums, products, quotients and roots are rounded correctly by either routine.)

    Args:
        function: entry by entry, one tensor to one of the same shape.
        x: tensor (B,) or (..., m); each row, or in (B,) each number, gets registers of its own.

    Returns:
        function(x).

    Example:
        >>> ops.convert_to_numpy(in_packets(ops.exp, ops.zeros((3,)))).tolist()
        [1.0, 1.0, 1.0]
    """
    single = len(x.shape) == 1
    rows = x[:, None] if single else x
    size = rows.shape[-1]
    widths = [(0, 0)] * (len(rows.shape) - 1) + [(0, -size % PACKET)]
    values = function(ops.pad(rows, widths, constant_values=1.0))[..., :size]
    return values[:, 0] if single else values


def choose(uniforms: Any, relevance: Sequence[float]) -> Any:
    """Draws one of several with probability proportional to its relevance.

    P(i) = r_i / sum_j r_j;   i = number of k < n - 1 with P_0 + ... + P_k <= u

    Args:
        uniforms: tensor of any shape, in [0, 1).
        relevance: n numbers r_i >= 0, not all 0.

    Returns:
        int32 tensor like uniforms, 0 <= i < n; an i of relevance 0 is never drawn.

    Raises:
        ValueError: if a relevance is negative or not finite, or all are 0.

    Example:
        >>> ops.convert_to_numpy(choose([0.0, 0.24, 0.25, 0.99], [1.0, 3.0])).tolist()
        [0, 0, 1, 1]

    Source: C 6.4, S 9.3.
    """
    require_relevance("choose", relevance)
    uniforms = as_floating(uniforms)
    drawn = [index for index, weight in enumerate(relevance) if weight > 0]
    reached = [math.fsum(relevance[: index + 1]) / math.fsum(relevance) for index in drawn[:-1]]
    limits = ops.reshape(ops.convert_to_tensor(reached, dtype=uniforms.dtype), (-1,))  # (n - 1,)
    place = ops.sum(ops.cast(uniforms[..., None] >= limits, "int32"), axis=-1)
    return ops.take(ops.convert_to_tensor(drawn, dtype="int32"), place)


def select_by_example(candidates: Sequence[Any], choice: Any) -> Any:
    """For each example the candidate that was chosen for it.

    y_b = candidates[choice_b]_b

    Args:
        candidates: tensors (B, ...), all of one shape and dtype.
        choice: integer tensor (B,).

    Returns:
        Tensor (B, ...).

    Example:
        >>> ops.convert_to_numpy(select_by_example([[1.0, 2.0], [10.0, 20.0]], [1, 0])).tolist()
        [10.0, 2.0]

    Source: C 6.4, S 9.3.
    """
    candidates = [ops.convert_to_tensor(candidate) for candidate in candidates]
    selected = candidates[0]
    for index, candidate in enumerate(candidates[1:], start=1):
        selected = ops.where(of_each_example(ops.equal(choice, index), candidate), candidate, selected)
    return selected


def of_each_example(values: Any, x: Any) -> Any:
    """One value an example, (B,), shaped so that it broadcasts against x of shape (B, ...)."""
    values = ops.convert_to_tensor(values)
    return ops.reshape(values, (-1,) + (1,) * (len(x.shape) - 1))


def wide_dtype(x: Any) -> str:
    """The dtype to compute places and weights in: float64 for float64 examples, else float32.

    Position 300.25 is no bfloat16 number; the examples themselves may well be in bfloat16.
    """
    return "float64" if keras.backend.standardize_dtype(x.dtype) == "float64" else "float32"


def _is_finite(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def require_not_negative(who: str, **values: Any) -> None:
    """Refuses anything but finite numbers of at least 0."""
    for name, value in values.items():
        if not _is_finite(value) or value < 0:
            raise ValueError(f"{who} needs a finite {name} of at least 0. Received: {name}={value!r}")


def require_range(who: str, **ranges: Any) -> None:
    """Refuses anything but pairs of finite numbers, the smaller first."""
    for name, pair in ranges.items():
        fine = isinstance(pair, list | tuple) and len(pair) == 2 and all(_is_finite(end) for end in pair)
        if not fine or pair[0] > pair[1]:
            raise ValueError(f"{who} needs {name} as two finite numbers, low <= high. Received: {name}={pair!r}")


def require_relevance(who: str, relevance: Any) -> None:
    """Refuses anything but a sequence of finite numbers of at least 0, not all 0."""
    fine = isinstance(relevance, list | tuple) and all(_is_finite(weight) and weight >= 0 for weight in relevance)
    if not fine or not sum(relevance) > 0:
        raise ValueError(f"{who} needs finite relevance of at least 0, not all 0. Received: relevance={relevance!r}")
