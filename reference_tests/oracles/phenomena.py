"""Oracles of R (Optimization), C 7.2.1 and C 9.1.5: saddles, valleys, and the loss after training at many rates.

Every derivative is a complex step in sixty digits.
"""

from fractions import Fraction

import mpmath

from reference_tests.oracles.phenomena_collapse import heaps_with_samples
from reference_tests.oracles.phenomena_depth import (
    factors_of_wide_networks,
    gradient_of_a_chain,
    gradients_of_a_deep_network,
)
from reference_tests.oracles.phenomena_descent import (
    excess_of_noisy_descent,
    floor_of_a_constant_rate,
    walks_on_batches,
)
from reference_tests.oracles.phenomena_generalization import (
    curvature_of_a_network,
    error_of_a_polynomial,
    loss_around_a_network,
)
from reference_tests.oracles.phenomena_likelihood import factorised_likelihood
from reference_tests.oracles.phenomena_recurrence import error_over_time
from reference_tests.oracles.precision import argmax, descend, exact, flatten, gradient, gradients, rounded, times

__all__ = [
    "best_rates_in_valleys",
    "curvature_of_a_network",
    "error_of_a_polynomial",
    "error_over_time",
    "excess_of_noisy_descent",
    "factorised_likelihood",
    "factors_of_wide_networks",
    "floor_of_a_constant_rate",
    "gradient_of_a_chain",
    "gradients_of_a_deep_network",
    "heaps_with_samples",
    "loss_around_a_network",
    "losses_after_training",
    "saddle_derivatives",
    "saddle_descent",
    "walks_on_batches",
]

_SADDLES = {
    "quartic": lambda p: p[1] ** 4 - p[0] ** 4,
    "quadratic": lambda p: p[1] ** 2 - p[0] ** 2,
}


def saddle_derivatives(points, saddle):
    """f, its gradient and the eigenvalues of its Hessian (the functions are separable: the diagonal)."""
    power = {"quartic": 4, "quadratic": 2}[saddle]
    rows = exact(points)
    bend = [sorted([-power * (power - 1) * x ** (power - 2), power * (power - 1) * y ** (power - 2)]) for x, y in rows]
    return {
        "value": rounded([_SADDLES[saddle](row) for row in rows]),
        "gradient": rounded([gradient(_SADDLES[saddle], row) for row in rows]),
        "eigenvalues": rounded(bend),
    }


def saddle_descent(start, saddle, learning_rate, steps):
    """Gradient descent, one row a start; every position on the way."""
    rate, paths = mpmath.mpf(learning_rate), [exact(start)]
    for _ in range(steps):
        paths.append([descend(row, gradient(_SADDLES[saddle], row), rate) for row in paths[-1]])
    return {"path": rounded(paths)}


def losses_after_training(x, labels, hidden, output, batches, learning_rates):
    """Mean cross entropy and share of errors after mini-batch descent of a tanh network, rate by rate."""
    rows = exact(x)

    def scores(row, first, second):
        units = [mpmath.tanh(net) for net in times(first, row)]
        return times(second, units)

    def loss(first, second, chosen):
        total = mpmath.mpf(0)
        for index in chosen:
            z = scores(rows[index], first, second)
            total += mpmath.log(sum(mpmath.exp(v) for v in z)) - z[labels[index]]
        return total / len(chosen)

    losses, errors = [], []
    for rate in learning_rates:
        first, second = exact(hidden), exact(output)
        for chosen in batches:
            slopes = gradients(lambda a, b, chosen=chosen: loss(a, b, chosen), first, second)
            first, second = (descend(w, s, mpmath.mpf(rate)) for w, s in zip((first, second), slopes, strict=True))
        losses.append(loss(first, second, range(len(rows))))
        wrong = [argmax(scores(row, first, second)) != label for row, label in zip(rows, labels, strict=True)]
        errors.append(mpmath.mpf(sum(wrong)) / len(wrong))
    if any(not mpmath.isfinite(value) for value in flatten(losses)):
        raise ValueError("a golden holds finite numbers")
    return {"loss": rounded(losses), "error": rounded(errors)}


def best_rates_in_valleys(curvatures):
    """Rates at which both ends of the spectrum shrink alike; the momentum by bisection, not by the formula."""
    answer = {name: [] for name in ("rate", "factor", "momentum_rate", "momentum", "momentum_factor")}
    for low, high in curvatures:
        a, b = Fraction(low), Fraction(high)
        rate = 2 / (a + b)  # the solution of 1 - rate a = -(1 - rate b)
        if 1 - rate * a != rate * b - 1:
            raise ValueError(f"both ends should shrink alike. Received: {low}, {high}")
        # z^2 - (1 + s^2 - rate c) z + s^2 has a double root at s for c = a and at -s for c = b, s^2 the momentum.
        kappa = mpmath.mpf(high) / mpmath.mpf(low)
        below, above = mpmath.mpf(0), mpmath.mpf(1)
        for _ in range(190):
            s = (below + above) / 2
            below, above = (s, above) if (1 + s) ** 2 < kappa * (1 - s) ** 2 else (below, s)
        momentum_rate = (1 - s) ** 2 / mpmath.mpf(low)
        values = (rate, 1 - rate * a, momentum_rate, s**2, s)
        for name, value in zip(answer, values, strict=True):
            answer[name].append(float(value))
    return answer
