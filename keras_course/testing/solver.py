"""check_solver: are a solver's answers as good as it says, and as it could know?"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

import numpy as np

from keras_course.testing.agreement import require
from keras_course.testing.report import NotApplicable, Report, run_checks
from keras_course.testing.solver_case import Instance, SolverCase, every_labelling, own_score

__all__ = ["SOLVER_CHECKS", "check_solver"]


def the_answer_is_the_best_of_all(case: SolverCase) -> None:
    """A search that cuts off the best answer, or stops before it."""
    if not case.exact:
        raise NotApplicable("the solver does not promise the best answer")
    for index, instance in enumerate(case.instances):
        value = _score_of(case, instance, case.solve(instance.problem), f"problem {index}")
        better = instance.best - value
        require(better <= instance.slack, f"problem {index}: another answer is better by {better:.6g}")


def the_value_is_that_of_the_assignment(case: SolverCase) -> None:
    """A value that belongs to another answer, or to a relaxed or scaled problem."""
    for what, instance, _, solution in _solved(case):
        own = _score_of(case, instance, solution, what)
        told = case.sign * float(solution.value)
        require(abs(told - own) <= instance.slack, f"{what}: value says {solution.value}, the answer has {own:.9g}")


def the_bound_is_never_crossed(case: SolverCase) -> None:
    """A bound that some answer beats: it proves nothing, and a search that trusts it cuts off the best."""
    for what, instance, _, solution in _solved(case):
        beaten = instance.best - case.sign * float(solution.bound)
        require(beaten <= instance.slack, f"{what}: the best answer beats the bound {solution.bound} by {beaten:.6g}")


def a_finished_search_proves_its_answer(case: SolverCase) -> None:
    """A bound that stays loose when nothing is left to search: the caller never learns that the answer is best."""
    if not case.exact:
        raise NotApplicable("the solver does not promise the best answer")
    for index, instance in enumerate(case.instances):
        solution = case.solve(instance.problem)
        gap = abs(float(solution.bound) - float(solution.value))
        require(gap <= instance.slack, f"problem {index}: without a limit, value and bound differ by {gap:.6g}")


def the_limit_is_kept(case: SolverCase) -> None:
    """A limit that is ignored, or counted in another unit than steps."""
    for what, _, limit, solution in _solved(case):
        whole = isinstance(solution.steps, int | np.integer) and solution.steps >= 0
        require(bool(whole), f"{what}: steps is {solution.steps!r}, not a count")
        require(limit is None or solution.steps <= limit, f"{what}: took {solution.steps} steps")


def a_limit_that_is_no_count_is_refused(case: SolverCase) -> None:
    """A limit of -1 or 2.5 that is taken for none, or for another."""
    for limit in (-1, 2.5, "many"):
        attempt = partial(case.solver, case.instances[0].problem, limit=limit)
        _require_refused(attempt, f"limit={limit!r}", ValueError)


def equal_problems_get_equal_answers(case: SolverCase) -> None:
    """Ties broken by a random number, the clock, or the order of a set: no run can be repeated."""
    problems = [instance.problem for instance in case.instances] + ([] if case.tied is None else [case.tied()] * 4)
    for index, problem in enumerate(problems):
        first, second = case.solve(problem), case.solve(problem)
        what = f"problem {index}" if index < len(case.instances) else "the problem with ties"
        same = np.array_equal(np.asarray(first.assignment), np.asarray(second.assignment))
        require(same, f"{what}: two runs give different answers")
        for name in ("value", "bound", "steps"):
            one, two = getattr(first, name), getattr(second, name)
            require(one == two, f"{what}: {name} is {one} in one run and {two} in another")


def the_problem_is_left_as_it_was(case: SolverCase) -> None:
    """A solver that writes into the caller's arrays: the second solver gets another problem."""
    for index, instance in enumerate(case.instances[:3]):
        given, kept = copy.deepcopy(instance.problem), copy.deepcopy(instance.problem)
        case.solver(given, limit=None)
        changed = [score for score, answer in zip(instance.scores, instance.assignments, strict=True)
                   if case.sign * float(case.score(given, answer)) != score]  # fmt: skip
        require(not changed, f"problem {index}: {len(changed)} answers score otherwise once it was solved")
        fields = _fields(kept)
        for name, value in _fields(given).items():
            same = name in fields and _same(value, fields[name])
            require(same, f"problem {index}: its {name} was changed")


def malformed_problems_are_refused(case: SolverCase) -> None:
    """A problem outside the solver's class, answered all the same."""
    if not case.malformed:
        raise NotApplicable("no malformed problems were given")
    for what, make in case.malformed.items():
        _require_refused(partial(_made_and_solved, case, make), what, Exception)


SOLVER_CHECKS = (
    the_answer_is_the_best_of_all,
    the_value_is_that_of_the_assignment,
    the_bound_is_never_crossed,
    a_finished_search_proves_its_answer,
    the_limit_is_kept,
    a_limit_that_is_no_count_is_refused,
    equal_problems_get_equal_answers,
    the_problem_is_left_as_it_was,
    malformed_problems_are_refused,
)


def check_solver(
    solve: Callable[..., Any],
    problem: Callable[[np.random.Generator], Any],
    assignments: Callable[[Any], Iterable[Any]] = every_labelling,
    score: Callable[[Any, Any], float] = own_score,
    *,
    direction: str = "max",
    exact: bool = True,
    tied: Callable[[], Any] | None = None,
    malformed: Mapping[str, Callable[[], Any]] | None = None,
    skip: Iterable[str] | Mapping[str, str] = (),
    only: Iterable[str] = (),
    raise_on_failure: bool = True,
) -> Report:
    """Holds a solver against brute force on small problems.

        solve(problem, *, limit) -> Solution(assignment, value, bound, steps)

    The best of all answers, the value of the answer given, a bound that no answer beats, the limit, ties, the
    problem left alone, bad problems refused. A dozen problems, each solved under several limits.

    Args:
        solve: the solver; `limit` is a number of steps, None for as many as it takes.
        problem: function of a numpy Generator that makes a small problem: some thousand answers at most.
        assignments: function of a problem: every admissible answer. The default takes problems with `places` and
            `labels`.
        score: function of (problem, assignment): what the solver optimises, better not by the solver's own code. The
            default is problem.score. -inf (for "max") marks an answer that is not allowed.
        direction: "max" or "min"; the bound lies above every score, or below.
        exact: False for a solver that does not promise the best answer; its value and bound are still checked.
        tied: function that makes a problem with several best answers.
        malformed: {what is wrong: function that makes the problem}: making it or solving it must raise an error that
            says what came.
        skip, only, raise_on_failure: as `check_layer`.

    Returns:
        `Report`, one row a check.

    Raises:
        ConformanceError: if a check failed.
        ValueError: for another direction, or names of checks that do not exist.

    Example:
        >>> from keras_course.structured import PairwiseProblem, graph_cut
        >>> report = check_solver(
        ...     graph_cut, lambda generator: PairwiseProblem(generator.normal(size=(3, 2)), [[0, 1], [1, 2]], -0.5))
        >>> report.passed, [row.check for row in report.rows if row.verdict == "skip"]
        (True, ['malformed_problems_are_refused'])
    """
    case = SolverCase(solve, problem, assignments, score, direction, exact, tied, malformed)
    return run_checks(
        f"check_solver({case.label})", SOLVER_CHECKS, case, skip=skip, only=only, raise_on_failure=raise_on_failure
    )


def _solved(case: SolverCase) -> Iterable[tuple[str, Instance, int | None, Any]]:
    """(what, instance, limit, solution) of every problem under every limit."""
    for index, instance in enumerate(case.instances):
        for limit in case.limits:
            yield f"problem {index}, limit={limit}", instance, limit, case.solve(instance.problem, limit)


def _score_of(case: SolverCase, instance: Instance, solution: Any, what: str) -> float:
    """The score of the solver's answer, looked up among all answers."""
    came = np.asarray(solution.assignment)
    for answer, score in zip(instance.assignments, instance.scores, strict=True):
        if np.array_equal(np.asarray(answer), came):
            return score
    require(False, f"{what}: {came.tolist()} is no answer of this problem")
    return math.nan


def _made_and_solved(case: SolverCase, make: Callable[[], Any]) -> Any:
    return case.solver(make(), limit=None)


def _require_refused(attempt: Callable[[], Any], what: str, wanted: type[Exception]) -> None:
    try:
        came = attempt()
    except Exception as error:
        kind = type(error).__name__
        clear = isinstance(error, wanted) and "Received" in str(error)
        require(clear, f"{what} gives no clear error but {kind}: {' '.join(str(error).split())[:200]}")
    else:
        require(False, f"{what} is answered: {getattr(came, 'assignment', came)!r}")


def _fields(problem: Any) -> dict[str, Any]:
    return dict(problem) if isinstance(problem, Mapping) else dict(getattr(problem, "__dict__", {}))


def _same(one: Any, other: Any) -> bool:
    try:
        return bool(np.array_equal(np.asarray(one), np.asarray(other)))
    except (TypeError, ValueError):
        return bool(one == other)
