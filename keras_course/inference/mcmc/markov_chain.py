"""Markov chains on finitely many states: where they go, whether they settle, and a kernel that walks them.

    convention "rows"      T[i, j] = P(next = j | now = i),  rows sum to 1,     v' = v T,   pi T = pi     (R)
    convention "columns"   A[i, j] = P(next = i | now = j),  columns sum to 1,  v' = A v,   A v = v       (C 18.4.3)

A = T transposed; the same numbers read the other way are another chain, so the convention is an argument. Repeating
the update converges, from every start, exactly if there is one closed class of states and its period is 1. The
course leaves that condition out: [[0, 1], [1, 0]] swaps its two states for ever.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from math import gcd
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp
from keras import ops
from numpy.typing import NDArray

from keras_course.core.errors import InvalidDataError
from keras_course.core.seeds import seed_pair
from keras_course.core.shapes import require_one_of
from keras_course.inference.mcmc.draws import draw_uniform, split_seed

__all__ = ["CONVENTIONS", "MarkovChain", "MarkovChainResults"]

CONVENTIONS = ("rows", "columns")


class MarkovChainResults(NamedTuple):
    """What the kernel reports of a step.

    Args:
        log_transition: log P(next | now) of the step taken, like the state; 0 before the first.
        seed: seed of the last step.
    """

    log_transition: Any
    seed: Any


class MarkovChain(tfp.mcmc.TransitionKernel):
    """A walk over the states 0 ... n - 1 whose next state depends on the present one alone.

        P(x_t = j) = sum_i P(x_{t-1} = i) T[i, j],    stationary: pi = pi T

    As a kernel it moves integer states of any shape, each for itself, under `tfp.mcmc.sample_chain`.

    Args:
        transition: matrix (n, n) of probabilities.
        convention: "rows" (rows sum to 1, R) or "columns" (columns sum to 1, C).
        name: for debugging.

    Raises:
        ValueError: for an unknown convention.
        InvalidDataError: if the matrix is not square, has NaN or negative entries, or sums that are not 1; the message
            says so if the other convention would fit.

    Example:
        >>> weather = MarkovChain([[0.9, 0.1], [0.5, 0.5]])
        >>> [round(p, 4) for p in weather.stationary_distribution().numpy().tolist()]
        [0.8333, 0.1667]
        >>> [round(p, 4) for p in weather.trajectory([0.0, 1.0], 3)[3].numpy().tolist()]
        [0.78, 0.22]

    Source: C 18.4.3, R (Sampling via random walks).
    """

    def __init__(self, transition: Any, convention: str = "rows", name: str | None = None) -> None:
        require_one_of("MarkovChain", CONVENTIONS, convention=convention)
        given = np.asarray(ops.convert_to_numpy(transition) if ops.is_tensor(transition) else transition)
        self._dtype = given.dtype.name if given.dtype in (np.float32, np.float64) else keras.config.floatx()
        _require_stochastic(given, convention)
        rows = given.astype("float64") if convention == "rows" else given.astype("float64").T
        self._rows: NDArray[np.float64] = rows / rows.sum(1, keepdims=True)  # away with the rounding of the input
        self._parameters = {"transition": transition, "convention": convention, "name": name}

    @classmethod
    def from_counts(cls, counts: Any, convention: str = "rows", name: str | None = None) -> MarkovChain:
        """The maximum-likelihood chain of observed transitions: counts divided by their row's (or column's) sum.

        Args:
            counts: matrix (n, n), how often each transition was seen.
            convention: "rows" if counts[i, j] goes from i to j, "columns" if from j to i.
            name: for debugging.

        Raises:
            InvalidDataError: if a count is negative or not finite, or a state was never left.

        Example:
            >>> MarkovChain.from_counts([[9, 1], [5, 5]]).transition.numpy().round(2).tolist()
            [[0.9, 0.1], [0.5, 0.5]]
        """
        require_one_of("MarkovChain", CONVENTIONS, convention=convention)
        table = np.asarray(ops.convert_to_numpy(counts) if ops.is_tensor(counts) else counts).astype("float64")
        axis = 1 if convention == "rows" else 0
        if table.ndim != 2 or not np.all(np.isfinite(table)) or np.any(table < 0) or np.any(table.sum(axis) == 0):
            raise InvalidDataError(
                f"from_counts needs a matrix of counts >= 0 in which every state is left. Received: counts={counts!r}"
            )
        return cls(table / table.sum(axis, keepdims=True), convention, name)

    @property
    def parameters(self) -> dict[str, Any]:
        """Constructor arguments, from which `copy` makes the kernel again."""
        return self._parameters

    @property
    def is_calibrated(self) -> bool:
        """True: the chain's own stationary distribution is its target."""
        return True

    @property
    def states(self) -> int:
        """Number of states n."""
        return len(self._rows)

    @property
    def transition(self) -> Any:
        """T (n, n) with rows that sum to 1, whatever the convention it was given in."""
        return ops.convert_to_tensor(self._rows, dtype=self._dtype)

    @cached_property
    def closed_classes(self) -> list[list[int]]:
        """Sets of states that reach each other and nothing else; the chain ends in one of them and never leaves."""
        reach = (self._rows > 0) | np.eye(self.states, dtype=bool)
        while True:
            wider = (reach.astype("float64") @ reach) > 0
            if np.array_equal(wider, reach):
                break
            reach = wider
        mutual = reach & reach.T
        ends = [i for i in range(self.states) if np.array_equal(reach[i], mutual[i])]
        return [list(members) for members in sorted({tuple(np.flatnonzero(mutual[i]).tolist()) for i in ends})]

    @cached_property
    def periods(self) -> list[int]:
        """For each closed class, the greatest common divisor of the lengths of its round trips."""
        return [self._period(members) for members in self.closed_classes]

    @property
    def is_irreducible(self) -> bool:
        """Whether every state reaches every other."""
        return len(self.closed_classes) == 1 and len(self.closed_classes[0]) == self.states

    @property
    def is_aperiodic(self) -> bool:
        """Whether every closed class has period 1."""
        return all(period == 1 for period in self.periods)

    @property
    def converges(self) -> bool:
        """Whether v T^t tends to one distribution from every start v."""
        return len(self.closed_classes) == 1 and self.is_aperiodic

    def stationary_distribution(self) -> Any:
        """The only pi with pi T = pi.

        Found by eliminating state after state (Grassmann, Taksar and Heyman): sums, products and quotients of
        non-negative numbers, so that even tiny probabilities keep their digits, which no eigenvalue solver promises.

        Returns:
            Tensor (n,), sums to 1, zero on states that the chain leaves for good.

        Raises:
            InvalidDataError: if there are several closed classes, each with a stationary distribution of its own.
        """
        if len(self.closed_classes) > 1:
            raise InvalidDataError(
                f"This chain has no unique stationary distribution: it ends in one of several closed classes of "
                f"states. Received: closed classes {self.closed_classes}"
            )
        members = self.closed_classes[0]
        pi = np.zeros(self.states)
        pi[members] = _eliminate(self._rows[np.ix_(members, members)])
        return ops.convert_to_tensor(pi, dtype=self._dtype)

    def limiting_distribution(self) -> Any:
        """What v T^t tends to from every start v.

        Returns:
            Tensor (n,), the stationary distribution.

        Raises:
            InvalidDataError: if there is no limit: several closed classes, or one that goes round for ever.
        """
        if not self.is_aperiodic:
            raise InvalidDataError(
                f"v T^t does not converge: the chain goes round in a cycle (its stationary distribution is only the "
                f"average over it). Received: periods {self.periods} of the closed classes {self.closed_classes}"
            )
        return self.stationary_distribution()

    def trajectory(self, start: Any, steps: int) -> Any:
        """Distributions over time, v T^t for t = 0 ... steps.

        Args:
            start: tensor (n,) or (B, n), distribution v at time 0.
            steps: int >= 0.

        Returns:
            Tensor (steps + 1, n) or (steps + 1, B, n).

        Raises:
            ValueError: if the last axis of `start` is not n, or steps is negative.
        """
        v = ops.convert_to_tensor(start, dtype=self._dtype)
        if not v.shape or v.shape[-1] != self.states or steps < 0:
            raise ValueError(
                f"trajectory needs a start over {self.states} states and steps >= 0. "
                f"Received: shape={tuple(v.shape)}, steps={steps}"
            )
        one = ops.ndim(v) == 1
        v, transition, visited = (v[None] if one else v), self.transition, []
        for step in range(steps + 1):
            visited.append(v)
            if step < steps:
                v = ops.matmul(v, transition)
        path = ops.stack(visited)
        return path[:, 0] if one else path

    def total_variation(self, start: Any, steps: int) -> Any:
        """How far the chain is from its stationary distribution, for t = 0 ... steps.

            TV(t) = sum_j |(v T^t)_j - pi_j| / 2,  in [0, 1], never rises

        Args:
            start: tensor (n,) or (B, n), distribution at time 0.
            steps: int >= 0.

        Returns:
            Tensor (steps + 1,) or (steps + 1, B).

        Raises:
            InvalidDataError: if there is no unique stationary distribution.
        """
        return 0.5 * ops.sum(ops.abs(self.trajectory(start, steps) - self.stationary_distribution()), -1)

    def bootstrap_results(self, init_state: Any) -> MarkovChainResults:
        """Nothing has happened yet.

        Raises:
            ValueError: if the state is not of integers, or (eagerly) is none of the chain's.
        """
        state = tf.convert_to_tensor(init_state)
        if not state.dtype.is_integer:
            raise ValueError(f"MarkovChain walks over integer states. Received: dtype={state.dtype.name}")
        known = tf.get_static_value(state)
        if known is not None and (np.any(known < 0) or np.any(known >= self.states)):
            raise ValueError(f"MarkovChain has the states 0 to {self.states - 1}. Received: state={known!r}")
        return MarkovChainResults(tf.zeros(tf.shape(state), self._dtype), tf.zeros([2], tf.int32))

    def one_step(
        self, current_state: Any, previous_kernel_results: MarkovChainResults, seed: Any = None
    ) -> tuple[Any, MarkovChainResults]:
        """Draws the next state of every chain by inverting its row's cumulative sum.

        Args:
            current_state: integer tensor of any shape.
            previous_kernel_results: `MarkovChainResults`.
            seed: int, int32 tensor (2,) or None (a fresh one, eagerly drawn).

        Returns:
            (next state, `MarkovChainResults`).
        """
        state = tf.convert_to_tensor(current_state)
        (draw,) = split_seed(seed, 1)
        uniform = draw_uniform(draw, previous_kernel_results.log_transition)
        thresholds = tf.gather(tf.constant(self._cumulative, self._dtype), state)  # (..., n)
        next_state = tf.reduce_sum(tf.cast(uniform[..., tf.newaxis] >= thresholds, state.dtype), -1)
        with np.errstate(divide="ignore"):
            logs = tf.constant(np.log(self._rows), self._dtype)
        taken = tf.gather_nd(logs, tf.stack([state, next_state], -1))
        return next_state, MarkovChainResults(taken, draw)

    def sample(self, steps: int, start: Any, seed: Any) -> Any:
        """Paths of the chain.

        Args:
            steps: int >= 1, states to visit after the start.
            start: integer tensor of any shape (...), where each path begins.
            seed: int or int32 tensor (2,).

        Returns:
            Integer tensor (steps, ...), the states after the start.
        """
        first = tf.convert_to_tensor(start)
        return tfp.mcmc.sample_chain(steps, first, kernel=self, trace_fn=None, seed=seed_pair(seed))

    @cached_property
    def _cumulative(self) -> NDArray[np.float64]:
        """Running sums of each row, exactly 1 from the last possible state on: an impossible one is never drawn."""
        sums = np.cumsum(self._rows, 1)
        possible = self._rows > 0
        after_last = np.flip(np.cumsum(np.flip(possible, 1), 1), 1) - possible == 0
        return np.where(after_last, 1.0, sums)

    def _period(self, members: Sequence[int]) -> int:
        """gcd of (depth of i + 1 - depth of j) over the links i -> j of a closed class, by breadth-first search."""
        depth, queue, common = {members[0]: 0}, [members[0]], 0
        for i in queue:
            for j in np.flatnonzero(self._rows[i]).tolist():
                if j not in depth:
                    depth[j] = depth[i] + 1
                    queue.append(j)
                common = gcd(common, depth[i] + 1 - depth[j])
        return abs(common)


def _eliminate(transition: NDArray[np.float64]) -> NDArray[np.float64]:
    """pi of an irreducible chain by subtraction-free elimination."""
    rest = transition.copy()
    for last in range(len(rest) - 1, 0, -1):
        rest[:last, last] /= rest[last, :last].sum()
        rest[:last, :last] += np.outer(rest[:last, last], rest[last, :last])
    pi = np.ones(len(rest))
    for state in range(1, len(rest)):
        pi[state] = pi[:state] @ rest[:state, state]
    return pi / pi.sum()


def _require_stochastic(matrix: NDArray[Any], convention: str) -> None:
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or not len(matrix):
        raise InvalidDataError(f"MarkovChain needs a square matrix. Received: shape={matrix.shape}")
    if matrix.dtype.kind not in "fiub" or not np.all(np.isfinite(matrix)):
        raise InvalidDataError(f"MarkovChain needs finite probabilities. Received: transition={matrix.tolist()}")
    if np.any(matrix < 0):
        worst = tuple(int(i) for i in np.unravel_index(int(np.argmin(matrix)), matrix.shape))
        raise InvalidDataError(f"A probability is never negative. Received: transition{list(worst)}={matrix[worst]}")
    axis = 1 if convention == "rows" else 0
    slack = 4 * len(matrix) * float(np.finfo(matrix.dtype if matrix.dtype.kind == "f" else "float64").eps)
    sums, others = matrix.sum(axis, dtype="float64"), matrix.sum(1 - axis, dtype="float64")
    if np.abs(sums - 1).max() > slack:
        wrong = int(np.abs(sums - 1).argmax())
        other = CONVENTIONS[axis]
        hint = f" The {other} do: pass convention={other!r}?" if np.abs(others - 1).max() <= slack else ""
        raise InvalidDataError(
            f"The {convention} of a transition matrix sum to 1.{hint} "
            f"Received: {convention[:-1]} {wrong} sums to {sums[wrong]:.9g}"
        )
