"""What all decisions cost, where one mistake is worse than another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_course.core.serial import register
from keras_course.core.shapes import require_features, require_rank
from keras_course.ops.detection import quotient, total_cost

__all__ = ["TotalCost"]


@register("TotalCost")
class TotalCost(keras.metrics.Metric):
    """The summed cost of all decisions, or its mean.

    cost = sum_i w_i C[y_i, d_i]   (mean=True: divided by sum_i w_i)

    Blocking a legitimate message may cost ten times as much as letting spam through: C = [[0, 10], [1, 0]], rows the
    truth, columns the decision. The decision is the class of the largest score, or for a single score `threshold`;
    `ops.cost_threshold` gives the one that costs least. Before any data it is 0, the mean too.

    Args:
        costs: nested sequence (K, K) of finite numbers, C[truth][decision].
        threshold: float, decides a single score: class 1 where score >= threshold (needs K = 2).
        mean: whether to divide by the weight of the examples.
        name, dtype: as keras.metrics.Metric.

    Raises:
        ValueError: for costs that are no square of finite numbers, or y_pred of another shape.

    Example:
        >>> metric = TotalCost([[0, 10], [1, 0]])
        >>> metric.update_state([0, 0, 1, 1], [0.6, 0.1, 0.7, 0.2])
        >>> float(metric.result())
        11.0

    Source: C 9.1.1.
    """

    def __init__(
        self,
        costs: Sequence[Sequence[float]],
        threshold: float = 0.5,
        mean: bool = False,
        name: str = "total_cost",
        dtype: Any = None,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        rows = [list(row) if isinstance(row, Sequence) else [row] for row in costs]
        self.classes = len(rows)
        if self.classes < 2 or any(len(row) != self.classes for row in rows) or not np.isfinite(rows).all():
            raise ValueError(f"TotalCost needs K rows of K finite costs, K >= 2. Received: costs={costs!r}")
        if not float("-inf") < threshold < float("inf"):
            raise ValueError(f"TotalCost needs a finite threshold. Received: threshold={threshold}")
        self.costs = [[float(cost) for cost in row] for row in rows]
        self.threshold, self.mean = threshold, bool(mean)
        self.total = self.add_variable(shape=(), initializer="zeros", dtype=self.dtype, name="total")
        self.weight = self.add_variable(shape=(), initializer="zeros", dtype=self.dtype, name="weight")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Adds a batch.

        Args:
            y_true: integer classes (B,) or (B, 1).
            y_pred: scores (B, K), or for two classes scores of class 1, (B,) or (B, 1).
            sample_weight: (B,), (B, 1) or None.
        """
        y_pred = ops.convert_to_tensor(y_pred)
        require_rank("TotalCost", y_pred.shape, 1, 2)
        y_true = ops.cast(ops.reshape(y_true, (-1,)), "int32")
        if len(y_pred.shape) == 2 and y_pred.shape[1] != 1:
            require_features("TotalCost", y_pred.shape, self.classes)
            decisions = ops.argmax(y_pred, axis=-1)
        elif self.classes == 2:
            scores = ops.cast(ops.reshape(y_pred, (-1,)), self.dtype)
            decisions = ops.cast(scores >= ops.cast(self.threshold, self.dtype), "int32")
        else:
            raise ValueError(
                f"TotalCost of {self.classes} classes needs a score for each. Received: shape={tuple(y_pred.shape)}"
            )
        weights = ops.ones(ops.shape(y_true), self.dtype)
        if sample_weight is not None:
            weights = ops.cast(ops.reshape(sample_weight, (-1,)), self.dtype)
        costs = ops.convert_to_tensor(self.costs, dtype=self.dtype)
        self.total.assign_add(total_cost(y_true, decisions, costs, weights))
        self.weight.assign_add(ops.sum(weights))

    def result(self) -> Any:
        total = self.total.value
        return quotient(total, self.weight.value) if self.mean else total

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "costs": self.costs, "threshold": self.threshold, "mean": self.mean}
