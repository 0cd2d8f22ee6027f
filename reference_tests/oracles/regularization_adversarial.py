"""Oracles of C 6.13 (adversarial training): linear scores by hand, networks by the complex step."""

from fractions import Fraction

import mpmath

from reference_tests.oracles.precision import descend, dot, exact, gradients, real, rounded, transpose

__all__ = ["attack_in_high_dimension", "attack_on_a_linear_score", "attack_on_a_network", "steps_on_the_mixture"]


def _sign(value):
    return (value > 0) - (value < 0)


def attack_on_a_linear_score(x, w, b, y, epsilon, bounds):
    """J = log(1 + exp(-y z)) falls in y z, so x' = x - epsilon y sign(w), cut at the bounds."""
    weights, size = [Fraction(value) for value in w], Fraction(epsilon)
    attacked, before, after = [], [], []
    for row, label in zip(x, y, strict=True):
        point = [Fraction(value) for value in row]
        moved = [value - size * label * _sign(weight) for value, weight in zip(point, weights, strict=True)]
        if bounds is not None:
            low, high = map(Fraction, bounds)
            moved = [min(max(value, low), high) for value in moved]
        attacked.append(moved)
        before.append(sum(a * c for a, c in zip(weights, point, strict=True)) + Fraction(b))
        after.append(sum(a * c for a, c in zip(weights, moved, strict=True)) + Fraction(b))
    return {
        "attacked": rounded(attacked),
        "score_before": rounded(before),
        "score_after": rounded(after),
        "largest_change": rounded([size * sum(abs(weight) for weight in weights)]),
    }


def attack_in_high_dimension(sizes, magnitude, epsilon):
    """n weights of magnitude m: the score moves by epsilon m n."""
    return {"change": rounded([Fraction(epsilon) * Fraction(magnitude) * n for n in sizes])}


def _logits(layers, row):
    h = row
    for level, (kernel, bias) in enumerate(layers):
        h = [dot(column, h) + c for column, c in zip(transpose(kernel), bias, strict=True)]
        if level + 1 < len(layers):
            h = [mpmath.tanh(value) for value in h]
    return h


def _loss(logits, label):
    return mpmath.log(sum((mpmath.exp(z) for z in logits), mpmath.mpf(0))) - logits[label]


def _attacked(layers, row, label, epsilon):
    (slope,) = gradients(lambda point: _loss(_logits(layers, point), label), row)
    return [value + mpmath.mpf(epsilon) * _sign(change) for value, change in zip(row, slope, strict=True)]


def attack_on_a_network(x, y, kernel_1, bias_1, kernel_2, bias_2, epsilon):
    """tanh network with softmax outputs; dJ/dx by the complex step."""
    layers = [(exact(kernel_1), exact(bias_1)), (exact(kernel_2), exact(bias_2))]
    points = exact(x)
    attacked = [_attacked(layers, row, label, epsilon) for row, label in zip(points, y, strict=True)]
    return {
        "attacked": rounded(attacked),
        "loss_before": rounded([_loss(_logits(layers, row), k) for row, k in zip(points, y, strict=True)]),
        "loss_after": rounded([_loss(_logits(layers, row), k) for row, k in zip(attacked, y, strict=True)]),
    }


def steps_on_the_mixture(x, y, kernel, bias, epsilon, alpha, rate, steps):
    """Gradient descent on alpha J(x) + (1 - alpha) J(x'), x' held fixed while the weights are differentiated."""
    points, weights, offset = exact(x), exact(kernel), exact(bias)
    share, values = mpmath.mpf(alpha), []
    for _ in range(steps):
        attacked = [_attacked([(weights, offset)], row, label, epsilon) for row, label in zip(points, y, strict=True)]

        def mixture(weights, offset, attacked=attacked):
            clean = sum(_loss(_logits([(weights, offset)], row), k) for row, k in zip(points, y, strict=True))
            robust = sum(_loss(_logits([(weights, offset)], row), k) for row, k in zip(attacked, y, strict=True))
            return (share * clean + (1 - share) * robust) / len(points)

        values.append(real(mixture(weights, offset)))
        slopes = gradients(mixture, weights, offset)
        weights, offset = (
            descend(tensor, slope, mpmath.mpf(rate)) for tensor, slope in zip((weights, offset), slopes, strict=True)
        )
    return {"objective": rounded(values), "kernel": rounded(weights), "bias": rounded(offset)}
