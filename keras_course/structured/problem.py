"""What a solver is given and what it gives back.

    score(y) = sum_i unary[i, y_i] + sum_{(i,j) in edges} weight_ij V(y_i, y_j),    y_i in {0 ... L - 1}

V(a, b) = [a != b] unless another table of distances between labels is given. Solvers look for the labelling y of
greatest score: `solve(problem, *, limit) -> Solution(assignment, value, bound, steps)`. A bound is a number that no
labelling's score exceeds, proved by the solver's own work; value = bound is a proof that the assignment is best.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from keras_course.core.errors import InvalidDataError

__all__ = ["PairwiseProblem", "Solution"]


@dataclass(frozen=True)
class Solution:
    """A labelling and what is known about it.

    Args:
        assignment: int array (N,), the best labelling found.
        value: its score.
        bound: no labelling scores more than this (up to rounding in float64).
        steps: how many steps the solver took, in its own unit.
    """

    assignment: NDArray[np.int64]
    value: float
    bound: float
    steps: int

    @property
    def gap(self) -> float:
        """How much a better labelling could still gain, at most."""
        return max(0.0, self.bound - self.value)

    @property
    def is_optimal(self) -> bool:
        """Whether value and bound meet, up to the rounding of sums in float64."""
        return self.gap <= 1e-9 * max(1.0, abs(self.value))


@dataclass(frozen=True)
class PairwiseProblem:
    """Labels for N places, each with a taste of its own and with neighbours it would agree (or disagree) with.

        score(y) = sum_i unary[i, y_i] + sum_{(i,j)} weight_ij V(y_i, y_j),    V(a, b) = [a != b] by default

    A negative weight penalises disagreement; the graph-cut formula of N has weight_ij = w C(x_i, x_j).

    Args:
        unary: array (N, L), score of each label at each place, such as log p(y_i | x_i); -inf forbids a label.
        edges: int array (E, 2), pairs of different places; may be empty.
        weights: number or array (E,), added where the two labels of a pair differ, as often as they are apart.
        distances: array (L, L), V(a, b) of a label a at an edge's first place and b at its second, any finite numbers;
            None for 0 between equal labels and 1 between others (the Potts model).

    Raises:
        InvalidDataError: for NaN, +inf, a place where every label is forbidden, weights or distances that are not
            finite, pairs out of range or of a place with itself, or shapes that do not fit.

    Example:
        >>> pair = PairwiseProblem([[0.0, -1.0], [-2.0, 0.0]], [[0, 1]], -0.5)
        >>> pair.score([0, 0]), pair.score([0, 1])
        (-2.0, -0.5)

    Source: N (Graph Cuts).
    """

    unary: Any
    edges: Any
    weights: Any
    distances: Any = None
    places: int = field(init=False)
    labels: int = field(init=False)

    def __post_init__(self) -> None:
        unary = np.array(self.unary, "float64")
        edges = np.array(self.edges, dtype="int64").reshape(-1, 2)
        if unary.ndim != 2 or 0 in unary.shape:
            raise InvalidDataError(f"PairwiseProblem needs unary scores (N, L). Received: shape={unary.shape}")
        if np.any(np.isnan(unary)) or np.any(unary == np.inf):
            where = tuple(int(i) for i in np.argwhere(np.isnan(unary) | (unary == np.inf))[0])
            raise InvalidDataError(f"A score is a number or -inf. Received: unary{list(where)}={unary[where]}")
        barred = np.flatnonzero(np.all(unary == -np.inf, 1))
        if len(barred):
            raise InvalidDataError(f"Every place needs a label it may have. Received: none at place {int(barred[0])}")
        if len(edges) and (edges.min() < 0 or edges.max() >= len(unary) or np.any(edges[:, 0] == edges[:, 1])):
            raise InvalidDataError(
                f"An edge joins two different places of 0 to {len(unary) - 1}. Received: edges from {edges.min()} to "
                f"{edges.max()}, {int(np.sum(edges[:, 0] == edges[:, 1]))} of them loops"
            )
        given = np.asarray(self.weights, "float64")
        if given.ndim > 1 or given.shape not in ((), (len(edges),)) or not np.all(np.isfinite(given)):
            raise InvalidDataError(
                f"PairwiseProblem needs one finite weight, or one for each of {len(edges)} edges. "
                f"Received: shape={given.shape}, finite={bool(np.all(np.isfinite(given)))}"
            )
        labels = unary.shape[1]
        apart = 1.0 - np.eye(labels) if self.distances is None else np.array(self.distances, "float64")
        if apart.shape != (labels, labels) or not np.all(np.isfinite(apart)):
            raise InvalidDataError(
                f"PairwiseProblem needs finite distances ({labels}, {labels}) between its labels. "
                f"Received: shape={apart.shape}, finite={bool(np.all(np.isfinite(apart)))}"
            )
        object.__setattr__(self, "unary", unary)
        object.__setattr__(self, "edges", edges)
        object.__setattr__(self, "weights", np.broadcast_to(given, (len(edges),)).copy())
        object.__setattr__(self, "distances", apart)
        object.__setattr__(self, "places", unary.shape[0])
        object.__setattr__(self, "labels", labels)

    def score(self, assignment: Any) -> float:
        """g(y), summed without loss of digits.

        Args:
            assignment: ints (N,), a label for each place (any shape with N entries).

        Raises:
            InvalidDataError: if it is not N labels of 0 to L - 1.
        """
        y = np.asarray(assignment).reshape(-1)
        if y.shape != (self.places,) or y.dtype.kind not in "biu" or np.any((y < 0) | (y >= self.labels)):
            raise InvalidDataError(
                f"A labelling has {self.places} labels of 0 to {self.labels - 1}. "
                f"Received: shape={np.shape(assignment)}, dtype={y.dtype}, first {y[:4].tolist()}"
            )
        y = y.astype("int64")
        chosen = self.unary[np.arange(self.places), y]
        if np.any(chosen == -np.inf):
            return -math.inf
        pulled = self.weights * self.distances[y[self.edges[:, 0]], y[self.edges[:, 1]]]
        return math.fsum(np.concatenate([chosen, pulled[pulled != 0.0]]))
