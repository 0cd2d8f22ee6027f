"""Worked examples of the metrics of C 9.1: what accuracy hides, and what precision, recall, cost and coverage show."""

from __future__ import annotations

from typing import Any

from keras import ops

from keras_course.core.backend import compiled
from keras_course.metrics.coverage import Coverage
from keras_course.metrics.pr_curve import PRCurve
from keras_course.metrics.precision_recall import FBeta, Precision, Recall
from keras_course.metrics.total_cost import TotalCost
from keras_course.ops.detection import accuracy, contingency, cost_threshold, f_beta, precision, recall
from keras_course.ops.threshold_curves import (
    average_precision,
    coverage_curve,
    precision_recall_curve,
    trapezoidal_area,
)

__all__ = [
    "averages_over_classes",
    "coverage_against_accuracy",
    "f_measures",
    "precision_against_recall",
    "rare_disease",
    "spam_costs",
]


def rare_disease(ill: Any, detected: Any, people: Any) -> dict[str, Any]:
    """One in a million has the disease: a detector that always says the same. Source: C 9.1.1.

    Args:
        ill, detected: (N,) truth and answer of each kind of person, 1 or 0.
        people: (N,) how many there are of each kind.
    """
    table = compiled(lambda y, d, w: accuracy(*(count[1] for count in contingency(y, d, 2, w))))
    scores = ops.cast(detected, people.dtype)
    metrics = [Recall(), *(Precision(zero_division=value) for value in (0, 1, "nan"))]
    found, precise, perfect, undefined = _each_measured(metrics, ill, scores, people)
    return {
        "accuracy_percent": 100.0 * table(ill, detected, people),
        "recall_percent": 100.0 * found,
        "precision_percent": 100.0 * precise,
        "precision_percent_if_nothing_is_perfect": 100.0 * perfect,
        "precision_is_defined": ops.logical_not(ops.isnan(undefined)),
    }


def f_measures(true_positives: Any, false_positives: Any, false_negatives: Any, beta: float) -> dict[str, Any]:
    """Precision, recall and F-measure of several tables. Source: C 9.1.1."""
    return {
        "precision": compiled(precision)(true_positives, false_positives),
        "recall": compiled(recall)(true_positives, false_negatives),
        "f_beta": compiled(f_beta)(true_positives, false_positives, false_negatives, beta),
    }


def averages_over_classes(labels: Any, chosen: Any, classes: int, beta: float) -> dict[str, Any]:
    """Three classes, each against the rest, and their averages. Source: C 9.1.1."""
    averages = ("micro", "macro", "weighted")
    metrics = [
        metric
        for average in averages
        for metric in (
            Precision(classes=classes, average=average),
            Recall(classes=classes, average=average),
            FBeta(beta=beta, classes=classes, average=average),
        )
    ]
    found = _each_measured(metrics, labels, chosen)
    return {average: ops.stack(found[3 * i : 3 * i + 3]) for i, average in enumerate(averages)}


def precision_against_recall(labels: Any, scores: Any, weights: Any, thresholds: Any) -> dict[str, Any]:
    """The PR curve, score by score, and at given thresholds; both areas. Source: C 9.1.1."""
    pi, rho, _ = compiled(precision_recall_curve)(labels, scores, weights)
    grid = [float(t) for t in thresholds]
    curve = PRCurve(thresholds=grid)
    curve.update_state(labels, scores, weights)
    points = curve.points()
    return {
        "precision": pi,
        "recall": rho,
        "average_precision": compiled(average_precision)(pi, rho),
        "trapezoidal_area": compiled(trapezoidal_area)(pi, rho),
        "precision_at_thresholds": points.precision,
        "recall_at_thresholds": points.recall,
        "area": _measured(PRCurve(thresholds=grid), labels, scores, weights),
    }


def spam_costs(spam: Any, scores: Any, blocked_letter: float, passed_spam: float) -> dict[str, Any]:
    """A spam filter judged by its errors and by what they cost. Source: C 9.1.1."""
    costs = [[0.0, blocked_letter], [passed_spam, 0.0]]
    best = cost_threshold(*(ops.full((), cost, dtype=scores.dtype) for cost in (blocked_letter, passed_spam)))
    metrics = {
        "errors_at_half": TotalCost([[0, 1], [1, 0]]),
        "cost_at_half": TotalCost(costs),
        "errors_at_best": TotalCost([[0, 1], [1, 0]], threshold=float(best)),
        "cost_at_best": TotalCost(costs, threshold=float(best)),
    }
    found = _each_measured(list(metrics.values()), spam, scores)
    return {"best_threshold": best, **dict(zip(metrics, found, strict=True))}


def coverage_against_accuracy(labels: Any, probabilities: Any, wanted: float, threshold: float) -> dict[str, Any]:
    """Refusing the doubtful examples buys accuracy; refusing all makes it 0/0. Source: C 9.1.2."""
    right = ops.cast(ops.argmax(probabilities, -1), "int32") == ops.cast(labels, "int32")
    coverage, share, _ = compiled(coverage_curve)(right, ops.max(probabilities, -1))
    refusing = {}
    for zero_division in (0, 1):
        metric = Coverage(wanted, thresholds=[threshold], zero_division=zero_division)
        metric.update_state(labels, probabilities)
        refusing[zero_division] = metric.points()
    return {
        "coverage": coverage,
        "accuracy": share,
        "coverage_at_wanted_accuracy": _measured(Coverage(wanted, thresholds=65), labels, probabilities),
        "coverage_refusing_all": refusing[1].coverage[0],
        "accuracy_refusing_all": refusing[1].accuracy[0],
        "accuracy_refusing_all_is_defined": refusing[0].accuracy[0] == refusing[1].accuracy[0],
    }


def _measured(metric: Any, *arguments: Any) -> Any:
    """A metric after one batch, as a pure function of its state, so that every backend and mode can compile it."""
    return _each_measured([metric], *arguments)[0]


def _each_measured(metrics: list[Any], *arguments: Any) -> list[Any]:
    """Several metrics after the same batch, in one program."""
    start = [[variable.value for variable in metric.variables] for metric in metrics]

    def update_and_read(states: Any, *batch: Any) -> list[Any]:
        return [
            metric.stateless_result(metric.stateless_update_state(state, *batch))
            for metric, state in zip(metrics, states, strict=True)
        ]

    found: list[Any] = compiled(update_and_read)(start, *arguments)
    return found
