"""The loss of classification with smoothed targets."""

from __future__ import annotations

from typing import Any

import keras

from keras_course.core.serial import register
from keras_course.core.shapes import require_one_of
from keras_course.losses.labels import one_label_a_row
from keras_course.ops.label_smoothing import CONVENTIONS, label_smoothing_loss, require_epsilon

__all__ = ["LabelSmoothingLoss"]


@register("LabelSmoothingLoss")
class LabelSmoothingLoss(keras.losses.Loss):
    """Softmax cross-entropy from scores, with targets that leave epsilon to the other classes.

    notes: target 1 - eps for the class, eps / (k - 1) for each other
    keras: target 1 - eps + eps / k for the class, eps / k for each other

    Keras's CategoricalCrossentropy(from_logits=True, label_smoothing=e) is the second form, and the first with
    e = eps k / (k - 1). It is the expected loss when labels are wrong with probability eps. The least loss is the
    entropy of the target, so compare losses of one epsilon alone. A class that does not exist gives NaN.

    Args:
        epsilon: float in [0, 1), the mass taken from the class ("notes") or spread over all classes ("keras").
        convention: "notes" or "keras".
        reduction: as keras.losses.Loss: "sum_over_batch_size" (a mean over samples), "sum", "mean",
            "mean_with_sample_weight" or None (one number a sample).
        name: str, name of the loss.
        dtype: dtype or policy of the computation; float32 unless Keras is configured otherwise. Keras casts labels to
            it, so class numbers need one that can count to k.

    Call arguments:
        y_true: classes (...) or (..., 1), integers 0 <= y < k; or distributions (..., k).
        y_pred: scores (..., k), k >= 2, unnormalised log-probabilities.
        sample_weight: tensor (...) or (B,), optional.

    Raises:
        ValueError: for an epsilon outside [0, 1), an unknown convention, or shapes that do not fit.

    Example:
        >>> loss = LabelSmoothingLoss(epsilon=0.1)
        >>> round(float(loss([0], [[2.0, 0.0, 0.0]])), 6)
        0.439545

    Source: C 6.4; Szegedy et al. 2016.
    """

    def __init__(
        self,
        epsilon: float = 0.1,
        convention: str = "notes",
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "label_smoothing_loss",
        dtype: Any = None,
    ) -> None:
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        require_epsilon("LabelSmoothingLoss", epsilon)
        require_one_of("LabelSmoothingLoss", CONVENTIONS, convention=convention)
        self.epsilon = epsilon
        self.convention = convention

    def call(self, y_true: Any, y_pred: Any) -> Any:
        return label_smoothing_loss(*one_label_a_row(y_true, y_pred), self.epsilon, self.convention)  # (...)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "epsilon": self.epsilon,
            "convention": self.convention,
            "dtype": self._dtype_policy.name,
        }
