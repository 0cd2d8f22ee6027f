"""Oracles of N (Graph Cuts): the score g(x, y; w) by its sum, the maximiser by looking at every labelling."""

from fractions import Fraction
from itertools import product

import mpmath

from reference_tests.oracles.precision import exact, rounded

__all__ = ["contrast_of_neighbours", "expanded_labels", "foreground_cut", "pairwise_score"]


def _edges(height, width, neighbours):
    """Each pair of touching pixels once, in the order of its first pixel: right, down, and with 8 the two diagonals."""
    steps = ((0, 1), (1, 0)) if neighbours == 4 else ((0, 1), (1, 0), (1, 1), (1, -1))
    return [
        ((i, j), (i + di, j + dj))
        for di, dj in steps
        for i in range(height)
        for j in range(width)
        if 0 <= i + di < height and 0 <= j + dj < width
    ]


def _contrasts(image, neighbours):
    """C = exp(-beta |x_i - x_j|^2) / |i - j|, 1 / beta = 2 mean |x_i - x_j|^2 over the pairs."""
    pixels = exact(image)
    height, width = len(pixels), len(pixels[0])
    edges = _edges(height, width, neighbours)
    gaps = [
        sum(((a - b) ** 2 for a, b in zip(pixels[p][q], pixels[r][s], strict=True)), mpmath.mpf(0))
        for (p, q), (r, s) in edges
    ]
    mean = sum(gaps) / len(gaps)
    far = [mpmath.sqrt((p - r) ** 2 + (q - s) ** 2) for (p, q), (r, s) in edges]
    return edges, [mpmath.exp(-gap / (2 * mean)) / distance for gap, distance in zip(gaps, far, strict=True)]


def contrast_of_neighbours(image, neighbours):
    """The pairs of pixels by their flat index, and C(x_i, x_j) of each."""
    width = len(image[0])
    edges, contrasts = _contrasts(image, neighbours)
    return {
        "edges": [[p * width + q, r * width + s] for (p, q), (r, s) in edges],
        "contrast": rounded(contrasts),
    }


def pairwise_score(log_probability, edges, contrast, weight, assignment):
    """g = sum_i log p(y_i | x_i) + w sum_ij C_ij [y_i != y_j], in fractions."""
    value = sum(Fraction(row[label]) for row, label in zip(log_probability, assignment, strict=True))
    value += Fraction(weight) * sum(
        Fraction(c) for (i, j), c in zip(edges, contrast, strict=True) if assignment[i] != assignment[j]
    )
    return {"score": rounded([value])}


def foreground_cut(log_probability, image, weight, neighbours):
    """The best of all 2^pixels labellings, refusing a tie; and the runner-up's distance, which must not be rounding."""
    height, width = len(image), len(image[0])
    edges, contrasts = _contrasts(image, neighbours)
    pairs = [(p * width + q, r * width + s) for (p, q), (r, s) in edges]
    # Integers of 2^-80 keep the enumeration exact enough and fast.
    unit = mpmath.mpf(2) ** 80
    unary = [[int(mpmath.nint(value * unit)) for value in cell] for row in exact(log_probability) for cell in row]
    penalty = [int(mpmath.nint(mpmath.mpf(weight) * value * unit)) for value in contrasts]
    scored = []
    for labels in product((0, 1), repeat=height * width):
        score = sum(cell[label] for cell, label in zip(unary, labels, strict=True))
        score += sum(cost for (i, j), cost in zip(pairs, penalty, strict=True) if labels[i] != labels[j])
        scored.append((score, labels))
    scored.sort(reverse=True)
    (best, labels), (second, _) = scored[0], scored[1]
    if (best - second) / unit < mpmath.mpf("1e-3"):
        raise ValueError(f"a golden must not hang on a tie. Received: best two {best / unit} and {second / unit}")
    return {
        "assignment": [list(labels[row * width : (row + 1) * width]) for row in range(height)],
        "score": rounded([best / unit]),
    }


def expanded_labels(log_probability, edges, weights, distances):
    """The best of all labels^places labellings in fractions, refusing a tie: an expansion's answer where it is optimal.

    The bound follows from E(y) <= 2 c E(y*) for costs >= 0 (Boykov, Veksler and Zabih), whose zero is the sum of every
    place's best score.
    """
    unary = [[Fraction(value) for value in row] for row in log_probability]
    apart = [[Fraction(value) for value in row] for row in distances]
    cost = [Fraction(value) for value in weights]
    scored = []
    for labels in product(range(len(apart)), repeat=len(unary)):
        score = sum(row[label] for row, label in zip(unary, labels, strict=True))
        score += sum(w * apart[labels[i]][labels[j]] for (i, j), w in zip(edges, cost, strict=True))
        scored.append((score, labels))
    scored.sort(reverse=True)
    (best, labels), (second, _) = scored[0], scored[1]
    if best - second < Fraction(1, 1000):
        raise ValueError(f"a golden must not hang on a tie. Received: best two {float(best)} and {float(second)}")
    other = [value for a, row in enumerate(apart) for b, value in enumerate(row) if a != b]
    top = sum(max(row) for row in unary)
    return {
        "assignment": list(labels),
        "score": rounded([best]),
        "bound": rounded([top - (top - best) / (2 * max(other) / min(other))]),
    }
