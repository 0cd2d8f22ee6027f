"""Gradients as dense tensors of the variable's dtype, and the walk along them."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from keras_course.ops.floating import as_floating

__all__ = ["dense_gradient", "descend"]


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


def descend(variable: Any, rate: Any, direction: Any) -> None:
    """theta <- theta - rate d, in one pass over the memory.

    As two operations, a product and a difference, it takes twice as long and room for the product.

    Args:
        variable: the backend's or Keras's variable, theta.
        rate: number, scalar tensor or scalar variable.
        direction: tensor d like theta, dense.
    """
    variable = variable.value if isinstance(variable, keras.Variable) else variable
    rate = as_floating(rate, variable.dtype)
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        tf.raw_ops.ResourceApplyGradientDescent(var=variable.handle, alpha=rate, delta=direction)
    else:
        variable.assign(variable - rate * direction)
