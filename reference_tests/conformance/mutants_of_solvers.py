"""Planted bugs in solvers. `branch_and_bound` (all answers) and `greedy` (a bound and no promise) are the twins."""

import random
from typing import Any, NamedTuple

import numpy as np

from reference_tests.conformance.mutant import Mutant

SOLVER_MUTANTS: list[Mutant] = []


class Cover(NamedTuple):
    """Choose items so that every row of `covers` has one, as cheaply as possible."""

    costs: np.ndarray  # (items,)
    covers: np.ndarray  # bool (rows, items)


class Found(NamedTuple):
    """What the solvers answer."""

    assignment: np.ndarray
    value: float
    bound: float
    steps: int


def cover(generator):
    """Six items, five rows, every row coverable."""
    covers = generator.random((5, 6)) < 0.4
    covers[np.arange(5), generator.integers(0, 6, 5)] = True
    return Cover(generator.uniform(1.0, 2.0, 6), covers)


def tied_cover():
    """Any one of six equal items covers all."""
    return Cover(np.ones(6), np.ones((1, 6), bool))


def every_choice(problem):
    """All sets of items."""
    return np.stack(np.meshgrid(*[[0, 1]] * len(problem.costs)), -1).reshape(-1, len(problem.costs))


def cost(problem, chosen):
    """Sum of the chosen costs; infinite where a row is left uncovered."""
    return float(chosen @ problem.costs) if np.all(problem.covers @ chosen > 0) else np.inf


OPTIONS: dict[str, Any] = {
    "problem": cover,
    "assignments": every_choice,
    "score": cost,
    "direction": "min",
    "tied": tied_cover,
    "malformed": {"a row that nothing covers": lambda: Cover(np.ones(2), np.zeros((1, 2), bool))},
}


def bug(words, caught_by, **options):
    def decorate(solve):
        SOLVER_MUTANTS.append(Mutant(words, "solver", solve, caught_by, options={**OPTIONS, **options}))
        return solve

    return decorate


def require_sound(problem, limit):
    if not (limit is None or (isinstance(limit, int) and limit >= 0)):
        raise ValueError(f"A limit is a count of steps or None. Received: limit={limit!r}")
    if not np.all(problem.covers.any(1)):
        raise ValueError(f"Every row needs an item that covers it. Received: covers={problem.covers.tolist()}")


def branch_and_bound(problem, *, limit=None):
    """Items in order, in or out; a branch's bound is what it has paid. The first of equal answers stays."""
    return search(problem, limit, margin=0.0)


def search(problem, limit, margin):
    """Depth first; a branch is cut off unless it may gain more than `margin`."""
    require_sound(problem, limit)
    best = np.ones(len(problem.costs), int)
    value, steps, open_branches = float(best @ problem.costs), 0, [((), 0.0)]
    while open_branches and (limit is None or steps < limit):
        start, paid = open_branches.pop()
        steps += 1
        if paid + margin >= value:
            continue
        if np.all(problem.covers[:, : len(start)] @ np.array(start, int) > 0):
            best = np.array([*start, *[0] * (len(best) - len(start))])
            value = float(best @ problem.costs)
        elif len(start) < len(best):
            open_branches += [((*start, 0), paid), ((*start, 1), paid + problem.costs[len(start)])]
    bound = min([value, *(paid for _, paid in open_branches)])
    return Found(best, value, bound, steps)


def greedy(problem, *, limit=None):
    """The item that covers most new rows per cost, again and again; the bound charges every row its cheapest share."""
    require_sound(problem, limit)
    chosen = np.ones(len(problem.costs), int)
    trial, steps = np.zeros(len(problem.costs), int), 0
    while (limit is None or steps < limit) and not np.all(problem.covers @ trial > 0):
        new = (problem.covers & ~(problem.covers @ trial > 0)[:, None]).sum(0)
        trial[np.argmax(new / problem.costs)] = 1
        steps += 1
    if np.all(problem.covers @ trial > 0):
        chosen = trial
    share = np.where(problem.covers, problem.costs / problem.covers.sum(0).clip(1), np.inf)
    return Found(chosen, float(chosen @ problem.costs), float(share.min(1).sum()), steps)


@bug("greedy, and says it is exact", "the_answer_is_the_best_of_all")
def greedy_called_exact(problem, *, limit=None):
    return greedy(problem, limit=limit)


@bug("stops at the first answer", "the_answer_is_the_best_of_all")
def first_answer(problem, *, limit=None):
    require_sound(problem, limit)
    chosen = np.ones(len(problem.costs), int)
    return Found(chosen, float(chosen.sum()), 0.0, 0)


@bug("prunes by a bound that is off by one", "the_answer_is_the_best_of_all")
def prunes_too_much(problem, *, limit=None):
    return search(problem, limit, margin=1.0)


@bug("the value of another answer", "the_value_is_that_of_the_assignment")
def value_of_another(problem, *, limit=None):
    found = branch_and_bound(problem, limit=limit)
    return found._replace(value=found.value + 1.0, bound=found.bound)


@bug("an answer that is none: items chosen twice", "the_value_is_that_of_the_assignment")
def chooses_twice(problem, *, limit=None):
    found = branch_and_bound(problem, limit=limit)
    return found._replace(assignment=2 * found.assignment)


@bug("the bound is off by one", "the_bound_is_never_crossed")
def bound_off_by_one(problem, *, limit=None):
    found = branch_and_bound(problem, limit=limit)
    return found._replace(bound=found.bound + 1.0)


@bug("the bound forgets the branches left open", "the_bound_is_never_crossed")
def forgets_open_branches(problem, *, limit=None):
    found = branch_and_bound(problem, limit=limit)
    return found._replace(bound=found.value)


@bug("the bound is never tightened", "a_finished_search_proves_its_answer")
def bound_stays_loose(problem, *, limit=None):
    return branch_and_bound(problem, limit=limit)._replace(bound=0.0)


@bug("the limit is ignored", "the_limit_is_kept")
def limit_ignored(problem, *, limit=None):
    require_sound(problem, limit)
    return branch_and_bound(problem)


@bug("one step more than the limit", "the_limit_is_kept")
def limit_off_by_one(problem, *, limit=None):
    require_sound(problem, limit)
    return branch_and_bound(problem, limit=None if limit is None else limit + 1)


@bug("a negative limit counts as none", "a_limit_that_is_no_count_is_refused")
def negative_limit_is_none(problem, *, limit=None):
    return branch_and_bound(problem, limit=None if limit is None or limit < 0 else limit)


@bug("ties are broken by a random number", "equal_problems_get_equal_answers")
def random_ties(problem, *, limit=None):
    order = list(range(len(problem.costs)))
    random.shuffle(order)
    found = branch_and_bound(Cover(problem.costs[order], problem.covers[:, order]), limit=limit)
    assignment = np.zeros_like(found.assignment)
    assignment[order] = found.assignment
    return found._replace(assignment=assignment)


@bug("sorts the caller's costs in place", "the_problem_is_left_as_it_was")
def writes_into_the_problem(problem, *, limit=None):
    found = branch_and_bound(problem, limit=limit)
    problem.costs.sort()
    return found


@bug("an impossible problem is answered", "malformed_problems_are_refused")
def answers_the_impossible(problem, *, limit=None):
    sound = problem.covers | ~problem.covers.any(1, keepdims=True)
    return branch_and_bound(problem._replace(covers=sound), limit=limit)
