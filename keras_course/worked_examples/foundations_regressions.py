"""Worked examples of linear, logistic and softmax regression, from J(theta) to the output units of networks.

Each function takes a golden's inputs and returns its outputs, through the public API.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf
from keras import ops

from keras_course.core.backend import compiled
from keras_course.losses.half_squared import HalfSquaredLoss
from keras_course.losses.logistic import LogisticLoss
from keras_course.losses.softmax import SoftmaxLoss
from keras_course.models.perceptrons.linear_regression import LinearRegression
from keras_course.models.perceptrons.logistic_regression import LogisticRegression
from keras_course.models.perceptrons.softmax_regression import SoftmaxRegression

__all__ = [
    "bernoulli_cost",
    "bernoulli_probabilities",
    "best_linear_fit",
    "clipped_linear_unit",
    "gradient_descent_on_theta",
    "logistic_output_unit",
    "logistic_regression_gradient",
    "logistic_regression_training",
    "softmax_of_two_classes",
    "softmax_output_unit",
    "softmax_regression_gradient",
    "softmax_regression_training",
    "theta_of_minimum_cost",
]


def _dtype(x: Any) -> str:
    return str(keras.backend.standardize_dtype(x.dtype))


def _descend(model: Any, per_sample: Callable[[Any, Any], Any], rate: float, steps: int) -> Callable[..., Any]:
    """Gradient descent on the mean cost: the costs and all weights, before each step and after the last."""

    def run(x: Any, y: Any) -> tuple[Any, list[Any]]:
        costs, path = [], []
        for step in range(steps + 1):
            with tf.GradientTape() as tape:
                cost = ops.mean(per_sample(y, model(x)))
            costs.append(cost)
            path.append([tf.identity(variable.value) for variable in model.trainable_variables])
            if step < steps:
                gradients = tape.gradient(cost, model.trainable_variables)
                for variable, gradient in zip(model.trainable_variables, gradients, strict=True):
                    variable.assign(variable - rate * gradient)
        return ops.stack(costs), [ops.stack(values) for values in zip(*path, strict=True)]

    return compiled(run)


def _cost_and_gradients(model: Any, per_sample: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    """The cost of each sample, and the gradient of their mean by each weight."""

    def run(x: Any, y: Any) -> tuple[Any, list[Any]]:
        with tf.GradientTape() as tape:
            cost = per_sample(y, model(x))
            mean = ops.mean(cost)
        return cost, tape.gradient(mean, model.trainable_variables)

    return compiled(run)


def theta_of_minimum_cost(x: Any, y: Any) -> dict[str, Any]:
    """The slope through the origin that fits best. Source: C 2.3."""
    model = LinearRegression(1, use_bias=False, dtype=_dtype(x))
    kernel, _ = compiled(model.solution)(x[:, None], y)
    return {"theta": kernel[:, 0]}


def gradient_descent_on_theta(theta: Any, x: Any, y: Any, learning_rate: float, steps: int) -> dict[str, Any]:
    """Down the parabola J(theta), step by step. Source: C 2.2, 2.3."""
    model = LinearRegression(1, use_bias=False, dtype=_dtype(x))
    model.kernel.assign(theta[:, None])
    loss = HalfSquaredLoss(reduction=None, dtype=_dtype(x))
    costs, (thetas,) = _descend(model, loss, learning_rate, steps)(x[:, None], y[:, None])
    return {"thetas": thetas[:, 0, 0], "costs": costs}


def best_linear_fit(X: Any, y: Any) -> dict[str, Any]:
    """Least squares with a bias: a line through noisy points, and the best linear model of XOR. Source: C 4.1."""
    model = LinearRegression(X.shape[1], dtype=_dtype(X))
    kernel, bias = compiled(model.solution)(X, y)
    model.kernel.assign(kernel)
    model.bias.assign(bias)
    return {"coefficients": ops.concatenate([bias, kernel[:, 0]]), "predictions": compiled(model)(X)[:, 0]}


def _logistic(w: Any, b: float) -> LogisticRegression:
    model = LogisticRegression(w.shape[0], dtype=_dtype(w))
    model.kernel.assign(w[:, None])
    model.bias.assign([b])
    return model


def _signed_cost(dtype: str) -> Callable[[Any, Any], Any]:
    loss = LogisticLoss(reduction=None, dtype=dtype)
    return lambda y, logits: loss(2 * y - 1, logits[:, 0])


def logistic_output_unit(h: Any, w: Any, b: float) -> dict[str, Any]:
    """A Bernoulli output unit: a logit, and sigmoid of it. Source: C 4.3."""
    model = _logistic(w, b)
    return {"z": compiled(model)(h)[:, 0], "probability": compiled(model.probability)(h)[:, 0]}


def bernoulli_probabilities(z: Any) -> dict[str, Any]:
    """P(y) = sigmoid((2y - 1) z) for both classes; they sum to 1. Source: C 4.3."""
    model = _logistic(ops.ones_like(z[:1]), 0.0)
    probability = compiled(model.probability)
    return {"positive": probability(z[:, None])[:, 0], "negative": probability(-z[:, None])[:, 0]}


def bernoulli_cost(y: Any, z: Any) -> dict[str, Any]:
    """-log P(y) = softplus((1 - 2y) z), and its slope sigmoid(z) - y. Source: C 4.3."""
    model = _logistic(ops.ones_like(z[:1]), 0.0)
    cost = _signed_cost(_dtype(z))

    def run(y: Any, z: Any) -> tuple[Any, Any]:
        with tf.GradientTape() as tape:
            tape.watch(z)
            value = cost(y, model(z[:, None]))
        return value, tape.gradient(value, z)

    value, gradient = compiled(run)(y, z)
    return {"cost": value, "gradient": gradient}


def clipped_linear_unit(z: Any) -> dict[str, Any]:
    """Why not max(0, min(1, z)): outside [0, 1] it has no slope left to learn from. Source: C 4.3."""
    model = _logistic(ops.ones_like(z[:1]), 0.0)

    def run(z: Any) -> tuple[Any, Any, Any]:
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(z)
            clipped = ops.maximum(0, ops.minimum(1, z))
            probability = model.probability(z[:, None])
        return clipped, tape.gradient(clipped, z), tape.gradient(probability, z)

    clipped, gradient, logistic_gradient = compiled(run)(z)
    return {"clipped": clipped, "gradient": gradient, "logistic_gradient": logistic_gradient}


def logistic_regression_gradient(x: Any, y: Any, w: Any, b: float) -> dict[str, Any]:
    """Costs of all samples and the gradient of their mean. Source: C 4.3."""
    model = _logistic(w, b)
    cost, (gradient_w, gradient_b) = _cost_and_gradients(model, _signed_cost(_dtype(w)))(x, y)
    return {
        "probability": compiled(model.probability)(x)[:, 0],
        "cost": cost,
        "gradient_w": gradient_w[:, 0],
        "gradient_b": gradient_b,
    }


def logistic_regression_training(
    x: Any, y: Any, w: Any, b: float, learning_rate: float, steps: int
) -> dict[str, Any]:  # fmt: skip
    """Full-batch gradient descent on the mean cost. Source: C 4.3."""
    model = _logistic(w, b)
    costs, (kernels, biases) = _descend(model, _signed_cost(_dtype(w)), learning_rate, steps)(x, y)
    return {"costs": costs, "w": kernels[-1, :, 0], "b": biases[-1]}


def _softmax(W: Any, b: Any) -> SoftmaxRegression:
    model = SoftmaxRegression(*W.shape, dtype=_dtype(W))
    model.kernel.assign(W)
    model.bias.assign(b)
    return model


def softmax_output_unit(h: Any, W: Any, b: Any) -> dict[str, Any]:
    """A multinoulli output unit: logits, probabilities, the most probable class. Source: C 4.3."""
    model = _softmax(W, b)
    return {
        "z": compiled(model)(h),
        "probabilities": compiled(model.probabilities)(h),
        "labels": compiled(model.most_probable)(h),
    }


def softmax_of_two_classes(z: Any) -> dict[str, Any]:
    """softmax([0, z]) is sigmoid(z). Source: C 4.3."""
    one, zero = ops.ones_like(z[:1]), ops.zeros_like(z[:1])
    two = _softmax(ops.stack([zero, one], axis=1), ops.concatenate([zero, zero]))
    return {
        "softmax": compiled(two.probabilities)(z[:, None])[:, 1],
        "sigmoid": compiled(_logistic(one, 0.0).probability)(z[:, None])[:, 0],
    }


def softmax_regression_gradient(x: Any, y: Any, W: Any, b: Any) -> dict[str, Any]:
    """Costs of all samples and the gradient of their mean. Source: C 4.3, S 9.3."""
    model = _softmax(W, b)
    cost, (gradient_W, gradient_b) = _cost_and_gradients(model, SoftmaxLoss(None, dtype=_dtype(W)))(x, y)
    probabilities = compiled(model.probabilities)(x)
    return {"probabilities": probabilities, "cost": cost, "gradient_W": gradient_W, "gradient_b": gradient_b}


def softmax_regression_training(
    x: Any, y: Any, W: Any, b: Any, learning_rate: float, steps: int
) -> dict[str, Any]:  # fmt: skip
    """Full-batch gradient descent on the mean cost. Source: C 4.3, S 9.3."""
    model = _softmax(W, b)
    costs, (kernels, biases) = _descend(model, SoftmaxLoss(None, dtype=_dtype(W)), learning_rate, steps)(x, y)
    return {"costs": costs, "W": kernels[-1], "b": biases[-1]}
