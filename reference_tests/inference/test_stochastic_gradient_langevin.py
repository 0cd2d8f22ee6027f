"""SGLD: its gradient is right on average, its schedule counts, and bad data or steps do no silent harm."""

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf
import tensorflow_probability as tfp

from keras_course.core.errors import InvalidDataError
from keras_course.inference.mcmc.draws import draw_indices_ahead, draw_normal_ahead, split_seed
from keras_course.inference.mcmc.stochastic_gradient_langevin import StochasticGradientLangevin

X = tf.constant(np.array([0.5, 1.25, -0.75, 2.0, 1.5, 0.25]))


def prior(theta):
    return -0.25 * theta**2


def likelihood(batch, theta):
    return -0.5 * tf.reduce_sum((batch[:, None] - theta) ** 2, 0)


def kernel_of(batch_size=2, step_size=0.1, **arguments):
    return StochasticGradientLangevin(prior, likelihood, X, batch_size, step_size, **arguments)


def test_gradients_of_all_batches_average_to_the_full_gradient():
    theta = tf.constant(np.array([0.3, -1.0]))
    estimates = [
        kernel_of().value_and_gradient(theta, [theta], tf.constant(pair))[1][0]
        for pair in itertools.product(range(6), repeat=2)
    ]
    full = -0.5 * theta + tf.reduce_sum(X[:, None] - theta, 0)
    np.testing.assert_allclose(np.mean(estimates, 0), full, atol=1e-12)
    forgotten = -0.5 * theta + tf.reduce_sum(X[:2, None] - theta, 0)  # no factor N / n
    assert np.abs(forgotten - full).max() > 1.0


def test_small_steps_sample_the_posterior_of_a_normal_mean():
    kernel = kernel_of(batch_size=3, step_size=0.1)
    draw = tf.function(
        lambda: tfp.mcmc.sample_chain(
            1500, tf.zeros([400], tf.float64), kernel=kernel, trace_fn=None, seed=[2, 5]
        ),
        jit_compile=True,
    )  # fmt: skip
    draws = draw()[300:]
    assert abs(float(tf.reduce_mean(draws)) - 4.75 / 6.5) < 0.02
    assert abs(float(tf.math.reduce_variance(draws)) - 1 / 6.5) < 0.02


def falling(step):
    return 0.3 / tf.cast(step + 1, tf.float64) ** 0.33


def everything(_, results):
    return results


@pytest.fixture(scope="module")
def chain():
    """(kernel, start, states, results) of a whole chain of 8 steps under a falling schedule, eagerly."""
    kernel, start = kernel_of(step_size=falling), tf.constant(np.linspace(-1.0, 1.0, 4))
    return kernel, start, *kernel.sample(8, start, [3, 14], trace_fn=everything)


def test_a_whole_chain_is_one_step_after_another_with_the_rows_and_noise_of_its_seed(chain):
    kernel, state, states, traced = chain
    noise_seed, row_seed = split_seed([3, 14], 2)
    noise, rows = draw_normal_ahead(noise_seed, state, 8), draw_indices_ahead(row_seed, 2, 6, 8)
    assert {0, 1, 2, 3, 4, 5} >= set(rows.numpy().ravel()) and len(set(map(tuple, rows.numpy()))) > 4
    results = kernel.bootstrap_results(state)
    for step in range(8):
        state, results = kernel.step_with_noise(state, results, [noise[step]], rows[step], [3, 14])
        np.testing.assert_allclose(states[step], state, atol=1e-12)
        np.testing.assert_allclose(traced.estimated_log_prob[step], results.estimated_log_prob, atol=1e-12)
    assert traced.step.numpy().tolist() == [1, 2, 3, 4, 5, 6, 7, 8]
    np.testing.assert_allclose(traced.step_size, [float(falling(step)) for step in range(8)])


def test_a_whole_chain_is_the_same_under_xla_and_its_burn_in_is_its_beginning(chain):
    kernel, start, states, _ = chain
    draw = tf.function(lambda w, seed: kernel.sample(5, w, seed, burn_in=3), jit_compile=True)
    np.testing.assert_allclose(draw(start, tf.Variable([3, 14])), states[3:], atol=1e-9)
    assert np.any(draw(start, tf.Variable([3, 15])) != states[3:])


def test_a_whole_chain_samples_the_same_posterior_and_refuses_counts_that_are_none():
    draw = tf.function(lambda: kernel_of(3).sample(900, tf.zeros([400], tf.float64), 7, burn_in=300), jit_compile=True)
    draws = draw()
    assert abs(float(tf.reduce_mean(draws)) - 4.75 / 6.5) < 0.02
    assert abs(float(tf.math.reduce_variance(draws)) - 1 / 6.5) < 0.02
    with pytest.raises(ValueError, match="Langevin.sample needs an integer steps .*Received: steps=0"):
        kernel_of().sample(0, tf.zeros([2], tf.float64), 1)


def test_the_schedule_is_read_at_the_count_of_steps():
    schedule = keras.optimizers.schedules.PolynomialDecay(0.5, 10, 0.1)
    kernel = kernel_of(step_size=schedule)
    state = tf.zeros([3], tf.float64)
    results, sizes = kernel.bootstrap_results(state), []
    for step in range(4):
        state, results = kernel.one_step(state, results, seed=[0, step])
        sizes.append(float(results.step_size))
    np.testing.assert_allclose(sizes, [0.5, 0.46, 0.42, 0.38], rtol=1e-6)
    assert int(results.step) == 4


def test_a_step_that_would_not_be_finite_is_not_taken():
    kernel = StochasticGradientLangevin(lambda w: tf.sqrt(w), lambda batch, w: 0.0 * w, X, 2, 1.0)
    state = tf.constant(np.array([0.0, 4.0]))  # the slope of a square root at 0 is infinite
    moved, results = kernel.one_step(state, kernel.bootstrap_results(state), seed=[1, 1])
    assert results.is_accepted.numpy().tolist() == [False, True]
    assert float(moved[0]) == 0.0 and np.isfinite(float(moved[1]))


def test_data_of_several_tables_are_cut_alike():
    y = tf.constant(np.arange(6.0))
    kernel = StochasticGradientLangevin(
        lambda w: -(w**2), lambda batch, w: -tf.reduce_sum((batch["y"] - w * batch["x"]) ** 2), {"x": X, "y": y}, 6, 0.1
    )
    w = tf.constant(0.5, tf.float64)
    value, _ = kernel.value_and_gradient(w, [w], tf.range(6))
    np.testing.assert_allclose(value, -0.25 - np.sum((np.arange(6.0) - 0.5 * X.numpy()) ** 2))


@pytest.mark.parametrize("data", [np.zeros((0, 2)), np.array([1.0, np.nan]), np.float64(1.0)])
def test_empty_or_broken_data_are_refused(data):
    with pytest.raises(InvalidDataError, match="Received"):
        StochasticGradientLangevin(prior, likelihood, data, 1, 0.1)


def test_tables_of_different_length_are_refused():
    with pytest.raises(InvalidDataError, match="one number of rows"):
        StochasticGradientLangevin(prior, likelihood, (np.zeros(3), np.zeros(4)), 1, 0.1)


def test_bad_arguments_are_refused_with_what_came():
    with pytest.raises(ValueError, match="batch_size=0"):
        kernel_of(batch_size=0)
    with pytest.raises(ValueError, match="step_size=-0.1"):
        kernel_of(step_size=-0.1)
    with pytest.raises(ValueError, match="form='half'"):
        kernel_of(form="half")
    with pytest.raises(ValueError, match="log_prior_fn=None"):
        StochasticGradientLangevin(None, likelihood, X, 1, 0.1)
