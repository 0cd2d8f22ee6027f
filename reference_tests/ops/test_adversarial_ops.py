"""The fast gradient sign: the best of all corners of the box, for linear models exactly; and its edges."""

from itertools import product

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from keras_course.ops.adversarial import fast_gradient_sign


def logistic(t, z):
    return ops.softplus(-t * z)


def linear(w):
    return lambda x: ops.sum(x * w, axis=-1)


@pytest.fixture(scope="module")
def generator():
    return np.random.Generator(np.random.Philox(11))


def test_no_corner_of_the_box_hurts_a_linear_model_more(generator):
    w, x, t = generator.normal(size=4), generator.normal(size=4), 1.0
    attacked = fast_gradient_sign(linear(w), logistic, x[None], t, 0.3)
    corners = x + 0.3 * np.array(list(product((-1, 0, 1), repeat=4)))
    losses = np.log1p(np.exp(-t * corners @ w))
    assert np.isclose(float(logistic(t, linear(w)(attacked))[0]), losses.max())
    turned_round = np.log1p(np.exp(-t * (2 * x - attacked.numpy()[0]) @ w))  # a wrong sign helps instead
    assert turned_round < np.log1p(np.exp(-t * x @ w)) < losses.max()


def test_the_score_moves_by_epsilon_times_the_one_norm_and_no_input_by_more_than_epsilon(generator):
    w, x, t = generator.normal(size=50), generator.normal(size=(3, 50)), np.array([1.0, -1.0, 1.0])
    attacked = ops.convert_to_numpy(fast_gradient_sign(linear(w), logistic, x, t, 0.05))
    assert np.allclose((attacked - x) @ w, -t * 0.05 * np.abs(w).sum())
    assert np.abs(attacked - x).max() <= 0.05 * (1 + 1e-12)


def test_bounds_hold_and_an_input_without_influence_stays():
    w = np.array([2.0, -1.0, 0.0])
    attacked = fast_gradient_sign(linear(w), logistic, np.array([[0.05, 0.95, 0.3]]), 1.0, 0.2, bounds=(0.0, 1.0))
    assert np.allclose(attacked, [[0.0, 1.0, 0.3]])


def test_epsilon_zero_leaves_the_examples_as_they_are(generator):
    x = generator.normal(size=(2, 3)).astype("float32")
    assert np.array_equal(fast_gradient_sign(linear(np.ones(3, "float32")), logistic, x, 1.0, 0.0), x)


def test_mean_and_sum_of_the_loss_give_the_same_attack_on_every_example(generator):
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(4, "tanh"), keras.layers.Dense(3)])
    x, y = ops.convert_to_tensor(generator.normal(size=(5, 3)), "float32"), np.array([0, 1, 2, 0, 1])
    attacks = [
        fast_gradient_sign(model, keras.losses.SparseCategoricalCrossentropy(True, reduction=how), x, y, 0.1)
        for how in ("sum", "sum_over_batch_size", None)
    ]
    assert np.array_equal(attacks[0], attacks[1]) and np.array_equal(attacks[0], attacks[2])
    alone = fast_gradient_sign(model, keras.losses.SparseCategoricalCrossentropy(True), x[3:4], y[3:4], 0.1)
    assert np.allclose(alone, attacks[0][3:4])


def test_no_gradient_flows_through_the_attack():
    w = tf.Variable([[1.0], [-2.0]])
    x = tf.constant([[0.5, 0.25]])
    with tf.GradientTape() as tape:
        attacked = fast_gradient_sign(lambda x: tf.matmul(x, w), logistic, x, 1.0, 0.1)
        score = tf.reduce_sum(attacked * tf.stop_gradient(tf.transpose(w)))
    assert tape.gradient(score, w) is None


@pytest.mark.parametrize(
    ("epsilon", "bounds", "words"),
    [(-0.1, None, "epsilon=-0.1"), (True, None, "epsilon=True"), (0.1, (1.0, 0.0), r"bounds=\(1.0, 0.0\)")],
)
def test_an_attack_of_no_size_or_in_no_box_is_refused(epsilon, bounds, words):
    with pytest.raises(ValueError, match=f"Received: {words}"):
        fast_gradient_sign(linear(np.ones(2)), logistic, np.ones((1, 2)), 1.0, epsilon, bounds)
