"""Worked examples of practical methodology: metrics, model selection, search, debugging."""

from keras_course.worked_examples.methodology_metrics import (
    averages_over_classes,
    coverage_against_accuracy,
    f_measures,
    precision_against_recall,
    rare_disease,
    spam_costs,
)

__all__ = [
    "averages_over_classes",
    "coverage_against_accuracy",
    "f_measures",
    "precision_against_recall",
    "rare_disease",
    "spam_costs",
]
