"""Generators by their formulas, against SciPy."""

import numpy as np
import pytest
from scipy.special import logsumexp
from scipy.stats import bernoulli, multivariate_normal

from keras_course.ops.generators import (
    affine_generator,
    affine_log_density,
    log_mean_likelihood,
    matched_generator,
    pixel_log_likelihoods,
)

DRAWS = np.random.Generator(np.random.Philox(0))
MEAN, FACTOR = np.array([0.5, -1.0, 2.0]), np.array([[2.0, 0.0, 0.0], [-0.6, 1.5, 0.0], [0.3, 0.9, 0.5]])


def test_the_density_is_that_of_the_normal_distribution_whatever_the_sign_of_a_diagonal_entry():
    x = DRAWS.normal(size=(4, 2, 3))
    normal = multivariate_normal(MEAN, FACTOR @ FACTOR.T)
    for factor in (FACTOR, FACTOR * [1.0, -1.0, 1.0]):
        np.testing.assert_allclose(affine_log_density(x, MEAN, factor), normal.logpdf(x), rtol=1e-10)


def test_matching_undoes_generating():
    z = DRAWS.normal(size=(50, 3))
    z = (z - z.mean(axis=0)) @ np.linalg.inv(np.linalg.cholesky(np.cov(z.T, bias=True))).T  # exactly white
    mean, factor = matched_generator(affine_generator(z, MEAN, FACTOR))
    np.testing.assert_allclose(mean, MEAN, atol=1e-12)
    np.testing.assert_allclose(factor, FACTOR, atol=1e-12)
    with pytest.raises(ValueError, match="ridge >= 0. Received: ridge=-1"):
        matched_generator(z, ridge=-1)


def test_likelihoods_of_codes_are_products_over_pixels():
    x, logits = DRAWS.integers(0, 2, size=(4, 3)), DRAWS.normal(scale=2.0, size=(5, 3))
    wanted = bernoulli.logpmf(x[:, None], 1 / (1 + np.exp(-logits))).sum(axis=-1)
    found = pixel_log_likelihoods(x.astype("float64"), logits)
    np.testing.assert_allclose(found, wanted, rtol=1e-10)
    np.testing.assert_allclose(log_mean_likelihood(found), logsumexp(wanted, axis=-1) - np.log(5), rtol=1e-10)


def test_extreme_logits_stay_finite():
    found = np.asarray(pixel_log_likelihoods(np.array([[1.0, 0.0]]), np.array([[1000.0, -1000.0], [-1000.0, 0.0]])))
    np.testing.assert_allclose(found, [[0.0, -1000.0 - np.log(2)]])
