"""Classes that a model is told, as zeros and a one; labels that are no classes are refused.

A one-hot of an impossible class is all zeros, which a network takes without a word. So arrays are looked at; tensors
within a graph, whose values nobody knows yet, are not.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf
from keras import ops

from keras_course.core.errors import InvalidDataError

__all__ = ["one_hot_classes", "require_classes"]


def require_classes(who: str, labels: Any, classes: int) -> None:
    """Refuses labels that are no classes; symbolic tensors, data sets and None pass.

    Args:
        who: name of the model, first word of the message.
        labels: array or tensor (B,).
        classes: int K.

    Raises:
        InvalidDataError: names the first row.

    Example:
        >>> require_classes("Mine", np.array([0, 3]), 3)  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        keras_course.core.errors.InvalidDataError: Mine needs classes 0 ... 2. Received: 3 in row 1, and 1 such ...
    """
    if tf.is_tensor(labels):
        if tf.is_symbolic_tensor(labels):
            return
    elif not isinstance(labels, np.ndarray | list | tuple):
        return
    values = np.reshape(np.asarray(labels), (-1,))
    wrong = np.flatnonzero(~((values >= 0) & (values < classes) & (values == np.floor(values))))
    if len(wrong):
        raise InvalidDataError(
            f"{who} needs classes 0 ... {classes - 1}. Received: {values[wrong[0]]} in row {wrong[0]}, and "
            f"{len(wrong)} such rows of {len(values)}"
        )


def one_hot_classes(who: str, labels: Any, classes: int, dtype: Any) -> Any:
    """1 at the class, 0 elsewhere, (B, K), for labels (B,) or (B, 1) of any number type.

    Raises:
        InvalidDataError: for labels that are no classes, as `require_classes`.

    Example:
        >>> ops.convert_to_numpy(one_hot_classes("Mine", [2, 0], 3, "float32")).tolist()
        [[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]
    """
    require_classes(who, labels, classes)
    return ops.one_hot(ops.cast(ops.reshape(labels, (-1,)), "int32"), classes, dtype=dtype)
