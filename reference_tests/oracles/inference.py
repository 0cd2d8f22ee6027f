"""Oracles of N (Langevin Monte Carlo) and R (Langevin dynamics); Markov chains lie in inference_markov.

Transition densities are written out in full, with their normalising constants, and gradients are complex steps: none
of the cancellations an implementation uses to get the Hastings term is used here.
"""

from fractions import Fraction

import mpmath

from reference_tests.oracles.inference_markov import (
    chain_structure,
    distribution_over_time,
    stationary_distribution,
    total_variation_curve,
    walk_on_a_graph,
)
from reference_tests.oracles.precision import dot, exact, gradient, rounded, times

__all__ = [
    "chain_structure",
    "distribution_over_time",
    "langevin_step",
    "langevin_variance",
    "metropolis_ratio",
    "stationary_distribution",
    "stochastic_gradient_step",
    "total_variation_curve",
    "walk_on_a_graph",
]


def _coefficients(step_size, form):
    """(factor of the gradient, factor of the noise): N prints them in eps, R in eta."""
    size = mpmath.mpf(step_size)
    return {"epsilon": (size**2 / 2, size), "eta": (size, mpmath.sqrt(2 * size))}[form]


def _log_density(target, precision):
    """log p up to a constant: a Gaussian of this precision matrix, or one double well a coordinate."""
    if target == "gaussian":
        matrix = exact(precision)
        return lambda w: -dot(w, times(matrix, w)) / 2
    return lambda w: -sum(((c * c - 1) ** 2 for c in w), mpmath.mpf(0)) - w[0] / 4


def langevin_step(w, noise, precision, target, step_size, form):
    """w + drift g + scale p, one row a chain, g = grad log p."""
    drift, scale = _coefficients(step_size, form)
    density = _log_density(target, precision)
    slopes = [gradient(density, row) for row in exact(w)]
    moved = [
        [a + drift * g + scale * p for a, g, p in zip(*rows, strict=True)]
        for rows in zip(exact(w), slopes, exact(noise), strict=True)
    ]
    return {"gradient": rounded(slopes), "proposal": rounded(moved)}


def langevin_variance(precision, step_size, steps, form):
    """Variance of one coordinate from w = 0: the sum b^2 (1 - a^(2 t)) / (1 - a^2), a = 1 - drift * precision.

    Exact, because the step is affine for J(w) = precision w^2 / 2.
    """
    drift, scale = _coefficients(step_size, form)
    variance = []
    for value in precision:
        a = 1 - drift * mpmath.mpf(value)
        variance.append(scale**2 * (1 - a ** (2 * steps)) / (1 - a**2))
    return {"variance": rounded(variance)}


def metropolis_ratio(w, proposal, precision, target, step_size, form):
    """log p(y) q(w | y) - log p(w) q(y | w), the densities of both moves written out."""
    drift, scale = _coefficients(step_size, form)
    density = _log_density(target, precision)

    def log_move(origin, end):
        slope = gradient(density, origin)
        mean = [a + drift * g for a, g in zip(origin, slope, strict=True)]
        squares = sum(((e - m) ** 2 for e, m in zip(end, mean, strict=True)), mpmath.mpf(0))
        return -squares / (2 * scale**2) - len(origin) * mpmath.log(2 * mpmath.pi * scale**2) / 2

    ratios = [
        density(end) + log_move(end, origin) - density(origin) - log_move(origin, end)
        for origin, end in zip(exact(w), exact(proposal), strict=True)
    ]
    return {
        "log_accept_ratio": rounded(ratios),
        "accept_probability": rounded([min(mpmath.mpf(1), mpmath.exp(ratio)) for ratio in ratios]),
    }


def stochastic_gradient_step(theta, noise, x, batch, prior_precision, step_size, form):
    """Mean of a unit normal: the slope is -prior_precision theta + (N / n) sum over the batch of (x_i - theta)."""
    drift, scale = _coefficients(step_size, form)
    data = [Fraction(value) for value in x]
    share = Fraction(len(data), len(batch))
    slopes = [
        -Fraction(prior_precision) * Fraction(value) + share * sum(data[row] - Fraction(value) for row in batch)
        for value in theta
    ]
    slopes = [mpmath.mpf(slope.numerator) / slope.denominator for slope in slopes]
    moved = [a + drift * g + scale * p for a, g, p in zip(exact(theta), slopes, exact(noise), strict=True)]
    return {"gradient": rounded(slopes), "proposal": rounded(moved)}
