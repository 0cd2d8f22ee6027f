"""The PR curve and its area, streaming: exact at every threshold of a grid, whatever the batches."""

from __future__ import annotations

from typing import Any, NamedTuple

import keras
from keras import ops

from keras_course.core.serial import register
from keras_course.core.shapes import require_features, require_one_of, require_rank
from keras_course.ops.detection import quotient
from keras_course.ops.threshold_curves import (
    average_precision,
    average_precision_bounds,
    count_between_thresholds,
    sums_from_the_top,
    threshold_grid,
    trapezoidal_area,
)

__all__ = ["PRCurve", "PRPoints"]

AREAS = {"steps": average_precision, "trapezoid": trapezoidal_area}


class PRPoints(NamedTuple):
    """Precision and recall at falling thresholds, (T,) each."""

    precision: Any
    recall: Any
    thresholds: Any


@register("PRCurve")
class PRCurve(keras.metrics.Metric):
    """The area under the curve of precision against recall; `points()` gives the curve itself.

    precision(t) = TP(t) / (TP(t) + FP(t)),  recall(t) = TP(t) / P,  TP(t) = sum of w_i y_i [score_i >= t]
    area = sum_t (recall_t - recall_{t-1}) precision_t        thresholds t falling

    Design. An exact curve needs every score, and a metric has state of fixed shape that must add up over batches and
    replicas. So the weight of positives and of negatives between neighbouring thresholds is kept. What is promised:

    1. every point of `points()` is the exact precision and recall at that threshold, for any scores and batches;
    2. where all scores lie on the grid the area equals scikit-learn's average_precision_score ("steps") or
       auc(recall, precision) ("trapezoid"); otherwise it is theirs for scores rounded down to the grid;
    3. `bounds()` holds the average precision of the raw scores, whatever they are.

    0/0: precision is 1 where nothing is retrieved (such points have no width in "steps"); without positives, recall and
    area are 0, so that the result before any data is 0. Positives that score below the lowest threshold are missed.

    Args:
        thresholds: int n for n equal steps over [0, 1], "float16" for every half-precision number in [0, 1] (15,361 of
            them, 120 kB of state), or rising numbers (logits have any range).
        area: "steps" (average precision) or "trapezoid" (straight lines, too kind).
        class_id: int, the class to detect, where y_true holds classes and y_pred is (B, K); None for binary.
        from_logits: whether the logistic function is applied first (softmax with class_id).
        name, dtype: as keras.metrics.Metric.

    Raises:
        ValueError: for thresholds that are no grid, another area, or y_pred of another shape.

    Example:
        >>> metric = PRCurve(thresholds=[0.1, 0.35, 0.4, 0.8])
        >>> metric.update_state([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
        >>> round(float(metric.result()), 4)
        0.8333

    Source: C 9.1.1.
    """

    def __init__(
        self,
        thresholds: Any = 1001,
        area: str = "steps",
        class_id: int | None = None,
        from_logits: bool = False,
        name: str = "pr_area",
        dtype: Any = None,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        require_one_of("PRCurve", tuple(AREAS), area=area)
        if class_id is not None and (not isinstance(class_id, int) or class_id < 0):
            raise ValueError(f"PRCurve needs an integer class_id >= 0 or None. Received: class_id={class_id!r}")
        self.grid = threshold_grid(thresholds)
        self.thresholds = thresholds if isinstance(thresholds, int | str) else self.grid.tolist()
        self.area, self.class_id, self.from_logits = area, class_id, bool(from_logits)
        shape = (len(self.grid) + 1,)
        self.positives = self.add_variable(shape=shape, initializer="zeros", dtype=self.dtype, name="positives")
        self.negatives = self.add_variable(shape=shape, initializer="zeros", dtype=self.dtype, name="negatives")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Counts a batch.

        Args:
            y_true: (B,) or (B, 1): above 0 for a positive; with class_id, integer classes.
            y_pred: scores (B,) or (B, 1), higher for a positive; with class_id, scores (B, K).
            sample_weight: (B,), (B, 1) or None.
        """
        y_pred, y_true = ops.convert_to_tensor(y_pred), ops.reshape(y_true, (-1,))
        scores = ops.cast(y_pred, self.dtype)
        if self.class_id is None:
            require_rank("PRCurve", y_pred.shape, 1, 2)
            if len(y_pred.shape) == 2:
                require_features("PRCurve", y_pred.shape, 1)
            scores, positive = ops.reshape(scores, (-1,)), y_true > 0
            scores = ops.sigmoid(scores) if self.from_logits else scores
        else:
            require_rank("PRCurve", y_pred.shape, 2)
            if self.class_id >= y_pred.shape[1]:
                raise ValueError(
                    f"PRCurve needs a score of class {self.class_id}. Received: shape={tuple(y_pred.shape)}"
                )
            scores = (ops.softmax(scores) if self.from_logits else scores)[:, self.class_id]
            positive = ops.cast(y_true, "int32") == self.class_id
        weights = ops.ones(ops.shape(scores), self.dtype)
        if sample_weight is not None:
            weights = ops.cast(ops.reshape(sample_weight, (-1,)), self.dtype)
        nothing = ops.zeros_like(weights)
        self.positives.assign_add(count_between_thresholds(scores, ops.where(positive, weights, nothing), self.grid))
        self.negatives.assign_add(count_between_thresholds(scores, ops.where(positive, nothing, weights), self.grid))

    def points(self) -> PRPoints:
        """The curve, from the highest threshold down."""
        positives = self.positives.value
        hits, alarms = sums_from_the_top(positives), sums_from_the_top(self.negatives.value)
        everything = ops.broadcast_to(ops.sum(positives), ops.shape(hits))
        thresholds = ops.flip(ops.convert_to_tensor(self.grid, dtype=self.dtype), axis=0)
        return PRPoints(quotient(hits, hits + alarms, 1), quotient(hits, everything), thresholds)

    def bounds(self) -> tuple[Any, Any]:
        """(lower, upper) bound of the average precision of the raw scores."""
        return average_precision_bounds(ops.flip(self.positives.value, axis=0), ops.flip(self.negatives.value, axis=0))

    def result(self) -> Any:
        precision, recall, _ = self.points()
        return AREAS[self.area](precision, recall)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "thresholds": self.thresholds,
            "area": self.area,
            "class_id": self.class_id,
            "from_logits": self.from_logits,
        }
