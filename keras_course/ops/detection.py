"""How good decisions are: precision, recall and their harmonic mean, accuracy, and what mistakes cost.

                    relevant              not relevant
    retrieved       true positive TP      false positive FP
    not retrieved   false negative FN     true negative TN

    precision = TP / (TP + FP)                recall = TP / (TP + FN)
    F_beta    = (1 + beta^2) precision recall / (beta^2 precision + recall)
    IoU       = TP / (TP + FP + FN)
    accuracy  = (TP + TN) / (TP + TN + FP + FN)

The counts are numbers of examples or sums of their weights. A detector that never detects has precision 0/0: the notes
call that zero, others call it perfect; here `zero_division` says which ("nan" leaves it undefined).
"""

from __future__ import annotations

from typing import Any

from keras import ops

from keras_course.core.shapes import require_rank
from keras_course.ops.floating import as_floating, concrete

__all__ = [
    "accuracy",
    "average_over_classes",
    "contingency",
    "cost_threshold",
    "f_beta",
    "intersection_over_union",
    "precision",
    "quotient",
    "recall",
    "total_cost",
]

UNDEFINED = (0, 1, "nan")  # what a 0/0 may become
AVERAGES = (None, "micro", "macro", "weighted")


def quotient(numerator: Any, denominator: Any, zero_division: Any = 0) -> Any:
    """A ratio of counts with a stated answer to 0/0.

    quotient(a, b) = a / b where b != 0,  zero_division elsewhere

    Args:
        numerator: tensor of any shape.
        denominator: tensor of the same shape.
        zero_division: 0, 1 or "nan".

    Returns:
        Tensor of that shape; its gradient is finite at 0/0.

    Raises:
        ValueError: for another zero_division.

    Example:
        >>> [float(v) for v in quotient([1.0, 0.0], [4.0, 0.0], zero_division=1)]
        [0.25, 1.0]

    Source: C 9.1.1.
    """
    if zero_division not in UNDEFINED:
        raise ValueError(f"quotient takes 0, 1 or 'nan' as zero_division. Received: zero_division={zero_division!r}")
    numerator, denominator = as_floating(numerator), as_floating(denominator)
    defined = denominator != 0
    ratio = numerator / ops.where(defined, denominator, ops.ones_like(denominator))
    return ops.where(defined, ratio, ops.full_like(ratio, float(zero_division)))


def contingency(labels: Any, decisions: Any, classes: int, sample_weight: Any = None) -> tuple[Any, Any, Any, Any]:
    """The contingency table of every class against the rest.

    TP_k = sum w [y = k][d = k],  FP_k = sum w [y != k][d = k],  FN_k = sum w [y = k][d != k],  TN_k = the rest

    With two classes, entry 1 is the table of the detector of class 1.

    Args:
        labels: integer tensor (B,), true classes y.
        decisions: integer tensor (B,), chosen classes d.
        classes: int K; a number outside [0, K) belongs to no class.
        sample_weight: tensor (B,) of weights w, or None for ones; its dtype is that of the counts.

    Returns:
        (TP, FP, FN, TN), each (K,).

    Raises:
        ValueError: for another rank.

    Example:
        >>> tp, fp, fn, tn = contingency([1, 1, 0, 0], [1, 0, 1, 0], classes=2)
        >>> [float(count[1]) for count in (tp, fp, fn, tn)]
        [1.0, 1.0, 1.0, 1.0]

    Source: C 9.1.1.
    """
    labels, decisions = ops.convert_to_tensor(labels), ops.convert_to_tensor(decisions)
    require_rank("contingency", labels.shape, 1)
    require_rank("contingency", decisions.shape, 1)
    weights = ops.ones(ops.shape(labels)) if sample_weight is None else as_floating(sample_weight)
    true = ops.one_hot(ops.cast(labels, "int32"), classes, dtype=weights.dtype)  # (B, K)
    chosen = ops.one_hot(ops.cast(decisions, "int32"), classes, dtype=weights.dtype)  # (B, K)
    weights = weights[:, None]
    hits = ops.sum(weights * true * chosen, 0)
    false_alarms = ops.sum(weights * (1 - true) * chosen, 0)
    misses = ops.sum(weights * true * (1 - chosen), 0)
    return hits, false_alarms, misses, ops.sum(weights * (1 - true) * (1 - chosen), 0)


def precision(true_positives: Any, false_positives: Any, zero_division: Any = 0) -> Any:
    """The share of detections that were right.

    precision = TP / (TP + FP)

    Args:
        true_positives, false_positives: tensors of one shape.
        zero_division: 0, 1 or "nan", the answer where nothing was detected.

    Returns:
        Tensor of that shape, in [0, 1].

    Example:
        >>> float(precision(3.0, 1.0))
        0.75

    Source: C 9.1.1.
    """
    true_positives = as_floating(true_positives)
    return quotient(true_positives, true_positives + as_floating(false_positives), zero_division)


def recall(true_positives: Any, false_negatives: Any, zero_division: Any = 0) -> Any:
    """The share of true events that were detected.

    recall = TP / (TP + FN)

    Args:
        true_positives, false_negatives: tensors of one shape.
        zero_division: 0, 1 or "nan", the answer where there was nothing to detect.

    Returns:
        Tensor of that shape, in [0, 1].

    Example:
        >>> float(recall(3.0, 3.0))
        0.5

    Source: C 9.1.1.
    """
    true_positives = as_floating(true_positives)
    return quotient(true_positives, true_positives + as_floating(false_negatives), zero_division)


def f_beta(
    true_positives: Any, false_positives: Any, false_negatives: Any, beta: float = 1.0, zero_division: Any = 0
) -> Any:
    """The weighted harmonic mean of precision and recall.

    F_beta = (1 + beta^2) precision recall / (beta^2 precision + recall)
           = (1 + beta^2) TP / ((1 + beta^2) TP + beta^2 FN + FP)

    The second form is computed: it needs neither quotient, and is 0/0 only where there was nothing to detect and
    nothing was detected. Below 1, beta leans on precision (F_0 is precision), above 1 on recall.

    Args:
        true_positives, false_positives, false_negatives: tensors of one shape.
        beta: float >= 0.
        zero_division: 0, 1 or "nan".

    Returns:
        Tensor of that shape, in [0, 1].

    Raises:
        ValueError: for a beta below 0 or not finite.

    Example:
        >>> float(f_beta(2.0, 2.0, 2.0, beta=2.0))
        0.5

    Source: C 9.1.1.
    """
    if not 0 <= beta < float("inf"):
        raise ValueError(f"f_beta needs a finite beta >= 0. Received: beta={beta}")
    square = float(beta) ** 2
    agreed = (1 + square) * as_floating(true_positives)
    return quotient(
        agreed, agreed + square * as_floating(false_negatives) + as_floating(false_positives), zero_division
    )


def intersection_over_union(
    true_positives: Any, false_positives: Any, false_negatives: Any, zero_division: Any = 0
) -> Any:
    """How well what was detected covers what was there: the Jaccard index.

    IoU = |D and Y| / |D or Y| = TP / (TP + FP + FN)

    Never above F_1 = 2 IoU / (1 + IoU), and like it blind to the true negatives: background does not flatter it.

    Args:
        true_positives, false_positives, false_negatives: tensors of one shape.
        zero_division: 0, 1 or "nan", the answer where there was nothing to detect and nothing was detected.

    Returns:
        Tensor of that shape, in [0, 1].

    Example:
        >>> float(intersection_over_union(2.0, 1.0, 1.0))
        0.5

    Source: C 8.1.12, 9.1.1; Jaccard 1912.
    """
    true_positives = as_floating(true_positives)
    union = true_positives + as_floating(false_positives) + as_floating(false_negatives)
    return quotient(true_positives, union, zero_division)


def accuracy(true_positives: Any, false_positives: Any, false_negatives: Any, true_negatives: Any) -> Any:
    """The share of right decisions; 0 where there were none to make.

    accuracy = (TP + TN) / (TP + TN + FP + FN)

    Args:
        true_positives, false_positives, false_negatives, true_negatives: tensors of one shape.

    Returns:
        Tensor of that shape, in [0, 1].

    Example:
        >>> float(accuracy(1.0, 0.0, 1.0, 2.0))
        0.75

    Source: C 9.1.1.
    """
    right = as_floating(true_positives) + as_floating(true_negatives)
    return quotient(right, right + as_floating(false_positives) + as_floating(false_negatives))


def average_over_classes(scores: Any, support: Any, average: str | None) -> Any:
    """One number from one score a class.

    macro = sum_k s_k / K,   weighted = sum_k n_k s_k / sum_k n_k,   None = s

    NaN scores are left out of both sums; where all are, the answer is NaN. Without support, weighted is 0.

    Args:
        scores: tensor (K,).
        support: tensor (K,), true examples n_k of each class.
        average: None, "macro" or "weighted".

    Returns:
        Scalar, or (K,) for None.

    Example:
        >>> float(average_over_classes([1.0, 0.5], [1.0, 3.0], "weighted"))
        0.625

    Source: C 9.1.1.
    """
    scores = as_floating(scores)
    if average is None:
        return scores
    known = ops.logical_not(ops.isnan(scores))
    weights = as_floating(support) if average == "weighted" else ops.ones_like(scores)
    weights = weights * ops.cast(known, scores.dtype)
    total = ops.sum(weights * ops.where(known, scores, ops.zeros_like(scores)))
    found = quotient(total, ops.sum(weights))
    return ops.where(ops.any(known), found, ops.full_like(found, float("nan")))


def total_cost(labels: Any, decisions: Any, costs: Any, sample_weight: Any = None) -> Any:
    """What all decisions cost together, where mistakes are not equally bad.

    cost = sum_i w_i C[y_i, d_i]

    Args:
        labels: integer tensor (B,), true classes y.
        decisions: integer tensor (B,), chosen classes d.
        costs: tensor (K, J), C[y, d]: a row for each truth, a column for each decision.
        sample_weight: tensor (B,) or None for ones.

    Returns:
        Scalar in the dtype of `costs`.

    Raises:
        ValueError: if costs has another rank.

    Example:
        >>> float(total_cost([0, 1, 1], [1, 1, 0], [[0.0, 10.0], [1.0, 0.0]]))
        11.0

    Source: C 9.1.1.
    """
    costs = as_floating(costs)
    require_rank("total_cost", costs.shape, 2)
    true = ops.one_hot(ops.cast(labels, "int32"), costs.shape[0], dtype=costs.dtype)  # (B, K)
    chosen = ops.one_hot(ops.cast(decisions, "int32"), costs.shape[1], dtype=costs.dtype)  # (B, J)
    each = ops.sum(ops.matmul(true, costs) * chosen, -1)  # (B,)
    return ops.sum(each if sample_weight is None else each * ops.cast(sample_weight, costs.dtype))


def cost_threshold(false_positive: Any, false_negative: Any) -> Any:
    """The probability from which on it pays to detect.

    detect where p C_FN >= (1 - p) C_FP:   threshold = C_FP / (C_FP + C_FN)

    Equal costs give 1/2; right decisions cost nothing.

    Args:
        false_positive: cost C_FP >= 0 of a false alarm (a legitimate message blocked).
        false_negative: cost C_FN >= 0 of a miss (a spam message let through).

    Returns:
        Tensor in [0, 1].

    Raises:
        ValueError: for a negative cost, or two that are zero (NaN in compiled code).

    Example:
        >>> float(cost_threshold(9.0, 1.0))
        0.8999999761581421

    Source: C 9.1.1.
    """
    false_positive, false_negative = as_floating(false_positive), as_floating(false_negative)
    pair = [concrete(false_positive), concrete(false_negative)]
    if (
        all(value is not None for value in pair)
        and not ((pair[0] >= 0) & (pair[1] >= 0) & (pair[0] + pair[1] > 0)).all()
    ):
        raise ValueError(
            f"cost_threshold needs costs >= 0, not both 0. Received: false_positive={pair[0]}, false_negative={pair[1]}"
        )
    return false_positive / (false_positive + false_negative)
