"""Autoencoders: the subspace of the principal components, tied weights, layers one by one, noise that repeats."""

import keras
import numpy as np
import pytest

from keras_course.models import PCA, Autoencoder
from keras_course.ops.principal_components import principal_angles
from keras_course.ops.reconstruction import bernoulli_errors, mean_squared_errors, squared_errors


def stretched(rows=256, seed=0):
    """Points in six dimensions, with variances that part clearly."""
    draws = np.random.default_rng(seed)
    turned = np.linalg.qr(draws.normal(size=(6, 6)))[0]
    return draws.normal(size=(rows, 6)) * [3.0, 2.0, 1.4, 0.4, 0.3, 0.2] @ turned + draws.normal(size=6)


@pytest.mark.parametrize("tied", [False, True])
def test_a_linear_autoencoder_spans_the_subspace_of_the_principal_components(tied):
    x = stretched()
    peer = PCA(3, 6, dtype="float64")
    peer.compile()
    peer.fit(x, verbose=0)
    model = Autoencoder(6, code=3, tied=tied, seed=1)
    rate = keras.optimizers.schedules.CosineDecay(0.05, 2000)
    model.compile(keras.optimizers.Adam(rate), steps_per_execution=100)
    model.fit(np.tile(x, (100, 1)).astype("float32"), batch_size=len(x), epochs=20, shuffle=False, verbose=0)
    decoder = model.coder.kernels[0] if tied else np.transpose(model.coder.back_kernels[0])
    angles = principal_angles(np.asarray(decoder, "float64"), np.transpose(peer.components))
    assert float(np.max(angles)) < 1e-3
    error = model.evaluate(x, verbose=0, return_dict=True)["reconstruction_error"]
    best = peer.evaluate(x, verbose=0, return_dict=True)["reconstruction_error"]
    assert best <= error * (1 + 1e-5) and error == pytest.approx(best, rel=1e-3)


def test_tied_weights_are_one_kernel_with_the_gradient_of_both_uses():
    model = Autoencoder(4, code=2, units=(3,), activation="tanh", tied=True)
    assert len(model.trainable_weights) == 6  # two kernels, four biases
    x = np.random.default_rng(0).normal(size=(5, 4)).astype("float32")
    w, v = (np.asarray(kernel) for kernel in model.coder.kernels)
    h = np.tanh(x @ w) @ v  # biases are 0
    np.testing.assert_allclose(model.encode(x), h, atol=1e-6)
    np.testing.assert_allclose(model(x), np.tanh(h @ v.T) @ w.T, atol=1e-6)


def test_losses_are_sums_over_values_and_errors_means():
    draws = np.random.default_rng(2)
    x, r = draws.uniform(size=(3, 2, 4)), draws.normal(size=(3, 2, 4))
    np.testing.assert_allclose(squared_errors(x, r), ((x - r) ** 2).sum((1, 2)), rtol=1e-6)
    np.testing.assert_allclose(mean_squared_errors(x, r), ((x - r) ** 2).mean((1, 2)), rtol=1e-6)
    p = 1 / (1 + np.exp(-r))
    wanted = -(x * np.log(p) + (1 - x) * np.log(1 - p)).sum((1, 2))
    np.testing.assert_allclose(bernoulli_errors(x, r), wanted, rtol=1e-6)
    assert np.isfinite(np.asarray(bernoulli_errors([[1.0, 0.0]], [[-200.0, 200.0]]))).all()


@pytest.mark.parametrize("likelihood", ["squared", "bernoulli"])
def test_the_loss_of_a_fit_is_the_mean_of_the_rows_errors(likelihood):
    model = Autoencoder((2, 3), code=2, units=(4,), likelihood=likelihood)
    model.compile("sgd")
    x = np.random.default_rng(1).uniform(size=(5, 2, 3)).astype("float32")
    found = model.evaluate(x, verbose=0, return_dict=True)
    output = model.output_of(model.encode(x))
    assert found["loss"] == pytest.approx(float(np.mean(model.errors(x, output))), rel=1e-5)
    assert found["reconstruction_error"] == pytest.approx(float(np.mean((model(x) - x) ** 2)), rel=1e-5)


def test_given_networks_reconstruct_images_and_come_back_from_a_config():
    encoder = keras.Sequential([keras.layers.Conv2D(2, 3, strides=2), keras.layers.Flatten(), keras.layers.Dense(3)])
    decoder = keras.Sequential([keras.layers.Dense(25), keras.layers.Reshape((5, 5, 1))])
    model = Autoencoder((5, 5, 1), code=3, encoder=encoder, decoder=decoder)
    x = np.ones((2, 5, 5, 1), "float32")
    assert tuple(model(x).shape) == (2, 5, 5, 1) and tuple(model.encode(x).shape) == (2, 3)
    again = Autoencoder.from_config(model.get_config())
    again.set_weights(model.get_weights())
    np.testing.assert_allclose(again(x), model(x), atol=1e-6)
    with pytest.raises(ValueError, match="needs an encoder to"):
        Autoencoder((5, 5, 1), code=4, encoder=encoder, decoder=decoder)


def test_layers_trained_one_by_one_start_nearer_to_the_data():
    x = (stretched(128) / 4).astype("float32")
    errors = {}
    for name in ("fresh", "pretrained"):
        model = Autoencoder(6, code=3, units=(5,), activation="tanh", seed=3)
        before = [np.array(weight) for weight in model.trainable_weights]
        if name == "pretrained":
            losses = model.pretrain(x, epochs=12, optimizer=lambda: keras.optimizers.Adam(0.02))
            assert len(losses) == 2 and all(each[-1] < each[0] for each in losses)
            moved = zip(model.trainable_weights, before, strict=True)
            assert all(np.abs(np.asarray(weight) - old).max() > 0 for weight, old in moved)
        model.compile("sgd")
        errors[name] = model.evaluate(x, verbose=0, return_dict=True)["reconstruction_error"]
    assert errors["pretrained"] < 0.6 * errors["fresh"]


def test_noise_and_dropout_on_the_code_repeat_and_stay_out_of_evaluation():
    x = np.random.default_rng(0).normal(size=(8, 5)).astype("float32")
    losses = []
    for _ in range(2):
        model = Autoencoder(5, code=4, code_noise=0.5, dropout=0.5, seed=2)
        model.compile(keras.optimizers.SGD(0.0))
        losses.append(model.fit(x, epochs=2, verbose=0, shuffle=False).history["loss"])
    assert losses[0] == losses[1] and losses[0][0] != losses[0][1]
    plain = Autoencoder(5, code=4, seed=2)
    plain.compile("sgd")
    assert model.evaluate(x, verbose=0) == plain.evaluate(x, verbose=0)


def test_what_is_no_autoencoder_is_refused():
    layer = keras.layers.Dense(2)
    for arguments, message in (
        ({"code": 0}, "code=0"),
        ({"code": 2, "encoder": layer}, "both encoder and decoder"),
        ({"code": 2, "encoder": layer, "decoder": keras.layers.Dense(4), "tied": True}, "tied=True"),
        ({"code": 2, "likelihood": "poisson"}, "likelihood='poisson'"),
        ({"code": 2, "likelihood": "bernoulli", "output_activation": "relu"}, "output_activation='relu'"),
        ({"code": 2, "dropout": 1.0}, "1.0"),
        ({"code": 2, "code_noise": -1.0}, "-1.0"),
    ):
        with pytest.raises(ValueError, match=message):
            Autoencoder(4, **arguments)
    model = Autoencoder(4, code=2)
    with pytest.raises(ValueError, match=r"Received: \(3, 5\)"):
        model(np.ones((3, 5)))
    with pytest.raises(ValueError, match="brings its own loss"):
        model.compile("sgd", loss="mse")
