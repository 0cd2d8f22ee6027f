"""Coverage: how many examples get an answer, if answers must be right often enough."""

from __future__ import annotations

from typing import Any, NamedTuple

import keras
from keras import ops

from keras_course.core.serial import register
from keras_course.core.shapes import require_one_of, require_rank
from keras_course.ops.detection import UNDEFINED, quotient
from keras_course.ops.threshold_curves import count_between_thresholds, sums_from_the_top, threshold_grid

__all__ = ["Coverage", "CoveragePoints"]


class CoveragePoints(NamedTuple):
    """Coverage, and accuracy of the answers given, at falling thresholds of confidence, (T,) each."""

    coverage: Any
    accuracy: Any
    thresholds: Any


@register("Coverage")
class Coverage(keras.metrics.Metric):
    """The greatest share of examples that can be answered with the wanted accuracy; `points()` gives the whole curve.

    coverage(t) = sum_i w_i [c_i >= t] / sum_i w_i,   accuracy(t) = sum_i w_i r_i [c_i >= t] / sum_i w_i [c_i >= t]
    result = max { coverage(t) : accuracy(t) >= wanted },  0 if no threshold t reaches it

    c_i is the probability of the chosen class, r_i says whether that class is right; an example is refused below t.
    Refusing everything has accuracy 0/0. The notes call it 100 %: so does `zero_division` = 1. Every point is exact at
    its threshold for any batches, and sums of batches and replicas add up (see `PRCurve`). Before any data it is 0.

    Args:
        accuracy: float in (0, 1], the wanted accuracy. 1 asks for no mistake at all.
        thresholds: as `PRCurve`, of the confidence.
        from_logits: whether softmax (logistic function for one score) is applied first.
        zero_division: 0, 1 or "nan", the accuracy in `points()` where everything is refused.
        name, dtype: as keras.metrics.Metric.

    Raises:
        ValueError: for an accuracy outside (0, 1], thresholds that are no grid, or y_pred of another rank.

    Example:
        >>> metric = Coverage(accuracy=1.0, thresholds=11)
        >>> metric.update_state([0, 1, 0, 1], [[0.9, 0.1], [0.2, 0.8], [0.4, 0.6], [0.45, 0.55]])
        >>> float(metric.result())
        0.5

    Source: C 9.1.2.
    """

    def __init__(
        self,
        accuracy: float = 0.98,
        thresholds: Any = 1001,
        from_logits: bool = False,
        zero_division: Any = 1,
        name: str = "coverage",
        dtype: Any = None,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        if not 0 < accuracy <= 1:
            raise ValueError(f"Coverage needs an accuracy in (0, 1]. Received: accuracy={accuracy}")
        require_one_of("Coverage", UNDEFINED, zero_division=zero_division)
        self.accuracy, self.zero_division, self.from_logits = accuracy, zero_division, bool(from_logits)
        self.grid = threshold_grid(thresholds)
        self.thresholds = thresholds if isinstance(thresholds, int | str) else self.grid.tolist()
        shape = (len(self.grid) + 1,)
        self.right = self.add_variable(shape=shape, initializer="zeros", dtype=self.dtype, name="right")
        self.answered = self.add_variable(shape=shape, initializer="zeros", dtype=self.dtype, name="answered")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Counts a batch.

        Args:
            y_true: integer classes (B,) or (B, 1).
            y_pred: probabilities (or logits) (B, K), or of class 1 alone, (B,) or (B, 1).
            sample_weight: (B,), (B, 1) or None.
        """
        y_pred = ops.cast(ops.convert_to_tensor(y_pred), self.dtype)
        require_rank("Coverage", y_pred.shape, 1, 2)
        y_true = ops.cast(ops.reshape(y_true, (-1,)), "int32")
        if len(y_pred.shape) == 2 and y_pred.shape[1] != 1:
            probabilities = ops.softmax(y_pred) if self.from_logits else y_pred
            chosen, confidence = ops.argmax(y_pred, axis=-1), ops.max(probabilities, axis=-1)
        else:
            score = ops.reshape(y_pred, (-1,))
            score = ops.sigmoid(score) if self.from_logits else score
            chosen, confidence = score >= 0.5, ops.maximum(score, 1 - score)
        right = ops.cast(chosen, "int32") == y_true
        weights = ops.ones(ops.shape(y_true), self.dtype)
        if sample_weight is not None:
            weights = ops.cast(ops.reshape(sample_weight, (-1,)), self.dtype)
        self.answered.assign_add(count_between_thresholds(confidence, weights, self.grid))
        weights = ops.where(right, weights, ops.zeros_like(weights))
        self.right.assign_add(count_between_thresholds(confidence, weights, self.grid))

    def points(self) -> CoveragePoints:
        """The curve, from the highest threshold of confidence down: coverage rises."""
        return self._points(self.zero_division)

    def result(self) -> Any:
        coverage, accuracy, _ = self._points(0)
        return ops.max(ops.where(accuracy >= ops.cast(self.accuracy, accuracy.dtype), coverage, 0 * coverage))

    def _points(self, zero_division: Any) -> CoveragePoints:
        answered, right = sums_from_the_top(self.answered.value), sums_from_the_top(self.right.value)
        everything = ops.broadcast_to(ops.sum(self.answered.value), ops.shape(answered))
        thresholds = ops.flip(ops.convert_to_tensor(self.grid, dtype=self.dtype), axis=0)
        return CoveragePoints(quotient(answered, everything), quotient(right, answered, zero_division), thresholds)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "accuracy": self.accuracy,
            "thresholds": self.thresholds,
            "from_logits": self.from_logits,
            "zero_division": self.zero_division,
        }
