"""Oracles of C 19.5 and R (adversarial games and what their samples are worth), by other routes than the library's.

Losses are logarithms of probabilities, in sixty digits; slopes come from the complex step. Chances of duplicates are
products of fractions, duplicates are counted pair by pair, neighbourhoods are searched in a tree, roots of
covariances are SciPy's, and codes on a great circle are turned by an orthonormal pair.
"""

from fractions import Fraction
from itertools import combinations

import mpmath
import numpy as np
from scipy.linalg import sqrtm
from scipy.spatial import cKDTree
from scipy.stats import wasserstein_distance

from reference_tests.oracles.precision import descend, dot, exact, gradients, plus, rounded, sigmoid, times, transpose

__all__ = [
    "adversarial_losses",
    "birthdays",
    "codes_between",
    "duplicates_in_batches",
    "frechet_of_moments",
    "gan_steps",
    "inception_scores",
    "optimal_discriminators",
    "penalties_of_a_critic",
    "precision_and_recall_of_points",
    "wasserstein_on_a_line",
    "wgan_steps",
]


def adversarial_losses(real, fake):
    """Logarithms of D and 1 - D, and their slopes by the score."""
    real, fake = exact(real), exact(fake)

    def slope(loss):
        return [gradients(lambda scores: loss(scores[0]), [score])[0][0] for score in fake]

    def minimax(score):
        return mpmath.log(1 - sigmoid(score))

    def non_saturating(score):
        return -mpmath.log(sigmoid(score))

    return {
        "discriminator": rounded([non_saturating(d) - minimax(g) for d, g in zip(real, fake, strict=True)]),
        "minimax": rounded([minimax(g) for g in fake]),
        "non_saturating": rounded([non_saturating(g) for g in fake]),
        "minimax_slope": rounded(slope(minimax)),
        "non_saturating_slope": rounded(slope(non_saturating)),
    }


def _xlogy(x, y):
    return x * mpmath.log(y) if x else mpmath.mpf(0)


def optimal_discriminators(p, q, other):
    """D* by maximising p log D + q log(1 - D) point by point; the divergence as differences of entropies."""
    p, q, other = exact(p), exact(q), exact(other)

    def best(a, b):
        """Where the slope a/D - b/(1 - D) changes sign, by bisection."""
        if a == 0 or b == 0:
            return mpmath.mpf(1 if a else 0)
        low, high = mpmath.mpf(0), mpmath.mpf(1)
        for _ in range(190):
            middle = (low + high) / 2
            low, high = (middle, high) if a * (1 - middle) > b * middle else (low, middle)
        return low

    def value(a, b, d):
        return sum(_xlogy(x, w) + _xlogy(y, 1 - w) for x, y, w in zip(a, b, d, strict=True))

    def entropy(row):
        return -sum(_xlogy(x, x) for x in row)

    found = [[best(a, b) for a, b in zip(*pair, strict=True)] for pair in zip(p, q, strict=True)]
    divergence = [
        entropy([(x + y) / 2 for x, y in zip(a, b, strict=True)]) - (entropy(a) + entropy(b)) / 2
        for a, b in zip(p, q, strict=True)
    ]
    return {
        "discriminator": rounded(found),
        "value": rounded([value(*three) for three in zip(p, q, found, strict=True)]),
        "value_of_another": rounded([value(*three) for three in zip(p, q, other, strict=True)]),
        "divergence": rounded(divergence),
        "from_divergence": rounded([2 * each - 2 * mpmath.log(2) for each in divergence]),
    }


def _penalties(points, first, offset, second, norm, one_sided):
    """(|df/dx| - norm)^2 of f = v . tanh(W x + b), its slope written out: W^T (v (1 - tanh^2))."""
    found = []
    for x in points:
        inner = [mpmath.tanh(a) for a in plus(times(transpose(first), x), offset)]
        outer = [v * (1 - h * h) for v, h in zip(second, inner, strict=True)]
        slope = times(first, outer)
        excess = mpmath.sqrt(sum(g * g for g in slope)) - norm
        found.append(excess**2 if not one_sided or mpmath.re(excess) > 0 else 0 * excess)
    return found


def penalties_of_a_critic(real, fake, share, first, offset, second, norm):
    """A critic of one hidden layer, between data and fakes; and how its weights would move."""
    real, fake, share, first, offset, second = map(exact, (real, fake, share, first, offset, second))
    points = [
        [e * a + (1 - e) * b for a, b in zip(x, y, strict=True)] for x, y, e in zip(real, fake, share, strict=True)
    ]
    norm = mpmath.mpf(norm)

    def total(first, second):
        return sum(_penalties(points, first, offset, second, norm, False))

    slopes = gradients(total, first, second)
    return {
        "points": rounded(points),
        "penalties": rounded(_penalties(points, first, offset, second, norm, False)),
        "one_sided": rounded(_penalties(points, first, offset, second, norm, True)),
        "slope_by_first": rounded(slopes[0]),
        "slope_by_second": rounded(slopes[1]),
    }


def wasserstein_on_a_line(real, fake):
    """The area between the two distribution functions, as SciPy measures it."""
    return {"distance": float(wasserstein_distance(real, fake))}


def _step(
    generator, offset, judge, codes, x, steps, rate, judge_rate, judge_cost, make_cost, after=lambda judge: judge
):
    """k steps of the judge on every k-th row, then one of the generator on the rows of the first; complex step."""

    def made(generator, offset, z):
        return [plus(times(transpose(generator), row), offset) for row in z]

    for turn in range(steps):
        rows, fakes = x[turn::steps], made(generator, offset, codes[0][turn::steps])

        def judged(judge, rows=rows, fakes=fakes):
            pairs = zip(rows, fakes, strict=True)
            return sum(judge_cost(judge, row, fake) for row, fake in pairs) / len(rows)

        judge = after(descend(judge, gradients(judged, judge)[0], judge_rate))

    def fooling(generator, offset):
        fakes = made(generator, offset, codes[1][::steps])
        return sum(make_cost(judge, fake) for fake in fakes) / len(fakes)

    slopes = gradients(fooling, generator, offset)
    return descend(generator, slopes[0], rate), descend(offset, slopes[1], rate), judge


def gan_steps(x, codes, generator, offset, judge, steps, rate, judge_rate, kind):
    """Linear generator z -> z W + b against a linear judge of weights (v, c): d = v . x + c."""
    x, codes, generator, offset, judge = map(exact, (x, codes, generator, offset, judge))
    rate, judge_rate = mpmath.mpf(rate), mpmath.mpf(judge_rate)

    def believed(judge, x):
        return sigmoid(dot(judge[:-1], x) + judge[-1])

    def judge_cost(judge, row, fake):
        return -mpmath.log(believed(judge, row)) - mpmath.log(1 - believed(judge, fake))

    def make_cost(judge, fake):
        d = believed(judge, fake)
        return mpmath.log(1 - d) if kind == "minimax" else -mpmath.log(d)

    made, moved, judge = _step(generator, offset, judge, codes, x, steps, rate, judge_rate, judge_cost, make_cost)
    return {"generator": rounded(made), "offset": rounded(moved), "judge": rounded(judge)}


def wgan_steps(x, codes, generator, offset, judge, steps, rate, judge_rate, penalty, clip):
    """The same with a linear critic, whose slope is v everywhere: a penalty of (|v| - 1)^2, or a box."""
    x, codes, generator, offset, judge = map(exact, (x, codes, generator, offset, judge))
    rate, judge_rate = mpmath.mpf(rate), mpmath.mpf(judge_rate)

    def score(judge, x):
        return dot(judge[:-1], x) + judge[-1]

    def judge_cost(judge, row, fake):
        cost = score(judge, fake) - score(judge, row)
        if penalty:
            cost += mpmath.mpf(penalty) * (mpmath.sqrt(dot(judge[:-1], judge[:-1])) - 1) ** 2
        return cost

    def make_cost(judge, fake):
        return -score(judge, fake)

    def boxed(judge):
        return [max(-mpmath.mpf(clip), min(mpmath.mpf(clip), w)) for w in judge] if clip else judge

    made, moved, judge = _step(
        generator, offset, judge, codes, x, steps, rate, judge_rate, judge_cost, make_cost, boxed
    )
    return {"generator": rounded(made), "offset": rounded(moved), "judge": rounded(judge)}


def birthdays(supports, roots, people):
    """Chances of a duplicate as exact fractions, and the first size at which they reach one half."""
    supports = [int(n) for n in supports]

    def chance(support, size):
        unlike = Fraction(1)
        for taken in range(size):
            unlike *= Fraction(support - taken, support)
        return 1 - unlike

    def first(support):
        unlike, size = Fraction(1), 1
        while 1 - unlike < Fraction(1, 2):
            unlike *= Fraction(support - size, support)
            size += 1
        return size

    return {
        "chance_of_roots": [float(chance(n, s)) for n, s in zip(supports, roots, strict=True)],
        "chance_of_people": float(chance(supports[0], people)),
        "size": [first(n) for n in supports],
    }


def duplicates_in_batches(samples, threshold):
    """Pairs of a batch that are close, one by one, in fractions."""
    counts = []
    for batch in samples:
        rows = [[Fraction(value) for value in row] for row in batch]
        apart = [sum((a - b) ** 2 for a, b in zip(*pair, strict=True)) for pair in combinations(rows, 2)]
        counts.append(sum(square <= Fraction(threshold) ** 2 for square in apart))
    size, pairs = len(samples[0]), Fraction(sum(counts), len(counts))
    share = Fraction(sum(count > 0 for count in counts), len(counts))
    return {
        "share": float(share),
        "pairs": float(pairs),
        "support": float(Fraction(size * (size - 1), 2) / pairs),
        "bound": float(size**2) if 2 * share >= 1 else float("inf"),
    }


def inception_scores(probabilities, splits):
    """Geometric mean of the ratios p(y|x) / p(y), as powers and no entropies."""
    rows = exact(probabilities)

    def score(part):
        together = [sum(column) / len(part) for column in zip(*part, strict=True)]
        product = mpmath.mpf(1)
        for row in part:
            for own, mean in zip(row, together, strict=True):
                product *= (own / mean) ** own if own else 1
        return product ** (mpmath.mpf(1) / len(part))

    return {
        "score": float(score(rows)),
        "of_splits": float(sum(score(rows[start::splits]) for start in range(splits)) / splits),
    }


def precision_and_recall_of_points(real, fake, neighbours):
    """Neighbourhoods by a tree search."""

    def covered(balls, points):
        balls, points = np.asarray(balls), np.asarray(points)
        radii = cKDTree(balls).query(balls, k=neighbours + 1)[0][:, -1]
        inside = [any(np.linalg.norm(point - ball) <= radius for ball, radius in zip(balls, radii, strict=True))
                  for point in points]  # fmt: skip
        return float(np.mean(inside))

    return {"precision": covered(real, fake), "recall": covered(fake, real)}


def frechet_of_moments(samples, other):
    """Covariances by NumPy, the root of their product by SciPy."""
    one, two = np.asarray(samples), np.asarray(other)
    first, second = np.cov(one, rowvar=False), np.cov(two, rowvar=False)
    apart = np.sum((one.mean(0) - two.mean(0)) ** 2)
    return {"distance": float(apart + np.trace(first) + np.trace(second) - 2 * np.trace(sqrtm(first @ second)).real)}


def codes_between(first, second, shares):
    """A weighted mean; and a turn in the plane of the two, lengths on the great circle those of the mixture."""
    one, two, shares = exact(first), exact(second), exact(shares)
    linear, spherical = [], []
    for t in shares:
        linear.append([[a + t * (b - a) for a, b in zip(x, y, strict=True)] for x, y in zip(one, two, strict=True)])
        turned = []
        for x, y in zip(one, two, strict=True):
            long, other = mpmath.sqrt(dot(x, x)), mpmath.sqrt(dot(y, y))
            angle = mpmath.acos(dot(x, y) / (long * other))
            east = [a / long for a in x]
            rest = [b / other - mpmath.cos(angle) * a for a, b in zip(east, y, strict=True)]
            north = [r / mpmath.sin(angle) for r in rest]
            # (long sin((1-t)a) east + other sin(ta) (cos a east + sin a north)) / sin a
            along = (
                long * mpmath.sin((1 - t) * angle) + other * mpmath.sin(t * angle) * mpmath.cos(angle)
            ) / mpmath.sin(angle)
            across = other * mpmath.sin(t * angle)
            turned.append([along * a + across * b for a, b in zip(east, north, strict=True)])
        spherical.append(turned)
    return {"linear": rounded(linear), "spherical": rounded(spherical)}
