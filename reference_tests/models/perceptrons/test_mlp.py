"""The multilayer perceptron: the printed XOR network, stock Keras, and files."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from sklearn.datasets import load_iris

from keras_course.core.serial import load, save_model
from keras_course.losses.softmax import SoftmaxLoss
from keras_course.models.perceptrons import MLP
from keras_course.ops import activations

POINTS = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], "float32")


def xor_network():
    model = MLP(2, (2, 1))
    printed_w, c, w, b = np.array([[1, 1], [1, 1]]), np.array([0, -1]), np.array([[1], [-2]]), np.array([0])
    model.set_layer_weights([(printed_w.T, c), (w, b)])
    return model


def test_the_printed_xor_network_computes_xor():
    assert xor_network()(POINTS).numpy().ravel().tolist() == [0.0, 1.0, 1.0, 0.0]


def test_the_hidden_layer_of_the_xor_network_makes_the_points_separable():
    (hidden,) = xor_network().hidden(POINTS)
    assert hidden.numpy().tolist() == [[0.0, 0.0], [1.0, 0.0], [1.0, 0.0], [2.0, 1.0]]


def test_without_activations_a_deep_network_is_one_linear_map():
    model = MLP(3, (5, 4, 2), activation=None, dtype="float64")
    x = np.random.default_rng(0).normal(size=(6, 3))
    kernel = np.linalg.multi_dot([layer.kernel.numpy() for layer in model.dense])
    np.testing.assert_allclose(model(x), x @ kernel, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("activation", ("relu", "tanh", activations.softplus, activations.leaky_relu))
def test_it_is_a_stack_of_dense_layers(activation):
    model = MLP(3, (5, 4, 2), activation=activation, output_activation="softmax")
    stack = keras.Sequential(
        [keras.Input((3,))]
        + [keras.layers.Dense(units, activation=activation) for units in (5, 4)]
        + [keras.layers.Dense(2, activation="softmax")]
    )
    stack.set_weights(model.get_weights())
    x = np.random.default_rng(0).normal(size=(6, 3)).astype("float32")
    np.testing.assert_allclose(model(x), stack(x), rtol=1e-6, atol=1e-6)
    assert [tuple(hidden.shape) for hidden in model.hidden(x)] == [(6, 5), (6, 4)]
    np.testing.assert_allclose(model.dense[-1](model.hidden(x)[-1]), model(x), rtol=1e-6, atol=1e-6)


def test_one_layer_has_no_hidden_representation():
    assert MLP(3, (2,)).hidden(np.zeros((1, 3))) == []


def test_it_learns_the_flowers():
    x, y = load_iris(return_X_y=True)
    model = MLP(4, (8, 3), activation="tanh")
    model.compile(keras.optimizers.Adam(0.05), SoftmaxLoss(), metrics=["accuracy"], steps_per_execution=75)
    model.fit(tf.data.Dataset.from_tensors((x, y)).repeat(75), verbose=0)
    assert model.evaluate(x, y, batch_size=150, verbose=0)[1] > 0.93


def test_graph_eager_and_xla_train_alike():
    x, y = load_iris(return_X_y=True)
    trained = []
    for arguments in ({}, {"run_eagerly": True}, {"jit_compile": True}):
        model = MLP(4, (8, 3), activation="tanh", dtype="float64")
        model.compile(keras.optimizers.SGD(0.1), SoftmaxLoss(dtype="float64"), **arguments)
        model.fit(x, y, batch_size=150, epochs=3, verbose=0)
        trained.append(np.concatenate([np.ravel(weight) for weight in model.get_weights()]))
    np.testing.assert_allclose(trained[1], trained[0], rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(trained[2], trained[0], rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("activation", ("relu", activations.leaky_relu, activations.logistic, None))
def test_saved_loaded_and_exported_it_answers_the_same(activation, tmp_path):
    x = np.random.default_rng(0).normal(size=(9, 3)).astype("float32")
    model = MLP(3, (5, 2), activation=activation, seed=4)
    save_model(model, tmp_path / "model.keras")
    again = load(tmp_path / "model.keras")
    assert again.get_config() == model.get_config()
    assert again.activation is model.activation
    assert np.array_equal(again.predict(x, verbose=0), model.predict(x, verbose=0))
    model.export(tmp_path / "export")
    served = tf.saved_model.load(str(tmp_path / "export"))
    for count in (1, 9):
        answer = served.signatures["serving_default"](inputs=tf.constant(x[:count]))["output_0"]
        np.testing.assert_allclose(answer, model(x[:count]), rtol=1e-6, atol=1e-6)


def test_each_layer_starts_from_its_own_seed():
    first, again, other = MLP(3, (3, 3), seed=1), MLP(3, (3, 3), seed=1), MLP(3, (3, 3), seed=2)
    kernels = [[layer.kernel.numpy() for layer in model.dense] for model in (first, again, other)]
    assert all(np.array_equal(a, b) for a, b in zip(kernels[0], kernels[1], strict=True))
    assert not any(np.array_equal(a, b) for a, b in zip(kernels[0], kernels[2], strict=True))
    assert not np.array_equal(*kernels[0])


def test_mixed_precision_keeps_float32_weights():
    model = MLP(3, (5, 2), dtype="mixed_bfloat16")
    assert model(np.ones((2, 3))).dtype == tf.bfloat16
    assert {layer.kernel.dtype for layer in model.dense} == {"float32"}


@pytest.mark.parametrize(
    "arguments",
    (
        {"features": 0, "units": (2,)},
        {"features": 2, "units": ()},
        {"features": 2, "units": 4},
        {"features": 2, "units": (2, -1)},
        {"features": 2, "units": (2,), "activation": "rleu"},
    ),
)
def test_bad_arguments_are_refused_with_the_value_that_came(arguments):
    with pytest.raises(ValueError, match="Received: |rleu"):
        MLP(**arguments)


def test_weights_and_inputs_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="Received: "):
        MLP(2, (2, 1)).set_layer_weights([(np.ones((2, 2)), np.ones(2))])
    with pytest.raises(ValueError, match="Received: "):
        MLP(2, (2, 1))(np.ones((1, 3)))
