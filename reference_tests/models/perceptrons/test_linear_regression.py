"""Linear regression: closed forms against NumPy and scikit-learn, gradient descent against the closed form."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from sklearn.datasets import load_diabetes
from sklearn.linear_model import Lasso, Ridge

from keras_course.core.serial import load, save_model
from keras_course.losses.half_squared import HalfSquaredLoss
from keras_course.models.perceptrons import LinearRegression


@pytest.fixture(scope="module")
def diabetes():
    x, y = load_diabetes(return_X_y=True)
    return (x - x.mean(0)) / x.std(0) + 0.5, y[:, None] / 100  # off centre, so that the bias matters


def regression(method="ordinary_least_squares", alpha=None, data=(), use_bias=True):
    return LinearRegression(data[0].shape[1], use_bias=use_bias, dtype="float64").solve(*data, method, alpha)


@pytest.mark.parametrize("method", ("ordinary_least_squares", "pseudo_inverse"))
def test_least_squares_equals_numpy(diabetes, method):
    x, y = diabetes
    model = regression(method, data=diabetes)
    expected = np.linalg.lstsq(np.column_stack([np.ones(len(x)), x]), y, rcond=None)[0]
    np.testing.assert_allclose(model.bias.numpy(), expected[0], rtol=1e-9)
    np.testing.assert_allclose(model.kernel.numpy(), expected[1:], rtol=1e-7)


def test_least_squares_without_a_bias_goes_through_the_origin(diabetes):
    expected = np.linalg.lstsq(*diabetes, rcond=None)[0]
    np.testing.assert_allclose(regression(data=diabetes, use_bias=False).kernel.numpy(), expected, rtol=1e-7)


def test_ridge_and_lasso_equal_scikit_learn_and_leave_the_bias_alone(diabetes):
    x, y = diabetes
    peers = {"ridge": Ridge(alpha=len(x) * 0.3 / 2), "lasso": Lasso(alpha=0.3 / 2, tol=1e-12)}  # 1/n |r|^2 + 0.3 ...
    for method, peer in peers.items():
        peer.fit(x, y)
        model = regression(method, 0.3, diabetes)
        np.testing.assert_allclose(model.kernel.numpy()[:, 0], np.ravel(peer.coef_), atol=1e-6)
        np.testing.assert_allclose(model.bias.numpy(), peer.intercept_, rtol=1e-6)
    assert np.sum(regression("lasso", 0.3, diabetes).kernel.numpy() == 0) == np.sum(peers["lasso"].coef_ == 0) > 0


def test_moving_every_target_by_a_constant_moves_the_bias_alone(diabetes):
    x, y = diabetes
    for method in ("ridge", "lasso"):
        one, other = regression(method, 0.3, (x, y)), regression(method, 0.3, (x, y + 7))
        np.testing.assert_allclose(other.kernel.numpy(), one.kernel.numpy(), atol=1e-10)
        np.testing.assert_allclose(other.bias.numpy() - one.bias.numpy(), 7, rtol=1e-9)


def test_pseudo_inverse_takes_the_shortest_of_many_solutions():
    model = regression("pseudo_inverse", data=(np.array([[10.0, 1.0]]), np.array([5.0])), use_bias=False)
    np.testing.assert_allclose(model.kernel.numpy()[:, 0], np.array([50.0, 5.0]) / 101, rtol=1e-12)


def test_gradient_descent_reaches_the_closed_form(diabetes):
    x, y = (values.astype("float32") for values in diabetes)
    x = x[:, :4]
    model = LinearRegression(4)
    model.compile(keras.optimizers.SGD(0.2), HalfSquaredLoss(), jit_compile=True, steps_per_execution=50)
    data = tf.data.Dataset.from_tensors((x, y)).repeat(1500)
    model.fit(data, verbose=0)
    closed = LinearRegression(4).solve(x, y)
    np.testing.assert_allclose(model.kernel.numpy(), closed.kernel.numpy(), atol=1e-4)
    np.testing.assert_allclose(model.bias.numpy(), closed.bias.numpy(), atol=1e-4)


def test_several_outputs_are_solved_side_by_side(diabetes):
    x, y = diabetes
    both = LinearRegression(x.shape[1], outputs=2, dtype="float64").solve(x, np.column_stack([y, 2 * y + 1]))
    one = regression(data=diabetes)
    np.testing.assert_allclose(both.kernel.numpy(), one.kernel.numpy() * [1, 2], rtol=1e-6)
    np.testing.assert_allclose(both.bias.numpy(), one.bias.numpy()[0] * np.array([1, 2]) + [0, 1], rtol=1e-8)


def test_saved_loaded_and_exported_it_answers_the_same(diabetes, tmp_path):
    x = diabetes[0].astype("float32")
    model = LinearRegression(x.shape[1], initializer="he_normal").solve(*diabetes)
    model.compile("sgd", "mse")
    save_model(model, tmp_path / "model.keras")
    again = load(tmp_path / "model.keras")
    assert again.get_config() == model.get_config()
    assert np.array_equal(again.predict(x, verbose=0), model.predict(x, verbose=0))
    model.export(tmp_path / "export")
    served = tf.saved_model.load(str(tmp_path / "export"))
    for count in (1, 9):
        answer = served.signatures["serving_default"](inputs=tf.constant(x[:count]))["output_0"]
        np.testing.assert_allclose(answer, model(x[:count]), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(
    "arguments",
    ({"method": "newton"}, {"method": "ridge"}, {"method": "ridge", "alpha": 0.0}, {"alpha": 1.0}, {"method": "lasso"}),
)
def test_a_wrong_method_or_alpha_is_refused(diabetes, arguments):
    with pytest.raises(ValueError, match="Received: "):
        LinearRegression(10).solve(*diabetes, **arguments)


def test_wrong_sizes_are_refused(diabetes):
    for arguments in ({"features": 0}, {"features": 1, "outputs": 0}, {"features": 1.5}):
        with pytest.raises(ValueError, match="Received: "):
            LinearRegression(**arguments)
    with pytest.raises(ValueError, match="Received: "):
        LinearRegression(9).solve(*diabetes)
    with pytest.raises(ValueError, match="Received: "):
        LinearRegression(10, outputs=2).solve(*diabetes)
    with pytest.raises(ValueError, match="Received: "):
        LinearRegression(10)(np.zeros((2, 3)))
