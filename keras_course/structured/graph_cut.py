"""The best of all 2^N two-label images, by a minimum cut.

    g(x, y; w) = sum_i log p(y_i | x_i) + w sum_{(i,j)} C(x_i, x_j) [y_i != y_j],    w C <= 0

Give each pixel a node between a source (label 1) and a sink (label 0); a cut pays for every label not taken and for
every pair it separates, so that -g(y) is, up to a constant, the capacity of a cut, and the best y a minimum cut. That
works only where disagreement is penalised, w C <= 0 (the sign of w is not stated in N): with w C > 0 the problem
contains maximum cut and is NP-hard.

SciPy's maximum flow counts in integers. Capacities are scaled by a power of two and rounded DOWN, so each flow is one
the true network admits and its value a true bound; what the flow leaves over is scaled up and flows again, until the
cut costs what the flow carries. One round has a gap of about 2^-29 a cut edge, two leave the rounding of float64.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from keras_course.core.errors import InvalidDataError
from keras_course.structured.problem import PairwiseProblem, Solution

__all__ = ["graph_cut"]

_LARGEST = 2.0**29  # of an integer capacity; two of them and a flow must fit into 31 bits


def graph_cut(problem: PairwiseProblem, *, limit: int | None = None) -> Solution:
    """The labelling of greatest score, for two labels whose disagreement is penalised.

        argmax_y  sum_i unary[i, y_i] + sum_ij weight_ij V [y_i != y_j],    weight_ij V <= 0,  V = 1 unless given

    Of several best labellings it returns the one with the fewest ones (up to the rounding of float64).

    Args:
        problem: `PairwiseProblem` with two labels and no positive weight; unary scores of -inf force a label.
        limit: greatest number of maximum-flow rounds, None for as many as it takes (two, rarely three). With 0, every
            place takes its own best label and the bound is the sum of their scores.

    Returns:
        `Solution`; `steps` counts rounds of maximum flow. `is_optimal` unless the limit came first.

    Raises:
        InvalidDataError: if there are not two labels, a weight is positive (the score is not submodular), or the
            labels have other distances than 0 from themselves and one number from each other.
        ValueError: if limit is negative.

    Example:
        >>> row = PairwiseProblem([[0, -3], [-1, -0.5], [0, -3]], [[0, 1], [1, 2]], -1.0)
        >>> graph_cut(row).assignment.tolist(), graph_cut(row).value
        ([0, 0, 0], -1.0)

    Source: N (Graph Cuts).
    """
    _require_cuttable(problem, limit)
    network = _Network(problem)
    top = math.fsum(problem.unary.max(1))  # the score of a labelling is top minus the capacity of its cut
    best = problem.unary.argmax(1)
    value, bound = problem.score(best), top
    carried: list[float] = []
    while (limit is None or len(carried) < limit) and bound - value > network.rounding:
        # No cut below the best one known can need an arc wider than what that one still costs.
        labels, pushed = network.push(widest=2.0 * (bound - value))
        carried.append(pushed)
        found = problem.score(labels)
        stuck = pushed == 0.0 and found <= value
        if found >= value:
            best, value = labels, found
        bound = top - math.fsum(carried)
        if stuck:
            break
    return Solution(best.astype("int64"), value, max(bound, value), len(carried))


class _Network:
    """Arcs with real capacities and the flow they carry so far; one number serves both directions of an arc."""

    def __init__(self, problem: PairwiseProblem) -> None:
        places = problem.places
        pairs, place = np.unique(np.sort(problem.edges, 1), axis=0, return_inverse=True)
        pull = np.bincount(place.reshape(-1), -_penalties(problem), len(pairs))  # parallel edges are one arc
        loss = problem.unary.max(1, keepdims=True) - problem.unary  # (N, 2), what each label costs
        around = np.bincount(pairs.reshape(-1), np.repeat(pull, 2), places)
        loss = np.where(np.isinf(loss), around[:, None] + 1.0, loss)  # no neighbours can outweigh a forced label
        every = np.arange(places)
        self.source, self.sink = places, places + 1
        self.tail = np.concatenate([np.full(places, self.source), every, pairs[:, 0]])
        self.head = np.concatenate([every, np.full(places, self.sink), pairs[:, 1]])
        self.forward = np.concatenate(
            [loss[:, 0], loss[:, 1], pull]
        )  # label 0 cuts the source's arc, label 1 the sink's
        self.backward = np.concatenate([np.zeros(2 * places), pull])
        self.flow = np.zeros_like(self.forward)
        self.rounding = 2.0**-52 * float(np.sum(np.abs(problem.unary.max(1))) + np.sum(self.forward))

    def push(self, widest: float) -> tuple[NDArray[np.int64], float]:
        """Sends a maximum flow through what is left of every arc, cut off at `widest`.

        Returns:
            (labels on the source's side of the minimum cut, value of the flow sent).
        """
        from scipy.sparse import coo_array
        from scipy.sparse.csgraph import breadth_first_order, maximum_flow

        there, back = np.maximum(self.forward - self.flow, 0.0), np.maximum(self.backward + self.flow, 0.0)
        largest = min(max(float(there.max()), float(back.max())), widest)
        scale = 2.0 ** math.floor(math.log2(_LARGEST / largest))
        capacity = np.floor(np.minimum(np.concatenate([there, back]), largest) * scale).astype("int32")
        ends = (np.concatenate([self.tail, self.head]), np.concatenate([self.head, self.tail]))
        graph = coo_array((capacity, ends), shape=(self.sink + 1, self.sink + 1)).tocsr()
        sent = maximum_flow(graph, self.source, self.sink, method="dinic").flow
        left = graph - sent
        left.eliminate_zeros()
        labels = np.zeros(self.sink + 1, "int64")
        labels[breadth_first_order(left, self.source, return_predecessors=False)] = 1
        added = np.asarray(sent[self.tail, self.head]).reshape(-1).astype("float64") / scale
        self.flow += added
        return labels[: self.source], float(np.sum(added[self.tail == self.source]))


def _require_cuttable(problem: PairwiseProblem, limit: int | None) -> None:
    if limit is not None and (isinstance(limit, bool) or not isinstance(limit, int) or limit < 0):
        raise ValueError(f"graph_cut needs a limit of at least 0 rounds, or None. Received: limit={limit!r}")
    if problem.labels != 2:
        raise InvalidDataError(f"graph_cut separates two labels; Received: labels={problem.labels}")
    (same, there), (back, also) = problem.distances.tolist()
    if same != 0 or also != 0 or there != back:
        raise InvalidDataError(
            f"graph_cut needs labels at distance 0 from themselves and equally far from each other. "
            f"Received: distances={problem.distances.tolist()}"
        )
    added = _penalties(problem)
    if len(added) and added.max() > 0:
        worst = int(added.argmax())
        raise InvalidDataError(
            f"The score is not submodular: graph_cut needs w C <= 0 on every edge, so that disagreement is penalised. "
            f"Received: weight {added[worst]:.6g} on edge {problem.edges[worst].tolist()}"
        )


def _penalties(problem: PairwiseProblem) -> NDArray[np.float64]:
    """What each edge adds where its two labels differ, (E,)."""
    return np.asarray(problem.weights * problem.distances[0, 1])
