"""A chain's state as a flat list of tensors: its step sizes, its axes, and the choice between old and new.

The first axes of every part are chains, as many as the log-density has axes; those behind are coordinates.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from keras_course.core.errors import InvalidDataError

__all__ = ["as_dtype", "choose", "inner_axes", "require_finite_start", "require_positive_steps", "steps_of"]


def require_positive_steps(who: str, step_size: Any) -> None:
    """Refuses a step size that is not positive and finite, where its value is known."""
    for step in tf.nest.flatten(step_size):
        known = tf.get_static_value(step) if tf.is_tensor(step) else np.asarray(step)
        if known is not None and not (known.dtype.kind in "fiu" and np.all(np.isfinite(known)) and np.all(known > 0)):
            raise ValueError(f"{who} needs positive, finite steps. Received: step_size={step_size!r}")


def require_finite_start(who: str, value: Any, gradient: list[Any]) -> None:
    """Refuses a start from which no chain can leave, where its values are known."""
    if tf.executing_eagerly() and not all(bool(tf.reduce_all(tf.math.is_finite(t))) for t in (value, *gradient)):
        raise InvalidDataError(
            f"{who} needs a start where log p and its gradient are finite. Received: log p = {value.numpy()!r}"
        )


def steps_of(step_size: Any, parts: list[Any]) -> list[Any]:
    """One step size for each part of the state, in the part's dtype."""
    given = tf.nest.flatten(step_size) if isinstance(step_size, list | tuple | dict) else [step_size] * len(parts)
    if len(given) != len(parts):
        raise ValueError(f"One step size, or one for each of the {len(parts)} parts. Received: step_size={step_size!r}")
    return [as_dtype(step, part.dtype) for step, part in zip(given, parts, strict=True)]


def as_dtype(number: Any, dtype: Any) -> Any:
    """A tensor of this dtype; Python numbers keep all their digits."""
    return tf.cast(number, dtype) if tf.is_tensor(number) else tf.constant(np.asarray(number), dtype)


def inner_axes(part: Any, value: Any) -> list[int]:
    """The axes of a part that are coordinates: those behind the axes of chains."""
    return list(range(value.shape.rank, part.shape.rank))


def choose(accepted: Any, new: Any, old: Any) -> Any:
    """`new` in the chains that accepted, `old` in the others."""
    for _ in range(new.shape.rank - accepted.shape.rank):
        accepted = accepted[..., tf.newaxis]
    return tf.where(accepted, new, old)
