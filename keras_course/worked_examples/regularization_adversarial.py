"""Worked examples of the chapter on adversarial training: the fast gradient sign, and training on the mixture.

Each function takes a golden's inputs and returns its outputs, through the public API.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

from keras_course.core.backend import compiled
from keras_course.losses.softmax import SoftmaxLoss
from keras_course.models.perceptrons.mlp import MLP
from keras_course.models.perceptrons.softmax_regression import SoftmaxRegression
from keras_course.models.regularized.adversarial_training import AdversarialTraining
from keras_course.ops.adversarial import fast_gradient_sign
from keras_course.ops.losses import softmax_loss

__all__ = ["attack_in_high_dimension", "attack_on_a_linear_score", "attack_on_a_network", "steps_on_the_mixture"]


def _logistic(t: Any, z: Any) -> Any:
    return ops.softplus(-ops.cast(t, z.dtype) * z)


def attack_on_a_linear_score(x: Any, w: Any, b: float, y: Any, epsilon: float, bounds: Any) -> dict[str, Any]:
    """The score moves by epsilon ||w||_1 at most, and by no more where a bound is met. Source: C 6.13."""
    limits = None if bounds is None else tuple(float(bound) for bound in bounds)

    def score(x: Any) -> Any:
        return ops.sum(x * w, axis=1) + b

    attacked = compiled(lambda x, y: fast_gradient_sign(score, _logistic, x, y, epsilon, limits))(x, y)
    return {
        "attacked": attacked,
        "score_before": score(x),
        "score_after": score(attacked),
        "largest_change": epsilon * ops.sum(ops.abs(w))[None],
    }


def attack_in_high_dimension(sizes: Any, magnitude: float, epsilon: float) -> dict[str, Any]:
    """No input moves by more than epsilon, and the score by epsilon m n. Source: C 6.13; Goodfellow et al. 2015."""
    changes = []
    for n in (int(size) for size in sizes):
        w = ops.convert_to_tensor(magnitude * (-1.0) ** np.arange(n), dtype=keras.config.floatx())
        attack = compiled(lambda x, w: fast_gradient_sign(lambda x: ops.sum(x * w, axis=1), _logistic, x, -1, epsilon))
        changes.append(ops.sum(attack(ops.zeros((1, n), dtype=w.dtype), w)[0] * w))
    return {"change": ops.stack(changes)}


def attack_on_a_network(
    x: Any, y: Any, kernel_1: Any, bias_1: Any, kernel_2: Any, bias_2: Any, epsilon: float
) -> dict[str, Any]:
    """One step up the sign of the gradient raises the loss of a small network. Source: C 6.13."""
    model = MLP(
        x.shape[1],
        (kernel_1.shape[1], kernel_2.shape[1]),
        activation="tanh",
        dtype=str(keras.backend.standardize_dtype(x.dtype)),
    )
    model.set_layer_weights([(kernel_1, bias_1), (kernel_2, bias_2)])
    attacked = compiled(lambda x, y: fast_gradient_sign(model, softmax_loss, x, y, epsilon))(x, y)
    return {
        "attacked": attacked,
        "loss_before": softmax_loss(y, model(x)),
        "loss_after": softmax_loss(y, model(attacked)),
    }


def steps_on_the_mixture(
    x: Any, y: Any, kernel: Any, bias: Any, epsilon: float, alpha: float, rate: float, steps: int
) -> dict[str, Any]:
    """Gradient descent on alpha J(x) + (1 - alpha) J(x'), x' made anew in every step. Source: C 6.13."""
    dtype = str(keras.backend.standardize_dtype(x.dtype))
    model = AdversarialTraining(
        SoftmaxRegression(*kernel.shape, dtype=dtype), epsilon=epsilon, alpha=alpha, dtype=dtype
    )
    model.inner.kernel.assign(kernel)
    model.inner.bias.assign(bias)
    model.compile(keras.optimizers.SGD(rate), SoftmaxLoss())
    model.optimizer.build(model.trainable_variables)

    def step(x: Any, y: Any) -> Any:
        value = model.compute_loss(x, y, model(x, training=True), None, training=True)
        model.train_step((x, y))
        return value

    train = compiled(step)
    objective = ops.stack([train(x, y) for _ in range(steps)])
    return {"objective": objective, "kernel": model.inner.kernel.numpy(), "bias": model.inner.bias.numpy()}
