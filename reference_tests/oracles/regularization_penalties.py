"""Oracles of C 6.2, 6.3, 6.4, 6.10, 6.11 and S 9.4: penalties, decay, noise, smoothed labels. Fractions and mpmath."""

from fractions import Fraction
from itertools import product

import mpmath

from reference_tests.oracles.precision import exact, flatten, gradients, rounded, softmax


def _fractions(value):
    if isinstance(value, list | tuple):
        return [_fractions(item) for item in value]
    return Fraction(value)


def weight_decay_forms(w, gradient, rate, decay):
    """The penalty's step from its cost, the two printed shrinking steps, and the second at the rate times the decay."""
    eps, alpha = Fraction(rate), Fraction(decay)
    pairs = list(zip(_fractions(w), _fractions(gradient), strict=True))

    def penalized(value, slope):
        """Descent on alpha/2 v**2 + g v; the symmetric difference of a parabola is its derivative."""

        def cost(v):
            return alpha / 2 * v * v + slope * v

        return value - eps * (cost(value + 1) - cost(value - 1)) / 2

    return {
        "penalty": rounded([penalized(*pair) for pair in pairs]),
        "decoupled": rounded([value - eps * alpha * value - eps * slope for value, slope in pairs]),
        "fixed": rounded([value - alpha * value - eps * slope for value, slope in pairs]),
        "fixed_at_rate_times_decay": rounded([value * (1 - eps * alpha) - eps * slope for value, slope in pairs]),
    }


def _adam(w, curvature, rate, decay, betas, epsilon, steps, coupled):
    (beta_1, beta_2), value, m, v = betas, w, mpmath.mpf(0), mpmath.mpf(0)
    for t in range(1, steps + 1):
        slope = curvature * value + (decay * value if coupled else 0)
        if not coupled:
            value = value * (1 - rate * decay)
        m, v = beta_1 * m + (1 - beta_1) * slope, beta_2 * v + (1 - beta_2) * slope**2
        value -= rate * mpmath.sqrt(1 - beta_2**t) / (1 - beta_1**t) * m / (mpmath.sqrt(v) + epsilon)
    return value


def weight_decay_in_adam(w, curvature, rate, decay, betas, epsilon, steps):
    """Adam on sum c w**2 / 2, the decay as a penalty of the cost, and beside the gradient."""
    arguments = [mpmath.mpf(rate), mpmath.mpf(decay), exact(betas), mpmath.mpf(epsilon), steps]
    pairs = list(zip(exact(w), exact(curvature), strict=True))
    return {
        "penalty": rounded([_adam(value, c, *arguments, True) for value, c in pairs]),
        "decoupled": rounded([_adam(value, c, *arguments, False) for value, c in pairs]),
    }


def l1_steps(w, gradient, rate, alpha):
    """The minimiser of g v + (v - w)**2 / 2 rate + alpha |v| among its candidates, and the subgradient step."""
    eps, strength, proximal, subgradient = Fraction(rate), Fraction(alpha), [], []
    for value, slope in zip(_fractions(w), _fractions(gradient), strict=True):
        right, left = value - eps * (slope + strength), value - eps * (slope - strength)
        candidates = [Fraction(0), max(right, Fraction(0)), min(left, Fraction(0))]

        def cost(v, value=value, slope=slope):
            return slope * v + (v - value) ** 2 / (2 * eps) + strength * abs(v)

        proximal.append(min(candidates, key=cost))
        sign = (value > 0) - (value < 0)
        subgradient.append(value - eps * (slope + strength * sign))
    return {"proximal": rounded(proximal), "subgradient": rounded(subgradient)}


def l1_training(w, curvature, goal, rate, alpha, steps):
    """Proximal descent on sum c (v - t)**2 / 2 + alpha |v|, each weight by itself, in fractions."""
    eps, strength, ends = Fraction(rate), Fraction(alpha), []
    for value, c, t in zip(_fractions(w), _fractions(curvature), _fractions(goal), strict=True):
        for _ in range(steps):
            value = value - eps * c * (value - t)
            value = value - max(-eps * strength, min(eps * strength, value))  # less its part within the threshold
        ends.append(value)
    return {"w": rounded(ends), "zeros": [value == 0 for value in ends]}


def tying_penalty_and_slopes(first, second):
    """|w_A - w_B|**2 and its gradients by both, by the complex step."""

    def penalty(one, other):
        return sum((a - b) ** 2 for a, b in zip(flatten(one), flatten(other), strict=True))

    slopes = gradients(penalty, exact(first), exact(second))
    return {
        "penalty": rounded([penalty(exact(first), exact(second))]),
        "first_slope": rounded(slopes[0]),
        "second_slope": rounded(slopes[1]),
    }


def noise_on_inputs(x, t, w, stddev):
    """Squared errors averaged over every pattern of +-stddev on the inputs; clean ones plus stddev**2 |w|**2."""
    sigma, weights = Fraction(stddev), _fractions(w)
    noisy, clean = [], []
    for row, target in zip(_fractions(x), _fractions(t), strict=True):
        errors = [
            (sum(v * (a + s * sigma) for v, a, s in zip(weights, row, signs, strict=True)) - target) ** 2
            for signs in product((-1, 1), repeat=len(row))
        ]
        noisy.append(sum(errors) / len(errors))
        clean.append((sum(v * a for v, a in zip(weights, row, strict=True)) - target) ** 2)
    penalty = sigma**2 * sum(v * v for v in weights)
    return {
        "noisy": rounded(noisy),
        "clean": rounded(clean),
        "clean_with_decay": rounded([cost + penalty for cost in clean]),
    }


def smoothed_targets(k, epsilon):
    """Targets of class 0 in both conventions, and Keras's at eps k / (k - 1)."""
    e = Fraction(str(epsilon))  # the decimal that the notes print

    def keras_form(mass):
        return [1 - mass + mass / k, *[mass / k] * (k - 1)]

    return {
        "notes": rounded([1 - e, *[e / (k - 1)] * (k - 1)]),
        "keras": rounded(keras_form(e)),
        "keras_at_equal_epsilon": rounded(keras_form(e * k / (k - 1))),
    }


def label_smoothing_losses(y, f, epsilon):
    """-sum_j q_j log softmax(f)_j, from the probabilities themselves."""
    scores, e = exact(f), mpmath.mpf(epsilon)
    k, notes, keras_form = len(scores[0]), [], []
    for label, row in zip(y, scores, strict=True):
        costs = [-mpmath.log(p) for p in softmax(row)]
        others = sum(costs) - costs[label]
        notes.append((1 - e) * costs[label] + e / (k - 1) * others)
        keras_form.append((1 - e + e / k) * costs[label] + e / k * others)
    return {"notes": rounded(notes), "keras": rounded(keras_form)}


def label_noise(y, f, epsilon):
    """Expected cross-entropy when a label is another class with probability eps: over all labels, by their chances."""
    scores, e, expected = exact(f), mpmath.mpf(epsilon), []
    for label, row in zip(y, scores, strict=True):
        costs = [-mpmath.log(p) for p in softmax(row)]
        chances = [1 - e if j == label else e / (len(row) - 1) for j in range(len(row))]
        expected.append(sum(p * cost for p, cost in zip(chances, costs, strict=True)))
    return {"expected": rounded(expected), "smoothed": label_smoothing_losses(y, f, epsilon)["notes"]}


def activity_penalty(h, alpha):
    """alpha sum |h| over the units, a mean over the examples; the slope of the sum is alpha sign(h) / B."""
    rows, strength = _fractions(h), Fraction(alpha)
    total = sum(abs(value) for row in rows for value in row)
    slopes = [[strength * ((value > 0) - (value < 0)) / len(rows) for value in row] for row in rows]
    return {"penalty": rounded([strength * total / len(rows)]), "slope": rounded(slopes)}


__all__ = [
    "activity_penalty",
    "l1_steps",
    "l1_training",
    "label_noise",
    "label_smoothing_losses",
    "noise_on_inputs",
    "smoothed_targets",
    "tying_penalty_and_slopes",
    "weight_decay_forms",
    "weight_decay_in_adam",
]
