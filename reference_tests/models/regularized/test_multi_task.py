"""MultiTask: one trunk, several heads, and labels that are missing."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_course.losses import HalfSquaredLoss, SoftmaxLoss
from keras_course.models.regularized import MultiTask

RNG = np.random.default_rng(0)
X = RNG.normal(size=(12, 3)).astype("float32")
Y = np.stack([RNG.integers(0, 4, 12), RNG.integers(0, 2, 12)], axis=1).astype("int32")
HEADS = {"first": 4, "second": 2}


def made(**how):
    model = MultiTask(3, (5,), HEADS, seed=1, **how)
    model.compile(keras.optimizers.SGD(0.1), run_eagerly=True)
    return model


def gradients(model, y, part):
    with tf.GradientTape() as tape:
        loss = model.compute_loss(X, tf.constant(y), model(X, training=True))
    return [gradient.numpy() for gradient in tape.gradient(loss, part.trainable_variables)]


def test_a_task_without_labels_gets_a_gradient_of_exactly_zero():
    y = Y.copy()
    y[:, 1] = -1
    model = made()
    assert all(not gradient.any() for gradient in gradients(model, y, model.heads["second"]))
    assert all(gradient.any() for gradient in gradients(model, y, model.heads["first"]))


def test_a_missing_label_leaves_the_trunk_to_the_other_tasks():
    y = Y.copy()
    y[:, 1] = -1
    masked, weightless = made(), made(weights={"second": 0.0})
    for one, other in zip(gradients(masked, y, masked.trunk), gradients(weightless, Y, weightless.trunk), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_step_is_that_of_stock_keras_with_sample_weights_of_zero():
    model = made(weights={"second": 0.5})
    y = Y.copy()
    y[::3, 1] = -1
    inputs = keras.Input((3,))
    hidden = keras.layers.Dense(5, "relu", name="hidden")(inputs)
    stock = keras.Model(inputs, {task: keras.layers.Dense(width, name=task)(hidden) for task, width in HEADS.items()})
    stock.set_weights(model.get_weights())
    stock.compile(
        keras.optimizers.SGD(0.1),
        {task: SoftmaxLoss() for task in HEADS},
        loss_weights={"first": 1.0, "second": 0.5},
        run_eagerly=True,
    )
    known = (y >= 0).astype("float32")
    columns = {task: np.maximum(y[:, t], 0) for t, task in enumerate(HEADS)}
    stock.train_on_batch(X, columns, {task: known[:, t] for t, task in enumerate(HEADS)})
    model.train_on_batch(X, y)
    for one, other in zip(model.get_weights(), stock.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


def test_metrics_of_a_task_are_means_over_its_labelled_rows_for_any_batches():
    y = Y.copy()
    y[:7, 1] = -1
    model = made()
    scores = {task: value.numpy() for task, value in model(X).items()}
    right = scores["second"][7:].argmax(1) == y[7:, 1]
    log_p = scores["second"][7:] - np.log(np.exp(scores["second"][7:]).sum(1, keepdims=True))
    for batch_size in (12, 5):
        found = model.evaluate(X, y, batch_size=batch_size, verbose=0, return_dict=True)
        np.testing.assert_allclose(found["second_accuracy"], right.mean(), rtol=1e-6)
        np.testing.assert_allclose(found["second_loss"], -log_p[np.arange(5), y[7:, 1]].mean(), rtol=1e-5)
        np.testing.assert_allclose(found["first_accuracy"], (scores["first"].argmax(1) == y[:, 0]).mean(), rtol=1e-6)


def test_nan_and_another_sentinel_mark_missing_real_targets_and_minus_one_is_a_number_again():
    y = np.stack([Y[:, 0], np.full(12, -1.0)], axis=1).astype("float32")
    y[3, 1] = np.nan
    y[:, 0] = 99
    model = MultiTask(3, (5,), {"class": 4, "value": 1}, {"value": HalfSquaredLoss()}, missing=99, seed=1)
    model.compile("sgd", run_eagerly=True)
    found = model.evaluate(X, y, verbose=0, return_dict=True)
    value = model(X)["value"].numpy()[:, 0]
    np.testing.assert_allclose(found["value_loss"], np.delete((value + 1) ** 2 / 2, 3).mean(), rtol=1e-5)
    assert found["class_loss"] == 0 and np.isfinite(found["loss"])


def test_sample_weights_weigh_rows_of_all_tasks():
    model, weights = made(), np.r_[np.ones(6), np.zeros(6)].astype("float32")
    weighed = model.evaluate(X, Y, sample_weight=weights, verbose=0, return_dict=True)
    half = model.evaluate(X[:6], Y[:6], verbose=0, return_dict=True)
    np.testing.assert_allclose(weighed["loss"], half["loss"] / 2, rtol=1e-5)
    np.testing.assert_allclose(weighed["first_loss"], half["first_loss"], rtol=1e-5)


def test_a_class_that_does_not_exist_is_no_missing_label():
    y = Y.copy()
    y[0, 0] = 9
    assert np.isnan(made().evaluate(X, y, verbose=0)).any()


def test_layers_may_be_given_in_place_of_widths():
    trunk = keras.Sequential([keras.layers.Dense(5, "relu")])
    model = MultiTask(3, trunk, {"one": keras.layers.Dense(2), "two": 3})
    assert model.trunk is trunk and {k: tuple(v.shape) for k, v in model(X).items()} == {"one": (12, 2), "two": (12, 3)}
    rebuilt = MultiTask.from_config(model.get_config())
    rebuilt.set_weights(model.get_weights())
    np.testing.assert_array_equal(rebuilt(X)["one"], model(X)["one"])


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"heads": {}}, "heads={}"),
        ({"heads": {"a": 0}}, r"heads\['a'\]=0"),
        ({"trunk": ()}, r"trunk=\(\)"),
        ({"weights": {"b": 1}}, "weights of"),
        ({"weights": {"a": -1}}, "-1.0"),
    ],
)
def test_bad_arguments_are_refused_with_what_came(how, message):
    with pytest.raises(ValueError, match=message):
        MultiTask(**{"shape": 3, "trunk": (4,), "heads": {"a": 2}, **how})


def test_wrong_targets_inputs_and_a_second_loss_are_refused():
    model = made()
    with pytest.raises(ValueError, match="column a task"):
        model.train_on_batch(X, Y[:, :1])
    with pytest.raises(ValueError, match="expects x of shape"):
        model(X[:, :2])
    with pytest.raises(ValueError, match="loss='mse'"):
        model.compile("sgd", "mse")
