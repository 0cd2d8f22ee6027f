"""The loss of regression, for vectors too."""

from __future__ import annotations

from typing import Any

import keras

from keras_course.core.serial import register
from keras_course.losses.labels import like_predictions
from keras_course.ops.losses import half_squared_loss

__all__ = ["HalfSquaredLoss"]


@register("HalfSquaredLoss")
class HalfSquaredLoss(keras.losses.Loss):
    """Half the squared distance between target and prediction, summed over the vector.

    l(y, f) = 1/2 |y - f|**2 = 1/2 sum_i (y_i - f_i)**2

    For D outputs it is D/2 times Keras's MeanSquaredError, which averages over the vector; the gradient is f - y.

    Args:
        reduction: as keras.losses.Loss: "sum_over_batch_size" (a mean over samples), "sum", "mean",
            "mean_with_sample_weight" or None (one number a sample).
        name: str, name of the loss.
        dtype: dtype or policy of the computation; float32 unless Keras is configured otherwise.

    Call arguments:
        y_true: targets (..., D); (B,) where predictions are (B, 1).
        y_pred: predictions (..., D). Two tensors (B,) are B samples of one number.
        sample_weight: tensor (...) or (B,), optional.

    Raises:
        ValueError: if targets and predictions do not have one shape.

    Example:
        >>> float(HalfSquaredLoss()([[1.0, 2.0]], [[0.0, 4.0]]))
        2.5

    Source: S 9.1, S 9.3, C 4.3.
    """

    def __init__(
        self, reduction: str | None = "sum_over_batch_size", name: str | None = "half_squared_loss", dtype: Any = None
    ) -> None:
        super().__init__(name=name, reduction=reduction, dtype=dtype)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        y_true, y_pred = like_predictions(y_true, y_pred)
        if len(y_true.shape) == len(y_pred.shape) == 1:
            y_true, y_pred = y_true[:, None], y_pred[:, None]  # (B,) is B samples, not one vector of B entries
        return half_squared_loss(y_true, y_pred)  # (...)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "dtype": self._dtype_policy.name}
