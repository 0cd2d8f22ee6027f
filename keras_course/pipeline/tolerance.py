"""How far a computed number may be from the golden one: one error model for every case.

    budget = factor(class) * unit roundoff(dtype) * scale of the tensor
    ratio  = largest |actual - expected| / budget,  red above 1

A class says how rounding enters, not how much is forgiven; factors were set from float32 runs against float64 truth
and change with evidence, never for one case. The scale is the largest magnitude in the expected tensor (1 when it is
all zeros), so that a small entry beside a large one is judged by what the arithmetic could know.

| class | what was computed | factor |
|---|---|---|
| exact | integers, selections, sums of few dyadic numbers | 0 |
| pointwise | elementwise functions, up to a few in a row | 8 |
| normalisation | softmax, means, log-sum-exp, divergences | 16 |
| contraction | products of matrices, convolutions, small solves and their gradients | 64 |
| recurrence:T | T steps of a recurrence | 16 + 2 T |
| steps:k | k training steps | 64 k |
| statistical | a Monte Carlo estimate: z standard errors, z from the stated false-alarm rate | - |
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np

CLASSES = ("exact", "pointwise", "normalisation", "contraction", "recurrence", "steps", "statistical")
UNIT_ROUNDOFF = {"float64": 2.0**-53, "float32": 2.0**-24, "float16": 2.0**-11, "bfloat16": 2.0**-8}


@dataclass(frozen=True)
class Comparison:
    """One output held against its expected value; `error` is None where no number can be given."""

    error: float | None
    budget: float
    ratio: float | None
    message: str = ""

    @property
    def passed(self) -> bool:
        return self.ratio is not None and self.ratio <= 1.0


def tolerance_factor(tolerance: str) -> float:
    """The multiple of unit roundoff times scale that a tolerance class allows.

    Raises:
        ValueError: for an unknown class, or a count that is missing or not positive.

    Example:
        >>> tolerance_factor("steps:3")
        192.0
    """
    name, _, count = tolerance.partition(":")
    fixed = {"exact": 0.0, "pointwise": 8.0, "normalisation": 16.0, "contraction": 64.0}
    if not count and name in fixed:
        return fixed[name]
    if name in ("recurrence", "steps") and count.isdigit() and int(count) > 0:
        return 16.0 + 2.0 * int(count) if name == "recurrence" else 64.0 * int(count)
    raise ValueError(f"A tolerance is one of {', '.join(CLASSES)}, recurrence:T or steps:k. Received: {tolerance!r}")


def statistical_budget(standard_error: float, false_alarm: float) -> float:
    """The two-sided bound that a normal estimate exceeds with probability `false_alarm`."""
    return NormalDist().inv_cdf(1.0 - false_alarm / 2.0) * standard_error


def compare(
    expected: Any, actual: Any, tolerance: str, dtype: str, *, golden: dict[str, Any] | None = None
) -> Comparison:
    """Holds one output against what the golden expects.

    Args:
        expected: number, bool, string or nested list of them.
        actual: tensor, array, number, bool or string.
        tolerance: the golden's class.
        dtype: float dtype of the run, gives the unit roundoff.
        golden: where `standard_error` and `false_alarm` of a statistical case stand.

    Returns:
        Comparison; a failure's message names the worst element and the likely cause.
    """
    wanted = np.asarray(expected)
    came = np.asarray(actual)
    if came.dtype.name == "bfloat16":
        came = came.astype("float32")
    if wanted.shape != came.shape:
        return Comparison(
            None, 0.0, None, f"shape {came.shape}, wanted {wanted.shape}{_same_but_for_axes(wanted, came)}"
        )
    if wanted.dtype.kind in "biuU" or wanted.dtype == object:
        return _compare_discrete(wanted, came)
    if came.dtype.kind not in "fiu":
        return Comparison(None, 0.0, None, f"{came.dtype} values, wanted numbers")
    wanted, came = wanted.astype("float64"), came.astype(came.dtype if came.dtype.kind == "f" else "float64")
    return _compare_floats(wanted, came, tolerance, dtype, golden or {})


def _compare_discrete(wanted: np.ndarray, came: np.ndarray) -> Comparison:
    integral = came.dtype.kind == "f" and wanted.dtype.kind in "iu" and bool(np.all(came == np.round(came)))
    kinds = {"b": "b", "i": "iu", "u": "iu", "U": "UO", "O": "UOiub"}[wanted.dtype.kind]
    if came.dtype.kind not in kinds and not integral:
        return Comparison(None, 0.0, None, f"{came.dtype} values, wanted {wanted.dtype}")
    wrong = np.argwhere(wanted != came)
    if not len(wrong):
        return Comparison(0.0, 0.0, 0.0)
    where = tuple(int(index) for index in wrong[0])
    message = f"{len(wrong)} of {wanted.size} differ, first at {list(where)}: {came[where]!s}, wanted {wanted[where]!s}"
    return Comparison(float(len(wrong)), 0.0, None, message)


def _compare_floats(
    wanted: np.ndarray, came: np.ndarray, tolerance: str, dtype: str, golden: dict[str, Any]
) -> Comparison:
    finite = wanted[np.isfinite(wanted)]
    scale = float(np.max(np.abs(finite), initial=0.0)) or 1.0
    if tolerance == "statistical":
        budget = statistical_budget(float(golden["standard_error"]), float(golden["false_alarm"]))
    else:
        budget = tolerance_factor(tolerance) * UNIT_ROUNDOFF[dtype] * scale
    with np.errstate(invalid="ignore"):
        error = np.where(wanted == came, 0.0, np.abs(came.astype("float64") - wanted))
    if not error.size:
        return Comparison(0.0, budget, 0.0)
    if np.any(np.isnan(error)):
        where = tuple(int(index) for index in np.argwhere(np.isnan(error))[0])
        return Comparison(None, budget, None, f"NaN first seen at {list(where)}, wanted {wanted[where]:.9g}")
    worst = tuple(int(index) for index in np.unravel_index(int(np.argmax(error)), error.shape))
    largest = float(error[worst])
    if not math.isfinite(largest):
        return Comparison(None, budget, None, f"{came[worst]} at {list(worst)}, wanted {wanted[worst]:.9g}")
    ratio = largest / budget if budget else (0.0 if largest == 0.0 else None)
    if ratio is not None and ratio <= 1.0:
        return Comparison(largest, budget, ratio)
    cause = likely_cause(wanted, came, largest, dtype)
    message = f"worst element {list(worst)}: {came[worst]:.9g}, wanted {wanted[worst]:.9g}"
    return Comparison(largest, budget, ratio, message + (f"; {cause}" if cause else ""))


def likely_cause(wanted: np.ndarray, came: np.ndarray, error: float, dtype: str) -> str:
    """A guess at what went wrong, in words, or nothing."""
    actual = came.astype("float64")
    scale = float(np.max(np.abs(wanted), initial=0.0)) or 1.0

    def near(one: np.ndarray, other: Any) -> bool:
        return bool(np.allclose(one, other, atol=1e-4 * scale, rtol=0.0))

    if np.any(wanted) and near(actual, -wanted):
        return "the sign is turned round"
    if wanted.size > 1 and np.any(wanted):
        factor = float(np.vdot(wanted, actual) / np.vdot(wanted, wanted))
        if abs(factor - 1.0) > 1e-3 and abs(factor) > 1e-3 and near(actual, factor * wanted):
            return f"every element is {factor:.6g} times too large (sum for mean, or another log base?)"
        offset = actual - wanted
        if near(offset, offset.flat[0]) and abs(float(offset.flat[0])) > 1e-3 * scale:
            return f"every element is off by {float(offset.flat[0]):.6g} (a bias or constant is missing?)"
    if wanted.ndim >= 2 and wanted.shape[-1] == wanted.shape[-2]:
        if near(np.swapaxes(actual, -1, -2), wanted):
            return "the last two axes are swapped"
    if wanted.ndim and wanted.size > 1 and near(np.flip(actual), wanted):
        return "the order is reversed"
    relative = error / scale
    if dtype == "float64" and relative < 1e-5:
        return f"the error is of the size of float32 rounding: something computes in a lower dtype than {dtype}"
    if dtype == "float32" and 2e-5 < relative < 3e-3:
        return "the error is of the size of TF32 or bfloat16 products: is TF32 on?"
    return ""


def _same_but_for_axes(wanted: np.ndarray, came: np.ndarray) -> str:
    if wanted.size == came.size and sorted(wanted.shape) == sorted(came.shape):
        return " (axes swapped?)"
    return " (same number of elements)" if wanted.size == came.size else ""
