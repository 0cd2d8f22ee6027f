"""Oracles of B (k-means): Lloyd's algorithm in fractions, and the best of all partitions by enumeration.

Distances between binary floats are fractions, so every comparison of two centres is decided exactly; a golden that
hangs on a tie is refused.
"""

from fractions import Fraction
from itertools import product

from reference_tests.oracles.latent_mixtures import (
    bound_and_gap,
    coin_half_steps,
    coin_iterations,
    likelihood_slopes,
    mixture_densities,
    mixture_iterations,
    posterior_of_components,
)
from reference_tests.oracles.precision import rounded

__all__ = [
    "best_partition",
    "bound_and_gap",
    "coin_half_steps",
    "coin_iterations",
    "likelihood_slopes",
    "lloyd_iterations",
    "mixture_densities",
    "mixture_iterations",
    "one_hot_assignment",
    "posterior_of_components",
    "seeded_start",
    "seeding_odds",
]


def _points(rows):
    return [[Fraction(value) for value in row] for row in rows]


def _distance(a, b):
    return sum((p - q) ** 2 for p, q in zip(a, b, strict=True))


def _nearest(point, centres):
    distances = [_distance(point, centre) for centre in centres]
    least = min(distances)
    if distances.count(least) > 1:
        raise ValueError(f"a golden must not hang on a tie. Received: distances={distances}")
    return distances.index(least)


def _mean(points):
    return [sum(column) / len(points) for column in zip(*points, strict=True)]


def _cost(points, labels, centres):
    """E(c, r) = sum_i |x_i - c_(r_i)|^2."""
    return sum(_distance(point, centres[label]) for point, label in zip(points, labels, strict=True))


def one_hot_assignment(x, centres):
    """Squared distances, the one-hot r_i of the nearest centre, and E(c, r) as the double sum."""
    points, centres = _points(x), _points(centres)
    distances = [[_distance(point, centre) for centre in centres] for point in points]
    chosen = [_nearest(point, centres) for point in points]
    one_hot = [[int(k == label) for k in range(len(centres))] for label in chosen]
    cost = sum(r * d for rows in zip(one_hot, distances, strict=True) for r, d in zip(*rows, strict=True))
    return {"distances": rounded(distances), "r": one_hot, "cost": rounded([cost])}


def lloyd_iterations(x, centres, steps):
    """Assignments of every step, the last centres, and the cost after every half-step; an empty cluster stays."""
    points, centres = _points(x), _points(centres)
    assignments, costs = [], []
    for _ in range(steps):
        labels = [_nearest(point, centres) for point in points]
        costs.append(_cost(points, labels, centres))
        for k in range(len(centres)):
            own = [point for point, label in zip(points, labels, strict=True) if label == k]
            centres[k] = _mean(own) if own else centres[k]
        costs.append(_cost(points, labels, centres))
        assignments.append(labels)
    return {"assignments": assignments, "centres": rounded(centres), "costs": rounded(costs)}


def best_partition(x, centres, steps):
    """The least cost of all partitions into as many clusters as there are centres; `steps` of Lloyd must suffice."""
    points, count = _points(x), len(centres)
    best = None
    for labels in product(range(count), repeat=len(points)):
        groups = [[p for p, label in zip(points, labels, strict=True) if label == k] for k in range(count)]
        if not all(groups):
            continue
        means = [_mean(group) for group in groups]
        cost = _cost(points, labels, means)
        if best is None or cost < best[0]:
            best = cost, sorted(means)
    reached = lloyd_iterations(x, centres, steps)
    if sorted(reached["centres"]) != rounded(best[1]):
        raise ValueError(f"Lloyd does not reach the best partition in {steps} steps. Received: {reached}")
    return {"cost": rounded([best[0]]), "centres": reached["centres"]}


def _squared_to_nearest(points, centres):
    return [min(_distance(point, centre) for centre in centres) for point in points]


def seeding_odds(x, centres):
    """k-means++: the next centre is x_i with probability D(x_i)^2 / sum_j D(x_j)^2."""
    squared = _squared_to_nearest(_points(x), _points(centres))
    return {"odds": rounded([value / sum(squared) for value in squared])}


def seeded_start(x, uniforms):
    """Centres drawn by inverting the cumulative odds at each uniform; the first centre has equal odds."""
    points, chosen = _points(x), []
    for uniform in uniforms:
        weights = _squared_to_nearest(points, [points[i] for i in chosen]) if chosen else [Fraction(1)] * len(points)
        target, passed, index = Fraction(uniform) * sum(weights), Fraction(0), 0
        while passed + weights[index] <= target:
            passed, index = passed + weights[index], index + 1
        chosen.append(index)
    return {"chosen": chosen, "centres": rounded([points[i] for i in chosen])}
