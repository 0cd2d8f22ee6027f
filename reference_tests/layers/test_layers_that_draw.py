"""Dropout, DropConnect, NoiseInjection and NoisyDense: equal to stock Keras where formulas coincide, and repeatable."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_course.core.serial import load, save_model
from keras_course.layers import DropConnect, Dropout, NoiseInjection, NoisyDense

X = np.random.default_rng(0).normal(size=(40, 6)).astype("float32")
DRAWING = {
    "dropout": lambda: Dropout(0.4, seed=3),
    "dropconnect": lambda: DropConnect(6, 0.4, seed=3),
    "dropconnect by example": lambda: DropConnect(6, 0.4, mask_per_example=True, seed=3),
    "noise": lambda: NoiseInjection(0.3, seed=3),
    "noisy weights": lambda: NoisyDense(6, 0.3, seed=3),
}


def array(tensor):
    return np.asarray(ops.convert_to_numpy(tensor))


def test_inverted_dropout_draws_what_kerass_layer_draws():
    for noise_shape in (None, (None, 1)):
        ours = Dropout(0.3, noise_shape=noise_shape, seed=11)
        theirs = keras.layers.Dropout(0.3, noise_shape=noise_shape, seed=11)
        for _ in range(3):
            np.testing.assert_allclose(array(ours(X, training=True)), array(theirs(X, training=True)), rtol=1e-6)
    assert np.array_equal(array(ours(X)), X)


def test_noise_injection_draws_what_kerass_gaussian_noise_draws():
    ours, theirs = NoiseInjection(0.5, seed=11), keras.layers.GaussianNoise(0.5, seed=11)
    for _ in range(2):
        np.testing.assert_allclose(array(ours(X, training=True)), array(theirs(X, training=True)), rtol=1e-5)


def test_the_rules_differ_by_the_keep_probability_in_training_and_afterwards():
    inverted, scaling = Dropout(0.25, seed=1), Dropout(0.25, rule="weight-scaling", seed=1)
    for training in (True, False):
        np.testing.assert_allclose(
            array(scaling(X, training=training)), 0.75 * array(inverted(X, training=training)), rtol=1e-6
        )


def test_about_the_rate_of_the_units_is_dropped_for_each_example_by_itself():
    kept = array(Dropout(0.2, seed=0)(np.ones((400, 50), "float32"), training=True)) > 0
    assert abs(kept.mean() - 0.8) < 4 * np.sqrt(0.16 / kept.size)  # false alarm 6e-5
    assert len(np.unique(kept, axis=0)) == 400


def test_a_noise_shape_drops_whole_features():
    x = np.ones((5, 7, 30), "float32")
    kept = array(Dropout(0.5, noise_shape=(None, 1, None), seed=0)(x, training=True)) > 0
    assert np.array_equal(kept, kept[:, :1].repeat(7, 1)) and 0 < kept.mean() < 1


def test_dropconnect_with_rate_zero_is_dense_and_takes_its_weights():
    dense = keras.layers.Dense(3, activation="tanh")
    ours = DropConnect(3, rate=0.0, activation="tanh")
    for layer in (dense, ours):
        layer.build((None, 6))
    ours.set_weights(dense.get_weights())
    for training in (True, False):
        np.testing.assert_allclose(array(ours(X, training=training)), array(dense(X)), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("rule", ["inverted", "weight-scaling"])
@pytest.mark.parametrize("per_example", [False, True])
def test_dropconnect_masks_connections_and_its_mean_is_the_mean_network(rule, per_example):
    layer = DropConnect(2, 0.5, rule=rule, mask_per_example=per_example, seed=0)
    x = np.eye(3, dtype="float32")  # row i shows row i of the masked kernel
    layer.build((None, 3))
    layer.kernel.assign(np.arange(1.0, 7.0).reshape(3, 2))
    draws = np.stack([array(layer(x, training=True)) for _ in range(400)])
    scale = 2.0 if rule == "inverted" else 1.0
    kernel = layer.kernel.numpy()
    assert np.all((draws == 0) | np.isclose(draws, scale * kernel))
    rows = draws.reshape(400, -1) == 0
    assert len(np.unique(rows, axis=0)) > 50  # all 2^6 masks occur: not rows or columns alone
    mean, error = draws.mean(0), scale * kernel * 0.5 / np.sqrt(400)
    assert np.all(np.abs(mean - array(layer(x))) < 5 * error)  # false alarm 4e-6


def test_masks_of_connections_are_one_for_all_or_one_for_each():
    same = np.ones((6, 5), "float32")
    shared = array(DropConnect(4, 0.5, seed=1)(same, training=True))
    apart = array(DropConnect(4, 0.5, mask_per_example=True, seed=1)(same, training=True))
    assert len(np.unique(shared, axis=0)) == 1 and len(np.unique(apart, axis=0)) == 6


def test_noisy_weights_have_the_stated_deviation():
    layer = NoisyDense(50, stddev=0.2, kernel_initializer="zeros", seed=2)
    draws = np.stack([array(layer(np.eye(4, dtype="float32"), training=True)) for _ in range(20)])
    assert abs(draws.std() - 0.2) < 4 * 0.2 / np.sqrt(2 * draws.size)
    assert not array(layer(np.eye(4))).any()


@pytest.mark.parametrize("make", DRAWING.values(), ids=DRAWING)
def test_a_loaded_layer_goes_on_drawing_where_the_saved_one_stopped(make, tmp_path):
    model = keras.Sequential([keras.Input((6,)), make()])
    for _ in range(3):
        model(X, training=True)
    save_model(model, tmp_path / "model.keras")
    model.save_weights(tmp_path / "model.weights.h5")
    wanted = [array(model(X, training=True)) for _ in range(2)]
    other = keras.Sequential([keras.Input((6,)), make()])
    other.load_weights(tmp_path / "model.weights.h5")
    for resumed in (load(tmp_path / "model.keras"), other):
        for draw in wanted:
            np.testing.assert_array_equal(array(resumed(X, training=True)), draw)


def test_a_run_resumed_from_a_file_is_the_uninterrupted_run_bit_for_bit(tmp_path):
    def started():
        keras.utils.set_random_seed(5)
        layers = [
            keras.Input((6,)),
            NoiseInjection(0.1),
            keras.layers.Dense(8, "relu"),
            Dropout(0.5),
            DropConnect(2, 0.3),
        ]
        model = keras.Sequential(layers)
        model.compile(keras.optimizers.Adam(0.01), "mse")
        return model

    def epochs(model, count):
        model.fit(X, X[:, :2], batch_size=16, epochs=count, shuffle=False, verbose=0)
        return model

    whole = epochs(started(), 3)
    save_model(epochs(started(), 1), tmp_path / "killed.keras")
    resumed = epochs(load(tmp_path / "killed.keras"), 2)
    assert all(np.array_equal(a, b) for a, b in zip(whole.get_weights(), resumed.get_weights(), strict=True))


def test_weights_of_kerass_own_dropout_load_into_ours(tmp_path):
    stock, ours = (
        keras.Sequential([keras.Input((6,)), keras.layers.Dense(3), dropout(0.5)])
        for dropout in (keras.layers.Dropout, Dropout)
    )
    stock.save_weights(tmp_path / "stock.weights.h5")
    ours.load_weights(tmp_path / "stock.weights.h5")
    np.testing.assert_allclose(array(ours(X)), array(stock(X)), rtol=1e-6)


def test_bad_arguments_are_refused_with_what_came():
    for make, message in (
        (lambda: Dropout(1.0), "rate=1.0"),
        (lambda: Dropout(0.5, rule="both"), "rule='both'"),
        (lambda: Dropout(0.5, noise_shape=(None, 2)).build((3, 6)), r"noise_shape=\(None, 2\)"),
        (lambda: Dropout(0.5, noise_shape=(1,)).build((3, 6)), r"noise_shape=\(1,\)"),
        (lambda: DropConnect(3, -0.5), "rate=-0.5"),
        (lambda: DropConnect(3).build((4,)), r"Received: shape=\(4,\)"),
        (lambda: NoiseInjection(-1), "stddev=-1"),
        (lambda: NoisyDense(3, float("inf")), "stddev=inf"),
    ):
        with pytest.raises(ValueError, match=message):
            make()
