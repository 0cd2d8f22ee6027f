"""Oracles of self-supervised learning: loops over rows and pixels, and mpmath for what has logarithms.

Turns of an image are rotations of its pixel centres by complex multiplication; gradients are central differences of
fourth order with 50 digits.
"""

from fractions import Fraction

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
    "context_encoder_step",
    "contrastive_step",
    "errors_in_holes",
    "holes_of_blocks",
    "holes_of_regions",
    "info_nce_of_scores",
    "nt_xent_of_pairs",
    "nt_xent_slopes",
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
