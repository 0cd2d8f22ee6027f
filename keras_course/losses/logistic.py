"""The loss of binary classification with labels of either sign."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from keras_course.core.serial import register
from keras_course.losses.labels import like_predictions
from keras_course.ops.losses import logistic_loss

__all__ = ["LogisticLoss"]


@register("LogisticLoss")
class LogisticLoss(keras.losses.Loss):
    """Logistic loss on labels -1 and +1, from scores.

    l(y, f) = log(1 + exp(-y f))

    Keras's BinaryCrossentropy(from_logits=True) is the same on labels (y + 1)/2. A label 0 gives NaN in every execution
    mode, and with it the loss of the whole batch: compiled code cannot raise, and labels 0 and 1 fed by mistake would
    otherwise train silently on half the data. A sample weight of 0 does not excuse a wrong label.

    Args:
        reduction: as keras.losses.Loss: "sum_over_batch_size" (a mean), "sum", "mean", "mean_with_sample_weight" or
            None (one number a sample).
        name: str, name of the loss.
        dtype: dtype or policy of the computation; float32 unless Keras is configured otherwise.

    Call arguments:
        y_true: labels (B,) or (B, 1), or (B, T) for T tasks (averaged over, as in BinaryCrossentropy); -1 or +1.
        y_pred: real scores of the same shape up to a last axis of 1.
        sample_weight: tensor (B,), optional.

    Raises:
        ValueError: if labels and scores do not have one shape.

    Example:
        >>> loss = LogisticLoss()
        >>> round(float(loss([1, -1], [0.0, -1000.0])), 6)
        0.346574

    Source: S 9.1, S 9.3, C 4.3.
    """

    def __init__(
        self, reduction: str | None = "sum_over_batch_size", name: str | None = "logistic_loss", dtype: Any = None
    ) -> None:
        super().__init__(name=name, reduction=reduction, dtype=dtype)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        loss = logistic_loss(*like_predictions(y_true, y_pred))
        return loss if len(loss.shape) < 2 else ops.mean(loss, axis=-1)  # (B,)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "dtype": self._dtype_policy.name}
