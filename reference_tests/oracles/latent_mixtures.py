"""Oracles of B (mixture models, EM) and R (latent variables): densities by determinant and inverse in sixty digits.

No logarithm is taken before the very end and nothing is shifted: mpmath's exponents do not underflow, so the sums are
those of the notes as printed. Gradients come from the complex step.
"""

import mpmath

from reference_tests.oracles.precision import dot, exact, gradient, rounded, times

__all__ = [
    "bound_and_gap",
    "coin_half_steps",
    "coin_iterations",
    "likelihood_slopes",
    "mixture_densities",
    "mixture_iterations",
    "posterior_of_components",
]


def _gaussian(x, mean, covariance):
    """(2 pi)^(-d/2) |Sigma|^(-1/2) exp(-(x - mu)^T Sigma^-1 (x - mu) / 2)."""
    sigma = mpmath.matrix(covariance)
    inverse = (sigma**-1).tolist()
    difference = [a - b for a, b in zip(x, mean, strict=True)]
    exponent = -dot(difference, times(inverse, difference)) / 2
    return mpmath.exp(exponent) / mpmath.sqrt((2 * mpmath.pi) ** len(mean) * mpmath.det(sigma))


def _joint(x, weights, means, covariances):
    """pi_k N(x_i; mu_k, Sigma_k), a row a sample."""
    parts = list(zip(weights, means, covariances, strict=True))
    return [[pi * _gaussian(row, mean, sigma) for pi, mean, sigma in parts] for row in x]


def _normalised(rows):
    return [[value / sum(row) for value in row] for row in rows]


def mixture_densities(x, weights, means, covariances):
    """p(x) = sum_k pi_k N(x; mu_k, Sigma_k) and its logarithm."""
    density = [sum(row) for row in _joint(exact(x), exact(weights), exact(means), exact(covariances))]
    return {"density": rounded(density), "log_density": rounded([mpmath.log(p) for p in density])}


def posterior_of_components(x, weights, means, covariances):
    """p(z_k = 1 | x), and the prior it started from, a copy a sample."""
    joint = _joint(exact(x), exact(weights), exact(means), exact(covariances))
    return {"responsibilities": rounded(_normalised(joint))}


def _mean_of(values, weights):
    return dot(values, weights) / sum(weights)


def _scatter(x, q, mean):
    """sum_i q_i (x_i - mu)(x_i - mu)^T."""
    d = range(len(mean))
    return [
        [sum(p * (row[a] - mean[a]) * (row[b] - mean[b]) for p, row in zip(q, x, strict=True)) for b in d] for a in d
    ]


def _scaled(matrix, factor):
    return [[value * factor for value in row] for row in matrix]


def _identity(d, value):
    return [[value if a == b else mpmath.mpf(0) for b in range(d)] for a in range(d)]


def _restricted(scatters, sizes, covariance):
    """Maximum-likelihood covariances of each kind from the scatter matrices about the means."""
    d = len(scatters[0])
    full = [_scaled(scatter, 1 / size) for scatter, size in zip(scatters, sizes, strict=True)]
    if covariance == "full":
        return full
    if covariance == "diagonal":
        return [[[m[a][b] if a == b else mpmath.mpf(0) for b in range(d)] for a in range(d)] for m in full]
    if covariance == "spherical":
        return [_identity(d, sum(m[a][a] for a in range(d)) / d) for m in full]
    total = [[sum(scatter[a][b] for scatter in scatters) / sum(sizes) for b in range(d)] for a in range(d)]
    return [total for _ in scatters]


def mixture_iterations(x, weights, means, covariances, covariance, steps):
    """EM as printed: responsibilities, then N_k, mu_k, Sigma_k, pi_k; log p(X) before and after every iteration."""
    x, weights, means, covariances = exact(x), exact(weights), exact(means), exact(covariances)
    joint = _joint(x, weights, means, covariances)
    totals = [sum(mpmath.log(sum(row)) for row in joint)]
    for _ in range(steps):
        columns = [list(column) for column in zip(*_normalised(joint), strict=True)]
        sizes = [sum(column) for column in columns]
        means = [[_mean_of([row[a] for row in x], q) for a in range(len(x[0]))] for q in columns]
        scatters = [_scatter(x, q, mean) for q, mean in zip(columns, means, strict=True)]
        covariances = _restricted(scatters, sizes, covariance)
        weights = [size / len(x) for size in sizes]
        joint = _joint(x, weights, means, covariances)
        totals.append(sum(mpmath.log(sum(row)) for row in joint))
    return {
        "weights": rounded(weights),
        "means": rounded(means),
        "covariances": rounded(covariances),
        "log_likelihood": rounded(totals),
    }


def likelihood_slopes(x, weights, means, covariances):
    """Gradient of log p(X) by every mean, by the complex step through determinant, inverse and logarithm."""
    x, weights, covariances = exact(x), exact(weights), exact(covariances)

    def total(means):
        return sum(mpmath.log(sum(row)) for row in _joint(x, weights, means, covariances))

    return {"gradient_means": rounded(gradient(total, exact(means)))}


def _expectation(q, values):
    """sum_k q_k values_k where q_k = 0 counts nothing."""
    return sum((p * value for p, value in zip(q, values, strict=True) if p != 0), mpmath.mpf(0))


def bound_and_gap(x, weights, means, covariances, q):
    """H(q) + E_q log p(x, z), KL(q || p(z | x)) by its own definition, and log p(x), a number a sample."""
    joint, q = _joint(exact(x), exact(weights), exact(means), exact(covariances)), exact(q)
    posterior = _normalised(joint)
    logs = [[mpmath.log(value) for value in row] for row in joint]
    entropy = [-_expectation(row, [mpmath.log(p) if p else p for p in row]) for row in q]
    bound = [h + _expectation(row, log) for h, row, log in zip(entropy, q, logs, strict=True)]
    gap = [
        _expectation(row, [mpmath.log(a / b) if a else a for a, b in zip(row, post, strict=True)])
        for row, post in zip(q, posterior, strict=True)
    ]
    evidence = [mpmath.log(sum(row)) for row in joint]
    return {"free_energy": rounded(bound), "divergence": rounded(gap), "log_evidence": rounded(evidence)}


def _coin_joint(heads, trials, weights, probabilities):
    """pi_k C(n, h) p_k^h (1 - p_k)^(n - h)."""
    return [
        [
            pi * mpmath.binomial(trials, h) * p**h * (1 - p) ** (trials - h)
            for pi, p in zip(weights, probabilities, strict=True)
        ]
        for h in heads
    ]


def _coin_step(heads, trials, weights, q, learn_weights):
    """Expected heads over expected tosses of each coin."""
    columns = [list(column) for column in zip(*q, strict=True)]
    probabilities = [dot(column, heads) / (trials * sum(column)) for column in columns]
    return ([sum(column) / len(heads) for column in columns] if learn_weights else weights), probabilities


def coin_iterations(heads, trials, weights, probabilities, learn_weights, steps):
    """Which coin was tossed is hidden: EM from a guess; first responsibilities and every later guess."""
    heads, weights, probabilities = exact(heads), exact(weights), exact(probabilities)
    first, guesses = None, [probabilities]
    for _ in range(steps):
        q = _normalised(_coin_joint(heads, trials, weights, probabilities))
        first = first or q
        weights, probabilities = _coin_step(heads, trials, weights, q, learn_weights)
        guesses.append(probabilities)
    return {"first_responsibilities": rounded(first), "weights": rounded(weights), "probabilities": rounded(guesses)}


def coin_half_steps(heads, trials, weights, probabilities, learn_weights, steps):
    """F(q, theta) summed over the samples: after every E-step, which makes it log p(X), and after every M-step."""
    heads, weights, probabilities = exact(heads), exact(weights), exact(probabilities)
    bounds = []
    for _ in range(steps):
        joint = _coin_joint(heads, trials, weights, probabilities)
        q = _normalised(joint)
        bounds.append(sum(mpmath.log(sum(row)) for row in joint))
        weights, probabilities = _coin_step(heads, trials, weights, q, learn_weights)
        moved = _coin_joint(heads, trials, weights, probabilities)
        bounds.append(
            sum(
                _expectation(row, [mpmath.log(a / b) for a, b in zip(joint_row, row, strict=True)])
                for row, joint_row in zip(q, moved, strict=True)
            )
        )
    return {"free_energy": rounded(bounds), "log_likelihood": rounded([b for b in bounds[::2]])}
