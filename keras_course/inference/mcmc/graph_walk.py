"""A walk along the links of a graph: it is where the links are, and forgets its start at a rate known beforehand.

    T[i, j] = W[i, j] / d_i,   d_i = sum_j W[i, j],   W symmetric      rows sum to 1
    pi_i    = d_i / sum_j d_j,   since d_i T[i, j] = W[i, j] = d_j T[j, i]
    lambda  = second-largest modulus of the eigenvalues of T, which are those of D^-1/2 W D^-1/2 and so real
    TV(t)   = sum_j |(v T^t)_j - pi_j| / 2  <=  sqrt(1 / pi_x - 1) lambda^t / 2      from one point x

Where lambda = 1 the walk does not settle: the graph falls into pieces (eigenvalue 1 again) or into two camps (-1).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from keras_course.core.errors import InvalidDataError
from keras_course.core.shapes import require_positive_int
from keras_course.inference.mcmc.markov_chain import MarkovChain

__all__ = ["neighbour_links", "second_modulus", "walk_on"]


def neighbour_links(points: Any, neighbours: int, allowed: Any = None) -> NDArray[np.bool_]:
    """W: who is among the k nearest of the other, either way round.

        W[i, j] = [i in nearest(j)] or [j in nearest(i)],  W[i, i] = 0

    Args:
        points: array (N, D).
        neighbours: k >= 1.
        allowed: bool array (N, N), symmetric, pairs that may be linked; None allows all. Who has fewer than k such
            partners takes them all.

    Returns:
        bool array (N, N), symmetric.

    Raises:
        InvalidDataError: if the points are not a finite table, or one of them is left without a link.

    Example:
        >>> neighbour_links([[0.0], [1.0], [3.0]], 1).astype(int).tolist()
        [[0, 1, 0], [1, 0, 1], [0, 1, 0]]

    Source: C 18.4.3.
    """
    require_positive_int("neighbour_links", neighbours=neighbours)
    x = np.asarray(points, "float64")
    if x.ndim != 2 or not np.all(np.isfinite(x)):
        raise InvalidDataError(f"neighbour_links needs finite points (N, D). Received: shape={x.shape}")
    square = np.sum((x[:, None] - x[None]) ** 2, -1) if x.size < 2**16 else _square_distances(x)
    barred = np.eye(len(x), dtype=bool) if allowed is None else np.eye(len(x), dtype=bool) | ~np.asarray(allowed, bool)
    square[barred] = np.inf
    near = np.zeros(square.shape, bool)
    order = np.argsort(square, 1, kind="stable")[:, :neighbours]
    np.put_along_axis(near, order, True, 1)
    near &= ~barred
    links = near | near.T
    if len(x) and not links.any(1).all():
        raise InvalidDataError(f"Every point needs a link. Received: none at point {int(np.argmin(links.any(1)))}")
    return links


def walk_on(links: Any, rest: float = 0.0) -> MarkovChain:
    """The walk that steps to a neighbour drawn at random, or stays with probability `rest`.

        T[i, j] = (1 - rest) W[i, j] / d_i + rest [i = j]

    Args:
        links: array (N, N), W; symmetric, non-negative, no row of zeros.
        rest: probability in [0, 1) to stay; above 0 the walk has no period.

    Returns:
        `MarkovChain`.

    Raises:
        InvalidDataError: if W is not symmetric and non-negative, or a row is zero.
        ValueError: for rest outside [0, 1).

    Example:
        >>> walk_on([[0, 1], [1, 0]], rest=0.5).transition.numpy().tolist()
        [[0.5, 0.5], [0.5, 0.5]]

    Source: C 18.4.3, R (Sampling via random walks).
    """
    weight = _weights("walk_on", links, rest)
    step = weight / weight.sum(1, keepdims=True)
    return MarkovChain((1.0 - rest) * step + rest * np.eye(len(step)))


def second_modulus(links: Any, rest: float = 0.0) -> float:
    """lambda, at which the distance to the stationary distribution falls in the end.

        lambda = max over all but one eigenvalue 1 of |(1 - rest) mu + rest|,  mu of D^-1/2 W D^-1/2

    Args:
        links: array (N, N), W; symmetric, non-negative, no row of zeros.
        rest: probability in [0, 1) to stay.

    Returns:
        Float in [0, 1]; 1 if the walk does not converge.

    Raises:
        InvalidDataError: if W is not symmetric and non-negative, or a row is zero.
        ValueError: for rest outside [0, 1).

    Example:
        >>> second_modulus([[0, 1], [1, 0]]), second_modulus([[0, 1], [1, 0]], rest=0.25)
        (1.0, 0.5)

    Source: C 18.4.3, R (Sampling via random walks).
    """
    weight = _weights("second_modulus", links, rest)
    root = np.sqrt(weight.sum(1))
    values = (1.0 - rest) * np.linalg.eigvalsh(weight / np.outer(root, root)) + rest
    return float(np.clip(np.sort(np.abs(values))[-2], 0.0, 1.0)) if len(values) > 1 else 0.0


def _weights(who: str, links: Any, rest: float) -> NDArray[np.float64]:
    if not 0.0 <= rest < 1.0:
        raise ValueError(f"{who} needs rest in [0, 1). Received: rest={rest!r}")
    weight = np.asarray(links, "float64")
    if weight.ndim != 2 or weight.shape[0] != weight.shape[1] or not np.array_equal(weight, weight.T):
        raise InvalidDataError(f"{who} needs symmetric links (N, N). Received: shape={weight.shape}")
    if not np.all(np.isfinite(weight)) or np.any(weight < 0) or not np.all(weight.sum(1) > 0):
        raise InvalidDataError(
            f"{who} needs links >= 0 and one at every point. Received: smallest {weight.min():.6g}, "
            f"smallest sum {weight.sum(1).min():.6g}"
        )
    return weight


def _square_distances(x: NDArray[np.float64]) -> NDArray[np.float64]:
    norms = np.sum(x**2, 1)
    square = norms[:, None] + norms - 2.0 * (x @ x.T)
    return 0.5 * (square + square.T)
