"""Penalties, their gradients and their steps, by brute force and by differences."""

import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from keras_course.ops.penalties import l1_penalty, l2_penalty, proximal_l1_step, tying_penalty, weight_decay_step
from keras_course.testing.differences import require_true_gradients

RNG = np.random.default_rng(0)
W, G = RNG.normal(size=(3, 2)), RNG.normal(size=(3, 2))


def array(tensor):
    return np.asarray(ops.convert_to_numpy(tensor))


def test_gradients_are_w_its_sign_and_twice_the_distance():
    first, second = tf.constant(W), tf.constant(G)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch([first, second])
        values = l2_penalty(first), l1_penalty(first), tying_penalty(first, second)
    np.testing.assert_allclose(tape.gradient(values[0], first), W)
    np.testing.assert_allclose(tape.gradient(values[1], first), np.sign(W))
    np.testing.assert_allclose(tape.gradient(values[2], first), 2 * (W - G))
    np.testing.assert_allclose(tape.gradient(values[2], second), 2 * (G - W))
    for penalty in (l2_penalty, l1_penalty):
        require_true_gradients(lambda points, p=penalty: p(points[0]), [first], ["w"], penalty.__name__)
    require_true_gradients(lambda points: tying_penalty(*points), [first, second], ["a", "b"], "tying_penalty")


def test_tying_sums_over_all_pairs_and_refuses_models_that_differ():
    pairs = [W, W[:, 0]], [G, G[:, 0]]
    wanted = np.sum((W - G) ** 2) + np.sum((W[:, 0] - G[:, 0]) ** 2)
    np.testing.assert_allclose(float(tying_penalty(*pairs)), wanted)
    for second in ([G], [G, G[0]]):
        with pytest.raises(ValueError, match="equal shapes. Received"):
            tying_penalty(pairs[0], second)


def test_both_forms_of_c_are_one_step_and_the_form_of_s_is_it_at_rate_times_decay():
    penalty, decoupled = (array(weight_decay_step(W, G, 0.1, 0.3, form)) for form in ("penalty", "decoupled"))
    np.testing.assert_allclose(penalty, decoupled, rtol=1e-14)
    np.testing.assert_allclose(array(weight_decay_step(W, G, 0.1, 0.03, "fixed")), decoupled, rtol=1e-14)
    assert np.abs(array(weight_decay_step(W, G, 0.1, 0.3, "fixed")) - decoupled).max() > 0.1


def test_weights_shrink_at_zero_gradient_and_only_while_the_factor_is_below_one():
    shrunk = array(weight_decay_step(W, 0 * W, 0.5, 0.5))
    np.testing.assert_allclose(shrunk, 0.75 * W)
    assert np.all(np.abs(array(weight_decay_step(W, 0 * W, 1.0, 3.0))) > np.abs(W))  # 1 - eps alpha = -2


@pytest.mark.parametrize("alpha", [0.0, 0.1, 1.0, 5.0])
def test_the_proximal_step_is_the_minimiser_found_by_brute_force(alpha):
    rate, grid = 0.3, np.linspace(-4, 4, 160_001)
    step = array(proximal_l1_step(W, G, rate, alpha)).ravel()
    for w, g, came in zip(W.ravel(), G.ravel(), step, strict=True):
        cost = g * grid + (grid - w) ** 2 / (2 * rate) + alpha * np.abs(grid)
        assert abs(grid[cost.argmin()] - came) < 1e-4


def test_exact_zeros_are_where_the_pull_is_stronger_and_a_step_down_the_slope_has_none():
    w, g = np.array([0.05, -0.02, 1.0, -1.0]), np.zeros(4)
    assert array(proximal_l1_step(w, g, 0.1, 1.0)).tolist()[:2] == [0.0, 0.0]
    subgradient = w - 0.1 * np.sign(w)
    assert np.all(subgradient != 0) and np.all(np.sign(subgradient[:2]) != np.sign(w[:2]))  # across zero


def test_proximal_descent_ends_at_zeros_where_the_cost_says_so():
    """J = sum c (v - t)^2 / 2 + alpha |v|: v = 0 exactly where c |t| <= alpha."""
    c, t, alpha, rate = np.array([1.0, 2.0, 0.5, 4.0]), np.array([2.0, 0.1, -0.9, -1.0]), 0.5, 0.2
    v = np.ones(4)
    for _ in range(300):
        v = array(proximal_l1_step(v, c * (v - t), rate, alpha))
    np.testing.assert_allclose(v, np.sign(t) * np.maximum(np.abs(t) - alpha / c, 0), atol=1e-12)
    assert (v == 0).tolist() == (c * np.abs(t) <= alpha).tolist() == [False, True, True, False]


def test_an_unknown_form_is_refused_with_what_came():
    with pytest.raises(ValueError, match="form='adam'"):
        weight_decay_step(W, G, 0.1, 0.1, "adam")
