"""The loss of classification with many classes."""

from __future__ import annotations

from typing import Any

import keras

from keras_course.core.serial import register
from keras_course.losses.labels import one_label_a_row
from keras_course.ops.losses import softmax_loss

__all__ = ["SoftmaxLoss"]


@register("SoftmaxLoss")
class SoftmaxLoss(keras.losses.Loss):
    """Softmax cross-entropy from scores, on class numbers or on distributions over classes.

    l(y, f) = log sum_j exp(f_j) - f_y
    l(p, f) = -sum_j p_j log softmax(f)_j

    One class for Keras's SparseCategoricalCrossentropy and CategoricalCrossentropy, both from logits: the shape of the
    labels decides. A class that does not exist, or a row that is no distribution, gives NaN in every execution mode,
    where compiled code elsewhere clamps it to some class. A sample weight of 0 does not excuse a wrong label.

    Args:
        reduction: as keras.losses.Loss: "sum_over_batch_size" (a mean), "sum", "mean", "mean_with_sample_weight" or
            None (one number a sample).
        name: str, name of the loss.
        dtype: dtype or policy of the computation; float32 unless Keras is configured otherwise. Keras casts labels to
            it, so class numbers need one that can count to C.

    Call arguments:
        y_true: classes (...) or (..., 1), integers 0 <= y < C; or distributions (..., C).
        y_pred: scores (..., C), C >= 2, unnormalised log-probabilities.
        sample_weight: tensor (...) or (B,), optional.

    Raises:
        ValueError: if the shapes do not fit, C < 2, or the dtype cannot count to C.

    Example:
        >>> loss = SoftmaxLoss()
        >>> round(float(loss([2], [[1.0, 2.0, 3.0]])), 6)
        0.407606
        >>> round(float(loss([[0.0, 0.0, 1.0]], [[1.0, 2.0, 3.0]])), 6)
        0.407606

    Source: C 4.3, S 9.1, S 9.3.
    """

    def __init__(
        self, reduction: str | None = "sum_over_batch_size", name: str | None = "softmax_loss", dtype: Any = None
    ) -> None:
        super().__init__(name=name, reduction=reduction, dtype=dtype)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        return softmax_loss(*one_label_a_row(y_true, y_pred))  # (...)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "dtype": self._dtype_policy.name}
