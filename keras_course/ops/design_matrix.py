"""Examples x (n, d), one a row, and their targets y (n,) or (n, k): checked, and in one float type."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

from keras_course.core.shapes import require_rank
from keras_course.ops.floating import as_floating, concrete

__all__ = ["examples", "least_squares", "roundoff", "working_examples"]


def examples(who: str, x: Any, y: Any) -> tuple[Any, Any]:
    """Design matrix and targets as floating tensors of one dtype.

    Args:
        who: name of the caller, for the message.
        x: tensor (n, d), n and d known and at least 1.
        y: tensor (n,), or (n, k).

    Returns:
        x and y, in the wider of their dtypes.

    Raises:
        ValueError: for other shapes.
    """
    x, y = as_floating(x), as_floating(y)
    require_rank(who, x.shape, 2)
    if x.shape[0] == 0 or x.shape[1] == 0 or len(y.shape) not in (1, 2) or y.shape[0] != x.shape[0]:
        raise ValueError(
            f"{who} needs examples x (n, d) and targets y (n,) or (n, k), n and d at least 1. Received: "
            f"x.shape={tuple(x.shape)}, y.shape={tuple(y.shape)}"
        )
    if x.dtype == y.dtype:
        return x, y
    dtype = keras.backend.result_type(x.dtype, y.dtype)
    return ops.cast(x, dtype), ops.cast(y, dtype)


def working_examples(who: str, x: Any, y: Any) -> tuple[Any, Any, str]:
    """Examples in a dtype that has matrix factorisations (float32 for 16-bit floats), and the dtype of the answer.

    Args:
        who: name of the caller, for the message.
        x: tensor (n, d).
        y: tensor (n,), or (n, k).

    Returns:
        x, y and the name of the dtype to cast the answer to.

    Raises:
        ValueError: as `examples`.
    """
    x, y = examples(who, x, y)
    dtype = keras.backend.standardize_dtype(x.dtype)
    working = dtype if dtype in ("float32", "float64") else "float32"
    return ops.cast(x, working), ops.cast(y, working), dtype


def roundoff(x: Any) -> float:
    """Distance from 1 to the next number in the dtype of x, float32 or float64."""
    return float(np.finfo(keras.backend.standardize_dtype(x.dtype)).eps)


def least_squares(who: str, x: Any, y: Any) -> Any:
    """Least squares by a QR factorisation, which unlike X'X does not square the condition number.

    w = R^-1 Q'y,   X = QR

    Args:
        who: name of the caller, for the message.
        x: tensor (n, d), n >= d, columns linearly independent.
        y: tensor (n,), or (n, k).

    Returns:
        Tensor (d,), or (d, k); all NaN in compiled code if columns are dependent.

    Raises:
        ValueError: as `examples`, or (in eager code) if columns are dependent.
    """
    x, y, dtype = working_examples(who, x, y)
    q, r = ops.qr(x)  # (n, d), (d, d)
    diagonal = ops.abs(ops.diagonal(r))
    independent = ops.min(diagonal) > max(x.shape) * roundoff(x) * ops.max(diagonal)
    known = concrete(independent)
    if known is not None and not known:
        raise ValueError(
            f"{who} needs linearly independent columns, or X'X is not invertible; minimum_norm_solution and ridge do "
            f"not. Received: x of shape {tuple(x.shape)} with dependent columns"
        )
    columns = ops.reshape(y, (x.shape[0], -1))  # (n, k)
    w = ops.solve_triangular(r, ops.matmul(ops.transpose(q), columns))  # (d, k)
    w = ops.where(independent, w, np.nan)
    return ops.cast(ops.reshape(w, (x.shape[1], *y.shape[1:])), dtype)
