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


def grey_levels(generator: np.random.Generator) -> PairwiseProblem:
    """Six pixels of three levels, farther apart the more they differ, up to a random most."""
    apart = np.minimum(np.abs(np.subtract.outer(range(3), range(3))), 1.0 + generator.random())
    edges = grid_edges(2, 3, int(generator.choice([4, 8])))
    return PairwiseProblem(generator.normal(size=(6, 3)), edges, -generator.random(len(edges)), apart)


def distant_score(problem: PairwiseProblem, labelling: Any) -> float:
    """sum_i unary[i, y_i] + sum_ij weight_ij V(y_i, y_j), term by term."""
    total = sum(problem.unary[place, label] for place, label in enumerate(labelling))
    for (i, j), weight in zip(problem.edges, problem.weights, strict=True):
        total += weight * problem.distances[labelling[i]][labelling[j]]
    return float(total)


EXAMPLES: dict[str, dict[str, Any]] = {
    "alpha_expansion": {
        "problem": grey_levels,
        "score": distant_score,
        "exact": False,  # no single expansion gains, which is not to say that no labelling does
        "tied": lambda: PairwiseProblem([[0.0, -1.0, -9.0], [-1.0, 0.0, -9.0]], [[0, 1]], -5.0),
        "malformed": {
            "a score of NaN": lambda: PairwiseProblem([[0.0, np.nan, 0.0]], [], []),
            "a reward for disagreement": lambda: PairwiseProblem(np.zeros((2, 3)), [[0, 1]], 0.5),
            "squared distances": lambda: PairwiseProblem(
                np.zeros((2, 3)), [[0, 1]], -1.0, [[0, 1, 4], [1, 0, 1], [4, 1, 0]]
            ),
        },
    },
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
