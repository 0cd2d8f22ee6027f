"""Oracles of C 19.2, 19.4 and R (variational autoencoders), in sixty digits and by other routes than the library's.

Divergences and entropies are integrals over the line, likelihoods are products of probabilities whose logarithm is
taken at the end, bounds are logarithms of products and quotients of densities. What a linear Gaussian model says of x
comes from the covariance of x, not from its codes.
"""

import mpmath

from reference_tests.oracles.generative_adversarial import (
    adversarial_losses,
    birthdays,
    codes_between,
    duplicates_in_batches,
    frechet_of_moments,
    gan_steps,
    inception_scores,
    optimal_discriminators,
    penalties_of_a_critic,
    precision_and_recall_of_points,
    wasserstein_on_a_line,
    wgan_steps,
)
from reference_tests.oracles.generative_draw import draw_filterbank, draw_strokes, draw_windows
from reference_tests.oracles.generative_flows import (
    actnorm_of_a_batch,
    additive_coupling_output,
    affine_coupling_output,
    bits_of_pixels,
    flow_masks,
    nice_density,
    real_nvp_density,
)
from reference_tests.oracles.generative_masked import masked_autoencoder, masked_flow, masks_by_degree
from reference_tests.oracles.generative_pixels import (  # noqa: F401
    affine_samples,
    bernoulli_codes,
    masked_maps,
    pixel_likelihood,
    pixel_masks,
)
from reference_tests.oracles.normals import mean_of, normal_density, normal_divergence, normal_entropy, over_the_line
from reference_tests.oracles.precision import dot, exact, gradients, rounded, sigmoid, softplus, times, transpose

__all__ = [
    "actnorm_of_a_batch",
    "additive_coupling_output",
    "adversarial_losses",
    "affine_coupling_output",
    "bernoulli_autoencoder",
    "bernoulli_pixels",
    "birthdays",
    "bits_of_pixels",
    "codes_between",
    "divergence_of_codes",
    "draw_filterbank",
    "draw_strokes",
    "draw_windows",
    "elbo_by_enumeration",
    "free_bits",
    "duplicates_in_batches",
    "flow_masks",
    "frechet_of_moments",
    "gan_steps",
    "importance_weighted_bounds",
    "inception_scores",
    "linear_gaussian_bound",
    "masked_autoencoder",
    "masked_flow",
    "masks_by_degree",
    "nice_density",
    "optimal_discriminators",
    "penalties_of_a_critic",
    "precision_and_recall_of_points",
    "real_nvp_density",
    "reparametrised_draws",
    "slopes_of_the_bound",
    "two_stochastic_layers",
    "wasserstein_on_a_line",
    "wgan_steps",
]

UNIT_OFFSET = mpmath.log(mpmath.e - 1)  # softplus of it is 1
LEAST_SCALE = mpmath.mpf("1e-5")  # of a code


def divergence_of_codes(mean, scale, prior_mean, prior_scale):
    """KL(q || p) and H(q) of products of normals: one integral a coordinate."""
    arguments = map(exact, (mean, scale, prior_mean, prior_scale))
    rows = [list(zip(*row, strict=True)) for row in zip(*arguments, strict=True)]
    return {
        "divergence": rounded([sum(normal_divergence(*four) for four in row) for row in rows]),
        "entropy": rounded([sum(normal_entropy(m, s) for m, s, _, _ in row) for row in rows]),
    }


def bernoulli_pixels(x, logits):
    """log of the product of sigma(a) where x = 1 and 1 - sigma(a) where x = 0; grey values as powers of these."""
    found = []
    for pixels, row in zip(exact(x), exact(logits), strict=True):
        product = mpmath.mpf(1)
        for pixel, logit in zip(pixels, row, strict=True):
            product *= sigmoid(logit) ** pixel * sigmoid(-logit) ** (1 - pixel)
        found.append(mpmath.log(product))
    return {"log_likelihood": rounded(found)}


def reparametrised_draws(mean, scale, noise):
    """Draws, and their variance as the mean squared difference of all pairs, halved."""
    mean, scale, noise = exact(mean), exact(scale), exact(noise)
    z = [[m + s * e for m, s, e in zip(mean, scale, row, strict=True)] for row in noise]
    variance = [mean_of([(a - b) ** 2 for a in column for b in column]) / 2 for column in transpose(z)]
    return {"z": rounded(z), "variance": rounded(variance)}


def elbo_by_enumeration(prior, likelihood, q):
    """log p(x) - KL(q || posterior): the bound from above, by the definition of C 19.2."""
    prior, likelihood, q = exact(prior), exact(likelihood), exact(q)
    joint = [p * f for p, f in zip(prior, likelihood, strict=True)]
    evidence = sum(joint)
    gap = sum(w * mpmath.log(w * evidence / j) for w, j in zip(q, joint, strict=True))
    bound = mpmath.log(evidence) - gap
    return {"elbo": rounded([bound] * 3), "gap": rounded([gap]), "log_evidence": rounded([mpmath.log(evidence)])}


def free_bits(divergences, least):
    """The published sum of maxima of batch means; and a row at a time."""
    rows, least = exact(divergences), exact(least)
    means = [mean_of(column) for column in transpose(rows)]
    paid = [sum(d if mean > least else least for d, mean in zip(row, means, strict=True)) for row in rows]
    return {"rows": rounded(paid), "mean": rounded(sum(max(least, mean) for mean in means))}


def _codes_of(x, code_weight, code_bias):
    return [dot(row, code_weight) + code_bias[0] for row in x]


def linear_gaussian_bound(x, weight, bias, noise_scale, code_weight, code_bias, code_scale, nodes):
    """log p(x) from the covariance w w' + diag(s**2) of x; the gap by integration against the posterior p(x, z) / p(x).

    Expectations under q are integrals over the line; `nodes` only serves the library.
    """
    x, w, b, s, a, c = (exact(value) for value in (x, weight, bias, noise_scale, code_weight, code_bias))
    (spread,) = exact(code_scale)
    size = len(w)
    covariance = mpmath.matrix(size, size)
    for i in range(size):
        for j in range(size):
            covariance[i, j] = w[i] * w[j] + (s[i] ** 2 if i == j else 0)
    log_det = mpmath.log(mpmath.det(covariance))

    answers = {name: [] for name in ("reconstruction", "divergence", "elbo", "elbo_from_joint", "gap", "log_evidence")}
    for row, mean in zip(x, _codes_of(x, a, c), strict=True):
        residual = mpmath.matrix([value - centre for value, centre in zip(row, b, strict=True)])
        squared = (residual.T * mpmath.lu_solve(covariance, residual))[0]
        evidence = -(size * mpmath.log(2 * mpmath.pi) + log_det + squared) / 2

        def likelihood(z, row=row):
            product = mpmath.mpf(1)
            for value, slope, centre, scale in zip(row, w, b, s, strict=True):
                product *= normal_density(value, slope * z + centre, scale)
            return product

        def expected(function, mean=mean):
            return over_the_line(lambda z: normal_density(z, mean, spread) * function(z), mean, spread)

        reconstruction = expected(lambda z, f=likelihood: mpmath.log(f(z)))
        divergence = normal_divergence(mean, spread)
        gap = expected(
            lambda z, f=likelihood, mean=mean, evidence=evidence: (
                mpmath.log(normal_density(z, mean, spread)) - mpmath.log(f(z) * normal_density(z, 0, 1)) + evidence
            )
        )
        for name, value in zip(
            answers, (reconstruction, divergence, evidence - gap, evidence - gap, gap, evidence), strict=True
        ):
            answers[name].append(value)
    return rounded_all(answers)


def rounded_all(answers):
    """Every output rounded to float64 once."""
    return {name: rounded(value) for name, value in answers.items()}


def importance_weighted_bounds(x, weight, bias, noise_scale, code_weight, code_bias, code_scale, noise):
    """log of the mean of p(x, z) / q(z|x), the quotients taken as they are."""
    x, w, b, s, a, c = (exact(value) for value in (x, weight, bias, noise_scale, code_weight, code_bias))
    (spread,) = exact(code_scale)
    quotients = []  # a row a draw
    for eps in exact(noise):
        row_of_draw = []
        for row, mean in zip(x, _codes_of(x, a, c), strict=True):
            z = mean + spread * eps
            quotient = normal_density(z, 0, 1) / normal_density(z, mean, spread)
            for value, slope, centre, scale in zip(row, w, b, s, strict=True):
                quotient *= normal_density(value, slope * z + centre, scale)
            row_of_draw.append(quotient)
        quotients.append(row_of_draw)
    return {
        "bounds": rounded(
            [[mpmath.log(mean_of(column[:k])) for column in transpose(quotients)] for k in range(1, len(quotients) + 1)]
        )
    }


def slopes_of_the_bound(x, weight, bias, noise_scale, mean, scale, nodes):
    """Complex-step derivatives of the ELBO in closed form, its expectations by moments of a normal vector."""
    x, weight, bias, noise_scale = exact(x), exact(weight), exact(bias), exact(noise_scale)

    def bound(mean, scale):
        total = mpmath.mpf(0)
        for value, column, centre, deviation in zip(x, transpose(weight), bias, noise_scale, strict=True):
            residual = value - centre - dot(column, mean)
            spread = dot([c**2 for c in column], [s**2 for s in scale])
            total -= (residual**2 + spread) / (2 * deviation**2)
        return total - sum((s**2 + m**2 - 1) / 2 - mpmath.log(s) for m, s in zip(mean, scale, strict=True))

    by_mean, by_scale = gradients(bound, exact(mean), exact(scale))
    return {"by_mean": rounded(by_mean), "by_scale": rounded(by_scale)}


def _affine(kernel, bias, row):
    """kernel' row + bias: kernels are (inputs, outputs), as Keras has them."""
    return [value + shift for value, shift in zip(times(transpose(kernel), row), bias, strict=True)]


def _code(parameters):
    """Means and scales of a code from its head: scale = 1e-5 + softplus(r + log(e - 1))."""
    half = len(parameters) // 2
    return parameters[:half], [LEAST_SCALE + softplus(r + UNIT_OFFSET) for r in parameters[half:]]


def _network(weights, row):
    hidden_kernel, hidden_bias, kernel, bias = weights
    return _affine(kernel, bias, [mpmath.tanh(value) for value in _affine(hidden_kernel, hidden_bias, row)])


def _probability(pixels, logits):
    product = mpmath.mpf(1)
    for pixel, logit in zip(pixels, logits, strict=True):
        product *= sigmoid(logit) if pixel == 1 else sigmoid(-logit)
    return product


def _product_of_densities(values, means, scales):
    product = mpmath.mpf(1)
    for value, mean, scale in zip(values, means, scales, strict=True):
        product *= normal_density(value, mean, scale)
    return product


def bernoulli_autoencoder(x, encoder, decoder, noise, beta):
    """Products of probabilities and densities at the draws; the divergence by integration."""
    x, noise = exact(x), exact(noise)
    encoder, decoder = ([exact(value) for value in weights.values()] for weights in (encoder, decoder))
    answers = {name: [] for name in ("reconstruction", "divergence", "elbo_from_joint", "objective")}
    for row in x:
        mean, scale = _code(_network(encoder, row))
        codes = [[m + s * e for m, s, e in zip(mean, scale, eps, strict=True)] for eps in noise]
        likelihoods = [_probability(row, _network(decoder, z)) for z in codes]
        standard = [mpmath.mpf(0)] * len(mean), [mpmath.mpf(1)] * len(mean)
        quotients = [
            f * _product_of_densities(z, *standard) / _product_of_densities(z, mean, scale)
            for f, z in zip(likelihoods, codes, strict=True)
        ]
        reconstruction = mpmath.log(mpmath.fprod(likelihoods)) / len(codes)
        divergence = sum(normal_divergence(m, s) for m, s in zip(mean, scale, strict=True))
        answers["reconstruction"].append(reconstruction)
        answers["divergence"].append(divergence)
        answers["elbo_from_joint"].append(mpmath.log(mpmath.fprod(quotients)) / len(codes))
        answers["objective"].append(reconstruction - mpmath.mpf(beta) * divergence)
    return rounded_all(answers)


def two_stochastic_layers(x, parameters, noise):
    """Products of densities at the draws; the divergence of the top code, given the lower one, by integration."""
    x, noise = exact(x), exact(noise)
    heads = {name: exact(value) for name, value in parameters.items()}
    elbos, from_joint = [], []
    for row in x:
        mean, scale = _code(_affine(*heads["q1"], row))
        terms, quotients = [], []
        for eps in noise:
            low = [m + s * e for m, s, e in zip(mean, scale, eps, strict=False)]
            top_mean, top_scale = _code(_affine(*heads["q2"], low))
            top = [m + s * e for m, s, e in zip(top_mean, top_scale, eps[len(low) :], strict=True)]
            down_mean, down_scale = _code(_affine(*heads["p1"], top))
            standard = [mpmath.mpf(0)] * len(top), [mpmath.mpf(1)] * len(top)
            lower = (
                _probability(row, _affine(*heads["x"], low))
                * _product_of_densities(low, down_mean, down_scale)
                / _product_of_densities(low, mean, scale)
            )
            cost = sum(normal_divergence(m, s) for m, s in zip(top_mean, top_scale, strict=True))
            terms.append(mpmath.log(lower) - cost)
            quotients.append(
                lower * _product_of_densities(top, *standard) / _product_of_densities(top, top_mean, top_scale)
            )
        elbos.append(mean_of(terms))
        from_joint.append(mpmath.log(mpmath.fprod(quotients)) / len(quotients))
    return {"elbo": rounded(elbos), "elbo_from_joint": rounded(from_joint)}
