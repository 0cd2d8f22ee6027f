"""Oracles of pixels with K levels (C 19.4): differences of distribution functions, as they stand, in 600 digits."""

import mpmath

from reference_tests.oracles.precision import exact, rounded, softmax

__all__ = ["categorical_levels", "discretized_logistic"]


def _answers(y, masses):
    """masses: (N, D, K) nested."""
    losses, means = [], []
    for levels, row in zip(y, masses, strict=True):
        product = mpmath.mpf(1)
        for level, pixel in zip(levels, row, strict=True):
            product *= pixel[int(level)]
        losses.append(-mpmath.log(product))
        means.append([sum(k * mass for k, mass in enumerate(pixel)) for pixel in row])
    return {"negative_log_likelihood": rounded(losses), "masses": rounded(masses), "mean": rounded(means)}


def categorical_levels(y, logits):
    """A softmax a pixel."""
    return _answers(y, [[softmax(pixel) for pixel in row] for row in exact(logits)])


def discretized_logistic(y, location, scale, weight, levels):
    """F(k + 1/2) - F(k - 1/2), the bins at either end open, summed over the bells of a pixel."""
    with mpmath.workdps(600):

        def below(edge, centre, width):
            """F(edge) of a logistic variable, edge k + 1/2 between levels k and k + 1."""
            if edge < 0:
                return mpmath.mpf(0)
            if edge > levels - 1:
                return mpmath.mpf(1)
            return 1 / (1 + mpmath.exp(-(edge - centre) / width))

        half = mpmath.mpf(1) / 2
        masses = []
        for row in zip(*map(exact, (location, scale, weight)), strict=True):
            pixels = []
            for bells in zip(*row, strict=True):
                bells = list(zip(*bells, strict=True))
                total = sum(w for _, _, w in bells)
                pixels.append(
                    [
                        sum(w / total * (below(k + half, m, s) - below(k - half, m, s)) for m, s, w in bells)
                        for k in range(levels)
                    ]
                )
            masses.append(pixels)
        return _answers(y, masses)
