"""Oracles of contrastive losses: view by view in loops, quotients of exponentials as the papers print them.

Sixty digits, in which exp(200) is no overflow; no log-sum-exp, no matrix product, no mask. Slopes by the complex step.
"""

import mpmath

from reference_tests.oracles.precision import dot, exact, gradients, product, rounded

__all__ = ["contrastive_step", "info_nce_of_scores", "nt_xent_of_pairs", "nt_xent_slopes"]


def _cosine(a, b):
    return dot(a, b) / (mpmath.sqrt(dot(a, a)) * mpmath.sqrt(dot(b, b)))


def _losses(first, second, temperature):
    """Equation 1 for every ordered pair, views 2n and 2n + 1 side by side as in the paper's algorithm."""
    views = [view for pair in zip(first, second, strict=True) for view in pair]

    def loss(i, j):
        above = mpmath.exp(_cosine(views[i], views[j]) / temperature)
        below = sum(mpmath.exp(_cosine(views[i], view) / temperature) for k, view in enumerate(views) if k != i)
        return -mpmath.log(above / below)

    return [(loss(2 * n, 2 * n + 1) + loss(2 * n + 1, 2 * n)) / 2 for n in range(len(first))]


def nt_xent_of_pairs(first, second, temperature, split):
    """The losses of the whole; a share's are the same numbers, wherever it is cut."""
    losses = _losses(exact(first), exact(second), mpmath.mpf(temperature))
    return {"losses": rounded(losses), "of_shares": rounded(losses), "loss": rounded([sum(losses) / len(losses)])}


def nt_xent_slopes(first, second, temperature):
    """Derivatives of the mean loss."""
    tau = mpmath.mpf(temperature)

    def mean(first, second):
        losses = _losses(first, second, tau)
        return sum(losses) / len(losses)

    by_first, by_second = gradients(mean, exact(first), exact(second))
    return {"by_first": rounded(by_first), "by_second": rounded(by_second)}


def info_nce_of_scores(scores):
    """-log of the share of the right key, and log N less the mean."""
    powers = [[mpmath.exp(score) for score in row] for row in exact(scores)]
    losses = [-mpmath.log(row[i] / sum(row)) for i, row in enumerate(powers)]
    bound = mpmath.log(len(losses)) - sum(losses) / len(losses)
    return {"losses": rounded(losses), "bound": rounded([bound])}


def contrastive_step(x, trunk, projector, temperature, rate):
    """A step down the slope; both views are the image itself."""
    rows = [[pixel for line in image for place in line for pixel in place] for image in exact(x)]
    tau, size = mpmath.mpf(temperature), mpmath.mpf(rate)

    def mean(trunk, projector):
        z = product(product(rows, trunk), projector)
        losses = _losses(z, z, tau)
        return sum(losses) / len(losses)

    start = {"trunk": exact(trunk), "projector": exact(projector)}
    found = {"loss": rounded([mean(**start)])}
    for (name, weights), slope in zip(start.items(), gradients(mean, *start.values()), strict=True):
        moved = [[w - size * g for w, g in zip(*pair, strict=True)] for pair in zip(weights, slope, strict=True)]
        found[name] = rounded(moved)
    return found
