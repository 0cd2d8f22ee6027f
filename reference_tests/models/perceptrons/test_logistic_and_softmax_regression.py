"""Logistic and softmax regression: the optimum of scikit-learn, each other's special case, and their endpoints."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy.optimize import minimize
from sklearn import linear_model
from sklearn.datasets import load_breast_cancer, load_iris

from keras_course.core.serial import load, save_model
from keras_course.losses.logistic import LogisticLoss
from keras_course.losses.softmax import SoftmaxLoss
from keras_course.models.perceptrons import LogisticRegression, SoftmaxRegression


def standardised(loader):
    x, y = loader(return_X_y=True)
    return (x - x.mean(0)) / x.std(0), y


def train_to_convergence(model, x, y, loss, decay):
    """L-BFGS on mean loss + decay/2 |W|^2, gradients from the model by automatic differentiation."""
    x = tf.constant(x)
    shapes = [variable.shape for variable in model.trainable_variables]
    sizes = np.cumsum([0] + [int(np.prod(shape)) for shape in shapes])

    @tf.function
    def value_and_gradient():
        with tf.GradientTape() as tape:
            value = loss(y, model(x)) + decay / 2 * tf.reduce_sum(model.kernel**2)
        return value, tape.gradient(value, model.trainable_variables)

    def assign(flat):
        for variable, start, end, shape in zip(model.trainable_variables, sizes, sizes[1:], shapes, strict=False):
            variable.assign(flat[start:end].reshape(shape))

    def objective(flat):
        assign(flat)
        value, gradient = value_and_gradient()
        return float(value), np.concatenate([np.ravel(part) for part in gradient])

    assign(minimize(objective, np.zeros(sizes[-1]), jac=True, method="L-BFGS-B", options={"gtol": 1e-9}).x)


def test_logistic_regression_finds_the_optimum_of_scikit_learn():
    x, y = standardised(load_breast_cancer)
    model = LogisticRegression(x.shape[1], dtype="float64")
    train_to_convergence(model, x, 2 * y - 1, LogisticLoss(dtype="float64"), decay=0.01)
    peer = linear_model.LogisticRegression(C=1 / (0.01 * len(x)), tol=1e-10, max_iter=10_000).fit(x, y)
    np.testing.assert_allclose(model.kernel.numpy()[:, 0], peer.coef_[0], atol=1e-3)
    np.testing.assert_allclose(model.bias.numpy(), peer.intercept_, atol=1e-3)
    np.testing.assert_allclose(model.probability(x).numpy()[:, 0], peer.predict_proba(x)[:, 1], atol=1e-3)
    assert np.array_equal(model.most_probable(x).numpy(), peer.predict(x))


def test_softmax_regression_finds_the_optimum_of_scikit_learn():
    x, y = standardised(load_iris)
    model = SoftmaxRegression(x.shape[1], 3, dtype="float64")
    train_to_convergence(model, x, y, SoftmaxLoss(dtype="float64"), decay=0.01)
    peer = linear_model.LogisticRegression(C=1 / (0.01 * len(x)), tol=1e-10, max_iter=10_000).fit(x, y)
    np.testing.assert_allclose(model.kernel.numpy(), peer.coef_.T, atol=1e-3)
    np.testing.assert_allclose(model.probabilities(x), peer.predict_proba(x), atol=1e-3)
    assert np.array_equal(model.most_probable(x).numpy(), peer.predict(x))


def test_logistic_regression_is_softmax_regression_with_two_classes():
    x = np.random.default_rng(0).normal(size=(20, 4))
    two, one = SoftmaxRegression(4, 2, seed=3, dtype="float64"), LogisticRegression(4, dtype="float64")
    one.kernel.assign(two.kernel[:, 1:] - two.kernel[:, :1])
    np.testing.assert_allclose(one.probability(x)[:, 0], two.probabilities(x)[:, 1], rtol=1e-12)
    assert np.array_equal(one.most_probable(x), two.most_probable(x))


def test_logistic_loss_on_signs_is_binary_cross_entropy_on_zeros_and_ones():
    x, y = standardised(load_breast_cancer)
    models = [LogisticRegression(x.shape[1], seed=1) for _ in range(2)]
    losses = (LogisticLoss(), keras.losses.BinaryCrossentropy(from_logits=True))
    for model, loss, labels in zip(models, losses, (2 * y - 1, y), strict=True):
        model.compile(keras.optimizers.SGD(0.5), loss)
        model.fit(x, labels, epochs=2, shuffle=False, verbose=0)
    np.testing.assert_allclose(models[0].kernel.numpy(), models[1].kernel.numpy(), rtol=1e-3, atol=1e-5)


def test_huge_logits_keep_a_finite_loss_and_gradient():
    model = LogisticRegression(1, initializer=keras.initializers.Constant(1e4))
    model.compile(keras.optimizers.SGD(1.0), LogisticLoss())
    loss = model.train_on_batch(np.array([[1.0], [-1.0]]), np.array([-1, 1]))
    assert loss == pytest.approx(1e4) and np.isfinite(model.kernel.numpy()).all()


def test_adding_a_constant_to_all_columns_changes_no_probability():
    x = np.random.default_rng(0).normal(size=(5, 3))
    model = SoftmaxRegression(3, 4, dtype="float64")
    before = model.probabilities(x).numpy()
    model.kernel.assign_add(np.full((3, 4), 5.0))
    np.testing.assert_allclose(model.probabilities(x), before, rtol=1e-10)


@pytest.mark.parametrize("model", (LogisticRegression(4, seed=2), SoftmaxRegression(4, 3, use_bias=False)))
def test_saved_loaded_and_exported_they_answer_the_same(model, tmp_path):
    x = np.random.default_rng(0).normal(size=(9, 4)).astype("float32")
    save_model(model, tmp_path / "model.keras")
    again = load(tmp_path / "model.keras")
    assert again.get_config() == model.get_config()
    assert np.array_equal(again.predict(x, verbose=0), model.predict(x, verbose=0))
    model.export(tmp_path / "export")
    served = tf.saved_model.load(str(tmp_path / "export"))
    assert set(served.signatures) == {"serving_default", "logits", "class"}
    for count in (1, 9):
        for name, (function, _) in model.endpoints().items():
            answer = served.signatures[name](x=tf.constant(x[:count]))["output_0"]
            np.testing.assert_allclose(answer, function(x[:count]), rtol=1e-6, atol=1e-6)


def test_the_metrics_of_a_fit_do_not_depend_on_the_batch_size():
    x, y = load_iris(return_X_y=True)
    model = SoftmaxRegression(4, 3)
    model.compile("sgd", SoftmaxLoss(), metrics=["accuracy"])
    results = [model.evaluate(x, y, batch_size=size, verbose=0) for size in (7, 150)]
    np.testing.assert_allclose(*results, rtol=1e-5)


@pytest.mark.parametrize(
    "call",
    (
        lambda: LogisticRegression(0),
        lambda: SoftmaxRegression(0, 3),
        lambda: SoftmaxRegression(3, 1),
        lambda: LogisticRegression(3)(np.zeros((2, 4))),
        lambda: SoftmaxRegression(3, 2)(np.zeros((2, 3, 3))),
    ),
)
def test_sizes_and_shapes_that_do_not_fit_are_refused(call):
    with pytest.raises(ValueError, match="Received: "):
        call()
