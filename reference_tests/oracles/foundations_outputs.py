"""Oracles of C 4.3 and S 9.1/9.3: output units and losses. Every gradient is a complex step of the plain definition."""

from itertools import combinations

import mpmath

from reference_tests.oracles.precision import (
    argmax,
    descend,
    dot,
    exact,
    gradient,
    gradients,
    plus,
    real,
    rounded,
    sigmoid,
    softmax,
    times,
    transpose,
)


def logistic_output_unit(h, w, b):
    """z = w.h + b and sigma(z)."""
    nets = [dot(exact(w), row) + exact(b) for row in exact(h)]
    return {"z": rounded(nets), "probability": rounded([sigmoid(z) for z in nets])}


def bernoulli_probabilities(z):
    """e**(yz) / (e**z + 1), the normalisation of the notes, for y = 1 and y = 0."""
    powers = [mpmath.exp(value) for value in exact(z)]
    return {
        "positive": rounded([power / (1 + power) for power in powers]),
        "negative": rounded([1 / (1 + power) for power in powers]),
    }


def _bernoulli_cost(label, z):
    return -mpmath.log(sigmoid((2 * label - 1) * z))


def bernoulli_cost(y, z):
    """-log P(y) with P(y) = sigma((2y - 1) z)."""
    pairs = list(zip(y, exact(z), strict=True))
    return {
        "cost": rounded([_bernoulli_cost(label, value) for label, value in pairs]),
        "gradient": rounded([gradient(lambda u, y=label: _bernoulli_cost(y, u), value) for label, value in pairs]),
    }


def clipped_linear_unit(z):
    """max(0, min(1, z)) and its slope beside the logistic unit's slope."""
    values = exact(z)
    clipped = [sorted([mpmath.mpf(0), value, mpmath.mpf(1)])[1] for value in values]
    inside = [mpmath.mpf(0 < value < 1) for value in values]
    return {
        "clipped": rounded(clipped),
        "gradient": rounded(inside),
        "logistic_gradient": rounded([gradient(sigmoid, value) for value in values]),
    }


def _logistic_mean(x, y, w, b):
    costs = [_bernoulli_cost(label, dot(w, row) + b) for row, label in zip(x, y, strict=True)]
    return sum(costs) / len(costs)


def logistic_regression_gradient(x, y, w, b):
    """Probability, cost of each example and gradient of the mean cost."""
    rows, weights, bias = exact(x), exact(w), exact(b)
    nets = [dot(weights, row) + bias for row in rows]
    by_w, by_b = gradients(lambda u, v: _logistic_mean(rows, y, u, v), weights, bias)
    return {
        "probability": rounded([sigmoid(z) for z in nets]),
        "cost": rounded([_bernoulli_cost(label, z) for label, z in zip(y, nets, strict=True)]),
        "gradient_w": rounded(by_w),
        "gradient_b": rounded([by_b]),
    }


def logistic_regression_training(x, y, w, b, learning_rate, steps):
    """Full-batch gradient descent on the mean cost."""
    rows, weights, bias, rate = exact(x), exact(w), exact(b), exact(learning_rate)
    costs = [_logistic_mean(rows, y, weights, bias)]
    for _ in range(steps):
        by_w, by_b = gradients(lambda u, v: _logistic_mean(rows, y, u, v), weights, bias)
        weights, bias = descend(weights, by_w, rate), bias - rate * by_b
        costs.append(_logistic_mean(rows, y, weights, bias))
    return {"costs": rounded(costs), "w": rounded(weights), "b": rounded([bias])}


def softmax_output_unit(h, W, b):
    """z = W'h + b, softmax(z) and its largest entry."""
    columns, bias = transpose(exact(W)), exact(b)
    nets = [plus(times(columns, row), bias) for row in exact(h)]
    chances = [softmax(row) for row in nets]
    return {
        "z": rounded(nets),
        "probabilities": rounded(chances),
        "labels": [argmax(row) for row in chances],
    }


def softmax_of_two_classes(z):
    """softmax over the logits [0, z] at class 1, and sigma(z)."""
    values = exact(z)
    return {
        "softmax": rounded([softmax([mpmath.mpf(0), value])[1] for value in values]),
        "sigmoid": rounded([sigmoid(value) for value in values]),
    }


def _cross_entropy(target, z):
    """-sum_i p_i log softmax(z)_i, from the probabilities themselves."""
    return -sum(p * mpmath.log(q) for p, q in zip(target, softmax(z), strict=True) if p != 0)


def _one_hot(label, size):
    return [mpmath.mpf(index == label) for index in range(size)]


def _softmax_mean(x, y, W, b):
    columns = transpose(W)
    costs = [
        _cross_entropy(_one_hot(label, len(b)), plus(times(columns, row), b)) for row, label in zip(x, y, strict=True)
    ]
    return sum(costs) / len(costs)


def softmax_regression_gradient(x, y, W, b):
    """Probabilities, cost of each example and gradient of the mean cost."""
    rows, weights, bias = exact(x), exact(W), exact(b)
    nets = [plus(times(transpose(weights), row), bias) for row in rows]
    by_w, by_b = gradients(lambda u, v: _softmax_mean(rows, y, u, v), weights, bias)
    return {
        "probabilities": rounded([softmax(row) for row in nets]),
        "cost": rounded([_cross_entropy(_one_hot(label, len(b)), z) for label, z in zip(y, nets, strict=True)]),
        "gradient_W": rounded(by_w),
        "gradient_b": rounded(by_b),
    }


def softmax_regression_training(x, y, W, b, learning_rate, steps):
    """Full-batch gradient descent on the mean cost."""
    rows, weights, bias, rate = exact(x), exact(W), exact(b), exact(learning_rate)
    costs = [_softmax_mean(rows, y, weights, bias)]
    for _ in range(steps):
        by_w, by_b = gradients(lambda u, v: _softmax_mean(rows, y, u, v), weights, bias)
        weights, bias = descend(weights, by_w, rate), descend(bias, by_b, rate)
        costs.append(_softmax_mean(rows, y, weights, bias))
    return {"costs": rounded(costs), "W": rounded(weights), "b": rounded(bias)}


def logistic_loss_values(y, f):
    """log(1 + e**(-y f)) for labels y = -1, 1."""

    def loss(label, value):
        return mpmath.log(1 + mpmath.exp(-label * value))

    pairs = list(zip(y, exact(f), strict=True))
    return {
        "loss": rounded([loss(*pair) for pair in pairs]),
        "gradient": rounded([gradient(lambda u, y=label: loss(y, u), value) for label, value in pairs]),
    }


def softmax_loss_values(y, z):
    """-log softmax(z)_y and its gradient by z."""
    return softmax_loss_one_hot([[float(index == label) for index in range(len(z[0]))] for label in y], z)


def softmax_loss_one_hot(p, z):
    """-sum_i p_i log softmax(z)_i and its gradient by z."""
    pairs = list(zip(exact(p), exact(z), strict=True))
    return {
        "loss": rounded([_cross_entropy(*pair) for pair in pairs]),
        "gradient": rounded([gradient(lambda u, p=target: _cross_entropy(p, u), row) for target, row in pairs]),
    }


def half_squared_loss_values(y, f):
    """|y - f|**2 / 2, summed over the entries of one example."""

    def loss(target, output):
        return sum((a - b) ** 2 for a, b in zip(target, output, strict=True)) / 2

    pairs = list(zip(exact(y), exact(f), strict=True))
    return {
        "loss": rounded([loss(*pair) for pair in pairs]),
        "gradient": rounded([gradient(lambda u, y=target: loss(y, u), output) for target, output in pairs]),
    }


def top_k_ranking_loss_values(y, f, k):
    """max(0, largest mean over all k-subsets of 1[j != y] + f_j - f_y): the top k by trying every subset."""

    def loss(label, row):
        margins = [value - row[label] + (index != label) for index, value in enumerate(row)]
        means = [sum(subset) / k for subset in combinations(margins, k)]
        best = max(means, key=real)
        return best if real(best) > 0 else 0 * best

    pairs = list(zip(y, exact(f), strict=True))
    return {
        "loss": rounded([loss(*pair) for pair in pairs]),
        "gradient": rounded([gradient(lambda u, y=label: loss(y, u), row) for label, row in pairs]),
    }


def preference_loss_values(preferred, other):
    """-log of the Bradley-Terry probability e**p / (e**p + e**o) that the preferred one wins."""

    def loss(winner, loser):
        return -mpmath.log(mpmath.exp(winner) / (mpmath.exp(winner) + mpmath.exp(loser)))

    pairs = list(zip(exact(preferred), exact(other), strict=True))
    slopes = [gradients(loss, *pair) for pair in pairs]
    return {
        "loss": rounded([loss(*pair) for pair in pairs]),
        "gradient_preferred": rounded([slope[0] for slope in slopes]),
        "gradient_other": rounded([slope[1] for slope in slopes]),
    }
