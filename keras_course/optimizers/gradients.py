"""Gradients as dense tensors of the variable's dtype."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

__all__ = ["dense_gradient"]


def dense_gradient(gradient: Any, dtype: Any) -> Any:
    """A gradient as the formulas want it.

    Args:
        gradient: tensor, or TensorFlow's slices of the rows that an embedding has looked up; all other rows are zero.
        dtype: of the variable.

    Returns:
        Tensor with the variable's shape and dtype.
    """
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        gradient = tf.convert_to_tensor(gradient)
    return ops.cast(gradient, dtype)
