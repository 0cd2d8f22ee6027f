"""The pieces of the evidence lower bound: enumerated, against tfp and SciPy, at the edges of float."""

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf
import tensorflow_probability as tfp
from keras import ops
from scipy import stats

from keras_course.ops.elbo import (
    active_units,
    bernoulli_log_likelihood,
    diagonal_gaussian_divergence,
    diagonal_gaussian_entropy,
    diagonal_gaussian_log_density,
    elbo_from_divergence,
    elbo_from_entropy,
    elbo_from_joint,
    importance_weighted_bound,
    reparametrised,
    with_free_bits,
)
from keras_course.ops.information import entropy, kl_divergence

RNG = np.random.Generator(np.random.Philox(5))
MEAN, OTHER_MEAN = RNG.normal(size=(2, 4, 3))
SCALE, OTHER_SCALE = RNG.uniform(0.2, 3.0, size=(2, 4, 3))

# A code with three values and one x: everything can be added up.
PRIOR, LIKELIHOOD, Q = np.array([0.5, 0.3, 0.2]), np.array([0.1, 0.6, 0.3]), np.array([0.25, 0.35, 0.4])
LOG_JOINT, LOG_EVIDENCE = np.log(PRIOR * LIKELIHOOD), np.log(np.sum(PRIOR * LIKELIHOOD))


def test_divergence_entropy_and_density_are_those_of_tfp_and_scipy():
    tfd = tfp.distributions
    ours = diagonal_gaussian_divergence(MEAN, SCALE, OTHER_MEAN, OTHER_SCALE)
    theirs = tfd.kl_divergence(
        tfd.MultivariateNormalDiag(MEAN, SCALE), tfd.MultivariateNormalDiag(OTHER_MEAN, OTHER_SCALE)
    )
    np.testing.assert_allclose(ours, theirs, rtol=1e-13)
    np.testing.assert_allclose(diagonal_gaussian_entropy(SCALE), stats.norm(0, SCALE).entropy().sum(-1), rtol=1e-13)
    density = stats.norm(MEAN, SCALE).logpdf(OTHER_MEAN).sum(-1)
    np.testing.assert_allclose(diagonal_gaussian_log_density(OTHER_MEAN, MEAN, SCALE), density, rtol=1e-13)


def test_divergence_vanishes_for_equal_gaussians_alone_and_is_not_symmetric():
    np.testing.assert_allclose(diagonal_gaussian_divergence(MEAN, SCALE, MEAN, SCALE), np.zeros(4), atol=1e-15)
    one = ops.convert_to_numpy(diagonal_gaussian_divergence(MEAN, SCALE, OTHER_MEAN, OTHER_SCALE))
    other = ops.convert_to_numpy(diagonal_gaussian_divergence(OTHER_MEAN, OTHER_SCALE, MEAN, SCALE))
    assert np.all(one > 0) and np.all(other > 0) and np.all(np.abs(one - other) > 1e-3)


def test_a_variance_in_the_place_of_the_deviation_is_another_divergence():
    right = ops.convert_to_numpy(diagonal_gaussian_divergence(MEAN, SCALE))
    wrong = ops.convert_to_numpy(diagonal_gaussian_divergence(MEAN, SCALE**2))
    assert np.all(np.abs(right - wrong) > 1e-3)


def test_bernoulli_likelihoods_of_all_images_sum_to_one():
    images = np.array(list(itertools.product([0.0, 1.0], repeat=6)))
    logits = RNG.normal(size=6) * 3
    assert float(ops.sum(ops.exp(bernoulli_log_likelihood(images, logits)))) == pytest.approx(1, abs=1e-13)


def test_bernoulli_likelihood_is_minus_the_summed_cross_entropy_of_keras():
    x, logits = RNG.uniform(size=(5, 7)), RNG.normal(size=(5, 7))
    theirs = -ops.sum(ops.binary_crossentropy(x, logits, from_logits=True), axis=-1)
    np.testing.assert_allclose(bernoulli_log_likelihood(x, logits), theirs, rtol=1e-6)


def three_forms(q=Q):
    reconstruction = np.sum(q * np.log(LIKELIHOOD))
    return [
        float(elbo_from_divergence(reconstruction, kl_divergence(q, PRIOR, base="e"))),
        float(elbo_from_joint(LOG_JOINT, np.log(q), weights=q)),
        float(elbo_from_entropy(LOG_JOINT, entropy(q, base="e"), weights=q)),
    ]


def test_the_three_forms_agree_and_stay_below_the_evidence_by_the_divergence_from_the_posterior():
    posterior = PRIOR * LIKELIHOOD / np.exp(LOG_EVIDENCE)
    gap = float(kl_divergence(Q, posterior, base="e"))
    np.testing.assert_allclose(three_forms(), [LOG_EVIDENCE - gap] * 3, rtol=1e-13)
    np.testing.assert_allclose(three_forms(posterior), [LOG_EVIDENCE] * 3, rtol=1e-13)


def test_a_divergence_of_the_wrong_sign_bounds_nothing():
    reconstruction = np.sum(Q * np.log(LIKELIHOOD))
    wrong = float(elbo_from_divergence(reconstruction, -kl_divergence(Q, PRIOR, base="e")))
    assert wrong > LOG_EVIDENCE > three_forms()[0]


def test_beta_weighs_the_divergence_alone():
    assert float(elbo_from_divergence(-3.0, 2.0, beta=0.0)) == -3.0
    assert float(elbo_from_divergence(-3.0, 2.0, beta=1.5)) == -6.0


def expected_bound(draws):
    """E over all tuples of codes, each with its probability under q: no sampling."""
    total = 0.0
    for codes in itertools.product(range(3), repeat=draws):
        codes = list(codes)
        total += np.prod(Q[codes]) * float(importance_weighted_bound(LOG_JOINT[codes], np.log(Q[codes])))
    return total


def test_the_importance_weighted_bound_rises_with_the_draws_from_the_elbo_towards_the_evidence():
    bounds = [expected_bound(draws) for draws in (1, 2, 3, 4, 5)]
    assert bounds[0] == pytest.approx(three_forms()[1], rel=1e-12)
    assert np.all(np.diff(bounds) > 1e-4) and bounds[-1] < LOG_EVIDENCE


def test_the_importance_weighted_bound_is_exact_where_q_is_the_posterior():
    log_posterior = LOG_JOINT - LOG_EVIDENCE
    assert float(importance_weighted_bound(LOG_JOINT, log_posterior)) == pytest.approx(LOG_EVIDENCE, rel=1e-14)


def test_points_of_weight_zero_count_nothing_even_at_minus_infinity():
    joint = np.array([-1.0, -np.inf])
    assert float(elbo_from_joint(joint, np.array([0.0, 0.0]), weights=np.array([1.0, 0.0]))) == -1.0
    assert float(elbo_from_entropy(joint, 0.5, weights=np.array([1.0, 0.0]))) == -0.5


def test_a_draw_moves_with_mean_and_scale_as_its_noise_says():
    mean, scale, noise = (tf.constant(value, tf.float64) for value in (MEAN, SCALE, OTHER_MEAN))
    with tf.GradientTape(persistent=True) as tape:
        tape.watch([mean, scale])
        z = reparametrised(mean, scale, noise)
    np.testing.assert_allclose(tape.gradient(z, mean), np.ones((4, 3)), rtol=1e-15)
    np.testing.assert_allclose(tape.gradient(z, scale), OTHER_MEAN, rtol=1e-15)


def test_free_bits_are_the_published_sum_of_maxima_and_shut_off_the_gradient_of_whole_groups():
    divergences = np.array([[0.1, 2.0, 0.7], [0.5, 1.0, 0.2], [0.3, 0.0, 0.9]])
    means = divergences.mean(axis=0)  # 0.3, 1.0, 0.6: the third group has a row below 0.5 that still counts
    rows = with_free_bits(divergences, least=0.5)
    assert float(ops.mean(rows)) == pytest.approx(np.maximum(0.5, means).sum(), rel=1e-12)
    halves = [with_free_bits(part, 0.5, means) for part in (divergences[:1], divergences[1:])]
    np.testing.assert_allclose(np.concatenate(halves), rows, rtol=1e-12)  # means of a larger batch, handed in
    values = tf.constant(divergences)
    with tf.GradientTape() as tape:
        tape.watch(values)
        total = tf.reduce_sum(with_free_bits(values, 0.5))
    np.testing.assert_array_equal(tape.gradient(total, values), [[0, 1, 1]] * 3)


def test_a_unit_is_active_if_its_mean_moves_with_x():
    means = np.array([[0.0, 5.0, 0.3], [0.15, 5.0, -0.3]])
    np.testing.assert_array_equal(active_units(means), [False, False, True])
    assert bool(active_units(means, threshold=0.005)[0])  # 0.075 ** 2


def test_values_and_gradients_are_finite_at_the_edges_of_float32():
    logits = tf.constant([-1e4, 1e4, 0.0, 88.0])
    x = tf.constant([0.0, 1.0, 1.0, 0.0])
    scale = tf.constant([1e-6, 1e6])
    with tf.GradientTape(persistent=True) as tape:
        tape.watch([logits, scale])
        likelihood = bernoulli_log_likelihood(x, logits)
        divergence = diagonal_gaussian_divergence(tf.zeros(2), scale)
        bound = importance_weighted_bound(tf.stack([logits, logits]), tf.zeros((2, 4)))
    for value, source in ((likelihood, logits), (divergence, scale), (bound, logits)):
        assert np.all(np.isfinite(value)) and np.all(np.isfinite(tape.gradient(value, source)))


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_float_types_stay_what_they_are(dtype):
    mean, scale = MEAN.astype(dtype), SCALE.astype(dtype)
    answers = [
        reparametrised(mean, scale, mean), diagonal_gaussian_log_density(mean, mean, scale),
        diagonal_gaussian_entropy(scale), diagonal_gaussian_divergence(mean, scale),
        bernoulli_log_likelihood(np.ones((4, 3)), mean), elbo_from_divergence(mean, scale, beta=2.0),
        elbo_from_joint(mean, scale), elbo_from_entropy(mean, scale[0]), importance_weighted_bound(mean, scale),
    ]  # fmt: skip
    assert {keras.backend.standardize_dtype(answer.dtype) for answer in answers} == {dtype}
