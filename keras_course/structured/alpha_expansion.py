"""Many labels, one minimum cut at a time: whoever likes may take label alpha, for every alpha in turn.

    E(y) = -score(y) = sum_i D_i(y_i) + sum_{(i,j)} c_ij V(y_i, y_j),    c_ij = -weight_ij >= 0,  V a metric
    move(y, alpha):  each place keeps its label (x_i = 0) or takes alpha (x_i = 1), all places at once

The best of these 2^N moves is a two-label problem. With e00 = V(y_i, y_j), e01 = V(y_i, alpha), e10 = V(alpha, y_j) and
e11 = V(alpha, alpha) = 0, a pair costs

    e00 + x_i (e10 - e01 - e00) / 2 + x_j (e01 - e10 - e00) / 2 + (e01 + e10 - e00) [x_i != x_j] / 2

and the last factor is >= 0 by the triangle inequality: that is why V must be a metric. Moves stop when none of the L
labels gains anything. Such a y is within a known factor of the best y* (Boykov, Veksler and Zabih 2001):

    E(y) <= sum D(y*) + 2 c sum V(y*),    c = max V / min V over different labels
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from keras_course.core.errors import InvalidDataError
from keras_course.structured.graph_cut import graph_cut
from keras_course.structured.problem import PairwiseProblem, Solution

__all__ = ["alpha_expansion"]

_SLACK = 1e-12  # of the largest distance: a triangle may be flat up to the rounding of its sides


def alpha_expansion(problem: PairwiseProblem, *, limit: int | None = None) -> Solution:
    """A labelling that no expansion of any one label improves, and how far it can be from the best.

        argmax_y  sum_i unary[i, y_i] + sum_ij weight_ij V(y_i, y_j),    weight_ij <= 0,  V a metric

    Every place begins with its own best label; labels expand in the order 0 ... L - 1, round and round. The score
    never falls. Once no expansion gains, with top = sum_i max_l unary[i, l] and c = max V / min V,

        bound = top - (top - value) / (2 c)

    (what the cuts leave unproved, the rounding of float64, is added). It follows from the theorem above, since D is
    at least -unary's maximum. Before that, the bound is top itself. Two labels are solved exactly by `graph_cut`.

    Args:
        problem: `PairwiseProblem` with any number of labels; unary scores of -inf forbid a label.
        limit: greatest number of expansions (cuts) to try, None for as many as it takes. With 0, every place takes its
            own best label.

    Returns:
        `Solution`; `steps` counts the expansions tried.

    Raises:
        InvalidDataError: if a weight is positive, or the distances are no metric; the message names the labels.
        ValueError: if limit is negative.

    Example:
        >>> row = PairwiseProblem([[0, -2, -9], [-3, -2, -2.5], [-9, -2, 0]], [[0, 1], [1, 2]], -1.0,
        ...                       distances=[[0, 1, 2], [1, 0, 1], [2, 1, 0]])
        >>> solution = alpha_expansion(row)
        >>> solution.assignment.tolist(), solution.value
        ([0, 1, 2], -4.0)

    Source: N (Graph Cuts); Boykov, Veksler and Zabih 2001.
    """
    _require_metric(problem, limit)
    labels = problem.labels
    top = math.fsum(problem.unary.max(1))
    best = problem.unary.argmax(1)
    value = problem.score(best)
    gains = np.full(labels, np.inf)  # the most that expanding each label can still add, proved by its cut
    steps = 0
    while value < top and np.any(np.isinf(gains)) and (limit is None or steps < limit):
        alpha = steps % labels
        move = _expansion(problem, best, alpha)
        cut = graph_cut(move)
        taken = np.where(cut.assignment == 1, alpha, best)
        found = problem.score(taken)
        if found > value:
            best, value = taken, found
            gains[:] = np.inf
            gains[alpha] = cut.gap  # what alpha could add now, it could have added in this move
        else:
            gains[alpha] = max(0.0, cut.bound - move.score(np.zeros(problem.places, int)))
        steps += 1
    return Solution(best.astype("int64"), value, _bound(problem, top, value, gains), steps)


def _expansion(problem: PairwiseProblem, labels: NDArray[np.int64], alpha: int) -> PairwiseProblem:
    """The two-label problem of who takes alpha (label 1) and who keeps what they have (label 0)."""
    first, second = problem.edges.T
    cost, apart = -problem.weights, problem.distances
    e00 = cost * apart[labels[first], labels[second]]
    e01 = cost * apart[labels[first], alpha]
    e10 = cost * apart[alpha, labels[second]]
    pull = np.bincount(first, e10 - e01 - e00, problem.places) + np.bincount(second, e01 - e10 - e00, problem.places)
    unary = np.stack([problem.unary[np.arange(problem.places), labels], problem.unary[:, alpha] - 0.5 * pull], 1)
    return PairwiseProblem(unary, problem.edges, -0.5 * np.maximum(e01 + e10 - e00, 0.0))


def _bound(problem: PairwiseProblem, top: float, value: float, gains: NDArray[np.float64]) -> float:
    """No labelling scores more: top, or less where every label's cut has proved that it has nothing to add."""
    if value >= top or np.any(np.isinf(gains)):
        return max(top, value)
    different = problem.distances[~np.eye(problem.labels, dtype=bool)]
    factor = 2.0 * float(different.max() / different.min())
    return max(value, top - max(0.0, top - value - math.fsum(gains)) / factor)


def _require_metric(problem: PairwiseProblem, limit: int | None) -> None:
    if limit is not None and (isinstance(limit, bool) or not isinstance(limit, int) or limit < 0):
        raise ValueError(f"alpha_expansion needs a limit of at least 0 expansions, or None. Received: limit={limit!r}")
    if len(problem.weights) and problem.weights.max() > 0:
        worst = int(problem.weights.argmax())
        raise InvalidDataError(
            f"alpha_expansion needs w C <= 0 on every edge, so that disagreement is penalised. "
            f"Received: weight {problem.weights[worst]:.6g} on edge {problem.edges[worst].tolist()}"
        )
    apart, own = problem.distances, np.eye(problem.labels, dtype=bool)
    rules = (
        ("a label is at distance 0 from itself", own & (apart != 0)),
        ("different labels are at a distance above 0", ~own & (apart <= 0)),
        ("it is as far there as back", apart != apart.T),
    )
    for rule, broken in rules:
        for a, b in np.argwhere(broken)[:1]:
            raise _no_metric(rule, f"V({a}, {b}) = {apart[a, b]:.6g}, V({b}, {a}) = {apart[b, a]:.6g}")
    longer = apart[:, None, :] - (apart[:, :, None] + apart[None, :, :])  # V(a, b) less the way through k, at [a, k, b]
    for a, k, b in np.argwhere(longer > _SLACK * apart.max())[:1]:
        raise _no_metric(
            "no way round is shorter (triangle inequality)",
            f"V({a}, {b}) = {apart[a, b]:.6g} above V({a}, {k}) + V({k}, {b}) = {apart[a, k] + apart[k, b]:.6g}",
        )


def _no_metric(rule: str, received: str) -> InvalidDataError:
    return InvalidDataError(
        f"The distances are no metric, so that a cut cannot expand a label: {rule}. Received: {received}"
    )
