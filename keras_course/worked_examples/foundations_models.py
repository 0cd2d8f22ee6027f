"""Worked examples of the first chapters on networks: the perceptron, the XOR network, back-propagation.

Each function takes a golden's inputs and returns its outputs, through the public API. The notes let a matrix act on
columns, with one row a unit; the models here keep one column a unit, so that a printed W enters as its transpose.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from keras_course.core.backend import arithmetic, compiled, jacobian
from keras_course.core.loops import scan
from keras_course.models.perceptrons.backprop import BackpropMLP
from keras_course.models.perceptrons.mlp import MLP
from keras_course.models.perceptrons.perceptron import Perceptron

__all__ = [
    "backprop_batch_gradient",
    "backprop_deep_gradient",
    "backprop_online_epoch",
    "backprop_online_step",
    "backprop_training",
    "integer_input_count",
    "layer_gradients",
    "layered_nonlinearities",
    "mlp_two_hidden_layers",
    "perceptron_mistake_bound",
    "perceptron_nets",
    "perceptron_training",
    "sigmoid_unit_gradient",
    "two_layer_relu_network",
]


def _dtype(x: Any) -> str:
    return str(keras.backend.standardize_dtype(x.dtype))


# Perceptron


def _perceptron(w: Any, b: float, learning_rate: float = 1.0) -> Perceptron:
    model = Perceptron(w.shape[0], learning_rate=learning_rate, dtype=_dtype(w))
    model.w.assign(ops.concatenate([ops.full((1,), b, dtype=w.dtype), w]))
    return model


@arithmetic
def integer_input_count(low: int, high: int, dimension: int) -> dict[str, Any]:
    """How many inputs a space of integers holds; a space of reals holds infinitely many. Source: C 1.1.2."""
    return {"count": (high - low + 1) ** dimension}


def perceptron_nets(x: Any, w: Any, b: float) -> dict[str, Any]:
    """Net input and answer of the sign unit. Source: C 1.2."""
    model = _perceptron(w, b)
    return {"net": compiled(model.net)(x), "output": compiled(lambda x: ops.cast(model(x), "int32"))(x)}


def perceptron_training(x: Any, t: Any, w: Any, b: float, learning_rate: float, epochs: int) -> dict[str, Any]:
    """The mistake-driven rule, presentation by presentation, in the listed order. Source: C 1.2.1."""
    model = _perceptron(w, b, learning_rate)

    def train(w: Any, x: Any, t: Any) -> tuple[Any, Any]:
        def present(state: Any, given: Any) -> Any:
            w, mistake = model.update(state[0], *given)
            return [w], [w, ops.reshape(mistake, (1,))]

        samples = ops.tile(model.augment(x), (epochs, 1))  # (epochs N, D + 1)
        labels = ops.tile(ops.cast(t, w.dtype), (epochs,))
        _, _, (trajectory, wrong) = scan(present, [w], [samples, labels], [w.shape, (1,)], length=epochs * x.shape[0])
        mistakes = ops.sum(ops.reshape(wrong.stack(), (epochs, -1)), axis=1)
        return trajectory.stack(), ops.cast(mistakes, "int32")

    trajectory, mistakes = compiled(train)(ops.convert_to_tensor(model.w), x, t)
    return {"trajectory": trajectory, "w": trajectory[-1, 1:], "b": trajectory[-1, :1], "mistakes": mistakes}


def perceptron_mistake_bound(x: Any, t: Any, w: Any, b: float) -> dict[str, Any]:
    """R^2 / gamma^2, the margin measured with weights of norm 1. Source: C 1.2.1."""
    model = _perceptron(w, b)
    radius, margin = compiled(model.radius_and_margin)(x, t)
    bound = compiled(model.mistake_bound)(x, t)
    return {"radius_squared": radius[None] ** 2, "margin": margin[None], "bound": bound[None]}


# Multilayer perceptrons


def two_layer_relu_network(X: Any, W: Any, c: Any, w: Any, b: float) -> dict[str, Any]:
    """w . max(0, W x + c) + b: with the printed numbers it computes XOR. Source: C 4.1."""
    units, features = W.shape
    first = (ops.transpose(W), c)
    affine = MLP(features, (units,), dtype=_dtype(X))
    affine.set_layer_weights([first])
    network = MLP(features, (units, 1), activation="relu", dtype=_dtype(X))
    network.set_layer_weights([first, (w[:, None], [b])])
    (hidden,) = compiled(network.hidden)(X)
    return {"hidden_net": compiled(affine)(X), "hidden": hidden, "output": compiled(network)(X)[:, 0]}


def mlp_two_hidden_layers(
    x: Any, W1: Any, b1: Any, W2: Any, b2: Any, W3: Any, b3: Any, activation: str
) -> dict[str, Any]:  # fmt: skip
    """h = g(W' h + b), layer after layer, a linear layer last. Source: C 4.5."""
    units = (W1.shape[1], W2.shape[1], W3.shape[1])
    network = MLP(W1.shape[0], units, activation=activation, dtype=_dtype(x))
    network.set_layer_weights([(W1, b1), (W2, b2), (W3, b3)])
    h1, h2 = compiled(network.hidden)(x)
    return {"h1": h1, "h2": h2, "output": compiled(network)(x)}


def layered_nonlinearities(x: Any, W1: Any, W2: Any, W3: Any) -> dict[str, Any]:
    """x_{i+1} = sigma(W_i x_i), logistic in every layer and without biases. Source: S 9.1."""
    units = (W1.shape[0], W2.shape[0], W3.shape[0])
    network = MLP(W1.shape[1], units, "sigmoid", "sigmoid", use_bias=False, dtype=_dtype(x))
    network.set_layer_weights([ops.transpose(W) for W in (W1, W2, W3)])
    x2, x3 = compiled(network.hidden)(x)
    return {"x2": x2, "x3": x3, "x4": compiled(network)(x)}


# Back-propagation: W has a row a unit, b holds the weights of the unit that always is 1


def _backprop(layers: Sequence[tuple[Any, Any]], learning_rate: float = 1.0, update: str = "batch") -> BackpropMLP:
    features = layers[0][0].shape[1]
    units = [W.shape[0] for W, _ in layers]
    model = BackpropMLP(features, units, learning_rate, update, dtype=_dtype(layers[0][0]))
    for matrix, (W, b) in zip(model.matrices, layers, strict=True):
        matrix.assign(ops.concatenate([b[None, :], ops.transpose(W)]))
    return model


def _by_layer(matrices: Sequence[Any], prefix: str = "") -> dict[str, Any]:
    """{"W1": rows of units, "b1": biases, "W2": ...} of matrices with the bias in row 0."""
    parts = {}
    for level, matrix in enumerate(matrices, start=1):
        matrix = ops.convert_to_tensor(matrix)
        parts[f"{prefix}W{level}"], parts[f"{prefix}b{level}"] = ops.transpose(matrix[1:]), matrix[0]
    return parts


def _error_and_gradients(model: BackpropMLP, x: Any, t: Any) -> tuple[Any, Any, list[Any]]:
    def run(x: Any, t: Any) -> tuple[Any, Any, list[Any]]:
        activations = model.forward(x)
        gradients = model.gradients(activations, model.deltas(activations, t))
        return activations[-1], ops.mean(model.error(activations[-1], t)), gradients

    output, error, gradients = compiled(run)(x, t)
    return output, error[None], gradients


def sigmoid_unit_gradient(x: Any, t: Any, w: Any, b: float) -> dict[str, Any]:
    """Error and gradient of one sigmoid unit. Source: C 5.1.1."""
    model = _backprop([(w[None, :], ops.full((1,), b, dtype=w.dtype))])
    output, error, (gradient,) = _error_and_gradients(model, x, t[:, None])
    return {"output": output[:, 0], "error": error, "gradient_w": gradient[1:, 0], "gradient_b": gradient[0]}


def backprop_online_step(
    x: Any, t: Any, W1: Any, b1: Any, W2: Any, b2: Any, learning_rate: float
) -> dict[str, Any]:  # fmt: skip
    """One pass through steps i to iv of the stochastic algorithm, every quantity shown. Source: C 5.1.2."""
    model = _backprop([(W1, b1), (W2, b2)], learning_rate, update="online")

    def run(x: Any, t: Any) -> tuple[Any, Any, Any, Any]:
        activations = model.forward(x)
        deltas = model.deltas(activations, t)
        return activations, deltas, model.weight_changes(activations, deltas), model.online_pass(x, t)[0]

    (_, y, z), (delta_hidden, delta_output), changes, matrices = compiled(run)(x[None], t[None])
    shown = {"y": y[0], "z": z[0], "delta_output": delta_output[0], "delta_hidden": delta_hidden[0]}
    return {**shown, **_by_layer(changes, "change_"), **_by_layer(matrices)}


def backprop_online_epoch(
    x: Any, t: Any, W1: Any, b1: Any, W2: Any, b2: Any, learning_rate: float
) -> dict[str, Any]:  # fmt: skip
    """One update a sample, in the listed order. Source: C 5.1.2."""
    model = _backprop([(W1, b1), (W2, b2)], learning_rate, update="online")
    matrices, outputs = compiled(model.online_pass)(x, t)
    return {**_by_layer(matrices), "outputs": outputs}


def backprop_batch_gradient(x: Any, t: Any, W1: Any, b1: Any, W2: Any, b2: Any) -> dict[str, Any]:
    """E = 1/(2cN) of all squares, and its gradient by both layers. Source: C 5.1.2."""
    _, error, gradients = _error_and_gradients(_backprop([(W1, b1), (W2, b2)]), x, t)
    return {"error": error, **_by_layer(gradients, "gradient_")}


def backprop_deep_gradient(
    x: Any, t: Any, W1: Any, b1: Any, W2: Any, b2: Any, W3: Any, b3: Any
) -> dict[str, Any]:  # fmt: skip
    """The recursion carried through a second hidden layer. Source: C 5.1.2."""
    output, error, gradients = _error_and_gradients(_backprop([(W1, b1), (W2, b2), (W3, b3)]), x, t)
    return {"error": error, "output": output, **_by_layer(gradients, "gradient_")}


def backprop_training(
    x: Any, t: Any, W1: Any, b1: Any, W2: Any, b2: Any, learning_rate: float, batch_size: int, epochs: int
) -> dict[str, Any]:  # fmt: skip
    """Batch or mini-batch gradient descent, through the model's own train_step. Source: C 5.1, 5.1.2."""
    model = _backprop([(W1, b1), (W2, b2)], learning_rate)
    model.compile()

    def run(x: Any, t: Any) -> Any:
        errors = [ops.mean(model.error(model.forward(x)[-1], t))]
        for _ in range(epochs):
            for start in range(0, x.shape[0], batch_size):
                model.train_step((x[start : start + batch_size], t[start : start + batch_size]))
            errors.append(ops.mean(model.error(model.forward(x)[-1], t)))
        return ops.stack(errors)

    return {"errors": compiled(run)(x, t), **_by_layer(model.matrices)}


def layer_gradients(x: Any, W: Any, g: Any) -> dict[str, Any]:
    """One layer x -> sigma(Wx): its Jacobian, and what an error g at its output sends back. Source: S 9.1."""
    model = _backprop([(W, ops.zeros_like(g))])

    def run(x: Any, g: Any) -> tuple[Any, Any, Any]:
        activations = model.forward(x[None])
        deltas = model.deltas(activations, activations[-1] + g)  # t - z = g
        (change,) = model.weight_changes(activations, deltas)
        return activations[-1][0], jacobian(lambda x: model(x[None])[0], x), ops.transpose(change[1:])

    output, slopes, gradient = compiled(run)(x, g)
    y = compiled(ops.matmul)(W, x)
    return {
        "y": y, "output": output, "jacobian": slopes, "gradient_x": ops.matmul(g, slopes), "gradient_W": gradient,
    }  # fmt: skip
