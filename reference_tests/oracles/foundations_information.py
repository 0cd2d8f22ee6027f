"""Oracles of C 3.1, C 3.2 and C 4.3.1: information, Bayes' rule, and the heads that predict a distribution."""

from fractions import Fraction

import mpmath

from reference_tests.oracles.precision import argmax, dot, exact, product, rounded, softmax, transpose


def _in(unit, value):
    """Nats as they are, bits divided by log 2."""
    return value / {"nats": mpmath.mpf(1), "bits": mpmath.log(2)}[unit]


def self_information_of_events(probabilities, unit):
    """-log P."""
    return {"information": rounded([_in(unit, -mpmath.log(p)) for p in exact(probabilities)])}


def _cross_entropy(p, q):
    """-sum_i p_i log q_i as -log of prod_i q_i**p_i, with 0 log 0 = 0."""
    power = mpmath.mpf(1)
    for a, b in zip(p, q, strict=True):
        power *= b**a if a > 0 else 1
    return -mpmath.log(power)


def entropy_of_rows(p, unit):
    """H(p), one number a row."""
    return {"entropy": rounded([_in(unit, _cross_entropy(row, row)) for row in exact(p)])}


def _divergence(p, q):
    return _cross_entropy(p, q) - _cross_entropy(p, p)


def kl_in_both_directions(p, q, unit):
    """KL(p || q) and KL(q || p)."""
    pairs = list(zip(exact(p), exact(q), strict=True))
    return {
        "forward": rounded([_in(unit, _divergence(a, b)) for a, b in pairs]),
        "backward": rounded([_in(unit, _divergence(b, a)) for a, b in pairs]),
    }


def cross_entropy_identity(p, q, unit):
    """H(p, q), H(p) and KL(p || q) = sum p log(p / q), each from its own sum."""
    pairs = list(zip(exact(p), exact(q), strict=True))
    ratios = [
        sum((a * mpmath.log(a / b) for a, b in zip(*pair, strict=True) if a > 0), mpmath.mpf(0)) for pair in pairs
    ]
    return {
        "cross_entropy": rounded([_in(unit, _cross_entropy(a, b)) for a, b in pairs]),
        "entropy": rounded([_in(unit, _cross_entropy(a, a)) for a, _ in pairs]),
        "divergence": rounded([_in(unit, ratio) for ratio in ratios]),
    }


def _normal(x, mean, std):
    return mpmath.exp(-(((x - mean) / std) ** 2) / 2) / (std * mpmath.sqrt(2 * mpmath.pi))


def gaussian_density(x, mean, std):
    """The density, as the slope of the distribution function erfc."""
    centre, width = exact(mean), exact(std)
    slopes = [
        mpmath.diff(lambda u: mpmath.erfc((centre - u) / (width * mpmath.sqrt(2))) / 2, value) for value in exact(x)
    ]
    return {"density": rounded(slopes)}


def _integral(function, centre, width):
    """Quadrature to 25 digits over 14 standard deviations each way (the tails beyond hold less than 1e-42)."""
    with mpmath.workdps(25):
        return mpmath.quad(function, [centre + width * step for step in (-14, -7, -3, 0, 3, 7, 14)])


def gaussian_entropy(std, unit):
    """-integral of p log p, by quadrature."""
    values = [
        _integral(lambda u, s=width: -_normal(u, 0, s) * mpmath.log(_normal(u, 0, s)), mpmath.mpf(0), width)
        for width in exact(std)
    ]
    return {"entropy": rounded([_in(unit, value) for value in values])}


def gaussian_divergence(mean_p, std_p, mean_q, std_q, unit):
    """Integral of p log(p / q), by quadrature."""
    values = []
    for m, s, a, b in zip(exact(mean_p), exact(std_p), exact(mean_q), exact(std_q), strict=True):
        values.append(
            _integral(
                lambda u, m=m, s=s, a=a, b=b: _normal(u, m, s) * mpmath.log(_normal(u, m, s) / _normal(u, a, b)), m, s
            )
        )
    return {"divergence": rounded([_in(unit, value) for value in values])}


def bayes_vote(posterior, predictions, labels):
    """argmax_v sum_h P(v | h) P(h | D) against the label of the single most probable hypothesis."""
    chances = [
        sum(Fraction(str(p)) * Fraction(str(row[v])) for p, row in zip(posterior, predictions, strict=True))
        for v in range(len(labels))
    ]
    best = argmax(posterior)
    return {
        "class_probabilities": rounded(chances),
        "map_hypothesis": best,
        "map_label": labels[argmax(predictions[best])],
        "bayes_label": labels[argmax(chances)],
    }


def map_and_ml(prior, likelihood):
    """Bayes' rule by enumeration of the hypotheses."""
    joint = [Fraction(a) * Fraction(b) for a, b in zip(prior, likelihood, strict=True)]
    evidence = sum(joint)
    return {
        "posterior": rounded([value / evidence for value in joint]),
        "evidence": [float(evidence)],
        "map_hypothesis": max(range(len(joint)), key=lambda h: joint[h]),
        "ml_hypothesis": argmax(likelihood),
    }


def likelihood_of_a_coin(theta, heads, tails):
    """log of the product theta**heads (1 - theta)**tails, and the theta that makes the product largest."""
    products = [value**heads * (1 - value) ** tails for value in exact(theta)]
    best = argmax(products)
    return {
        "log_likelihood": rounded([mpmath.log(value) for value in products]),
        "best": best,
        "theta_ml": [float(theta[best])],
    }


def normal_head(y, mean, std):
    """-log N(y; mean, std**2)."""
    triples = zip(exact(y), exact(mean), exact(std), strict=True)
    losses = [-mpmath.log(_normal(*triple)) for triple in triples]
    return {"negative_log_likelihood": rounded(losses), "mean": rounded(mean), "mode": rounded(mean)}


def normal_quantiles(levels, mean, std):
    """mean + std sqrt(2) erfinv(2 level - 1)."""
    values = [exact(mean) + exact(std) * mpmath.sqrt(2) * mpmath.erfinv(2 * level - 1) for level in exact(levels)]
    return {"quantiles": rounded(values)}


def diagonal_gaussian_head(y, mean, std):
    """-log of the product of independent normal densities."""
    losses = []
    for triple in zip(exact(y), exact(mean), exact(std), strict=True):
        density = mpmath.mpf(1)
        for value, centre, width in zip(*triple, strict=True):
            density *= _normal(value, centre, width)
        losses.append(-mpmath.log(density))
    return {"negative_log_likelihood": rounded(losses), "mean": rounded(mean)}


def full_gaussian_head(y, mean, scale_tril):
    """-log of the density with covariance S = L L', by det(S) and the solution of S u = y - mean."""
    losses, covariances = [], []
    for value, centre, factor in zip(exact(y), exact(mean), exact(scale_tril), strict=True):
        covariance = product(factor, transpose(factor))
        residual = [a - b for a, b in zip(value, centre, strict=True)]
        solved = list(mpmath.lu_solve(mpmath.matrix(covariance), mpmath.matrix(residual)))
        volume = mpmath.det(2 * mpmath.pi * mpmath.matrix(covariance))
        losses.append((dot(residual, solved) + mpmath.log(volume)) / 2)
        covariances.append(covariance)
    return {"negative_log_likelihood": rounded(losses), "covariance": rounded(covariances), "mean": rounded(mean)}


def bernoulli_head(y, logits):
    """-log of P(1) = e**z / (1 + e**z) or of P(0)."""
    chances = [softmax([mpmath.mpf(0), z]) for z in exact(logits)]
    return {
        "negative_log_likelihood": rounded(
            [-mpmath.log(row[int(label)]) for label, row in zip(y, chances, strict=True)]
        ),
        "mean": rounded([row[1] for row in chances]),
        "mode": [argmax(row) for row in chances],
    }


def categorical_head(y, logits):
    """-log softmax(logits)_y."""
    chances = [softmax(row) for row in exact(logits)]
    return {
        "negative_log_likelihood": rounded([-mpmath.log(row[label]) for label, row in zip(y, chances, strict=True)]),
        "probabilities": rounded(chances),
        "mode": [argmax(row) for row in chances],
    }


def poisson_head(y, log_rate):
    """-log of e**-rate rate**y / y!; the mode is found by walking up the probabilities."""
    losses, rates, modes = [], [], []
    for count, log in zip(y, exact(log_rate), strict=True):
        rate = mpmath.exp(log)
        losses.append(-mpmath.log(mpmath.exp(-rate) * rate ** int(count) / mpmath.factorial(int(count))))
        rates.append(rate)
        mode = 0
        while rate > mode + 1:  # P(mode + 1) / P(mode) = rate / (mode + 1)
            mode += 1
        modes.append(float(mode))
    return {"negative_log_likelihood": rounded(losses), "mean": rounded(rates), "mode": modes}


def mixture_head(y, logits, means, stds):
    """-log of the weighted sum of normal densities; mean and variance from the first two moments."""
    losses, centres, variances = [], [], []
    for value, row, centre, width in zip(exact(y), exact(logits), exact(means), exact(stds), strict=True):
        weights = softmax(row)
        density = sum(w * _normal(value, m, s) for w, m, s in zip(weights, centre, width, strict=True))
        first = dot(weights, centre)
        second = sum(w * (m**2 + s**2) for w, m, s in zip(weights, centre, width, strict=True))
        losses.append(-mpmath.log(density))
        centres.append(first)
        variances.append(second - first**2)
    return {"negative_log_likelihood": rounded(losses), "mean": rounded(centres), "variance": rounded(variances)}
