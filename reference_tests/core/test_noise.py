"""Noise as a pure function of seed and shape: alike in every mode, distributed as it should be."""

import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

from keras_course.core.seeds import normal_noise, seed_pair, uniform_noise
from keras_course.distributions.families import get_family

SEED = tf.constant([3, 4])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_eager_graph_and_xla_draw_the_same(dtype):
    seed = tf.Variable([7, 9])  # not a constant, which a graph would draw before XLA sees it
    for draw, rounding in ((uniform_noise, 0), (normal_noise, 16 * np.finfo(dtype).eps)):
        eager = draw((5, 3), seed, dtype)
        for how in ({}, {"jit_compile": True}):
            came = tf.function(lambda draw=draw: draw((5, 3), seed, dtype), **how)()
            np.testing.assert_allclose(came, eager, rtol=0, atol=rounding)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_noise_follows_its_distribution(dtype):
    """Kolmogorov-Smirnov on 40,001 numbers; the seed is fixed, so these p-values do not change."""
    assert stats.kstest(normal_noise((40001,), SEED, dtype).numpy().astype("float64"), "norm").pvalue > 1e-3
    assert stats.kstest(uniform_noise((40001,), SEED, dtype).numpy().astype("float64"), "uniform").pvalue > 1e-3


def test_the_two_halves_of_a_pair_are_uncorrelated():
    z = normal_noise((20000, 2), SEED, "float64").numpy().reshape(2, -1)
    assert abs(np.corrcoef(z)[0, 1]) < 4.5 / np.sqrt(z.shape[1])
    assert abs(np.corrcoef(z**2)[0, 1]) < 4.5 / np.sqrt(z.shape[1])


def test_uniform_numbers_never_touch_their_ends():
    for dtype in ("float32", "float64"):
        drawn = uniform_noise((200000,), SEED, dtype).numpy()
        assert drawn.min() > 0 and drawn.max() < 1


def test_another_seed_draws_other_numbers_and_no_rows_draw_none():
    assert np.all(normal_noise((3,), [0, 1]).numpy() != normal_noise((3,), [0, 2]).numpy())
    assert normal_noise((0, 4), SEED).shape == (0, 4)
    assert normal_noise((tf.constant(2), 3), SEED).shape == (2, 3)


@pytest.mark.parametrize("family", ["normal", "bernoulli", "categorical"])
def test_a_family_samples_the_same_in_every_mode_though_its_seed_is_a_variable(family):
    family, seed = get_family(family, 3), tf.Variable([7, 9])
    parameters = tf.reshape(tf.linspace(-1.0, 1.0, 4 * family.parameter_size), (4, -1))
    eager = family.sample(parameters, seed, n=50)
    for how in ({}, {"jit_compile": True}):
        came = tf.function(lambda: family.sample(parameters, seed, n=50), **how)()
        np.testing.assert_allclose(came, eager, rtol=1e-5, atol=1e-6)


def test_a_seed_is_an_int_of_any_size_or_a_pair():
    for seed, pair in ((7, [0, 7]), (np.int64(7), [0, 7]), (2**40 + 1, [2**9, 1]), ([3, 4], [3, 4]), (SEED, [3, 4])):
        assert seed_pair(seed).numpy().tolist() == pair
    for wrong in (True, None, 0.5, "a", [1, 2, 3], np.zeros((2, 2), "int32")):
        with pytest.raises(ValueError, match="A seed is an int or a pair of them. Received: seed="):
            seed_pair(wrong)
