"""What a conditional density is given beside x: a vector, or a class.

vectors   (B, N)                 as they are
classes   (B,) of 0 ... K-1      1 at the class, 0 elsewhere: (B, K)
"""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf
from keras import ops

from keras_course.core.errors import InvalidDataError
from keras_course.core.shapes import require_positive_int
from keras_course.models.class_labels import one_hot_classes, require_classes

__all__ = ["Condition"]


class Condition:
    """The kind of condition that a model takes; false where it takes none.

    Args:
        who: name of the model, for messages.
        size: int N, numbers of a vector, or None.
        classes: int K, or None.

    Raises:
        ValueError: for both, or numbers below 1.

    Example:
        >>> ops.convert_to_numpy(Condition("Mine", classes=3).encoded([2, 0], "float32")).tolist()
        [[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]

    Source: R.
    """

    def __init__(self, who: str, size: int | None = None, classes: int | None = None) -> None:
        for name, number in (("condition_size", size), ("classes", classes)):
            if number is not None:
                require_positive_int(who, **{name: number})
        if size is not None and classes is not None:
            raise ValueError(
                f"{who} takes condition_size or classes. Received: condition_size={size}, classes={classes}"
            )
        self.who, self.size, self.classes = who, size, classes

    def __bool__(self) -> bool:
        return self.width is not None

    @property
    def width(self) -> int | None:
        """Numbers that layers are given."""
        return self.size or self.classes

    def encoded(self, y: Any, dtype: Any) -> Any:
        """What layers are given, (B, width), or None.

        Raises:
            ValueError: for a missing condition, one that nobody asked for, or another size.
        """
        if not self:
            if y is not None:
                raise ValueError(f"{self.who} was made without a condition. Received: a condition")
            return None
        if y is None:
            raise ValueError(f"{self.who} needs a condition with x. Received: None")
        if self.classes is not None:
            return one_hot_classes(self.who, y, self.classes, dtype)
        y = ops.convert_to_tensor(y)
        if len(y.shape) != 2 or y.shape[-1] != self.size:
            raise ValueError(
                f"{self.who} needs a condition (B, {self.size}). Received: a condition of shape {tuple(y.shape)}"
            )
        return ops.cast(y, dtype)

    def parted(self, inputs: Any) -> tuple[Any, Any]:
        """x and the condition of what the model is called with.

        Raises:
            ValueError: for anything but a pair, if there is a condition.
        """
        if not self:
            return inputs, None
        if not isinstance(inputs, list | tuple) or len(inputs) != 2:
            raise ValueError(
                f"{self.who} was made with a condition: it takes the pair (x, condition), and fit(x, condition). "
                "Received: x alone"
            )
        return inputs[0], inputs[1]

    def require_possible(self, y: Any) -> None:
        """Refuses an array with classes out of range, which would become zeros without a word, or NaN.

        Raises:
            InvalidDataError: names the first row.
        """
        if not self or not isinstance(y, np.ndarray | tf.Tensor) or not len(y):
            return
        if self.classes is not None:
            require_classes(self.who, y, self.classes)
            return
        values = np.reshape(y, (len(y), -1))
        wrong = np.argwhere(~np.isfinite(values))
        if len(wrong):
            raise InvalidDataError(
                f"{self.who} needs finite conditions. Received: {values[tuple(wrong[0])]} in row {wrong[0][0]}, and "
                f"{len(np.unique(wrong[:, 0]))} such rows of {len(values)}"
            )

    def specs(self, dtype: Any) -> list[Any]:
        """The tensor spec of an endpoint's condition, or none."""
        if self.classes is not None:
            return [tf.TensorSpec((None,), "int32", name="condition")]
        return [tf.TensorSpec((None, self.size), dtype, name="condition")] if self else []
