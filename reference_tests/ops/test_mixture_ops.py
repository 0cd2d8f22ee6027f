"""Mixture densities against SciPy, both forms of the M-step against each other, and the EM objective."""

import numpy as np
import pytest
from scipy import stats

from keras_course.ops.binomial_mixture import binomial_log_joint, binomial_m_step
from keras_course.ops.expectation_maximization import (
    divergence_from_posterior,
    expectation_maximization,
    expected_log_joint,
    free_energy,
    log_evidence,
    responsibilities,
)
from keras_course.ops.mixtures import (
    COVARIANCES,
    covariances_of,
    gaussian_log_joint,
    gaussian_m_step,
    moments_of_whitened,
    scale_of,
    updated_gaussians,
    whitened,
)


@pytest.fixture
def mixture():
    """Samples, weights, means and covariances of three Gaussians in four dimensions."""
    draws = np.random.default_rng(1)
    factors = np.tril(draws.normal(size=(3, 4, 4)) * 0.3) + np.eye(4)
    x, means = draws.normal(size=(60, 4)) * 2, draws.normal(size=(3, 4))
    return x, np.array([0.2, 0.5, 0.3]), means, factors @ factors.swapaxes(1, 2)


def restricted(covariances, covariance):
    """The part of full matrices that each kind can hold, as (M, D, D)."""
    if covariance == "tied":
        return np.stack([covariances[0]] * len(covariances))
    return covariances_of(scale_of(covariances, covariance), covariance, len(covariances), covariances.shape[1]).numpy()


@pytest.mark.parametrize("covariance", COVARIANCES)
def test_log_joint_is_that_of_scipy(mixture, covariance):
    x, weights, means, covariances = mixture
    full = restricted(covariances, covariance)
    scale = scale_of(full[0] if covariance == "tied" else full, covariance)
    parts = zip(weights, means, full, strict=True)
    wanted = [stats.multivariate_normal(m, s).logpdf(x) + np.log(w) for w, m, s in parts]
    assert np.allclose(gaussian_log_joint(x, weights, means, scale, covariance), np.transpose(wanted), rtol=1e-11)


@pytest.mark.parametrize("covariance", COVARIANCES)
def test_the_m_step_in_whitened_coordinates_is_the_printed_one(mixture, covariance):
    x, weights, means, covariances = mixture
    scale = scale_of(covariances[0] if covariance == "tied" else covariances, covariance)
    q = responsibilities(gaussian_log_joint(x, weights, means, scale, covariance))
    moments = moments_of_whitened(whitened(x, means, scale, covariance), np.transpose(q), covariance)
    new_weights, new_means, sigma, about = updated_gaussians(moments, means, scale, covariance, 1e-3)
    factor = np.linalg.cholesky(sigma) if covariance in ("full", "tied") else np.sqrt(sigma)
    for ours, printed in zip((new_weights, new_means, factor), gaussian_m_step(x, q, covariance, 1e-3), strict=True):
        assert np.allclose(ours, printed, rtol=1e-9, atol=1e-12)
    variances = np.diagonal(sigma, axis1=-2, axis2=-1) if covariance in ("full", "tied") else np.asarray(sigma)
    assert np.all(variances <= np.asarray(about) * (1 + 1e-12))


def test_the_m_step_keeps_its_digits_when_components_are_far_apart():
    draws = np.random.default_rng(0)
    x = np.concatenate([draws.normal(size=(50, 2)) * 1e-2, draws.normal(size=(50, 2)) * 1e-2 + 1e3]).astype("float32")
    means = np.array([[0.0, 0.0], [1e3, 1e3]], "float32")
    scale = np.stack([np.eye(2, dtype="float32") * np.float32(0.02)] * 2)
    q = np.repeat(np.eye(2, dtype="float32"), 50, axis=0)
    moments = moments_of_whitened(whitened(x[:50], means[:1], scale[:1], "full"), q[:50, :1].T, "full")
    new = updated_gaussians(moments, means[:1], scale[:1], "full")[2].numpy()
    assert np.allclose(new[0], np.cov(x[:50].T, bias=True), rtol=1e-4)


def test_a_component_that_nobody_wants_keeps_mean_and_scale(mixture):
    x, weights, means, covariances = mixture
    q = np.zeros((60, 3))
    q[:, 0] = 1.0
    scale = scale_of(covariances, "full")
    moments = moments_of_whitened(whitened(x, means, scale, "full"), q.T, "full")
    new_weights, new_means, sigma, _ = updated_gaussians(moments, means, scale, "full")
    assert new_weights.numpy().tolist() == [1.0, 0.0, 0.0]
    assert np.array_equal(new_means[1:], means[1:]) and np.allclose(sigma[1:], covariances[1:])


@pytest.mark.parametrize("covariance", COVARIANCES)
def test_a_flat_cloud_leaves_no_variance_of_its_second_moment(covariance):
    x = np.ones((10, 2))
    scale = scale_of(np.eye(2) if covariance == "tied" else np.eye(2)[None], covariance)
    moments = moments_of_whitened(whitened(x, np.zeros((1, 2)), scale, covariance), np.ones((1, 10)), covariance)
    _, means, sigma, about = updated_gaussians(moments, np.zeros((1, 2)), scale, covariance)
    assert np.allclose(means, 1) and np.allclose(about, 1) and np.allclose(sigma, 0, atol=1e-15)


def test_binomials_are_those_of_scipy_also_at_certain_coins():
    x, p = np.array([[0.0, 3.0], [4.0, 4.0], [2.0, 0.0]]), np.array([[0.3, 0.7], [0.0, 1.0], [1.0, 0.5]])
    wanted = [stats.binom(4, row).logpmf(x).sum(1) + np.log(w) for row, w in zip(p, (0.2, 0.3, 0.5), strict=True)]
    assert np.allclose(binomial_log_joint(x, [0.2, 0.3, 0.5], p, 4), np.transpose(wanted), rtol=1e-6)


def test_one_toss_is_the_bernoulli_mixture():
    joint = binomial_log_joint(np.array([[0.0], [1.0]]), np.array([1.0]), np.array([[0.25]]), 1)
    assert np.allclose(np.exp(joint), [[0.75], [0.25]])


def test_the_binomial_m_step_is_expected_heads_over_expected_tosses():
    weights, p = binomial_m_step(np.array([[2.0], [8.0]]), np.array([[1.0, 0.0], [0.5, 0.5]]), 10)
    assert np.allclose(weights, [0.75, 0.25]) and np.allclose(p, [[6 / 15], [4 / 5]])


def test_bound_and_gap_add_up_to_the_evidence_for_any_q():
    joint = np.random.default_rng(0).normal(size=(50, 4)) * 5
    q = np.random.default_rng(1).dirichlet(np.ones(4), size=50)
    q[0] = [1.0, 0.0, 0.0, 0.0]
    assert np.allclose(free_energy(joint, q) + divergence_from_posterior(joint, q), log_evidence(joint), rtol=1e-12)
    assert np.all(np.asarray(divergence_from_posterior(joint, q)) >= 0)


def test_the_posterior_closes_the_gap():
    joint = np.random.default_rng(0).normal(size=(20, 3))
    q = responsibilities(joint)
    assert np.allclose(divergence_from_posterior(joint, q), 0, atol=1e-14)
    assert np.allclose(free_energy(joint, q), log_evidence(joint))


def test_an_impossible_component_costs_nothing_where_q_is_zero():
    assert expected_log_joint([[-1.0, -np.inf]], [[1.0, 0.0]]).numpy().tolist() == [-1.0]
    assert free_energy([[-1.0, -np.inf]], [[1.0, 0.0]]).numpy().tolist() == [-1.0]
    assert responsibilities([[-1.0, -np.inf]]).numpy().tolist() == [[1.0, 0.0]]


@pytest.mark.parametrize("covariance", COVARIANCES)
def test_neither_half_step_of_em_lowers_the_objective(mixture, covariance):
    x, weights, means, covariances = mixture
    scale = scale_of(covariances[0] if covariance == "tied" else covariances, covariance)

    def log_joint(x, parameters):
        return gaussian_log_joint(x, *parameters, covariance)

    _, objective = expectation_maximization(
        log_joint, lambda x, q: gaussian_m_step(x, q, covariance), x, (weights, means, scale), 15
    )
    assert np.all(np.diff(objective) >= -1e-9 * abs(objective[0]))
    assert objective[-1] > objective[0]


def test_a_wrong_m_step_is_seen_to_lower_the_objective(mixture):
    x, weights, means, covariances = mixture

    def wrong(x, q):
        weights, means, scale = gaussian_m_step(x, q)
        return weights, -means, scale

    _, objective = expectation_maximization(
        lambda x, p: gaussian_log_joint(x, *p), wrong, x, (weights, means, scale_of(covariances, "full")), 3
    )
    assert np.min(np.diff(objective)) < 0


def test_expectation_maximization_refuses_no_steps():
    with pytest.raises(ValueError, match="steps=0"):
        expectation_maximization(None, None, None, None, 0)


def test_an_unknown_covariance_is_refused_by_name():
    with pytest.raises(ValueError, match="covariance='round'"):
        whitened(np.zeros((2, 2)), np.zeros((1, 2)), np.ones(1), "round")
