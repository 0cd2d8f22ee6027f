"""The float type of a formula: that of its input, so that a float64 answer needs nothing but a float64 question."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

__all__ = ["as_floating", "concrete"]


def as_floating(x: Any, dtype: Any = None) -> Any:
    """A floating tensor of the same numbers.

    Unlike `keras.ops.cast`, which takes Python numbers through float32, this loses no digit on the way to float64.

    Args:
        x: tensor, array, number or nested list.
        dtype: floating dtype wanted, or None for the one that x has.

    Returns:
        Tensor. Floating dtypes stay; integers, booleans and Python numbers become Keras's float type
        (`keras.config.floatx()`).

    Example:
        >>> import numpy as np
        >>> keras.backend.standardize_dtype(as_floating(np.ones(2)).dtype)
        'float64'
        >>> keras.backend.standardize_dtype(as_floating([1, 2]).dtype)
        'float32'
        >>> float(as_floating(0.1, "float64")) == 0.1
        True
    """
    x = ops.convert_to_tensor(x, dtype=dtype)
    if keras.backend.is_float_dtype(x.dtype):
        return x
    return ops.cast(x, keras.config.floatx())


def concrete(x: Any) -> Any:
    """The values of a tensor as a NumPy array, or None while a graph is traced and there are none yet.

    Checks of values (a negative probability) use it: they speak up in eager code and are skipped in compiled code,
    where the documented NaN speaks instead.
    """
    try:
        return ops.convert_to_numpy(x)
    except (RuntimeError, TypeError, ValueError, AttributeError):  # each backend words "not known yet" its own way
        return None
