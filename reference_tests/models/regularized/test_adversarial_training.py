"""Adversarial training: plain training at its edges, the mixture's gradient, robustness, life as a Keras model."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from keras_course.core.serial import load, save_model
from keras_course.losses.softmax import SoftmaxLoss
from keras_course.models.perceptrons import MLP, SoftmaxRegression
from keras_course.models.regularized import AdversarialTraining


@pytest.fixture(scope="module")
def data():
    generator = np.random.Generator(np.random.Philox(4))
    x = generator.normal(size=(24, 6)).astype("float32")
    return x, ops.convert_to_numpy(ops.argmax(x[:, :3] + 0.3 * x[:, 3:], axis=1)).astype("int32")


def trained(data, epochs=3, **options):
    model = AdversarialTraining(MLP(6, (8, 3)), **{"epsilon": 0.3, "seed": 2, **options})
    model.compile(keras.optimizers.Adam(0.02), SoftmaxLoss(), metrics=["accuracy"], run_eagerly=True)
    model.fit(*data, batch_size=8, epochs=epochs, shuffle=False, verbose=0)
    return model


@pytest.mark.parametrize("options", [{"alpha": 1.0}, {"epsilon": 0.0}])
def test_all_clean_or_no_attack_is_plain_training(data, options):
    model = trained(data, **options)
    twin = AdversarialTraining(MLP(6, (8, 3)), seed=2).inner
    twin.compile(keras.optimizers.Adam(0.02), SoftmaxLoss(), run_eagerly=True)
    twin.fit(*data, batch_size=8, epochs=3, shuffle=False, verbose=0)
    for came, wanted in zip(model.inner.get_weights(), twin.get_weights(), strict=True):
        assert np.allclose(came, wanted, atol=1e-5)


def test_the_gradient_is_the_mixtures_with_the_attack_held_fixed(data):
    x, y = data
    model = AdversarialTraining(SoftmaxRegression(6, 3), epsilon=0.2, alpha=0.25)
    model.compile(keras.optimizers.SGD(0.1), SoftmaxLoss())
    attacked = np.asarray(model.attack(x, y))
    with tf.GradientTape() as tape:
        loss = model.compute_loss(x, y, model(x), None, training=True)
    kernel, bias = (np.asarray(weight) for weight in model.inner.get_weights())

    def slope(x):
        p = np.asarray(ops.softmax(x @ kernel + bias)) - np.eye(3)[y]
        return x.T @ p / len(x)

    came = tape.gradient(loss, model.inner.kernel.value)
    assert np.allclose(came, 0.25 * slope(x) + 0.75 * slope(attacked), atol=1e-6)
    assert not np.allclose(came, 0.75 * slope(x) + 0.25 * slope(attacked), atol=1e-3)


def test_training_on_the_mixture_withstands_what_plain_training_does_not(data):
    x, y = data
    mixed, plain = trained(data, epochs=12), trained(data, epochs=12, alpha=1.0)
    losses = [float(SoftmaxLoss()(y, model(model.attack(x, y)))) for model in (mixed, plain)]
    assert losses[0] < losses[1]


def test_evaluate_tells_clean_and_robust_accuracy_apart(data):
    x, y = data
    model = trained(data)
    measured = model.evaluate(x, y, batch_size=5, verbose=0, return_dict=True)
    clean, robust = model.accuracy_under_attack(x, y, [0.0, 0.3])
    assert measured["accuracy"] == pytest.approx(clean) and measured["robust_accuracy"] == pytest.approx(robust)
    assert measured["loss"] == pytest.approx(float(SoftmaxLoss()(y, model(x))), rel=1e-5)
    assert robust < clean


def test_accuracy_of_a_linear_model_never_rises_with_the_size_of_the_attack(data):
    x, y = data
    model = AdversarialTraining(SoftmaxRegression(6, 2), epsilon=0.1)
    model.compile(keras.optimizers.Adam(0.1), SoftmaxLoss(), run_eagerly=True)
    model.fit(x, y > 0, epochs=10, batch_size=24, verbose=0)
    shares = model.accuracy_under_attack(x, y > 0, np.linspace(0, 2, 9))
    assert np.all(np.diff(shares) <= 1e-7) and shares[-1] < 0.5 < shares[0]


def test_bounds_hold_and_layers_that_differ_in_training_are_attacked_as_they_serve(data):
    x, y = np.abs(data[0]) / 4, data[1]
    inner = keras.Sequential([keras.Input((6,)), keras.layers.Dropout(0.5), keras.layers.Dense(3)])
    model = AdversarialTraining(inner, epsilon=0.2, bounds=(0.0, 0.7))
    model.compile("sgd", SoftmaxLoss())
    once, twice = (np.asarray(model.attack(x, y)) for _ in range(2))
    assert np.array_equal(once, twice)
    assert once.min() >= 0 and once.max() <= np.float32(0.7)


def test_a_saved_model_keeps_the_attack_and_serves_the_inner_models_endpoints(tmp_path, data):
    x, y = data
    model = AdversarialTraining(SoftmaxRegression(6, 3), epsilon=0.3, alpha=0.4, bounds=(-3, 3))
    model.compile("adam", SoftmaxLoss())
    model.fit(x, y, verbose=0)
    save_model(model, tmp_path / "model.keras")
    loaded = load(tmp_path / "model.keras")
    assert (loaded.epsilon, loaded.alpha, loaded.bounds) == (0.3, 0.4, (-3, 3))
    assert np.array_equal(loaded.attack(x, y), model.attack(x, y))
    assert set(model.endpoints()) == {"serving_default", "logits", "class"}


@pytest.mark.parametrize(
    ("options", "words"),
    [({"epsilon": -1.0}, "epsilon=-1.0"), ({"alpha": 1.5}, "alpha=1.5"), ({"bounds": (1, 0)}, r"bounds=\(1, 0\)"),
     ({"model": "mlp"}, "Received: 'mlp'")],
)  # fmt: skip
def test_what_is_no_adversarial_training_is_refused_with_what_came(options, words):
    with pytest.raises(ValueError, match=words):
        AdversarialTraining(**{"model": MLP(2, (3,)), **options})
