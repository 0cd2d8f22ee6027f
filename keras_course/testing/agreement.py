"""When two results count as equal: the error model of the goldens, applied to nested results."""

from __future__ import annotations

from typing import Any

import numpy as np
from keras import ops, tree

from keras_course.pipeline.tolerance import UNIT_ROUNDOFF, compare
from keras_course.testing.report import Deviation

__all__ = ["as_array", "float_leaves", "leaves", "require", "require_equal", "require_finite"]


def as_array(value: Any) -> np.ndarray:
    """A tensor as a NumPy array; bfloat16, which NumPy lacks, becomes float32, and bytes text."""
    array = np.asarray(ops.convert_to_numpy(value))
    if array.dtype.kind in "SO":
        return np.char.decode(array.astype("S"), "utf-8")
    return array.astype("float32") if array.dtype.name == "bfloat16" else array


def leaves(result: Any) -> list[np.ndarray]:
    """Every tensor of a nested result, as arrays."""
    return [as_array(leaf) for leaf in tree.flatten(result) if leaf is not None]


def float_leaves(result: Any) -> list[Any]:
    """The floating tensors of a nested result, untouched."""
    return [leaf for leaf in tree.flatten(result) if leaf is not None and "float" in str(leaf.dtype)]


def require(condition: bool, what: str) -> None:
    """Nothing, or a `Deviation` that says what is wrong."""
    if not condition:
        raise Deviation(what)


def require_equal(
    actual: Any, expected: Any, what: str, tolerance: str = "contraction", dtype: str = "float32"
) -> None:
    """Holds a nested result against another, leaf by leaf.

    Args:
        actual, expected: nested tensors or arrays of one structure.
        what: what should be equal, begins the message.
        tolerance: class of `pipeline.tolerance`.
        dtype: float dtype of the computation, which gives the unit roundoff.

    Raises:
        Deviation: naming the worst element and the likely cause.
    """
    came, wanted = leaves(actual), leaves(expected)
    require(len(came) == len(wanted), f"{what}: {len(came)} tensors, wanted {len(wanted)}")
    dtype = dtype if dtype in UNIT_ROUNDOFF else "float32"
    for one, other in zip(came, wanted, strict=True):
        comparison = compare(other, one, tolerance, dtype)
        require(comparison.passed, f"{what}: {comparison.message}")


def require_finite(result: Any, what: str) -> None:
    """Refuses NaN and infinity anywhere in a nested result."""
    for leaf in leaves(result):
        if leaf.dtype.kind == "f" and not np.all(np.isfinite(leaf)):
            where = [int(index) for index in np.argwhere(~np.isfinite(leaf))[0]] if leaf.ndim else []
            raise Deviation(f"{what}: {leaf[tuple(where)]} at {where}")
