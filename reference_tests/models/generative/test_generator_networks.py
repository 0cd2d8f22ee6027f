"""Generator networks against SciPy's normal distribution and against enumeration of all codes and images."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops
from scipy.stats import chisquare, multivariate_normal

from keras_course.core.errors import InvalidDataError
from keras_course.models.generative.generator_networks import AffineGenerator, BernoulliGenerator
from keras_course.ops.boltzmann import binary_states

DRAWS = np.random.Generator(np.random.Philox(0))
POINTS = DRAWS.normal(size=(40, 3)) @ np.array([[1.0, 0.5, -0.3], [0.0, 0.7, 0.2], [0.0, 0.0, 0.4]]) + [1.0, -2.0, 0.5]


def generator(features=4, latent=3, spread=1.0, **kwargs):
    """A model whose weights are all well away from zero."""
    model = BernoulliGenerator(features, latent, **kwargs)
    draws = np.random.Generator(np.random.Philox(2))
    for weight in model.trainable_variables:
        weight.assign(draws.normal(scale=spread, size=weight.shape))
    return model


def test_the_closed_form_is_the_cholesky_factor_of_the_covariance():
    model = AffineGenerator(3, dtype="float64")
    model.match(POINTS)
    covariance = np.cov(POINTS.T, bias=True)
    np.testing.assert_allclose(model.factor, np.linalg.cholesky(covariance), rtol=1e-10)
    np.testing.assert_allclose(model.moments()["covariance"], covariance, rtol=1e-10)
    normal = multivariate_normal(POINTS.mean(axis=0), covariance)
    np.testing.assert_allclose(model.log_prob(POINTS), normal.logpdf(POINTS), rtol=1e-9)


def test_the_slopes_of_the_likelihood_vanish_at_the_closed_form_and_there_alone():
    model = AffineGenerator(3, dtype="float64")

    def slopes():
        with tf.GradientTape() as tape:
            likelihood = ops.mean(model.log_prob(POINTS))
        return np.concatenate([np.ravel(each) for each in tape.gradient(likelihood, model.trainable_variables)])

    before, start = np.abs(slopes()).max(), float(ops.mean(model.log_prob(POINTS)))
    model.match(POINTS)
    assert before > 0.1 and float(ops.mean(model.log_prob(POINTS))) > start
    np.testing.assert_allclose(slopes(), 0, atol=1e-10)


def test_affine_samples_have_its_moments():
    model = AffineGenerator(3)
    model.match(POINTS)
    n = 20_000
    samples = np.asarray(model.sample(5, n))
    spread = np.sqrt(np.diag(model.moments()["covariance"]))
    np.testing.assert_array_less(np.abs(samples.mean(axis=0) - POINTS.mean(axis=0)), 5 * spread / np.sqrt(n))
    np.testing.assert_allclose(np.cov(samples.T), np.cov(POINTS.T, bias=True), atol=0.06)
    np.testing.assert_array_equal(samples, model.sample(5, n))


def test_data_in_a_plane_need_a_ridge():
    flat = POINTS * [1.0, 1.0, 0.0]
    with pytest.raises(InvalidDataError, match="full covariance, or a ridge.*40 rows of 3 features"):
        AffineGenerator(3).match(flat)
    model = AffineGenerator(3)
    model.match(flat, ridge=0.01)
    np.testing.assert_allclose(np.asarray(model.factor)[2, 2], 0.1, rtol=1e-4)


def test_bernoulli_probabilities_of_all_images_sum_to_one_for_either_code():
    for code in ("binary", "normal"):
        model = generator(5, 3, code=code, units=(4,), draws=20)
        np.testing.assert_allclose(np.exp(np.asarray(model.log_prob(binary_states(5)))).sum(), 1, rtol=1e-5)


def test_samples_come_as_often_as_the_sum_over_codes_says():
    """A wrong model fails; a right one with probability 1e-6."""
    model, n = generator(3, 2, spread=2.0), 20_000
    counts = np.bincount((np.asarray(model.sample(1, n)) @ [1, 2, 4]).astype(int), minlength=8)
    expected = np.exp(np.asarray(model.log_prob(binary_states(3)), "float64"))
    assert chisquare(counts, n * expected / expected.sum()).pvalue > 1e-6


def test_moments_are_those_of_all_images():
    model = generator(4, 3)
    states = np.asarray(binary_states(4), "float64")
    weights = np.exp(np.asarray(model.log_prob(states), "float64"))
    mean = weights @ states
    np.testing.assert_allclose(model.moments()["mean"], mean, rtol=1e-5)
    covariance = (states * weights[:, None]).T @ states - np.outer(mean, mean)
    np.testing.assert_allclose(model.moments()["covariance"], covariance, atol=1e-6)


def test_the_gradient_is_that_of_each_code_weighted_by_its_posterior():
    model = generator(4, 3, dtype="float64")
    x = ops.convert_to_tensor([[1.0, 0.0, 1.0, 1.0]], dtype="float64")
    with tf.GradientTape(persistent=True) as tape:
        whole = ops.sum(model.log_prob(x))
        each = model.log_likelihoods(x, model.codes())
        weighted = ops.sum(ops.stop_gradient(model.posterior(x)) * each)
    for weight in model.trainable_variables:
        np.testing.assert_allclose(tape.gradient(whole, weight.value), tape.gradient(weighted, weight.value), rtol=1e-9)
    states = binary_states(3, "float64")
    joint = np.exp(np.asarray(model.log_likelihoods(x, states)))[0]
    np.testing.assert_allclose(model.posterior(x)[0], joint / joint.sum(), rtol=1e-10)


def test_normal_codes_tend_to_the_integral_from_below_on_the_average():
    nodes, weights = np.polynomial.hermite_e.hermegauss(60)
    states = np.asarray(binary_states(3), "float32")

    def estimate(draws, seed):
        return np.asarray(generator(3, 1, code="normal", draws=draws, seed=seed).log_prob(states))

    model = generator(3, 1, code="normal", dtype="float64")
    each = np.exp(np.asarray(model.log_likelihoods(states, nodes[:, None])))  # (B, M)
    exact = np.log(each @ weights / weights.sum())
    np.testing.assert_allclose(estimate(40_000, 0), exact, atol=0.05)
    few = np.mean([estimate(4, seed) for seed in range(40)], axis=0)
    assert (few < exact + 0.02).all() and few.mean() < exact.mean() - 0.02


def test_draws_of_normal_codes_are_new_in_every_step_and_old_in_evaluation():
    model = generator(3, 2, code="normal", draws=5)
    model.compile(keras.optimizers.SGD(0.0))
    x = np.ones((2, 3), "float32")
    first = model.train_on_batch(x, return_dict=True)["loss"]
    model.reset_metrics()
    assert first != model.train_on_batch(x, return_dict=True)["loss"]
    np.testing.assert_array_equal(model.log_prob(x), model.log_prob(x))


def test_densities_keep_their_precision_under_a_mixed_policy():
    model = AffineGenerator(3, dtype="mixed_bfloat16")
    model.match(POINTS)
    wanted = multivariate_normal(POINTS.mean(axis=0), np.cov(POINTS.T, bias=True)).logpdf(POINTS)
    np.testing.assert_allclose(model(POINTS.astype("float32")), wanted, rtol=1e-4)


def test_impossible_arguments_and_data_are_refused_with_what_came():
    with pytest.raises(ValueError, match="at most 12 bits of code. Received: latent=13"):
        BernoulliGenerator(3, 13)
    with pytest.raises(ValueError, match="'binary', 'normal' as code. Received: code='real'"):
        BernoulliGenerator(3, 2, code="real")
    with pytest.raises(ValueError, match="of binary codes. Received: code='normal'"):
        BernoulliGenerator(3, 2, code="normal").posterior(np.zeros((1, 3)))
    model = BernoulliGenerator(3, 2)
    model.compile("sgd")
    with pytest.raises(InvalidDataError, match="values 0 and 1. Received: 0.5 in row 0"):
        model.fit(np.full((2, 3), 0.5), verbose=0)
    with pytest.raises(ValueError, match="brings its own loss"):
        AffineGenerator(2).compile("sgd", "mse")
