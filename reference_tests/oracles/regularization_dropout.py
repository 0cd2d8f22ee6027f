"""Oracles of C 6.12.1 and S 9.4, dropout and DropConnect: every mask written out, sixty digits."""

from fractions import Fraction
from itertools import product

import mpmath

from reference_tests.oracles.precision import exact, plus, relu, rounded, softmax, times, transpose


def _masks(rates):
    """(mask, its probability) for every mask of these units."""
    for mask in product((0, 1), repeat=len(rates)):
        chance = mpmath.mpf(1)
        for kept, rate in zip(mask, rates, strict=True):
            chance *= 1 - rate if kept else rate
        yield mask, chance


def dropout_of_one_unit(x, rate):
    """Mean and variance of a unit under its two masks, by both rules, and what is used afterwards."""
    rows = {name: [] for name in ("keep", "inverted_mean", "inverted_variance", "scaled_mean", "scaled_variance")}
    for value, drop in zip([Fraction(v) for v in x], [Fraction(str(r)) for r in rate], strict=True):
        keep = 1 - drop
        for name, scale in (("inverted", 1 / keep), ("scaled", Fraction(1))):
            outcomes = [(value * scale, keep), (Fraction(0), drop)]
            mean = sum(outcome * chance for outcome, chance in outcomes)
            rows[f"{name}_mean"].append(mean)
            rows[f"{name}_variance"].append(sum(chance * (outcome - mean) ** 2 for outcome, chance in outcomes))
        rows["keep"].append(keep)
    return {name: rounded(values) for name, values in rows.items()}


def _root_ensemble(x, W, b, rates, root):
    """prod over all masks of p(y | x, mu)**(p(mu) * root), not renormalized: a power, taken from the product itself."""
    kernel, bias, inputs = transpose(exact(W)), exact(b), exact(x)
    shares = [mpmath.mpf(1)] * len(bias)
    for mask, chance in _masks(exact(rates)):
        scores = plus(times(kernel, [m * value for m, value in zip(mask, inputs, strict=True)]), bias)
        shares = [share * p ** (chance * root) for share, p in zip(shares, softmax(scores), strict=True)]
    return shares


def softmax_regression_ensemble(x, W, b, rate):
    """Geometric mean over all masks, renormalized; one pass with the inputs scaled; the plain mean of the members."""
    shares = _root_ensemble(x, W, b, rate, 1)
    kernel, bias, inputs, rates = transpose(exact(W)), exact(b), exact(x), exact(rate)
    scaled = softmax(plus(times(kernel, [(1 - r) * v for r, v in zip(rates, inputs, strict=True)]), bias))
    mean = [mpmath.mpf(0)] * len(bias)
    for mask, chance in _masks(rates):
        member = softmax(plus(times(kernel, [m * v for m, v in zip(mask, inputs, strict=True)]), bias))
        mean = plus(mean, [chance * p for p in member])
    return {
        "geometric": rounded([share / sum(shares) for share in shares]),
        "scaled": rounded(scaled),
        "arithmetic": rounded(mean),
    }


def renormalized_ensemble(x, W, b, rate):
    """The geometric mean before and after it is divided by its own sum."""
    shares = _root_ensemble(x, W, b, rate, 1)
    return {"ensemble": rounded([share / sum(shares) for share in shares]), "sum_before": rounded([sum(shares)])}


def hidden_layer_ensemble(x, W, c, V, b, rate):
    """A layer of rectifiers under all its masks (inverted rule): both means, and the one pass with all units there."""
    hidden = [relu(value) for value in plus(times(transpose(exact(W)), exact(x)), exact(c))]
    kernel, bias, drop = transpose(exact(V)), exact(b), mpmath.mpf(rate)
    mean, logs = [mpmath.mpf(0)] * len(bias), [mpmath.mpf(0)] * len(bias)
    for mask, chance in _masks([drop] * len(hidden)):
        thinned = [relu(m * value / (1 - drop)) for m, value in zip(mask, hidden, strict=True)]
        member = softmax(plus(times(kernel, thinned), bias))
        mean = plus(mean, [chance * p for p in member])
        logs = plus(logs, [chance * mpmath.log(p) for p in member])
    return {
        "arithmetic": rounded(mean),
        "geometric": rounded(softmax(logs)),
        "scaled": rounded(softmax(plus(times(kernel, hidden), bias))),
    }


def dropconnect_of_a_layer(x, W, b, mask, rate):
    """One masked pass, and mean and variance of each unit over every mask of W, all connections by themselves."""
    kernel, bias, drop = exact(W), exact(b), mpmath.mpf(rate)
    places = [(i, j) for i in range(len(kernel)) for j in range(len(bias))]

    def forward(row, kept):
        return [
            sum(row[i] * kernel[i][j] * kept[i, j] / (1 - drop) for i in range(len(row))) + bias[j]
            for j in range(len(bias))
        ]

    given = {(i, j): int(mask[i][j]) for i, j in places}
    rows = exact(x)
    means, variances = [], []
    for row in rows:
        first, second = [mpmath.mpf(0)] * len(bias), [mpmath.mpf(0)] * len(bias)
        for flat, chance in _masks([drop] * len(places)):
            z = forward(row, dict(zip(places, flat, strict=True)))
            first, second = plus(first, [chance * v for v in z]), plus(second, [chance * v * v for v in z])
        means.append(first)
        variances.append([s - f * f for f, s in zip(first, second, strict=True)])
    return {
        "masked": rounded([forward(row, given) for row in rows]),
        "mean": rounded(means),
        "variance": rounded(variances),
    }


__all__ = [
    "dropconnect_of_a_layer",
    "dropout_of_one_unit",
    "hidden_layer_ensemble",
    "renormalized_ensemble",
    "softmax_regression_ensemble",
]
