"""Gradients as dense tensors of the variable's dtype; walks along them and averages of them, in place."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from keras_course.ops.floating import as_floating

__all__ = ["average_into", "dense_gradient", "descend"]


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
    rate = as_floating(rate, variable.dtype)
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        variable = variable.value if isinstance(variable, keras.Variable) else variable
        tf.raw_ops.ResourceApplyGradientDescent(var=variable.handle, alpha=rate, delta=direction)
    else:
        variable.assign(variable - rate * direction)


def average_into(average: Any, gradient: Any, share: float) -> None:
    """m <- (1 - lambda) m + lambda g, `average_gradient` without a tensor for lambda g.

    Args:
        average: variable m.
        gradient: tensor g like m, dense.
        share: number in (0, 1], lambda.
    """
    average.assign((1 - share) * ops.convert_to_tensor(average))
    descend(average, -share, gradient)
