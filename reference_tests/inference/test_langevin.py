"""Langevin kernels: equal to TFP's on the same proposal, exact where they claim it; a lost Hastings term is seen."""

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_probability as tfp
from scipy import stats

from keras_course.core.errors import InvalidDataError
from keras_course.inference.mcmc.langevin import (
    MetropolisLangevin,
    UnadjustedLangevin,
    hastings_log_ratio,
    langevin_coefficients,
    langevin_proposal,
)
from reference_tests.inference.langevin_targets import WithoutHastings, double_well, quartic

SEED = [3, 14]


def test_both_forms_take_the_same_step_when_eta_is_half_eps_squared():
    assert langevin_coefficients(0.5, "epsilon") == langevin_coefficients(0.125, "eta")
    w, g, p = tf.constant([1.0, -2.0]), tf.constant([0.5, 3.0]), tf.constant([-1.0, 0.25])
    np.testing.assert_array_equal(langevin_proposal(w, g, p, 0.5), langevin_proposal(w, g, p, 0.125, "eta"))


def test_drift_goes_uphill_in_log_p_so_downhill_in_the_cost():
    kernel = UnadjustedLangevin(lambda w: -0.5 * w**2, 0.5)
    start = kernel.bootstrap_results(tf.constant(2.0))
    quiet, _ = kernel.step_with_noise(tf.constant(2.0), start, tf.constant(0.0), None, start.seed)
    assert float(quiet) == 2.0 - 0.5 * 0.25 * 2.0


def test_hastings_term_equals_the_two_normal_densities_written_out():
    rng = np.random.default_rng(0)
    w, y, here, there = rng.normal(size=(4, 50))
    drift, scale = langevin_coefficients(0.7)
    noise = (y - w - drift * here) / scale
    forth = stats.norm.logpdf(y, w + drift * here, scale)
    back = stats.norm.logpdf(w, y + drift * there, scale)
    np.testing.assert_allclose(hastings_log_ratio(noise, here, there, 0.7), back - forth, atol=1e-13)


@pytest.mark.parametrize("form", ["epsilon", "eta"])
def test_acceptance_of_a_proposal_equals_that_of_tfp(form):
    square = 0.36  # TFP's step_size is eps^2
    theirs = tfp.mcmc.MetropolisAdjustedLangevinAlgorithm(double_well, step_size=np.float64(square))
    w = tf.constant(np.random.default_rng(1).normal(size=(64, 3)))
    _, results = theirs.one_step(w, theirs.bootstrap_results(w), seed=SEED)
    ours = MetropolisLangevin(double_well, square**0.5 if form == "epsilon" else square / 2, form)
    ratio = ours.log_accept_ratio(w, results.proposed_state)
    np.testing.assert_allclose(ratio, results.log_accept_ratio, rtol=1e-11, atol=1e-11)


def test_the_noise_of_tfp_gives_the_proposal_of_tfp():
    theirs = tfp.mcmc.UncalibratedLangevin(double_well, step_size=np.float64(0.25))
    w = tf.constant(np.random.default_rng(2).normal(size=(16, 2)))
    proposal, _ = theirs.one_step(w, theirs.bootstrap_results(w), seed=SEED)
    ours = UnadjustedLangevin(double_well, 0.5)
    start = ours.bootstrap_results(w)
    noise = (proposal - w - 0.125 * start.gradient[0]) / 0.5
    mine, _ = ours.step_with_noise(w, start, noise, None, start.seed)
    np.testing.assert_allclose(mine, proposal, atol=1e-14)
    assert stats.kstest(np.ravel(noise), "norm").pvalue > 1e-3


def test_detailed_balance_holds_for_every_pair_of_states():
    kernel = MetropolisLangevin(quartic, 0.9)
    grid = np.linspace(-2.5, 2.5, 41)
    w, y = (tf.constant(part.ravel()) for part in np.meshgrid(grid, grid, indexing="ij"))
    drift, scale = langevin_coefficients(0.9)
    forth = stats.norm.logpdf(y, w - drift * w**3, scale)
    back = stats.norm.logpdf(w, y - drift * y**3, scale)
    keep_forth = np.minimum(0.0, kernel.log_accept_ratio(w, y))
    keep_back = np.minimum(0.0, kernel.log_accept_ratio(y, w))
    np.testing.assert_allclose(quartic(w) + forth + keep_forth, quartic(y) + back + keep_back, atol=1e-10)


def one_step_changes(kernel_class):
    """Greatest change of the density when one step is applied to it by quadrature, relative to its peak."""
    step, grid = 1.0, np.linspace(-7.0, 7.0, 351)
    kernel = kernel_class(quartic, step)
    width = grid[1] - grid[0]
    density = np.exp(-0.25 * grid**4)
    drift, scale = langevin_coefficients(step)
    origin, end = (tf.constant(part.ravel()) for part in np.meshgrid(grid, grid, indexing="ij"))
    keep = np.exp(np.minimum(0.0, kernel.log_accept_ratio(origin, end))).reshape(len(grid), -1)
    move = stats.norm.pdf(grid[None, :], (grid - drift * grid**3)[:, None], scale) * keep * width
    stay = 1.0 - move.sum(1)
    return np.abs(density @ move + stay * density - density)[np.abs(grid) < 2].max()


def test_one_step_leaves_the_density_unchanged_and_without_hastings_it_does_not():
    assert one_step_changes(MetropolisLangevin) < 1e-9
    assert one_step_changes(WithoutHastings) > 1e-2


def test_unadjusted_walk_has_the_variance_that_theory_gives_its_bias():
    kernel = UnadjustedLangevin(lambda w: -0.5 * 2.0 * w**2, 0.6)
    draw = tf.function(
        lambda: tfp.mcmc.sample_chain(400, tf.zeros([2000]), kernel=kernel, trace_fn=None, seed=SEED), jit_compile=True
    )
    variance = float(tf.math.reduce_variance(draw()[100:]))
    biased = 1.0 / (2.0 * (1.0 - 2.0 * 0.36 / 4.0))
    assert abs(variance - biased) < 0.006  # about five standard errors
    assert abs(variance - 0.5) > 0.1


def test_adjusted_walk_has_the_moments_of_a_correlated_normal():
    covariance = np.array([[1.0, 0.6], [0.6, 0.5]])
    precision = tf.constant(np.linalg.inv(covariance), tf.float32)

    def normal(w):
        return -0.5 * tf.reduce_sum((w - 1.0) * tf.matmul(w - 1.0, precision), -1)

    kernel = MetropolisLangevin(normal, 0.5)
    draw = tf.function(
        lambda: tfp.mcmc.sample_chain(1500, tf.zeros([400, 2]), kernel=kernel, trace_fn=None, seed=SEED),
        jit_compile=True,
    )
    draws = draw()[300:].numpy().reshape(-1, 2)
    np.testing.assert_allclose(draws.mean(0), [1.0, 1.0], atol=0.03)
    np.testing.assert_allclose(np.cov(draws.T), covariance, atol=0.03)


def test_states_may_be_dictionaries_of_tensors():
    kernel = UnadjustedLangevin(lambda state: -(state["a"] ** 2) - tf.reduce_sum(state["b"] ** 2, -1), 0.1)
    start = {"a": tf.ones([4]), "b": tf.ones([4, 3])}
    moved, results = kernel.one_step(start, kernel.bootstrap_results(start), seed=SEED)
    assert moved["a"].shape == (4,) and moved["b"].shape == (4, 3) and results.is_accepted.shape == (4,)


@pytest.mark.parametrize("kernel_class", [MetropolisLangevin, UnadjustedLangevin])
@pytest.mark.parametrize("outside", [np.nan, -np.inf])
def test_a_proposal_without_a_density_is_never_taken(kernel_class, outside):
    def half_line(w):
        return tf.where(w > 0.0, -w, tf.constant(outside, w.dtype))

    kernel = kernel_class(half_line, 1.5)
    chain = tf.function(
        lambda: tfp.mcmc.sample_chain(
            60, tf.ones([50]), kernel=kernel, seed=SEED, trace_fn=lambda _, results: results.is_accepted
        )
    )
    draws, accepted = chain()
    assert bool(tf.reduce_all(draws > 0.0))
    assert not bool(tf.reduce_all(accepted)) and bool(tf.reduce_any(accepted))


@pytest.mark.parametrize("kernel_class", [MetropolisLangevin, UnadjustedLangevin])
@pytest.mark.parametrize("slope", [np.nan, np.inf, -np.inf])
def test_a_proposal_without_a_gradient_is_never_taken(kernel_class, slope):
    @tf.custom_gradient
    def half_line(w):
        return -w, lambda upstream: upstream * tf.where(w > 0.0, -1.0, tf.constant(slope, w.dtype))

    draws, results = kernel_class(half_line, 1.5).sample(60, tf.ones([50]), SEED, trace_fn=lambda _, results: results)
    assert bool(tf.reduce_all(draws > 0.0)) and bool(tf.reduce_any(results.proposed_state < 0.0))
    assert not bool(tf.reduce_all(results.is_accepted)) and bool(tf.reduce_any(results.is_accepted))


def test_a_start_without_a_density_is_refused_in_one_line():
    kernel = MetropolisLangevin(lambda w: tf.math.log(w), 0.1)
    with pytest.raises(InvalidDataError, match="finite. Received: log p"):
        kernel.bootstrap_results(tf.constant([1.0, -1.0]))


@pytest.mark.parametrize("step", [0.0, -1.0, float("nan"), float("inf"), "small"])
def test_a_step_that_is_not_positive_is_refused(step):
    with pytest.raises(ValueError, match="positive, finite steps. Received: step_size"):
        MetropolisLangevin(double_well, step)


def test_an_unknown_form_or_a_missing_function_is_refused():
    with pytest.raises(ValueError, match="Received: form='delta'"):
        UnadjustedLangevin(double_well, 0.1, form="delta")
    with pytest.raises(ValueError, match="needs a function"):
        UnadjustedLangevin(3.0, 0.1)
    with pytest.raises(ValueError, match="for each of the 2 parts"):
        UnadjustedLangevin(lambda a, b: -a - b, [0.1, 0.1, 0.1]).one_step(
            [tf.constant(0.0)] * 2,
            UnadjustedLangevin(lambda a, b: -a - b, 0.1).bootstrap_results([tf.constant(0.0)] * 2),
            1,
        )


def test_kernels_say_whether_they_are_calibrated_and_copy_themselves():
    assert MetropolisLangevin(quartic, 0.1).is_calibrated and not UnadjustedLangevin(quartic, 0.1).is_calibrated
    assert MetropolisLangevin(quartic, 0.1, "eta").copy(step_size=0.2).parameters["form"] == "eta"
