"""The model that writes its own gradients: equal to automatic differentiation, step by step of training."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from keras_course.models import BackpropThroughTime
from keras_course.recipes.recurrent import always_even_odds, bptt, running_parity

X = np.random.default_rng(0).normal(size=(6, 5, 3)).astype("float32")
Y = np.tanh(np.random.default_rng(1).normal(size=(6, 5, 2))).astype("float32")


@pytest.mark.parametrize("weighted", [False, True])
def test_training_by_hand_is_training_by_the_tape(weighted):
    weights = np.arange(6.0) if weighted else None
    model, taped = BackpropThroughTime(3, 2, units=4), BackpropThroughTime(3, 2, units=4)
    model.compile(keras.optimizers.SGD(0.02, momentum=0.5))
    model.fit(X, Y, sample_weight=weights, batch_size=6, epochs=3, shuffle=False, verbose=0)
    optimizer = keras.optimizers.SGD(0.02, momentum=0.5)
    for _ in range(3):
        with tf.GradientTape() as tape:
            errors = ops.sum((Y - taped(X, training=True)) ** 2, axis=(1, 2))
            loss = ops.mean(errors if weights is None else errors * weights.astype("float32"))
        variables = taped.trainable_variables
        optimizer.apply(tape.gradient(loss, [v.value for v in variables]), variables)
    for one, other in zip(model.trainable_variables, taped.trainable_variables, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


def test_its_loss_is_the_sum_over_time_and_the_mean_over_sequences():
    model = BackpropThroughTime(3, 2, units=4)
    model.compile("sgd")
    found = model.evaluate(X, Y, batch_size=4, verbose=0, return_dict=True)["loss"]
    assert found == pytest.approx(float(np.mean(np.sum((Y - np.asarray(model(X))) ** 2, axis=(1, 2)))), rel=1e-5)


def test_the_recipe_s_target_is_the_product_of_the_bits_so_far():
    dataset = running_parity(0)
    np.testing.assert_array_equal(np.cumprod(dataset.train.x[:, :, 0], axis=1), dataset.train.y)
    assert always_even_odds(dataset, 0).metrics["mean_absolute_error"] == 1.0
    assert bptt().slug == "bptt"


def test_a_loss_or_unknown_activation_is_refused():
    with pytest.raises(ValueError, match="loss='mse'"):
        BackpropThroughTime(3, 2).compile("sgd", loss="mse")
    with pytest.raises(ValueError, match="activation='gelu'"):
        BackpropThroughTime(3, 2, activation="gelu")
