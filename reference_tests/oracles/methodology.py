"""Oracles of C 1.3 and 9.1: practical methodology."""

from reference_tests.oracles.methodology_metrics import (
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
