"""First and second derivatives of any tensor function, and how badly conditioned a Hessian is.

    J_ij  = d f_i / d x_j
    H_ijk = d**2 f_i / d x_j d x_k        (n, n) for a scalar f; (m, n, n) for f: R^n -> R^m
    kappa = max |lambda| / min |lambda|   over the nonzero eigenvalues of H

The gradient of a scalar function is its Jacobian. The notes print kappa without the absolute values; for an indefinite
Hessian that ratio would be negative.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_course.core import backend
from keras_course.ops.floating import as_floating, concrete

__all__ = ["condition_number", "hessian", "jacobian"]


def jacobian(f: Callable[[Any], Any], x: Any) -> Any:
    """All first derivatives, by automatic differentiation.

    J_ij = d f_i(x) / d x_j

    Args:
        f: takes one tensor, returns one tensor, built from `keras.ops`.
        x: tensor of any shape, the point. Integers are cast to Keras's float type.

    Returns:
        Tensor (*f(x).shape, *x.shape); the gradient, shape of x, when f is scalar.

    Raises:
        BackendError: on a backend other than TensorFlow and JAX.

    Example:
        >>> f = lambda x: x[0]**2 + 2 * x[1]
        >>> ops.convert_to_numpy(jacobian(f, [3.0, 1.0])).tolist()
        [6.0, 2.0]

    Source: C 2.1.1.
    """
    return backend.jacobian(f, as_floating(x))


def hessian(f: Callable[[Any], Any], x: Any) -> Any:
    """All second derivatives, by differentiating twice.

    H_ij = d**2 f(x) / d x_i d x_j

    Args:
        f: takes one tensor, returns one tensor, built from `keras.ops`.
        x: tensor of any shape, the point.

    Returns:
        Tensor (*f(x).shape, *x.shape, *x.shape): (n, n) for f: R^n -> R, (m, n, n) for f: R^n -> R^m.

    Raises:
        BackendError: on a backend other than TensorFlow and JAX.

    Example:
        >>> f = lambda x: x[0]**2 * x[1]
        >>> ops.convert_to_numpy(hessian(f, [3.0, 1.0])).tolist()
        [[2.0, 6.0], [6.0, 0.0]]

    Source: C 2.1.2.
    """
    return backend.jacobian(lambda point: backend.jacobian(f, point), as_floating(x))


def condition_number(matrix: Any) -> Any:
    """How much more a Hessian curves in its steepest than in its flattest direction.

    kappa = max |lambda| / min |lambda|,   over the nonzero eigenvalues

    An eigenvalue counts as zero when |lambda| <= n u max |lambda|, u the rounding unit of the dtype: what rounding
    leaves of an exact zero.

    Args:
        matrix: tensor (..., n, n), symmetric, real.

    Returns:
        Tensor (...), at least 1; NaN for the zero matrix, which has no nonzero eigenvalue.

    Raises:
        ValueError: if the matrix is not square, or (in eager code) not symmetric.

    Example:
        >>> float(condition_number([[2.0, 0.0], [0.0, -0.5]]))
        4.0

    Source: C 2.1.2, C 7.2.1.
    """
    matrix = as_floating(matrix)
    shape = tuple(matrix.shape)
    if len(shape) < 2 or shape[-1] is None or shape[-1] != shape[-2] or shape[-1] == 0:
        raise ValueError(f"condition_number needs square matrices (..., n, n). Received: shape={shape}")
    dtype = keras.backend.standardize_dtype(matrix.dtype)
    working = matrix if dtype in ("float32", "float64") else ops.cast(matrix, "float32")  # no 16-bit eigensolver
    roundoff = float(np.finfo(keras.backend.standardize_dtype(working.dtype)).eps)
    _require_symmetric(working, roundoff)

    magnitude = ops.abs(ops.eigh(working)[0])  # (..., n)
    largest = ops.max(magnitude, axis=-1, keepdims=True)
    counts = magnitude > shape[-1] * roundoff * largest
    smallest = ops.min(ops.where(counts, magnitude, largest), axis=-1)
    return ops.cast(largest[..., 0] / smallest, dtype)


def _require_symmetric(matrix: Any, roundoff: float) -> None:
    values = concrete(ops.stop_gradient(matrix))
    if values is None:
        return
    asymmetry = np.abs(values - np.swapaxes(values, -1, -2)).max()
    if asymmetry > 100 * roundoff * np.abs(values).max():
        raise ValueError(
            f"condition_number needs a symmetric matrix. Received: a difference of {asymmetry:g} to its transpose"
        )
