"""Small problems for the solvers of the catalogue; a solver without a line here is a red test."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np

from keras_course import catalog
from keras_course.structured import PairwiseProblem, contrast, grid_edges
from keras_course.testing.solver_case import SolverCase


def grid(generator: np.random.Generator) -> PairwiseProblem:
    """A picture of 3 x 3 pixels whose neighbours would agree."""
    edges = grid_edges(3, 3, int(generator.choice([4, 8])))
    weights = -4.0 * generator.random() * contrast(generator.random((3, 3, 3)), edges)
    return PairwiseProblem(3.0 * generator.normal(size=(9, 2)), edges, weights)


def pairwise_score(problem: PairwiseProblem, labelling: Any) -> float:
    """sum_i unary[i, y_i] + sum_ij weight_ij [y_i != y_j], term by term."""
    total = sum(problem.unary[place, label] for place, label in enumerate(labelling))
    for (i, j), weight in zip(problem.edges, problem.weights, strict=True):
        total += weight * (labelling[i] != labelling[j])
    return float(total)


EXAMPLES: dict[str, dict[str, Any]] = {
    "graph_cut": {
        "problem": grid,
        "score": pairwise_score,
        "tied": lambda: PairwiseProblem([[0.0, -1.0], [-1.0, 0.0]], [[0, 1]], -5.0),
        "malformed": {
            "a score of NaN": lambda: PairwiseProblem([[0.0, np.nan]], [], []),
            "a reward for disagreement": lambda: PairwiseProblem(np.zeros((2, 2)), [[0, 1]], 0.5),
            "three labels": lambda: PairwiseProblem(np.zeros((3, 3)), [[0, 1]], -1.0),
        },
    },
}

SKIPS: dict[str, dict[str, str]] = {}


def solver_cases() -> dict[str, SolverCase | None]:
    """{name: case} of every solver in the catalogue: what a row of that shape names, and parts that take a `limit`."""
    cases: dict[str, SolverCase | None] = {}
    for entry in catalog.entries():
        for reference in entry.parts:
            part = catalog.resolve_member(reference)
            takes = {} if inspect.isclass(part) else inspect.signature(part).parameters
            limited = "limit" in takes and takes["limit"].kind is inspect.Parameter.KEYWORD_ONLY
            if limited or (entry.shape == "solver" and reference == entry.object):
                example = EXAMPLES.get(part.__name__)
                cases[part.__name__] = None if example is None else SolverCase(part, **example)
    return cases
