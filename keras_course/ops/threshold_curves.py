"""Curves over a threshold: precision against recall, accuracy against coverage, exactly and on a grid.

    retrieved at t     = {i : score_i >= t}
    precision(t), recall(t)   of that set           (PR curve)
    coverage(t)               its share of all,  accuracy(t) the share of right answers in it

Example by example, sorted by falling score, the curve is exact; it needs all scores at once. A streaming metric has
state of fixed size, so it counts between thresholds of a grid instead, and nothing is lost there:

    score >= t  if and only if  floor_grid(score) >= t      for every t of the grid

so each point of the grid's curve is the exact precision and recall at that threshold, and the whole curve is the exact
one of scores rounded down to the grid. What lies between two thresholds is bounded (`average_precision_bounds`).
"""

from __future__ import annotations

from collections.abc import Iterable
from numbers import Integral
from typing import Any

import numpy as np
from keras import ops
from numpy.typing import NDArray

from keras_course.core.shapes import require_rank
from keras_course.ops.detection import quotient
from keras_course.ops.floating import as_floating

__all__ = [
    "average_precision",
    "average_precision_bounds",
    "count_between_thresholds",
    "coverage_curve",
    "precision_recall_curve",
    "sums_from_the_top",
    "threshold_grid",
    "trapezoidal_area",
]


def precision_recall_curve(labels: Any, scores: Any, sample_weight: Any = None) -> tuple[Any, Any, Any]:
    """Precision and recall with each score in turn as the threshold, from the highest down.

    precision_i = sum_j w_j y_j [s_j >= s_i] / sum_j w_j [s_j >= s_i],   recall_i = the same sum / sum_j w_j y_j

    Equal scores give equal points, N points in all, so that shapes are known; scikit-learn keeps one of them, in
    rising order of the threshold, and adds the end point (precision 1, recall 0).

    Args:
        labels: tensor (N,), positive where above 0.
        scores: floating tensor (N,), higher where the event is thought more likely.
        sample_weight: tensor (N,) or None for ones.

    Returns:
        (precision, recall, thresholds), each (N,). Recall is 1 where there are no positives.

    Raises:
        ValueError: for another rank.

    Example:
        >>> precision, recall, _ = precision_recall_curve([0, 1, 1], [0.1, 0.4, 0.3])
        >>> [round(float(v), 2) for v in precision], [float(v) for v in recall]
        ([1.0, 1.0, 0.67], [0.5, 1.0, 1.0])

    Source: C 9.1.1.
    """
    scores = as_floating(scores)
    require_rank("precision_recall_curve", scores.shape, 1)
    positive = ops.cast(ops.reshape(labels, (-1,)), scores.dtype) > 0
    weights = ops.ones_like(scores) if sample_weight is None else ops.cast(sample_weight, scores.dtype)
    true = ops.where(positive, weights, ops.zeros_like(weights))
    hits, retrieved, thresholds = _sums_down_to_each(scores, true, weights)
    return quotient(hits, retrieved, 1), quotient(hits, ops.broadcast_to(ops.sum(true), ops.shape(hits)), 1), thresholds


def coverage_curve(right: Any, confidence: Any, sample_weight: Any = None) -> tuple[Any, Any, Any]:
    """Accuracy of the answers given, against the share of examples that get one, as less and less is refused.

    coverage_i = sum_j w_j [c_j >= c_i] / sum_j w_j,   accuracy_i = sum_j w_j r_j [c_j >= c_i] / the same sum

    Args:
        right: tensor (N,), 1 where the answer would be right, else 0.
        confidence: floating tensor (N,); an example is refused below the threshold.
        sample_weight: tensor (N,) or None for ones.

    Returns:
        (coverage, accuracy, thresholds), each (N,), coverage rising.

    Raises:
        ValueError: for another rank.

    Example:
        >>> coverage, accuracy, _ = coverage_curve([1, 0, 1, 1], [0.9, 0.5, 0.8, 0.6])
        >>> [float(v) for v in coverage], [float(v) for v in accuracy]
        ([0.25, 0.5, 0.75, 1.0], [1.0, 1.0, 1.0, 0.75])

    Source: C 9.1.2.
    """
    confidence = as_floating(confidence)
    require_rank("coverage_curve", confidence.shape, 1)
    weights = ops.ones_like(confidence) if sample_weight is None else ops.cast(sample_weight, confidence.dtype)
    good = weights * ops.cast(right, confidence.dtype)
    hits, answered, thresholds = _sums_down_to_each(confidence, good, weights)
    return answered / ops.sum(weights), quotient(hits, answered, 1), thresholds


def average_precision(precision: Any, recall: Any) -> Any:
    """Area under the PR curve as a sum of steps, without interpolation.

    AP = sum_i (recall_i - recall_{i-1}) precision_i,   recall_{-1} = 0

    Linear interpolation between points (`trapezoidal_area`) is too kind to the curve.

    Args:
        precision, recall: tensors (T,), thresholds falling, recall rising.

    Returns:
        Scalar in [0, 1].

    Example:
        >>> float(average_precision([1.0, 0.5], [0.5, 1.0]))
        0.75

    Source: C 9.1.1.
    """
    recall = as_floating(recall)
    return ops.sum((recall - _shifted(recall, 0.0)) * as_floating(precision))


def trapezoidal_area(precision: Any, recall: Any) -> Any:
    """Area under the PR curve with straight lines between its points, from (recall 0, precision 1) on.

    area = sum_i (recall_i - recall_{i-1}) (precision_i + precision_{i-1}) / 2,   recall_{-1} = 0, precision_{-1} = 1

    Args:
        precision, recall: tensors (T,), thresholds falling, recall rising.

    Returns:
        Scalar in [0, 1].

    Example:
        >>> float(trapezoidal_area([1.0, 0.5], [0.5, 1.0]))
        0.875

    Source: C 9.1.1.
    """
    precision, recall = as_floating(precision), as_floating(recall)
    return ops.sum((recall - _shifted(recall, 0.0)) * (precision + _shifted(precision, 1.0)) / 2)


def average_precision_bounds(positives: Any, negatives: Any) -> tuple[Any, Any]:
    """What the average precision of the raw scores can be, given only the counts between thresholds.

    lower = sum_k (recall_k - recall_{k-1}) TP_{k-1} / (TP_{k-1} + FP_k)     negatives first in every interval
    upper = sum_k (recall_k - recall_{k-1}) TP_k / (TP_k + FP_{k-1})         positives first

    The positives of an interval may share one score or have many, so the precision of the first may be next to that
    of the interval before.

    Args:
        positives, negatives: tensors (T,), weights between neighbouring thresholds, highest interval first.

    Returns:
        (lower, upper), scalars.

    Example:
        >>> [float(v) for v in average_precision_bounds([1.0, 1.0], [0.0, 2.0])]
        [0.6666666865348816, 1.0]

    Source: C 9.1.1.
    """
    positives, negatives = as_floating(positives), as_floating(negatives)
    hits, alarms = ops.cumsum(positives), ops.cumsum(negatives)
    before, share = hits - positives, quotient(positives, ops.broadcast_to(hits[-1], ops.shape(hits)))
    lower = quotient(before, before + alarms, 1)  # 0/0: no negative so high, so every positive there has precision 1
    upper = quotient(hits, hits + alarms - negatives, 1)
    return ops.sum(share * lower), ops.sum(share * upper)


def threshold_grid(thresholds: Any) -> NDArray[np.float64]:
    """The thresholds a streaming curve counts between, rising.

    n -> k / (n - 1), k = 0 ... n-1;   "float16" -> every half-precision number of [0, 1], 15,361 of them

    With "float16" nothing is lost of scores that come in half precision, and at most one part in a thousand of others.

    Args:
        thresholds: int >= 2, "float16", or rising finite numbers.

    Returns:
        float64 array (T,).

    Raises:
        ValueError: for anything else.

    Example:
        >>> threshold_grid(5).tolist()
        [0.0, 0.25, 0.5, 0.75, 1.0]

    Source: C 9.1.1.
    """
    if isinstance(thresholds, str) and thresholds == "float16":
        return np.arange(0x3C01, dtype="uint16").view("float16").astype("float64")
    if isinstance(thresholds, Integral) and not isinstance(thresholds, bool) and thresholds >= 2:
        return np.arange(int(thresholds)) / (int(thresholds) - 1)
    if isinstance(thresholds, Iterable) and not isinstance(thresholds, str | bytes):
        grid = np.asarray(list(thresholds), "float64")
        if grid.ndim == 1 and len(grid) and np.isfinite(grid).all() and (np.diff(grid) > 0).all():
            return grid
    raise ValueError(
        "A grid of thresholds is an integer >= 2, 'float16', or rising finite numbers. "
        f"Received: thresholds={thresholds!r}"
    )


def count_between_thresholds(scores: Any, weights: Any, grid: Any) -> Any:
    """Weights in every interval of the grid; the sum over batches is the count of all.

    n_0 = sum w [s < t_0],   n_k = sum w [t_{k-1} <= s < t_k],   n_T = sum w [s >= t_{T-1}]

    A NaN score counts as below every threshold.

    Args:
        scores: floating tensor (B,).
        weights: floating tensor (B,).
        grid: rising thresholds (T,).

    Returns:
        Tensor (T + 1,) in the dtype of `weights`.

    Example:
        >>> [float(v) for v in count_between_thresholds([0.1, 0.5, 0.9], [1.0, 1.0, 1.0], [0.5, 0.9])]
        [1.0, 1.0, 1.0]

    Source: C 9.1.1.
    """
    scores, weights = as_floating(scores), as_floating(weights)
    grid = ops.convert_to_tensor(grid, dtype=scores.dtype)
    known = ops.logical_not(ops.isnan(scores))
    interval = ops.searchsorted(grid, ops.where(known, scores, ops.zeros_like(scores)), side="right")  # (B,)
    interval = ops.where(known, interval, ops.zeros_like(interval))
    return ops.segment_sum(weights, ops.cast(interval, "int32"), num_segments=grid.shape[0] + 1)


def sums_from_the_top(counts: Any) -> Any:
    """Weight at or above each threshold, highest threshold first.

    S_k = n_T + n_{T-1} + ... + n_{T-k},   k = 0 ... T-1

    Args:
        counts: tensor (T + 1,), as `count_between_thresholds` gives them.

    Returns:
        Tensor (T,).

    Example:
        >>> [float(v) for v in sums_from_the_top([5.0, 2.0, 1.0])]
        [1.0, 3.0]

    Source: C 9.1.1.
    """
    return ops.cumsum(ops.flip(as_floating(counts)[1:], axis=0))


def _sums_down_to_each(scores: Any, *weights: Any) -> tuple[Any, ...]:
    """For each weight, its sum over all examples that score at least as high, in falling order; and the scores."""
    order = ops.argsort(-scores)
    falling = ops.take(scores, order)
    last = ops.searchsorted(-falling, -falling, side="right") - 1  # ties: the last of the equal ones
    return (*(ops.take(ops.cumsum(ops.take(weight, order)), last) for weight in weights), falling)


def _shifted(values: Any, first: float) -> Any:
    return ops.concatenate([ops.full_like(values[:1], first), values[:-1]])
