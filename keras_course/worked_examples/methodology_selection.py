"""Worked examples of model selection (C 1.3): who is tested when, and which model is chosen."""

from __future__ import annotations

from typing import Any

import numpy as np
from keras import ops

from keras_course.core.backend import arithmetic, compiled
from keras_course.datasets import Split
from keras_course.datasets.folds import k_folds, leave_one_out
from keras_course.ops.regression import ordinary_least_squares
from keras_course.pipeline.cross_validation import select_model
from keras_course.pipeline.search_space import Choice, Range, grid_points

__all__ = ["degree_by_leave_one_out", "fold_of_every_row", "settings_of_a_grid"]


@arithmetic
def fold_of_every_row(rows: int, k: int) -> dict[str, Any]:
    """The training set cut into k validation sets: each row is tested once, by h_i on Va_i. Source: C 1.3."""
    folds = k_folds(rows, k, seed=None)
    where, tested, trained = (np.zeros(rows, "int64") for _ in range(3))
    for number, fold in enumerate(folds, start=1):
        where[fold.held_out] = number
        tested[fold.held_out] += 1
        trained[fold.train] += 1
    return {
        "fold": where,
        "sizes": np.array([len(fold.held_out) for fold in folds]),
        "times_tested": tested,
        "times_trained_on": trained,
    }


def degree_by_leave_one_out(x: Any, y: Any, degrees: Any) -> dict[str, Any]:
    """Polynomials of several degrees; the smallest leave-one-out error chooses. Source: C 1.3."""

    def scorer(degree: int) -> Any:
        def fit_and_test(x_train: Any, y_train: Any, x_test: Any, y_test: Any) -> Any:
            powers = [ops.stack([part**p for p in range(degree + 1)], -1) for part in (x_train, x_test)]  # (N, P)
            weights = ordinary_least_squares(powers[0], y_train[:, None])  # (P, 1)
            return ops.mean((ops.matmul(powers[1], weights)[:, 0] - y_test) ** 2)

        tested = compiled(fit_and_test)

        def squared_error(train: Split, held_out: Split, seed: int) -> float:
            return float(tested(train.x, train.y, held_out.x, held_out.y))

        return squared_error

    rows = ops.convert_to_numpy(x), ops.convert_to_numpy(y)
    orders = [int(degree) for degree in degrees]
    chosen = select_model({order: scorer(order) for order in orders}, *rows, leave_one_out(len(rows[0])))
    results = [chosen.results[order] for order in orders]
    return {
        "squared_errors": np.stack([result.scores["score"] for result in results]),
        "mean": np.array([result.mean() for result in results]),
        "standard_error": np.array([result.standard_error() for result in results]),
        "chosen_degree": int(chosen.name),
    }


@arithmetic
def settings_of_a_grid(lowest_rate: float, highest_rate: float, rates: int, units: Any) -> dict[str, Any]:
    """Every joint setting of a learning rate (equal ratios) and a number of units: counts multiply. Source: C 9.1.5."""
    space = {
        "rate": Range(lowest_rate, highest_rate, log=True, points=rates),
        "units": Choice(tuple(int(value) for value in units)),
    }
    points = grid_points(space)
    return {
        "rate": np.array([point["rate"] for point in points]),
        "units": np.array([point["units"] for point in points]),
        "count": len(points),
        "different_rates": len({point["rate"] for point in points}),
    }
