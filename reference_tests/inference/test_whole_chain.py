"""`sample` of the Langevin kernels: the chain of `one_step`, with all of its noise drawn first."""

import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

from keras_course.core.errors import InvalidDataError
from keras_course.inference.mcmc.draws import draw_normal_ahead, draw_uniform_ahead
from keras_course.inference.mcmc.langevin import MetropolisLangevin, UnadjustedLangevin
from reference_tests.inference.langevin_targets import WithoutHastings, double_well, quartic

SEED = [3, 14]
MODES = [{}, {"jit_compile": True}]


def everything(_, results):
    return results


@pytest.fixture(scope="module")
def walk():
    """(start, states, results) of 12 steps of 5 chains, some of them refused, in float64."""
    start = tf.constant(np.random.default_rng(0).normal(size=(5, 3)))
    kernel = MetropolisLangevin(double_well, 0.6)
    states, results = kernel.sample(12, start, tf.constant(SEED), trace_fn=everything)
    return start, states, results


@pytest.mark.parametrize("how", MODES)
def test_a_whole_chain_is_the_same_eagerly_in_a_graph_and_under_xla(walk, how):
    start, states, results = walk
    kernel = MetropolisLangevin(double_well, 0.6)
    chain = tf.function(lambda w, seed: kernel.sample(12, w, seed, trace_fn=everything), **how)
    came, traced = chain(start, tf.Variable(SEED))
    np.testing.assert_allclose(came, states, atol=1e-9)
    np.testing.assert_array_equal(traced.is_accepted, results.is_accepted)


def test_each_step_goes_on_from_the_state_before_it(walk):
    start, states, results = walk
    kernel = MetropolisLangevin(double_well, 0.6)
    before = tf.concat([start[None], states[:-1]], 0)
    np.testing.assert_allclose(
        results.log_accept_ratio, kernel.log_accept_ratio(before, results.proposed_state), atol=1e-10
    )
    accepted = results.is_accepted.numpy()
    assert accepted.any() and not accepted.all()
    np.testing.assert_array_equal(states, np.where(accepted[..., None], results.proposed_state, before))
    np.testing.assert_allclose(results.target_log_prob, double_well(states), atol=1e-12)


def test_a_longer_chain_begins_like_a_shorter_one_and_a_burn_in_is_its_beginning(walk):
    start, states, _ = walk
    kernel = MetropolisLangevin(double_well, 0.6)
    chain = tf.function(kernel.sample, autograph=False)
    np.testing.assert_allclose(chain(7, start, tf.constant(SEED)), states[:7], atol=1e-12)
    np.testing.assert_allclose(chain(7, start, tf.constant(SEED), burn_in=5), states[5:], atol=1e-12)
    assert np.any(chain(7, start, tf.constant([3, 15])) != states[:7])


@pytest.mark.parametrize("kernel_class, exact", [(MetropolisLangevin, True), (WithoutHastings, False)])
def test_exact_draws_stay_exact_unless_the_hastings_term_is_missing(kernel_class, exact):
    law = stats.gennorm(4, scale=2**0.5)  # exp(-w^4 / 4)
    start = tf.constant(law.rvs(20_000, random_state=1))
    kernel = kernel_class(quartic, 1.0)
    states = tf.function(lambda w: kernel.sample(10, w, tf.constant(SEED)), jit_compile=True)(start)
    p_values = [stats.kstest(row, law.cdf).pvalue for row in states.numpy()[[0, 1, 9]]]
    assert min(p_values) > 1e-3 if exact else max(p_values) < 1e-6


def test_states_may_be_dictionaries_and_keep_their_structure_and_dtypes():
    kernel = UnadjustedLangevin(lambda state: -(state["a"] ** 2) - tf.reduce_sum(state["b"] ** 2, -1), 0.1)
    start = {"a": tf.zeros([4], tf.float16), "b": tf.zeros([4, 3], tf.float16)}
    states = kernel.sample(3, start, 5)
    assert {name: (part.shape.as_list(), part.dtype) for name, part in states.items()} == {
        "a": ([3, 4], tf.float16), "b": ([3, 4, 3], tf.float16),
    }  # fmt: skip
    assert np.all(states["a"].numpy()[0] != states["b"].numpy()[0, :, 0])  # noise of its own for each part


@pytest.mark.parametrize("how", MODES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_noise_drawn_ahead_is_normal_its_rows_independent(how, dtype):
    like = tf.zeros([100], dtype)
    noise = tf.function(lambda seed: draw_normal_ahead(seed, like, 400), **how)(tf.Variable(SEED)).numpy()
    assert noise.shape == (400, 100) and noise.dtype == dtype
    assert stats.kstest(noise.astype("float64").ravel(), "norm").pvalue > 1e-3
    limit = 4.5 / np.sqrt(noise.size)
    for lag in (noise[1:] * noise[:-1], noise[:, 1:] * noise[:, :-1]):
        assert abs(lag.mean()) < limit
    np.testing.assert_allclose(noise, draw_normal_ahead(SEED, like, 400), atol=1e-4 if dtype == "float32" else 1e-11)
    uniform = draw_uniform_ahead(SEED, like, 400).numpy()
    assert 0 < uniform.min() and uniform.max() < 1


@pytest.mark.parametrize("arguments", [{"steps": 0}, {"steps": 2.0}, {"burn_in": -1}, {"burn_in": True}])
def test_a_count_that_is_none_is_refused_in_one_line(arguments):
    name, value = next(iter(arguments.items()))
    with pytest.raises(ValueError, match=rf"MetropolisLangevin.sample needs an integer {name} .*Received: {name}="):
        MetropolisLangevin(quartic, 0.1).sample(**{"steps": 3, "start": tf.zeros([2]), "seed": 1, **arguments})


def test_a_start_without_a_density_is_refused_before_the_first_step():
    with pytest.raises(InvalidDataError, match="finite. Received: log p"):
        MetropolisLangevin(lambda w: tf.math.log(w), 0.1).sample(3, tf.constant([1.0, -1.0]), 1)
