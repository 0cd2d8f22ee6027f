"""Oracles of self-supervised learning: loops over rows and pixels, and mpmath for what has logarithms.

Turns of an image are rotations of its pixel centres by complex multiplication; gradients are central differences of
fourth order with 50 digits.
"""

from fractions import Fraction
from itertools import permutations

import mpmath
import numpy as np

from reference_tests.oracles.selfsupervised_contrastive import (
    contrastive_step,
    info_nce_of_scores,
    nt_xent_of_pairs,
    nt_xent_slopes,
)
from reference_tests.oracles.selfsupervised_inpainting import (
    context_encoder_step,
    errors_in_holes,
    holes_of_blocks,
    holes_of_regions,
)

__all__ = [
    "clusterability_of_points",
    "context_costs",
    "context_encoder_step",
    "contrastive_step",
    "errors_in_holes",
    "holes_of_blocks",
    "holes_of_regions",
    "info_nce_of_scores",
    "nt_xent_of_pairs",
    "nt_xent_slopes",
    "orders_far_apart",
    "pieces_of_images",
    "probe_with_one_label",
    "rotation_step",
    "turned_images",
]

DIGITS = 50
STEP = mpmath.mpf(10) ** -10


def clusterability_of_points(features, labels):
    exact = [[Fraction(v) for v in row] for row in features]
    nearest = []
    for i, here in enumerate(exact):
        distances = {
            j: sum((a - b) ** 2 for a, b in zip(here, there, strict=True)) for j, there in enumerate(exact) if j != i
        }
        nearest.append(min(distances, key=lambda j: (distances[j], j)))
    same = sum(labels[j] == labels[i] for i, j in enumerate(nearest))
    return {"nearest": nearest, "clusterability": float(Fraction(same, len(labels)))}


def probe_with_one_label(features, labels, test_features, test_labels):
    """By symmetry the boundary of two examples is half-way between them: the nearer one names the class."""
    right = 0
    for point, label in zip(test_features, test_labels, strict=True):
        distances = [
            sum((Fraction(a) - Fraction(b)) ** 2 for a, b in zip(point, example, strict=True)) for example in features
        ]
        right += labels[distances.index(min(distances))] == label
    return {"accuracy": float(Fraction(right, len(test_labels))), "standard_error": 0.0}


def _turned(image, turns):
    """The pixel at (column, height) moves to i**turns times its place as seen from the middle of the image."""
    size = len(image)
    result = [[None] * size for _ in range(size)]
    for row in range(size):
        for column in range(size):
            place = complex(2 * column - (size - 1), (size - 1) - 2 * row)  # x to the right, y upwards
            for _ in range(turns):
                place = complex(-place.imag, place.real)  # times i: a quarter turn counter-clockwise
            new_column, new_row = int(place.real + size - 1) // 2, int((size - 1) - place.imag) // 2
            result[new_row][new_column] = image[row][column]
    return result


def turned_images(images, turns):
    return {
        "copies": [_turned(image, k) for image in images for k in range(4)],
        "labels": [k for _ in images for k in range(4)],
        "turned": [_turned(image, k) for image, k in zip(images, turns, strict=True)],
    }


def _log_softmax(scores):
    total = mpmath.log(sum(mpmath.exp(s) for s in scores))
    return [s - total for s in scores]


def _numbers(values):
    return np.vectorize(mpmath.mpf, otypes=[object])(np.array(values, dtype=object))


def _slopes(cost, parts):
    """d cost / d entry, by (-f(2h) + 8 f(h) - 8 f(-h) + f(-2h)) / 12 h."""
    slopes = {name: np.zeros(part.shape, dtype=object) for name, part in parts.items()}
    for name, part in parts.items():
        for place in np.ndindex(part.shape):

            def at(shift, name=name, place=place):
                moved = {key: value.copy() for key, value in parts.items()}
                moved[name][place] += shift * STEP
                return cost(**moved)

            slopes[name][place] = (-at(2) + 8 * at(1) - 8 * at(-1) + at(-2)) / (12 * STEP)
    return slopes


def _floats(values):
    return np.vectorize(float, otypes=[float])(values).tolist()


def rotation_step(images, trunk, head, rate):
    with mpmath.workdps(DIGITS):
        copies = [[_numbers(_turned(image, k)).reshape(-1) for k in range(4)] for image in images]

        def costs(trunk, head, bias):
            return [
                -sum(_log_softmax(copy @ trunk @ head + bias)[k] for k, copy in enumerate(four)) / 4 for four in copies
            ]

        parts = {"trunk": _numbers(trunk), "head": _numbers(head), "bias": _numbers([0.0] * 4)}
        slopes = _slopes(lambda **moved: sum(costs(**moved)) / len(images), parts)
        after = {name: _floats(parts[name] - mpmath.mpf(rate) * slopes[name]) for name in parts}
        return {"costs": _floats(np.array(costs(**parts), dtype=object)), **after}


def _cut(image, grid, gap):
    """Rows and columns of each piece, found by walking over the raster from its upper left corner."""
    spans = []
    for size in (len(image), len(image[0])):
        piece = 0
        while grid * (piece + 1) + (grid - 1) * gap <= size:
            piece += 1
        start = (size - grid * piece - (grid - 1) * gap) // 2
        spans.append([range(start + k * (piece + gap), start + k * (piece + gap) + piece) for k in range(grid)])
    return [[[image[r][c] for c in columns] for r in rows] for rows in spans[0] for columns in spans[1]]


def pieces_of_images(images, grid, gap, orders):
    pieces = [_cut(image, grid, gap) for image in images]
    return {
        "pieces": pieces,
        "shuffled": [[cut[place] for place in order] for cut, order in zip(pieces, orders, strict=True)],
    }


def _distance(one, other):
    return sum(a != b for a, b in zip(one, other, strict=True))


def largest_least_distance(pieces, count):
    """The best there is, over all sets with the identity (a renaming of the places brings every set to one)."""
    every = list(permutations(range(pieces)))

    def holds(wanted, chosen, rest):
        if len(chosen) == count:
            return True
        if len(chosen) + len(rest) < count:
            return False
        return any(
            holds(wanted, [*chosen, p], [q for q in rest[place + 1 :] if _distance(p, q) >= wanted])
            for place, p in enumerate(rest)
        )

    return max(
        wanted
        for wanted in range(2, pieces + 1)
        if holds(wanted, [every[0]], [p for p in every[1:] if _distance(every[0], p) >= wanted])
    )


def orders_far_apart(pieces, count):
    """The greedy set, candidate by candidate; its least distance by search over all sets, which it has to reach."""
    every = list(permutations(range(pieces)))
    chosen = [every[0]]
    while len(chosen) < count:
        chosen.append(
            min(
                (p for p in every if p not in chosen),
                key=lambda p: (
                    -min(_distance(p, q) for q in chosen),
                    -sum(_distance(p, q) for q in chosen),
                    p,
                ),
            )
        )
    return {"orders": [list(p) for p in chosen], "least_distance": largest_least_distance(pieces, count)}


def context_costs(images, task, grid, gap, count, trunk, hidden, head):
    orders = orders_far_apart(grid * grid, count)["orders"] if task == "jigsaw" else None
    arrangements = orders or [[4, k] for k in range(9) if k != 4]
    with mpmath.workdps(DIGITS):
        trunk, hidden, head = _numbers(trunk), _numbers(hidden), _numbers(head)
        costs = []
        for image in images:
            features = [_numbers(piece).reshape(-1) @ trunk for piece in _cut(image, grid, gap)]
            total = mpmath.mpf(0)
            for label, arrangement in enumerate(arrangements):
                joined = np.concatenate([features[place] for place in arrangement])
                units = np.array([max(value, mpmath.mpf(0)) for value in joined @ hidden], dtype=object)
                total -= _log_softmax(units @ head)[label]
            costs.append(float(total / len(arrangements)))
        return {"costs": costs}
