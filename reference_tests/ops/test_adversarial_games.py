"""Losses of adversarial games: what stock cross-entropy says, the optimum by search, slopes by finite differences."""

import keras
import numpy as np
import pytest
from keras import ops
from scipy.optimize import minimize_scalar
from scipy.special import rel_entr

from keras_course.core.backend import gradient
from keras_course.ops.adversarial_games import (
    critic_loss,
    discriminator_loss,
    game_value,
    generator_loss,
    gradient_penalty,
    jensen_shannon,
    mixed_rows,
    optimal_discriminator,
)

RNG = np.random.default_rng(0)
P, Q = RNG.dirichlet(np.ones(6), 3), RNG.dirichlet(np.ones(6), 3)


def test_losses_are_stock_cross_entropies_of_real_and_fake():
    real, fake = RNG.normal(size=(2, 7, 1)) * 4
    stock = keras.losses.BinaryCrossentropy(from_logits=True, reduction=None)
    ones, zeros = np.ones((7, 1)), np.zeros((7, 1))
    both = stock(ones, real) + stock(zeros, fake)
    np.testing.assert_allclose(discriminator_loss(real, fake)[:, 0], both, rtol=1e-6)
    np.testing.assert_allclose(generator_loss(fake)[:, 0], stock(ones, fake), rtol=1e-6)
    np.testing.assert_allclose(generator_loss(fake, "minimax")[:, 0], -np.asarray(stock(zeros, fake)), rtol=1e-6)


def test_where_the_fake_is_found_out_minimax_has_no_slope_and_the_other_has():
    score = np.array([-30.0, 0.0, 30.0])
    slopes = {
        kind: np.asarray(gradient(lambda d, kind=kind: ops.sum(generator_loss(d, kind)), score))
        for kind in ("minimax", "non_saturating")
    }
    np.testing.assert_allclose(slopes["minimax"], [-1e-13, -0.5, -1.0], atol=1e-12)
    np.testing.assert_allclose(slopes["non_saturating"], [-1.0, -0.5, -1e-13], atol=1e-12)
    sure = np.array([1e4, -1e4], "float32")
    for value in (discriminator_loss(sure, sure), generator_loss(sure), generator_loss(sure, "minimax")):
        assert np.all(np.isfinite(value))


def test_no_discriminator_beats_the_optimal_one():
    best = np.asarray(optimal_discriminator(P, Q))
    for row, (p, q) in enumerate(zip(P, Q, strict=True)):
        for x in range(6):
            found = minimize_scalar(lambda d, a=p[x], b=q[x]: -(a * np.log(d) + b * np.log(1 - d)), bounds=(0, 1))
            assert best[row, x] == pytest.approx(found.x, abs=1e-4)
    value = np.asarray(game_value(P, Q, best))
    for _ in range(50):
        other = np.clip(best + RNG.normal(size=best.shape) * 0.1, 1e-3, 1 - 1e-3)
        assert np.all(np.asarray(game_value(P, Q, other)) <= value)


def test_at_the_optimum_the_value_is_a_divergence():
    value = np.asarray(game_value(P, Q, optimal_discriminator(P, Q)))
    middle = (P + Q) / 2
    divergence = (rel_entr(P, middle).sum(-1) + rel_entr(Q, middle).sum(-1)) / 2
    np.testing.assert_allclose(jensen_shannon(P, Q), divergence, atol=1e-14)
    np.testing.assert_allclose(value, 2 * divergence - 2 * np.log(2), atol=1e-14)
    np.testing.assert_allclose(jensen_shannon(P, P), 0.0, atol=1e-15)


def test_the_loss_of_the_best_scores_is_minus_the_value():
    score = np.log(P) - np.log(Q)  # sigma of it is p / (p + q)
    expected = np.sum(P * np.asarray(ops.softplus(-score)) + Q * np.asarray(ops.softplus(score)), axis=-1)
    np.testing.assert_allclose(expected, -np.asarray(game_value(P, Q, optimal_discriminator(P, Q))), rtol=1e-12)


def test_impossible_things_cost_nothing_unless_they_happen():
    p, q = [0.5, 0.5, 0.0], [0.0, 0.0, 1.0]
    assert float(game_value(p, q, optimal_discriminator(p, q))) == 0.0
    assert float(game_value(p, q, [1.0, 0.0, 0.0])) == -np.inf
    assert float(jensen_shannon(p, q)) == pytest.approx(np.log(2))


def critic_of(first, second):
    return lambda x: ops.matmul(ops.tanh(ops.matmul(x, first)), second)


def test_the_penalty_is_the_slope_by_finite_differences_and_so_is_its_own_gradient():
    first, second, x = RNG.normal(size=(3, 4)), RNG.normal(size=4), RNG.normal(size=(5, 3))
    step = 1e-6

    def penalty(first, x=x):
        critic, slopes = critic_of(first, second), []
        for column in range(3):
            ahead = step * np.eye(3)[column]
            slopes.append((np.asarray(critic(x + ahead)) - np.asarray(critic(x - ahead))) / (2 * step))
        return (np.sqrt(np.sum(np.square(slopes), axis=0)) - 1) ** 2

    np.testing.assert_allclose(gradient_penalty(critic_of(first, second), x), penalty(first), rtol=1e-7)
    ours = np.asarray(gradient(lambda w: ops.sum(gradient_penalty(critic_of(w, second), x)), first))
    for i, j in np.ndindex(3, 4):
        ahead = np.zeros((3, 4))
        ahead[i, j] = 1e-6
        sums = [float(ops.sum(gradient_penalty(critic_of(first + s * ahead, second), x))) for s in (1, -1)]
        assert ours[i, j] == pytest.approx((sums[0] - sums[1]) / 2e-6, rel=1e-6, abs=1e-8)


def test_a_flat_critic_is_penalised_and_has_a_finite_gradient():
    x = np.ones((2, 3))
    assert np.array_equal(gradient_penalty(lambda x: 0.0 * x[:, 0], x), [1.0, 1.0])
    slope = np.asarray(gradient(lambda w: ops.sum(gradient_penalty(lambda x: x @ w, x)), np.zeros((3, 1))))
    assert np.all(np.isfinite(slope))
    gentle = gradient_penalty(lambda x: 0.5 * x[:, 0], x, one_sided=True)
    assert np.array_equal(gentle, [0.0, 0.0])
    assert np.array_equal(gradient_penalty(lambda x: 5.0 * x[:, 0], x, norm=2.0, one_sided=True), [9.0, 9.0])
    with pytest.raises(ValueError, match=r"norm > 0. Received: norm=0.0"):
        gradient_penalty(lambda x: x, x, norm=0.0)


def test_mixtures_lie_on_the_line_and_a_critic_pays_for_the_wrong_order():
    real, fake = RNG.normal(size=(2, 4, 2, 2))
    mixed = np.asarray(mixed_rows(real, fake, [0.0, 1.0, 0.5, 0.25]))
    np.testing.assert_allclose(mixed[0], fake[0])
    np.testing.assert_allclose(mixed[1], real[1])
    np.testing.assert_allclose(mixed[3], 0.25 * real[3] + 0.75 * fake[3])
    assert float(critic_loss(1.0, 3.0)) == 2.0


def test_another_kind_of_loss_is_refused():
    with pytest.raises(ValueError, match="kind='hinge'"):
        generator_loss(0.0, "hinge")
