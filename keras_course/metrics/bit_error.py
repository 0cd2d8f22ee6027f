"""The share of wrong bits among those that are asked for."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from keras_course.core.serial import register
from keras_course.ops.bit_sequences import wrong_and_asked_bits

__all__ = ["BitError"]


@register("BitError")
class BitError(keras.metrics.Metric):
    """Wrong bits over asked bits.

    error = #{asked: y != [o > 0]} / #{asked}

    Every bit counts alike, so that long sequences weigh more than short ones. Guessing gives 1/2; without asked bits it
    is 0.

    Args:
        name, dtype: as keras.metrics.Metric.

    Example:
        >>> error = BitError()
        >>> error.update_state([[1, 0, 2]], [[3.0, 1.0, 9.0]])
        >>> float(error.result())
        0.5

    Source: S 9.5; Graves et al. 2014.
    """

    def __init__(self, name: str = "bit_error", dtype: Any = None) -> None:
        super().__init__(name=name, dtype=dtype)
        self.wrong = self.add_variable(shape=(), initializer="zeros", dtype=self.dtype, name="wrong")
        self.asked = self.add_variable(shape=(), initializer="zeros", dtype=self.dtype, name="asked")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Counts a batch.

        Args:
            y_true: (B, ...), 0 or 1; any other number where no bit is asked for.
            y_pred: logits (B, ...).
            sample_weight: (B,) or None.
        """
        counts = [ops.cast(each, self.dtype) for each in wrong_and_asked_bits(y_true, ops.cast(y_pred, self.dtype))]
        if sample_weight is not None:
            weight = ops.cast(ops.reshape(sample_weight, (-1,)), self.dtype)
            counts = [each * weight for each in counts]
        self.wrong.assign_add(ops.sum(counts[0]))
        self.asked.assign_add(ops.sum(counts[1]))

    def result(self) -> Any:
        return ops.where(self.asked > 0, self.wrong / ops.where(self.asked > 0, self.asked, 1.0), 0.0)
