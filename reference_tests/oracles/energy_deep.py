"""Oracles of deep energy models (C 17.3, R): a network without hidden layers on a Gaussian base, and combined energies.

Densities are products, sums and quotients of exp(-E), never of energies. Z is an integral, coordinate by coordinate.
Slopes are complex steps.
"""

import mpmath

from reference_tests.oracles.precision import dot, exact, gradient, gradients, rounded

__all__ = ["combined_energies", "linear_energy"]


def linear_energy(x, states, noise, kernel, bias, base_scale, step_size):
    """E = w.x + b + |x|^2 / (2 s^2): energies, scores, log Z, two Langevin steps, slopes of the contrast."""
    x, states, noise, w = exact(x), exact(states), exact(noise), exact(kernel)
    b, s, eta = exact(bias), exact(base_scale), exact(step_size)

    def energy(point, w=w, b=b):
        return dot(w, point) + b + dot(point, point) / (2 * s**2)

    everything = mpmath.exp(-b)
    for each in w:
        bounds = [-30 * s, -5 * s, -s, 0, s, 5 * s, 30 * s]
        everything *= mpmath.quad(lambda v, each=each: mpmath.exp(-each * v - v**2 / (2 * s**2)), bounds)
    moved = states
    for step in noise:
        moved = [
            [a - eta * g + mpmath.sqrt(2 * eta) * p for a, g, p in zip(row, gradient(energy, row), own, strict=True)]
            for row, own in zip(moved, step, strict=True)
        ]

    def contrast(w, b):
        """Of the data against the states where the chains end."""
        return sum(energy(row, w, b) for row in x) / len(x) - sum(energy(row, w, b) for row in moved) / len(moved)

    of_kernel, of_bias = gradients(lambda w, b: contrast(w, b[0]), w, [b])
    return {
        "energy": rounded([energy(row) for row in x]),
        "score": rounded([[-slope for slope in gradient(energy, row)] for row in x]),
        "log_partition": [float(mpmath.log(everything))],
        "moved": rounded(moved),
        "kernel_slope": rounded(of_kernel),
        "bias_slope": rounded(of_bias),
    }


def combined_energies(energies, strength):
    """Products, sums and quotients of exp(-E), as energies."""
    energies, alpha = exact(energies), exact(strength)
    rows = [[mpmath.exp(-each) for each in row] for row in energies]
    return {
        "conjunction": rounded([-mpmath.log(mpmath.fprod(row)) for row in rows]),
        "disjunction": rounded([-mpmath.log(mpmath.fsum(row)) for row in rows]),
        "negation": rounded([-mpmath.log(row[0] / row[1] ** alpha) for row in rows]),
    }
