"""The loss of a ranking whose first k places count."""

from __future__ import annotations

from typing import Any

import keras

from keras_course.core.serial import register
from keras_course.core.shapes import require_positive_int
from keras_course.losses.labels import one_label_a_row
from keras_course.ops.losses import top_k_ranking_loss

__all__ = ["TopKRankingLoss"]


@register("TopKRankingLoss")
class TopKRankingLoss(keras.losses.Loss):
    """Top-k hinge: the true class should be among the k highest scores, with a margin.

    l(y, f) = max(0, 1/k sum of the k largest a_j),   a_j = 1[j != y] + f_j - f_y,   j = y (a_y = 0) included

    The top-k hinge alpha of Lapin, Hein and Schiele. k = 1 is the multiclass hinge; Keras's CategoricalHinge, which
    counts rivals below 0 as 0, equals it on positive scores. A class that does not exist gives NaN in every execution
    mode; a sample weight of 0 does not excuse it.

    Args:
        k: int >= 1, how many guesses are allowed; at most the number of classes.
        reduction: as keras.losses.Loss: "sum_over_batch_size" (a mean), "sum", "mean", "mean_with_sample_weight" or
            None (one number a sample).
        name: str, name of the loss.
        dtype: dtype or policy of the computation; float32 unless Keras is configured otherwise. Keras casts labels to
            it, so class numbers need one that can count to C.

    Call arguments:
        y_true: classes (...) or (..., 1), integers 0 <= y < C; or one-hot (..., C).
        y_pred: scores (..., C), C >= 2.
        sample_weight: tensor (...) or (B,), optional.

    Raises:
        ValueError: if k is not an integer between 1 and C, or the shapes do not fit.

    Example:
        >>> float(TopKRankingLoss(k=2)([0], [[2.0, 3.0, 1.5]]))
        1.25

    Source: S 9.1; Lapin, Hein and Schiele 2015.
    """

    def __init__(
        self,
        k: int = 5,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "top_k_ranking_loss",
        dtype: Any = None,
    ) -> None:
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        require_positive_int("TopKRankingLoss", k=k)
        self.k = k

    def call(self, y_true: Any, y_pred: Any) -> Any:
        return top_k_ranking_loss(*one_label_a_row(y_true, y_pred), self.k)  # (...)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "k": self.k, "dtype": self._dtype_policy.name}
