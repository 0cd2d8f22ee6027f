"""Precision, recall and F-measure as Keras metrics: counts are kept, so that any split into batches gives one value.

    state: TP_k, FP_k, FN_k, sums of sample weights, one entry a class
    result: a ratio of the sums over everything seen, never a mean of ratios of batches

Binary: an example is detected where score >= threshold (Keras's own metrics ask for more than the threshold).
Multi-class: each class against the rest, then an average. Equal to scikit-learn's precision_recall_fscore_support.
In float32 the counts are exact up to 2^24 examples of weight 1; pass dtype="float64" for more.
"""

from __future__ import annotations

from typing import Any, ClassVar

import keras
from keras import ops

from keras_course.core.serial import register
from keras_course.core.shapes import require_features, require_one_of, require_positive_int, require_rank
from keras_course.ops.detection import (
    AVERAGES,
    UNDEFINED,
    average_over_classes,
    contingency,
    f_beta,
    precision,
    recall,
)

__all__ = ["FBeta", "Precision", "Recall"]


class _Detection(keras.metrics.Metric):
    """What the three share: the counts. `_score` turns them into the metric."""

    _default_name: ClassVar[str]

    def __init__(
        self,
        classes: int | None = None,
        threshold: float = 0.5,
        average: str | None = "macro",
        zero_division: Any = 0,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(name=self._default_name if name is None else name, dtype=dtype)
        who = type(self).__name__
        if classes is not None:
            require_positive_int(who, classes=classes)
        require_one_of(who, AVERAGES, average=average)
        require_one_of(who, UNDEFINED, zero_division=zero_division)
        if not float("-inf") < threshold < float("inf"):
            raise ValueError(f"{who} needs a finite threshold. Received: threshold={threshold}")
        self.classes, self.threshold, self.average, self.zero_division = classes, threshold, average, zero_division
        for count in ("true_positives", "false_positives", "false_negatives"):
            variable = self.add_variable(shape=(classes or 1,), initializer="zeros", dtype=self.dtype, name=count)
            setattr(self, count, variable)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Counts a batch.

        Args:
            y_true: (B,) or (B, 1): integer classes, or for a binary metric anything above 0 for a positive.
            y_pred: binary: scores (B,) or (B, 1). Multi-class: scores (B, K), whose largest counts, or classes (B,).
            sample_weight: (B,), (B, 1) or None.
        """
        who, y_pred = type(self).__name__, ops.convert_to_tensor(y_pred)
        y_true = ops.reshape(y_true, (-1,))
        weights = ops.ones(ops.shape(y_true), self.dtype)
        if sample_weight is not None:
            weights = ops.cast(ops.reshape(sample_weight, (-1,)), self.dtype)
        require_rank(who, y_pred.shape, 1, 2)
        if self.classes is None:
            if len(y_pred.shape) == 2:
                require_features(who, y_pred.shape, 1)
            detected = ops.cast(ops.reshape(y_pred, (-1,)), self.dtype) >= ops.cast(self.threshold, self.dtype)
            counts = contingency(y_true > 0, detected, 2, weights)
            counts = tuple(count[1:] for count in counts)  # the table of class 1
        else:
            if len(y_pred.shape) == 2:
                require_features(who, y_pred.shape, self.classes)
                y_pred = ops.argmax(y_pred, axis=-1)
            counts = contingency(y_true, y_pred, self.classes, weights)
        for variable, count in zip(self.variables, counts[:3], strict=True):
            variable.assign_add(count)

    def result(self) -> Any:
        """The metric over everything seen: a scalar, or (K,) for average=None."""
        counts = [variable.value for variable in self.variables]
        if self.classes is None:
            return self._score(*counts)[0]
        if self.average == "micro":
            return self._score(*(ops.sum(count) for count in counts))
        return average_over_classes(self._score(*counts), counts[0] + counts[2], self.average)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "classes": self.classes,
            "threshold": self.threshold,
            "average": self.average,
            "zero_division": self.zero_division,
        }


@register("Precision")
class Precision(_Detection):
    """The share of detections that were right.

    precision = TP / (TP + FP)

    The notes give an always-negative detector zero precision; it is 0/0. `zero_division` says what that becomes: 0 (the
    notes, Keras, scikit-learn), 1 ("no false alarm was raised") or "nan", which macro and weighted averages leave out.

    Args:
        classes: int K, or None for a binary metric.
        threshold: float, binary: detected where score >= threshold. 0.5 for probabilities, 0.0 for logits.
        average: multi-class: "macro" (mean over all K classes), "weighted" by true examples, "micro" (counts of all
            classes summed: the accuracy), or None for one number a class.
        zero_division: 0, 1 or "nan", the result on 0/0, also before any data.
        name, dtype: as keras.metrics.Metric.

    Raises:
        ValueError: for classes below 1, an unknown average or zero_division, or y_pred of another shape.

    Example:
        >>> metric = Precision()
        >>> metric.update_state([0, 1, 1, 0], [0.2, 0.7, 0.3, 0.9])
        >>> float(metric.result())
        0.5

    Source: C 9.1.1.
    """

    _default_name = "precision"

    def _score(self, true_positives: Any, false_positives: Any, false_negatives: Any) -> Any:
        return precision(true_positives, false_positives, self.zero_division)


@register("Recall")
class Recall(_Detection):
    """The share of true events that were detected.

    recall = TP / (TP + FN)

    0/0 where there was nothing to detect: `zero_division`.

    Args:
        classes, threshold, average, zero_division, name, dtype: as `Precision` (result on 0/0 may be "nan").

    Raises:
        ValueError: as `Precision`.

    Example:
        >>> metric = Recall(classes=3, average=None)
        >>> metric.update_state([0, 1, 2, 2], [0, 2, 2, 2])
        >>> [float(value) for value in metric.result()]
        [1.0, 0.0, 1.0]

    Source: C 9.1.1.
    """

    _default_name = "recall"

    def _score(self, true_positives: Any, false_positives: Any, false_negatives: Any) -> Any:
        return recall(true_positives, false_negatives, self.zero_division)


@register("FBeta")
class FBeta(_Detection):
    """The weighted harmonic mean of precision and recall.

    F_beta = (1 + beta^2) precision recall / (beta^2 precision + recall)

    beta < 1 leans on precision, beta > 1 on recall; beta = 1 is F1. 0/0 where nothing was there and nothing detected.

    Args:
        beta: float >= 0.
        classes, threshold, average, zero_division, name, dtype: as `Precision` (result on 0/0 may be "nan").

    Raises:
        ValueError: for a beta that is negative or not finite, or as `Precision`.

    Example:
        >>> metric = FBeta(beta=2.0)
        >>> metric.update_state([1, 1, 0, 0], [0.9, 0.1, 0.8, 0.2])
        >>> float(metric.result())
        0.5

    Source: C 9.1.1.
    """

    _default_name = "f_beta"

    def __init__(self, beta: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not 0 <= beta < float("inf"):
            raise ValueError(f"FBeta needs a finite beta >= 0. Received: beta={beta}")
        self.beta = beta

    def _score(self, true_positives: Any, false_positives: Any, false_negatives: Any) -> Any:
        return f_beta(true_positives, false_positives, false_negatives, self.beta, self.zero_division)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "beta": self.beta}
