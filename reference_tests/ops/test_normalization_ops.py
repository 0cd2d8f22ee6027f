"""Moments and standardization: exact, safe at the edges, and their gradients."""

import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from keras_course.ops.normalization import batch_moments, merge_moments, standardize

X = np.random.default_rng(0).normal(size=(11, 3)) * [1, 10, 0.1] + [0, 1e4, -5]


def numbers(parts):
    return [np.asarray(ops.convert_to_numpy(part)) for part in parts]


def test_moments_are_the_mean_and_the_biased_variance():
    count, mean, variance = numbers(batch_moments(X))
    np.testing.assert_allclose(count, 11)
    np.testing.assert_allclose(mean, X.mean(0), rtol=1e-14)
    np.testing.assert_allclose(variance, X.var(0), rtol=1e-12)


def test_a_large_mean_does_not_eat_the_variance():
    x = (np.array([[0.0], [1.0]]) + 4096).astype("float32")
    assert float(batch_moments(x)[2][0]) == 0.25
    assert float(np.mean(x**2, dtype="float32") - np.mean(x, dtype="float32") ** 2) != 0.25  # E x^2 - (E x)^2


def test_any_axis_holds_the_units():
    x = np.random.default_rng(1).normal(size=(2, 3, 4))
    for axis, others in ((-1, (0, 1)), (1, (0, 2)), (-2, (0, 2))):
        _, mean, variance = numbers(batch_moments(x, axis))
        np.testing.assert_allclose(mean, x.mean(others), atol=1e-15)
        np.testing.assert_allclose(variance, x.var(others), atol=1e-15)


def test_masked_entries_are_not_read_even_if_they_are_nan():
    x = X[:, None, :].repeat(2, 1).copy()
    mask = np.ones((11, 2), bool)
    mask[3:, 1] = False
    x[3:, 1] = np.nan
    seen = np.concatenate([X, X[:3]])
    count, mean, variance = numbers(batch_moments(x, weights=mask))
    np.testing.assert_allclose(count, 14)
    np.testing.assert_allclose(mean, seen.mean(0), rtol=1e-14)
    np.testing.assert_allclose(variance, seen.var(0), rtol=1e-12)


@pytest.mark.parametrize("x, mask", [(np.zeros((0, 3)), None), (np.full((2, 3), np.nan), np.zeros(2))])
def test_nothing_seen_is_zero_and_not_nan(x, mask):
    assert [part.tolist() for part in numbers(batch_moments(x, weights=mask))] == [[0, 0, 0]] * 3


def test_merging_is_exact_whatever_the_cut_and_in_either_order():
    whole = batch_moments(X)
    for cut in (0, 1, 5, 11):
        parts = batch_moments(X[:cut]), batch_moments(X[cut:])
        for pair in (parts, parts[::-1]):
            for came, wanted in zip(numbers(merge_moments(*pair)), numbers(whole), strict=True):
                np.testing.assert_allclose(came, wanted, rtol=1e-11)


def test_the_mean_of_variances_is_not_the_variance():
    first, second = batch_moments(X[:2]), batch_moments(X[2:])
    naive = (np.asarray(first[2]) + np.asarray(second[2])) / 2
    assert np.all(np.abs(naive - X.var(0)) > 0.01 * X.var(0))


def test_standardized_units_have_mean_beta_and_deviation_gamma():
    _, mean, variance = batch_moments(X)
    y = np.asarray(standardize(X, mean, variance, gamma=[2.0, 3.0, 0.5], beta=[1.0, 0.0, -1.0]))
    np.testing.assert_allclose(y.mean(0), [1, 0, -1], atol=1e-10)
    np.testing.assert_allclose(y.std(0), [2, 3, 0.5], rtol=1e-10)


def test_a_constant_unit_is_zero_with_a_finite_gradient_without_epsilon():
    x = tf.constant(np.ones((4, 2)))
    with tf.GradientTape() as tape:
        tape.watch(x)
        _, mean, variance = batch_moments(x)
        y = standardize(x, mean, variance)
        total = tf.reduce_sum(y * [[1.0, 2.0]])
    assert np.all(y.numpy() == 0) and np.all(np.isfinite(tape.gradient(total, x)))


def test_the_gradient_goes_through_mean_and_variance():
    """The gradient of any function of y is orthogonal to 1 and to y: shifting or scaling the batch changes nothing."""
    x, slope = tf.constant(X), tf.constant(np.random.default_rng(2).normal(size=X.shape))
    with tf.GradientTape() as tape:
        tape.watch(x)
        _, mean, variance = batch_moments(x)
        y = standardize(x, mean, variance)
        total = tf.reduce_sum(slope * y)
    gradient = tape.gradient(total, x).numpy()
    np.testing.assert_allclose(gradient.sum(0), 0, atol=1e-10)
    np.testing.assert_allclose((gradient * y.numpy()).sum(0), 0, atol=1e-10)
    assert np.abs(gradient).max() > 0.1


def test_bad_arguments_are_refused_with_what_came():
    with pytest.raises(ValueError, match=r"Received: epsilon=-1"):
        standardize(X, X[0], X[0] ** 2, epsilon=-1)
    with pytest.raises(ValueError, match=r"Received: x.shape=\(3,\)"):
        batch_moments(np.zeros(3))
    with pytest.raises(ValueError, match="weights of the leading axes"):
        batch_moments(np.zeros((2, 3)), weights=np.zeros((2, 3, 1)))
