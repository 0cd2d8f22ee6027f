"""SemiSupervised: unlabelled rows speak through the reconstruction, and through nothing else."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_course.losses import SoftmaxLoss
from keras_course.models.regularized import SemiSupervised

RNG = np.random.default_rng(0)
X = RNG.normal(size=(12, 4)).astype("float32")
Y = RNG.integers(0, 3, 12).astype("int32")
FEW = np.where(np.arange(12) < 5, Y, -1).astype("int32")


def made(weight=0.5, **how):
    model = SemiSupervised(4, (6,), 3, (5,), code_units=2, weight=weight, seed=1, **how)
    model.compile(keras.optimizers.SGD(0.1), run_eagerly=True)
    return model


def gradients(model, y):
    with tf.GradientTape() as tape:
        loss = model.compute_loss(X, tf.constant(y), model(X, training=True))
    found = tape.gradient(loss, model.trainable_variables)
    return {variable.path: slope.numpy() for variable, slope in zip(model.trainable_variables, found, strict=True)}


def test_weight_zero_is_the_supervised_network_bit_for_bit():
    """On its labelled rows, step by step; of the same encoder and classifier in stock Keras."""
    model = made(weight=0.0)
    twin = keras.Sequential([keras.Input((4,)), keras.layers.Dense(6, "relu"), keras.layers.Dense(3)])
    twin.set_weights(model.encoder.get_weights() + model.classifier.get_weights())
    twin.compile(keras.optimizers.SGD(0.1), SoftmaxLoss(), run_eagerly=True)
    kept = model.code.get_weights() + model.decoder.get_weights()
    for trained in (model, twin):
        trained.fit(np.tile(X, (3, 1)), np.tile(Y, 3), batch_size=12, shuffle=False, verbose=0)
    for one, other in zip(
        model.encoder.get_weights() + model.classifier.get_weights(), twin.get_weights(), strict=True
    ):
        np.testing.assert_array_equal(one, other)
    for one, other in zip(kept, model.code.get_weights() + model.decoder.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_without_labels_the_gradient_is_that_of_the_reconstruction():
    model = made()
    found = gradients(model, np.full(12, -1, "int32"))
    with tf.GradientTape() as tape:
        gap = X - model.reconstruct(X)
        loss = 0.5 * tf.reduce_mean(tf.reduce_sum(gap**2, -1) / 2)
    wanted = tape.gradient(loss, model.trainable_variables)
    for gradient, other in zip(found.values(), wanted, strict=True):
        np.testing.assert_allclose(gradient, other, rtol=1e-4, atol=1e-6)


def test_unlabelled_rows_move_the_classifier_through_the_decoder():
    """The class probabilities are part of the code: that is how examples without labels say something of classes."""
    model = made()
    found = gradients(model, np.full(12, -1, "int32"))
    assert any("classifier" in path and gradient.any() for path, gradient in found.items())


def test_the_loss_is_both_terms_written_out():
    model = made(weight=0.25)
    scores, means = model(X).numpy(), model.reconstruct(X).numpy()
    log_p = scores - np.log(np.exp(scores).sum(1, keepdims=True))
    labelled, errors = -log_p[np.arange(5), Y[:5]], ((X - means) ** 2).sum(1) / 2
    found = model.evaluate(X, FEW, verbose=0, return_dict=True)
    np.testing.assert_allclose(found["loss"], (labelled.sum() + 0.25 * errors.sum()) / 12, rtol=1e-5)
    np.testing.assert_allclose(found["label_loss"], labelled.mean(), rtol=1e-5)
    np.testing.assert_allclose(found["reconstruction_error"], errors.mean(), rtol=1e-5)
    np.testing.assert_allclose(found["accuracy"], (scores[:5].argmax(1) == Y[:5]).mean(), rtol=1e-6)


def test_noise_is_seen_in_training_alone_and_repeats_with_the_step():
    model = made(noise=1.0)
    one, again = (model(X, training=True)["logits"].numpy() for _ in range(2))
    np.testing.assert_array_equal(one, again)
    assert not np.allclose(one, model(X).numpy(), atol=1e-3)
    model.train_on_batch(X, FEW)
    fresh = made(noise=1.0)
    fresh.set_weights(model.get_weights())
    assert not np.array_equal(fresh(X, training=True)["logits"], model(X, training=True)["logits"])


def test_a_step_updates_batch_statistics_once():
    """Both terms use one pass: an encoder with batch normalization sees each batch once."""
    normalization = keras.layers.BatchNormalization(momentum=0.5)
    model = SemiSupervised(4, keras.Sequential([normalization]), 3, (5,), seed=1)
    model.compile(keras.optimizers.SGD(0.0), run_eagerly=True)
    model.train_on_batch(X, FEW)
    np.testing.assert_allclose(normalization.moving_mean, X.mean(0) / 2, rtol=1e-4, atol=1e-6)


def test_labels_that_do_not_exist_are_not_passed_over():
    assert np.isnan(made().evaluate(X, np.where(Y == 0, 7, Y), verbose=0)).any()


def test_images_keep_their_shape():
    images = RNG.uniform(size=(3, 4, 4, 1)).astype("float32")
    encoder = keras.Sequential([keras.layers.Conv2D(2, 3, activation="relu"), keras.layers.Flatten()])
    model = SemiSupervised((4, 4, 1), encoder, 2, (5,))
    assert model.reconstruct(images).shape == (3, 4, 4, 1) and model(images).shape == (3, 2)


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"weight": -1}, "weight=-1"),
        ({"noise": float("nan")}, "noise=nan"),
        ({"code_units": 0}, "code_units=0"),
        ({"classifier": 1}, "2 or more"),
        ({"encoder": ()}, r"encoder=\(\)"),
    ],
)
def test_bad_arguments_are_refused_with_what_came(how, message):
    with pytest.raises(ValueError, match=message):
        SemiSupervised(**{"shape": 4, "encoder": (6,), "classifier": 3, "decoder": (5,), **how})


def test_a_loss_wrong_inputs_and_no_labels_at_all_are_refused():
    model = made()
    with pytest.raises(ValueError, match="loss='mse'"):
        model.compile("sgd", "mse")
    with pytest.raises(ValueError, match="expects x of shape"):
        model(X[:, :2])
    with pytest.raises(ValueError, match="y=None"):
        model.train_on_batch(X)
