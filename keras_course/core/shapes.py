"""Checks at the border: what is wanted, and what came.

Every function returns nothing (or the normalised value) and raises a ValueError whose message ends in
"Received: name=value", the way Keras words its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from numbers import Integral
from typing import Any


def require_rank(who: str, shape: Sequence[int | None], *ranks: int) -> None:
    """Refuses a shape whose rank is not one of `ranks`.

    Args:
        who: name of the layer or function, first word of the message.
        shape: the shape that came, batch axis included.
        *ranks: the ranks that are fine.

    Raises:
        ValueError: if `len(shape)` is not among `ranks`.

    Example:
        >>> require_rank("PositionalEncoding", (2, 4), 3)
        Traceback (most recent call last):
            ...
        ValueError: PositionalEncoding expects an input of rank 3. Received: shape=(2, 4)
    """
    if len(shape) not in ranks:
        wanted = " or ".join(str(rank) for rank in ranks)
        raise ValueError(f"{who} expects an input of rank {wanted}. Received: shape={tuple(shape)}")


def require_features(who: str, shape: Sequence[int | None], size: int, axis: int = -1) -> None:
    """Refuses a shape whose `axis` has not exactly `size` entries (an unknown axis is refused too)."""
    if len(shape) == 0 or shape[axis] != size:
        raise ValueError(f"{who} expects {size} features on axis {axis}. Received: shape={tuple(shape)}")


def require_positive_int(who: str, **values: Any) -> None:
    """Refuses anything but integers of at least 1; booleans are no integers here."""
    for name, value in values.items():
        if isinstance(value, bool) or not isinstance(value, Integral) or int(value) < 1:
            raise ValueError(f"{who} needs an integer {name} of at least 1. Received: {name}={value!r}")


def checked_count(who: str, least: int = 0, **values: Any) -> Any:
    """A number of draws, rows or steps that a caller or a server's client asks for.

    Args:
        who: name of the method, first word of the message.
        least: the least number that makes sense; 0 where an empty answer has a shape.
        **values: the count by its name: an int, an integer array () or a scalar integer tensor.

    Returns:
        The count: an int where its value is known, else the tensor, with a check of its value in the graph.

    Raises:
        ValueError: for no whole number, or one below `least`. A tensor in a graph or in an exported endpoint is an
            InvalidArgumentError of the same words, where it runs.

    Example:
        >>> checked_count("Mine.sample", n=-2)
        Traceback (most recent call last):
            ...
        ValueError: Mine.sample needs an integer n of at least 0. Received: n=-2
    """
    ((name, value),) = values.items()
    wanted = f"{who} needs an integer {name} of at least {least}. Received: {name}="
    if hasattr(value, "shape"):
        if "int" not in str(value.dtype) or tuple(value.shape) != ():
            raise ValueError(f"{wanted}{tuple(value.shape)} {value.dtype}")
        value = _value_or_checked(value, least, wanted)
        if hasattr(value, "shape"):
            return value
    if isinstance(value, bool) or not isinstance(value, Integral) or int(value) < least:
        raise ValueError(f"{wanted}{value!r}")
    return value


def _value_or_checked(count: Any, least: int, wanted: str) -> Any:
    """The int that a scalar holds; of one that is not known yet, the tensor behind its check."""
    import tensorflow as tf

    if not tf.is_symbolic_tensor(count):
        return int(count)
    with tf.control_dependencies([tf.debugging.Assert(count >= least, [wanted, count])]):
        return tf.identity(count)


def require_one_of(who: str, allowed: Iterable[Any], **values: Any) -> None:
    """Refuses a value that is not in `allowed`."""
    choices = tuple(allowed)
    for name, value in values.items():
        if value not in choices:
            wanted = ", ".join(repr(choice) for choice in choices)
            raise ValueError(f"{who} takes one of {wanted} as {name}. Received: {name}={value!r}")


def normalize_tuple(who: str, value: Any, length: int, name: str) -> tuple[int, ...]:
    """One positive integer for all axes, or one an axis.

    Args:
        who: name of the caller, for the message.
        value: an int, or a sequence of `length` ints.
        length: number of axes.
        name: the argument's name, for the message.

    Returns:
        Tuple of `length` ints, each at least 1.

    Raises:
        ValueError: for anything else.

    Example:
        >>> normalize_tuple("Convolution2D", 3, 2, "kernel_size")
        (3, 3)
    """
    if isinstance(value, Integral) and not isinstance(value, bool):
        entries: tuple[Any, ...] = (value,) * length
    elif isinstance(value, Iterable) and not isinstance(value, str | bytes):
        entries = tuple(value)
    else:
        entries = ()
    fine = all(isinstance(entry, Integral) and not isinstance(entry, bool) and int(entry) >= 1 for entry in entries)
    if len(entries) != length or not fine:
        raise ValueError(f"{who} needs {name} as an integer >= 1 or {length} of them. Received: {name}={value!r}")
    return tuple(int(entry) for entry in entries)
