"""NT-Xent and InfoNCE: equal to double loops, blind to what cosines are blind to, whole in shares, safe at edges."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_course.losses import NTXentLoss
from keras_course.ops.contrastive import cosine_similarities, info_nce, nt_xent, unit_vectors

RNG = np.random.default_rng(0)
FIRST, SECOND = RNG.normal(size=(2, 5, 3))


def by_loops(first, second, temperature):
    """The paper's formula, view by view."""
    views = np.concatenate([first, second])
    many = len(first)

    def cosine(i, j):
        return views[i] @ views[j] / np.linalg.norm(views[i]) / np.linalg.norm(views[j])

    def loss(i, j):
        below = 0.0
        for k in range(2 * many):
            if k != i:
                below += np.exp(cosine(i, k) / temperature)
        return -np.log(np.exp(cosine(i, j) / temperature) / below)

    return np.array([(loss(n, many + n) + loss(many + n, n)) / 2 for n in range(many)])


@pytest.mark.parametrize("temperature", [0.1, 0.5, 3.0])
def test_nt_xent_is_the_double_loop_over_all_views(temperature):
    assert np.allclose(nt_xent(FIRST, SECOND, temperature), by_loops(FIRST, SECOND, temperature), rtol=1e-12)


def test_a_view_held_against_itself_would_be_seen():
    """With the missing mask the sum has 2N terms: equal embeddings would cost log 2N."""
    alike = np.ones((4, 3))
    assert np.allclose(nt_xent(alike, 2 * alike, 0.3), np.log(7), rtol=1e-12)
    assert not np.allclose(nt_xent(alike, alike, 0.3), np.log(8), rtol=1e-3)


def test_a_single_pair_has_no_wrong_answer_and_costs_nothing():
    assert np.allclose(nt_xent(FIRST[:1], SECOND[:1], 0.2), 0.0, atol=1e-12)


def test_views_may_change_places_and_pairs_their_order():
    losses = np.asarray(nt_xent(FIRST, SECOND, 0.4))
    order = np.array([3, 0, 4, 1, 2])
    assert np.allclose(nt_xent(SECOND, FIRST, 0.4), losses, rtol=1e-12)
    assert np.allclose(nt_xent(FIRST[order], SECOND[order], 0.4), losses[order], rtol=1e-12)


def test_lengths_and_a_rotation_of_all_embeddings_do_not_matter():
    losses = nt_xent(FIRST, SECOND, 0.4)
    turn, _ = np.linalg.qr(RNG.normal(size=(3, 3)))
    lengths = RNG.uniform(1e-3, 1e3, size=(2, 5, 1))
    assert np.allclose(nt_xent(lengths[0] * FIRST @ turn, lengths[1] * SECOND @ turn, 0.4), losses, rtol=1e-11)


def test_the_gradient_is_that_of_central_differences():
    def mean(first, second):
        return tf.reduce_mean(nt_xent(first, second, 0.3))

    analytic, numeric = tf.test.compute_gradient(mean, [tf.constant(FIRST), tf.constant(SECOND)], delta=1e-5)
    for one, other in zip(analytic, numeric, strict=True):
        assert np.max(np.abs(one - other)) < 1e-9 and np.max(np.abs(one)) > 1e-2


@pytest.mark.parametrize("bounds", [(0, 2, 5), (0, 1, 4, 5), (0, 5, 5)])
def test_shares_of_a_batch_have_the_losses_and_together_the_gradient_of_the_whole(bounds):
    first, second = tf.Variable(FIRST), tf.Variable(SECOND)
    with tf.GradientTape(persistent=True) as tape:
        whole = nt_xent(first, second, 0.3)
        shares = [
            nt_xent(first[start:stop], second[start:stop], 0.3, (first, second), tf.constant(start))
            for start, stop in zip(bounds[:-1], bounds[1:], strict=True)
        ]
        sums = [tf.reduce_sum(share) for share in shares]
        total = tf.reduce_sum(whole)
    assert np.allclose(np.concatenate(shares), whole, rtol=1e-12)
    for variable in (first, second):
        together = sum(tape.gradient(each, variable) for each in sums)
        assert np.all(np.isfinite(together))
        assert np.allclose(together, tape.gradient(total, variable), atol=1e-12)


def test_close_pairs_that_keep_apart_cost_less_than_either_alone():
    """Alignment and uniformity: on the circle, four pairs."""
    angles = 2 * np.pi * np.arange(4) / 4
    spread = np.stack([np.cos(angles), np.sin(angles)], 1)
    collapsed = np.tile([[1.0, 0.0]], (4, 1))
    costs = {
        "aligned, spread": np.mean(nt_xent(spread, spread, 0.5)),
        "aligned, collapsed": np.mean(nt_xent(collapsed, collapsed, 0.5)),
        "spread, not aligned": np.mean(nt_xent(spread, np.roll(spread, 1, 0), 0.5)),
    }
    assert min(costs, key=costs.get) == "aligned, spread"
    assert costs["aligned, collapsed"] == pytest.approx(np.log(7))
    assert costs["spread, not aligned"] > np.log(7)  # sure, and wrong


def test_descent_on_free_embeddings_aligns_pairs_and_spreads_them():
    """Wang and Isola 2020: what the loss asks for, on embeddings that no network binds."""
    first, second = tf.Variable(FIRST), tf.Variable(SECOND)

    def uniformity():
        u = np.asarray(unit_vectors(first))
        squares = ((u[:, None] - u[None]) ** 2).sum(-1)[np.triu_indices(5, 1)]
        return np.log(np.mean(np.exp(-2 * squares)))

    def alignment():
        return np.mean(np.sum(np.asarray(unit_vectors(first) - unit_vectors(second)) ** 2, -1))

    before = alignment(), uniformity()
    for _ in range(100):
        with tf.GradientTape() as tape:
            cost = tf.reduce_mean(nt_xent(first, second, 0.5))
        for variable, slope in zip((first, second), tape.gradient(cost, [first, second]), strict=True):
            variable.assign_sub(slope)
    assert alignment() < 0.02 * before[0] and uniformity() < before[1] - 0.1


def test_small_temperatures_and_vectors_of_zero_stay_finite():
    first, second = tf.Variable(FIRST.astype("float32")), tf.Variable(-FIRST.astype("float32"))
    zero = tf.Variable(np.zeros((5, 3), "float32"))
    with tf.GradientTape(persistent=True) as tape:
        far = tf.reduce_mean(nt_xent(first, second, 1e-3))
        nothing = tf.reduce_mean(nt_xent(zero, second, 0.5))
    assert 1000 < float(far) < 3000
    for value, variable in ((far, first), (nothing, zero)):
        assert np.all(np.isfinite(tape.gradient(value, variable)))


def test_unit_vectors_neither_overflow_nor_vanish():
    z = np.array([[3e30, -4e30], [3e-30, 4e-30], [0.0, 0.0]], "float32")
    assert np.allclose(unit_vectors(z), [[0.6, -0.8], [0.6, 0.8], [0.0, 0.0]], atol=1e-6)


def test_cosine_similarities_are_those_of_keras():
    wanted = -np.asarray(keras.losses.CosineSimilarity(reduction=None)(FIRST[:, None], SECOND[None]))
    assert np.allclose(cosine_similarities(FIRST, SECOND), wanted, atol=1e-6)


def test_info_nce_is_stock_cross_entropy_with_the_diagonal_as_labels():
    scores = RNG.normal(size=(6, 6)) * 3
    stock = keras.losses.SparseCategoricalCrossentropy(from_logits=True, reduction=None, dtype="float64")
    assert np.allclose(info_nce(scores), stock(np.arange(6), scores), rtol=1e-12)


def test_info_nce_bounds_the_mutual_information_and_gets_near_it():
    """A joint table of two letters, the best critic log p(y|x)/p(y); 400 batches of 32."""
    joint = np.array([[0.3, 0.05, 0.05], [0.02, 0.2, 0.08], [0.05, 0.05, 0.2]])
    ratio = np.log(joint / np.outer(joint.sum(1), joint.sum(0)))
    information = float(np.sum(joint * ratio))
    bounds = []
    for _ in range(400):
        letters = RNG.choice(9, size=32, p=joint.ravel())
        x, y = letters // 3, letters % 3
        bounds.append(np.log(32) - np.mean(info_nce(ratio[x][:, y])))
    mean, error = np.mean(bounds), np.std(bounds) / 20
    assert mean < information + 4 * error
    assert mean > information - 0.03 - 4 * error


def test_the_loss_class_is_the_mean_of_the_op():
    assert float(NTXentLoss(0.3, dtype="float64")(FIRST, SECOND)) == pytest.approx(np.mean(nt_xent(FIRST, SECOND, 0.3)))


@pytest.mark.parametrize("temperature", [0.0, -1.0, float("inf"), True, "cold"])
def test_a_temperature_that_is_none_is_refused_with_what_came(temperature):
    with pytest.raises(ValueError, match="temperature above 0. Received: temperature="):
        nt_xent(FIRST, SECOND, temperature)
    with pytest.raises(ValueError, match="NTXentLoss needs a finite temperature"):
        NTXentLoss(temperature)


def test_shapes_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match=r"two views of each example.*\(5, 3\)"):
        nt_xent(FIRST, SECOND[:4], 0.5)
    with pytest.raises(ValueError, match="one key for each query"):
        info_nce(np.zeros((2, 3)))
    with pytest.raises(ValueError, match="rank 2"):
        cosine_similarities(FIRST[0], SECOND)
