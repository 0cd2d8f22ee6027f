"""Oracles of C 1.1 and R (Generalization, Flat vs sharp minima): every noise enumerated, Hessians entry by entry."""

from itertools import product as every

import mpmath

from reference_tests.oracles.precision import exact, flatten, gradients, relu, rounded, shape_like, solve, times

__all__ = ["curvature_of_a_network", "error_of_a_polynomial", "loss_around_a_network"]

_SHIFT = mpmath.mpf(10) ** -12


def error_of_a_polynomial(x, clean, x_test, clean_test, degree, strength, noise):
    """Fits every training set whose noise is +sigma or -sigma in each target; that has variance sigma^2."""
    sigma, penalty = mpmath.mpf(noise), mpmath.mpf(strength)

    def features(places):
        return [[mpmath.sqrt(2 * k + 1) * mpmath.legendre(k, p) for k in range(degree + 1)] for p in exact(places)]

    rows, test_rows, clean, clean_test = features(x), features(x_test), exact(clean), exact(clean_test)
    width = range(degree + 1)
    normal = [[sum(row[i] * row[j] for row in rows) + penalty * (i == j) for j in width] for i in width]
    predictions, on_training = [], []
    for signs in every((-1, 1), repeat=len(rows)):
        targets = [value + sign * sigma for value, sign in zip(clean, signs, strict=True)]
        weights = solve(normal, [sum(r[i] * t for r, t in zip(rows, targets, strict=True)) for i in width])
        predictions.append(times(test_rows, weights))
        on_training += [(a - b) ** 2 for a, b in zip(times(rows, weights), targets, strict=True)]
    squared_bias, variance, errors = [], [], []
    for column, wanted in zip(zip(*predictions, strict=True), clean_test, strict=True):
        mean = sum(column) / len(column)
        squared_bias.append((mean - wanted) ** 2)
        variance.append(sum((value - mean) ** 2 for value in column) / len(column))
        errors += [(value - wanted - sign * sigma) ** 2 for value in column for sign in (-1, 1)]
    return {
        "squared_bias": float(sum(squared_bias) / len(squared_bias)),
        "variance": float(sum(variance) / len(variance)),
        "noise": float(sigma**2),
        "expected_error": float(sum(errors) / len(errors)),
        "training_error": float(sum(on_training) / len(on_training)),
    }


def _loss(rows, labels, hidden, output):
    total = mpmath.mpf(0)
    for row, label in zip(rows, labels, strict=True):
        z = times(output, [relu(net) for net in times(hidden, [*row, mpmath.mpf(1)])])
        total += mpmath.log(sum(mpmath.exp(value) for value in z)) - z[label]
    return total / len(rows)


def _hessian(rows, labels, weights):
    """Column by column: differences of gradients that are complex steps."""
    flat, columns = flatten(weights), []
    for index in range(len(flat)):
        slopes = []
        for shift in (_SHIFT, -_SHIFT):
            moved = list(flat)
            moved[index] += shift
            v, w = shape_like(iter(moved), weights)
            slopes.append(flatten(gradients(lambda a, b: _loss(rows, labels, a, b), v, w)))
        columns.append([(above - below) / (2 * _SHIFT) for above, below in zip(*slopes, strict=True)])
    return columns


def _largest(hessian):
    symmetric = mpmath.matrix(hessian)
    return max(mpmath.eigsy((symmetric + symmetric.T) / 2, eigvals_only=True))


def curvature_of_a_network(x, labels, hidden, output, along_hidden, along_output, factor, steps):
    """The whole Hessian, and its eigenvalues; `steps` is for those who iterate."""
    rows, weights = exact(x), [exact(hidden), exact(output)]
    if any(abs(net) < 1e-3 for row in rows for net in times(weights[0], [*row, mpmath.mpf(1)])):
        raise ValueError("a golden must not lie at a kink of relu")
    hessian = _hessian(rows, labels, weights)
    first, second = shape_like(iter(times(hessian, flatten(exact([along_hidden, along_output])))), weights)
    c = mpmath.mpf(factor)
    other = [[[c * value for value in row] for row in weights[0]], [[value / c for value in row] for row in weights[1]]]
    return {
        "hidden_product": rounded(first),
        "output_product": rounded(second),
        "sharpness": float(_largest(hessian)),
        "rescaled_sharpness": float(_largest(_hessian(rows, labels, other))),
    }


def loss_around_a_network(x, labels, hidden, output, along_hidden, along_output, alphas):
    """Loss at every alpha; each row of the direction as long as that of the weights."""
    rows, losses = exact(x), []

    def length(row):
        return mpmath.sqrt(sum(value**2 for value in row))

    for alpha in exact(alphas):
        moved = [
            [
                [w + alpha * d * length(row) / length(drawn) for w, d in zip(row, drawn, strict=True)]
                for row, drawn in zip(part, draws, strict=True)
            ]
            for part, draws in zip((exact(hidden), exact(output)), exact([along_hidden, along_output]), strict=True)
        ]
        losses.append(_loss(rows, labels, *moved))
    return {"loss": rounded(losses)}
