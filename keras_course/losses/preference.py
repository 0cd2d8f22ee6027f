"""The loss of learning from comparisons: which of two was preferred."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from keras_course.core.serial import register
from keras_course.core.shapes import require_features
from keras_course.losses.labels import one_label_a_row
from keras_course.ops.losses import preference_loss

__all__ = ["PreferenceLoss"]


@register("PreferenceLoss")
class PreferenceLoss(keras.losses.Loss):
    """Pairwise preference loss on the scores of two items (Bradley and Terry).

    l = log(1 + exp(-(f_preferred - f_other))) = -log P(preferred over other)

    A model that scores items scores both of a pair with the same weights and puts the scores side by side. A label
    other than 0 or 1 gives NaN in every execution mode; a sample weight of 0 does not excuse it.

    Args:
        reduction: as keras.losses.Loss: "sum_over_batch_size" (a mean), "sum", "mean", "mean_with_sample_weight" or
            None (one number a sample).
        name: str, name of the loss.
        dtype: dtype or policy of the computation; float32 unless Keras is configured otherwise.

    Call arguments:
        y_true: which column of y_pred is preferred, (...) or (..., 1): 0 or 1.
        y_pred: scores (..., 2) of the two items of each pair.
        sample_weight: tensor (...) or (B,), optional.

    Raises:
        ValueError: if there are not two scores a pair, or the shapes do not fit.

    Example:
        >>> round(float(PreferenceLoss()([1], [[2.0, 2.0]])), 6)
        0.693147
        >>> float(PreferenceLoss()([1], [[-500.0, 500.0]]))
        0.0

    Source: S 9.1; Bradley and Terry 1952.
    """

    def __init__(
        self, reduction: str | None = "sum_over_batch_size", name: str | None = "preference_loss", dtype: Any = None
    ) -> None:
        super().__init__(name=name, reduction=reduction, dtype=dtype)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        column, y_pred = one_label_a_row(y_true, y_pred)  # (...), (..., 2)
        require_features("PreferenceLoss", y_pred.shape, 2)
        if len(column.shape) != len(y_pred.shape) - 1:
            raise ValueError(
                f"PreferenceLoss needs one label a pair of scores. Received: y_true.shape={tuple(column.shape)}, "
                f"y_pred.shape={tuple(y_pred.shape)}"
            )
        first, second = y_pred[..., 0], y_pred[..., 1]
        nan = ops.full_like(first, float("nan"))
        preferred = ops.where(column == 0, first, ops.where(column == 1, second, nan))
        return preference_loss(preferred, ops.where(column == 0, second, first))  # (...)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "dtype": self._dtype_policy.name}
