"""The solver under test, small problems of which every answer can be tried, and what those answers score."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from keras_course.testing.agreement import require
from keras_course.testing.example_inputs import philox

__all__ = ["SolverCase", "every_labelling", "own_score"]

INSTANCES = 12
ROUNDING = 1e-9  # of a sum in float64, relative to the largest score that occurs


class Instance(NamedTuple):
    """One small problem, all its answers, and their scores as greater-is-better numbers."""

    problem: Any
    assignments: list[Any]
    scores: list[float]

    @property
    def best(self) -> float:
        """The score of the best answer."""
        return max(self.scores)

    @property
    def slack(self) -> float:
        """What rounding may change in a score."""
        return ROUNDING * max(1.0, *(abs(score) for score in self.scores if np.isfinite(score)))


def every_labelling(problem: Any) -> Iterable[tuple[int, ...]]:
    """All assignments of a problem that has `places` and `labels`."""
    return itertools.product(range(problem.labels), repeat=problem.places)


def own_score(problem: Any, assignment: Any) -> float:
    """problem.score(assignment)."""
    return float(problem.score(np.asarray(assignment)))


class SolverCase:
    """What the checks of a solver look at.

    Args:
        solve: function (problem, *, limit) -> an object with assignment, value, bound and steps.
        problem: function of a numpy Generator that makes a small problem.
        assignments: function of a problem: every admissible answer.
        score: function of (problem, assignment): the objective, written another way than the solver does.
        direction: "max" or "min".
        exact: whether the solver promises the best answer when no limit stops it.
        tied: function that makes a problem with several best answers, or None.
        malformed: {what is wrong: function that makes the problem}; making or solving it must be refused.
    """

    def __init__(
        self,
        solve: Callable[..., Any],
        problem: Callable[[np.random.Generator], Any],
        assignments: Callable[[Any], Iterable[Any]] = every_labelling,
        score: Callable[[Any, Any], float] = own_score,
        direction: str = "max",
        exact: bool = True,
        tied: Callable[[], Any] | None = None,
        malformed: Mapping[str, Callable[[], Any]] | None = None,
    ) -> None:
        if direction not in ("max", "min"):
            raise ValueError(f'check_solver takes direction "max" or "min". Received: direction={direction!r}')
        self.solver = solve
        self.make, self.assignments, self.score = problem, assignments, score
        self.sign = 1.0 if direction == "max" else -1.0
        self.exact, self.tied = exact, tied
        self.malformed = dict(malformed or {})
        self.label = getattr(solve, "__name__", type(solve).__name__)

    @cached_property
    def instances(self) -> list[Instance]:
        """Small problems, the same in every run, each with all its answers."""
        return [self.instance(self.make(philox("solver", index))) for index in range(INSTANCES)]

    def instance(self, problem: Any) -> Instance:
        """A problem with all its answers and their scores."""
        answers = list(self.assignments(problem))
        require(len(answers) > 1, f"a problem with {len(answers)} answers tests nothing")
        return Instance(problem, answers, [self.sign * float(self.score(problem, answer)) for answer in answers])

    def solve(self, problem: Any, limit: int | None = None) -> Any:
        """The solver's answer to a copy of the problem."""
        return self.solver(copy.deepcopy(problem), limit=limit)

    @cached_property
    def limits(self) -> tuple[int | None, ...]:
        """Limits that stop the solver early, where it takes several steps, and none."""
        longest = max(int(self.solve(one.problem).steps) for one in self.instances)
        return (*sorted({0, 1, 2, longest // 2, max(longest - 1, 0), longest}), None)
