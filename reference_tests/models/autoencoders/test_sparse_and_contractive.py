"""Penalties on codes: against divergences by SciPy, Jacobians by autodiff, and batches split over replicas."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy.special import rel_entr

from keras_course.models import ContractiveAutoencoder, SparseAutoencoder
from keras_course.ops.code_penalties import absolute_codes, activity_divergence, squared_jacobian_norm

X = np.random.default_rng(0).normal(size=(6, 4))


def test_the_divergence_of_activities_is_that_of_coins_and_zero_at_the_target():
    means = np.array([0.1, 0.3, 0.9])
    wanted = sum(rel_entr(0.2, m) + rel_entr(0.8, 1 - m) for m in means)
    assert float(activity_divergence(means, 0.2)) == pytest.approx(wanted)
    assert float(activity_divergence(np.array([0.2]), 0.2)) == pytest.approx(0.0, abs=1e-12)
    np.testing.assert_allclose(absolute_codes(X), np.abs(X).sum(axis=1))


def test_the_gradient_of_the_divergence_flows_through_every_row_s_share_of_the_mean():
    model = SparseAutoencoder(4, code=5, penalty="kl", strength=0.7, target=0.1, dtype="float64")
    kernel = model.coder.kernels[0]
    with tf.GradientTape(persistent=True) as tape:
        rows = tf.reduce_mean(model.penalties(X, model.encode(X), True))
        direct = 0.7 * activity_divergence(tf.reduce_mean(model.encode(X), axis=0), 0.1)
    assert float(rows) == pytest.approx(float(direct))
    np.testing.assert_allclose(tape.gradient(rows, kernel.value), tape.gradient(direct, kernel.value), rtol=1e-10)


@pytest.mark.parametrize("penalty", ["l1", "kl"])
def test_a_stronger_penalty_leaves_fewer_units_at_work(penalty):
    x = np.random.default_rng(1).normal(size=(200, 6)).astype("float32")
    found = []
    for strength in (0.0, {"l1": 1.0, "kl": 5.0}[penalty]):
        model = SparseAutoencoder(6, code=12, penalty=penalty, strength=strength, seed=1)
        model.compile(keras.optimizers.Adam(0.02))
        model.fit(np.tile(x, (4, 1)), epochs=15, batch_size=50, verbose=0)
        found.append(float(np.mean(np.abs(model.encode(x)))))
    assert found[1] < 0.5 * found[0]


@pytest.mark.parametrize("activation", ["sigmoid", "tanh", "relu", "linear", "softplus"])
@pytest.mark.parametrize("units", [(), (5,), (6, 5)])
def test_the_contraction_is_the_frobenius_norm_of_the_jacobian(activation, units):
    model = ContractiveAutoencoder(
        4, code=3, units=units, activation="tanh", code_activation=activation, dtype="float64"
    )
    for weight in model.trainable_weights:
        weight.assign(np.random.default_rng(2).normal(size=weight.shape))
    x = tf.constant(X)
    with tf.GradientTape() as tape:
        tape.watch(x)
        code = model.encode(x)
    jacobian = tape.batch_jacobian(code, x)
    np.testing.assert_allclose(model.contraction(X), np.sum(np.square(jacobian), axis=(1, 2)), rtol=1e-10)


def test_a_given_encoder_is_differentiated_unit_by_unit():
    encoder = keras.Sequential([keras.layers.Dense(5, "tanh", dtype="float64"), keras.layers.Dense(3, dtype="float64")])
    decoder = keras.layers.Dense(4, dtype="float64")
    model = ContractiveAutoencoder(4, code=3, encoder=encoder, decoder=decoder, dtype="float64", strength=0.5)
    step = 1e-6
    slopes = [
        (np.asarray(model.encode(X + step * e)) - np.asarray(model.encode(X - step * e))) / (2 * step)
        for e in np.eye(4)
    ]
    np.testing.assert_allclose(model.contraction(X), np.sum(np.square(slopes), axis=(0, 2)), rtol=1e-7)
    model.compile(keras.optimizers.SGD(0.01))
    losses = model.fit(X, epochs=20, verbose=0).history["loss"]
    assert losses[-1] < losses[0]


@pytest.mark.parametrize("units", [(), (5,)])
def test_the_penalty_s_gradient_is_that_of_finite_differences(units):
    model = ContractiveAutoencoder(4, code=3, units=units, activation="tanh", dtype="float64", strength=1.0)
    kernel = model.coder.kernels[0]
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(model.penalties(X, model.encode(X), True))
    slope = np.asarray(tape.gradient(total, kernel.value))
    start, step = np.array(kernel), 1e-6
    for place in ((0, 0), (2, 1), (3, 2)):
        sides = []
        for sign in (1, -1):
            moved = start.copy()
            moved[place] += sign * step
            kernel.assign(moved)
            sides.append(float(tf.reduce_sum(model.contraction(X))))
        kernel.assign(start)
        assert slope[place] == pytest.approx((sides[0] - sides[1]) / (2 * step), rel=1e-6)


def test_settings_out_of_range_are_refused():
    for arguments, message in (
        ({"penalty": "l0"}, "penalty='l0'"), ({"strength": -1}, "strength=-1"), ({"target": 1.0}, "target=1.0"),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=message):
            SparseAutoencoder(4, code=3, **arguments)
    with pytest.raises(ValueError, match="strength=-0.5"):
        ContractiveAutoencoder(4, code=3, strength=-0.5)
    with pytest.raises(ValueError, match="target=0"):
        activity_divergence(np.array([0.5]), 0)
    with pytest.raises(ValueError, match="1 kernels, 0 slopes"):
        squared_jacobian_norm([X], [])
