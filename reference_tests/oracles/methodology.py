"""Oracles of C 1.3 and 9.1: practical methodology."""

from reference_tests.oracles.methodology_debugging import gradients_through_sigmoids, next_step, stuck_units
from reference_tests.oracles.methodology_metrics import (
    averages_over_classes,
    coverage_against_accuracy,
    f_measures,
    precision_against_recall,
    rare_disease,
    spam_costs,
)
from reference_tests.oracles.methodology_selection import degree_by_leave_one_out, fold_of_every_row, settings_of_a_grid

__all__ = [
    "averages_over_classes",
    "coverage_against_accuracy",
    "degree_by_leave_one_out",
    "f_measures",
    "fold_of_every_row",
    "gradients_through_sigmoids",
    "next_step",
    "precision_against_recall",
    "rare_disease",
    "settings_of_a_grid",
    "spam_costs",
    "stuck_units",
]
