"""How a gradient changes on its way down a deep network: measured, and as width goes to infinity.

    a_l = W_l h_{l-1},   h_l = f(a_l)                plain         dL/dh_{l-1} = W_l' (f'(a_l) dL/dh_l)
                         h_l = f(norm(a_l))          normalized    each unit over the batch: mean 0, variance 1
                         h_l = h_{l-1} + f(a_l)      residual      dL/dh_{l-1} = dL/dh_l + W_l' (f'(a_l) dL/dh_l)
                         h_l = h_{l-1} + f(norm(a_l))              normalized residual

    a chain of single units:   dh_L/dh_l = prod_{k > l} w_k f'(a_k),   |f'| <= 1/4 for the logistic function
    wide, entries of W_l of mean 0 and variance g / D:   E|dL/dh_{l-1}|^2 = chi_l E|dL/dh_l|^2

        plain       chi_l = g E f'(a)^2,         a ~ N(0, q_l),   q_{l+1} = g E f(a)^2
        residual    chi_l = 1 + g E f'(a)^2
        normalized  chi_l = E f'(z)^2 / v_{l-1},   v_l = Var f(z) for l > 0, v_0 that of the inputs;   z ~ N(0, 1)
        both        chi_l = 1 + E f'(z)^2 / v_{l-1},   v_l = v_{l-1} + Var f(z)

By Poincare's inequality Var f(z) <= E f'(z)^2: behind the first layer normalization never lets a gradient vanish at the
start, whatever f and g are; with relu it makes |dL/dh|^2 grow by pi / (pi - 1) a layer. With both, growth is no longer
geometric: chi_l is about 1 + c / l. Of finite width, relu and residual: f is homogeneous, so h_l . dL/dh_l is one
number for all l (Euler), and the gradient grows downwards at least as the layers grow upwards, faster than chi_l says.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf
from keras import ops

from keras_course.core.shapes import require_one_of, require_positive_int
from keras_course.ops.floating import as_floating

__all__ = ["ACTIVATIONS", "NETWORKS", "chain_derivatives", "gradient_by_depth", "hidden_layers", "wide_factors"]

NETWORKS = ("plain", "normalized", "residual", "normalized residual")

# f, its derivative from its value, and the greatest |f'|.
_FUNCTIONS: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any], float]] = {
    "linear": (lambda a: a, ops.ones_like, 1.0),
    "logistic": (ops.sigmoid, lambda h: h * (1.0 - h), 0.25),
    "tanh": (ops.tanh, lambda h: 1.0 - h * h, 1.0),
    "relu": (ops.relu, lambda h: ops.cast(h > 0, h.dtype), 1.0),
}
ACTIVATIONS = tuple(_FUNCTIONS)
_GRID = np.linspace(-10.0, 10.0, 2001)  # the trapezium rule converges geometrically for what decays at both ends
_WEIGHTS = np.exp(-(_GRID**2) / 2) / math.sqrt(2 * math.pi) * (20.0 / 2000)


def chain_derivatives(x: Any, weights: Any, activation: str) -> dict[str, Any]:
    """What the output of a chain of single units knows of each unit, and the most that it could.

    h_0 = x,   h_l = f(w_l h_{l-1}),   dh_L/dh_l = prod_{k > l} w_k f'(w_k h_{k-1})
    |dh_L/dh_l| <= prod_{k > l} |w_k| max |f'|

    Args:
        x: number, the input h_0.
        weights: tensor (L,), one a layer.
        activation: "linear" (the bound is reached), "logistic", "tanh" or "relu".

    Returns:
        {"derivative", "bound"}: tensors (L + 1,), from h_0 to h_L, whose own derivative is 1.

    Raises:
        ValueError: for an unknown activation.

    Example:
        >>> ops.convert_to_numpy(chain_derivatives(0.0, [1.0, 1.0, 1.0], "logistic")["bound"]).tolist()
        [0.015625, 0.0625, 0.25, 1.0]

    Source: C 7.2.5, B.
    """
    require_one_of("chain_derivatives", ACTIVATIONS, activation=activation)
    function, derivative, steepest = _FUNCTIONS[activation]
    weights = as_floating(weights)
    units, slopes = as_floating(x, weights.dtype), []
    for weight in ops.unstack(weights):
        units = function(weight * units)
        slopes.append(weight * derivative(units))
    found, bound = [ops.ones_like(units)], [ops.ones_like(units)]
    for weight, slope in zip(reversed(ops.unstack(weights)), reversed(slopes), strict=True):
        found.append(found[-1] * slope)
        bound.append(bound[-1] * ops.abs(weight) * steepest)
    return {"derivative": ops.stack(found[::-1]), "bound": ops.stack(bound[::-1])}


def hidden_layers(x: Any, weights: Any, activation: str, network: str) -> list[Any]:
    """Every layer of a deep network whose layers are as wide as its input.

    h_l = f(W_l h_{l-1}),   f(norm(W_l h_{l-1})),   h_{l-1} + f(W_l h_{l-1})   or   h_{l-1} + f(norm(W_l h_{l-1}))

    Args:
        x: tensor (..., N, D), h_0; leading axes are networks side by side.
        weights: L tensors (..., D, D), rows are units: a = h W'.
        activation: one of `ACTIVATIONS`.
        network: one of `NETWORKS`; normalization is over the N rows, without gamma, beta and epsilon, as in the notes.

    Returns:
        [h_0, ..., h_L], tensors (..., N, D).

    Raises:
        ValueError: for an unknown activation or network.

    Example:
        >>> layers = hidden_layers(ops.ones((2, 3)), [ops.eye(3)] * 4, "relu", "residual")
        >>> [float(layer[0, 0]) for layer in layers]
        [1.0, 2.0, 4.0, 8.0, 16.0]

    Source: C 7.2.5, C 7.7, R (Residual Networks).
    """
    require_one_of("hidden_layers", ACTIVATIONS, activation=activation)
    require_one_of("hidden_layers", NETWORKS, network=network)
    function = _FUNCTIONS[activation][0]
    layers = [x]
    for weight in weights:
        a = ops.matmul(layers[-1], ops.swapaxes(weight, -1, -2))  # (..., N, D)
        if network.startswith("normalized"):
            away = a - ops.mean(a, axis=-2, keepdims=True)
            variance = ops.mean(away * away, axis=-2, keepdims=True)
            a = away * ops.rsqrt(ops.where(variance > 0, variance, ops.ones_like(variance)))  # a unit that stands still
        h = function(a)
        layers.append(layers[-1] + h if network.endswith("residual") else h)
    return layers


def gradient_by_depth(
    x: Any, labels: Any, weights: Any, output: Any, activation: str, network: str
) -> dict[str, Any]:  # fmt: skip
    """Norms of the gradient at every layer and of every weight matrix.

    loss = mean over rows of -log softmax(V h_L)[label];   |dloss/dh_l|,  |dloss/dW_l|  (Frobenius)

    Args:
        x: tensor (N, D).
        labels: int tensor (N,).
        weights: tensor (..., L, D, D); leading axes are networks side by side.
        output: tensor (..., K, D), the matrix V.
        activation: one of `ACTIVATIONS`.
        network: one of `NETWORKS`.

    Returns:
        {"loss": (...), "layers": (..., L + 1) from h_0 to h_L, "weights": (..., L)}. Take float64 for deep
        networks: float32 has no squares of gradients below 1e-19.

    Raises:
        ValueError: for an unknown activation or network.

    Example:
        >>> norms = gradient_by_depth(ops.eye(3), [0, 1, 2], ops.stack([ops.eye(3)] * 5), ops.eye(3), "linear", "plain")
        >>> bool(ops.max(norms["layers"]) - ops.min(norms["layers"]) < 1e-6)  # the identity loses nothing
        True

    Source: C 7.2.5, C 9.1.6.
    """
    weights, output = as_floating(weights), as_floating(output)
    matrices = tf.unstack(tf.convert_to_tensor(weights), axis=-3)
    x = tf.broadcast_to(as_floating(x, weights.dtype), (*weights.shape[:-3], *x.shape))
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch((x, *matrices))
        layers = hidden_layers(x, matrices, activation, network)
        losses = deep_loss(layers[-1], labels, output)
    slopes = tape.gradient(losses, [*layers, *matrices])
    norms = [tf.sqrt(tf.reduce_sum(slope * slope, (-2, -1))) for slope in slopes]
    return {"loss": losses, "layers": tf.stack(norms[: len(layers)], -1), "weights": tf.stack(norms[len(layers) :], -1)}


def deep_loss(top: Any, labels: Any, output: Any) -> Any:
    """Mean over rows of -log softmax(V h)[label], one number a network; h (..., N, D), V (..., K, D)."""
    logits = ops.log_softmax(ops.matmul(top, ops.swapaxes(output, -1, -2)))  # (..., N, K)
    chosen = ops.one_hot(labels, output.shape[-2], dtype=logits.dtype)
    return -ops.mean(ops.sum(logits * chosen, axis=-1), axis=-1)


def wide_factors(
    activation: str, network: str, gain: float, depth: int, square: float = 1.0, variance: float = 1.0
) -> list[float]:
    """By how much the mean square of the gradient changes at each layer of an infinitely wide random network.

    chi_l = g E f'(a)^2 (plain),   1 + g E f'(a)^2 (residual),   E f'(z)^2 / v_{l-1} (normalized),
    1 + E f'(z)^2 / v_{l-1} (normalized residual)

    Args:
        activation: one of `ACTIVATIONS`.
        network: one of `NETWORKS`.
        gain: g, variance of a weight times the width: 1/3 for UniformFanIn, 1 for NormalizedInitialization, 2 for He.
        depth: int L.
        square: mean square of the inputs, whose mean is 0.
        variance: of the inputs over the batch, mean of the features'; what is normalized asks for it.

    Returns:
        [chi_1, ..., chi_L], floats.

    Raises:
        ValueError: for an unknown activation or network, or a depth below 1.

    Example:
        >>> wide_factors("relu", "plain", 2.0, 3), wide_factors("relu", "plain", 1.0, 3)
        ([1.0, 1.0, 1.0], [0.5, 0.5, 0.5])

    Source: C 7.2.5, C 7.4; Schoenholz et al. 2017, Yang et al. 2019.
    """
    require_one_of("wide_factors", ACTIVATIONS, activation=activation)
    require_one_of("wide_factors", NETWORKS, network=network)
    require_positive_int("wide_factors", depth=depth)
    if network.startswith("normalized"):
        *_, spread, slope = _moments(activation, 1.0)  # Var f(z), E f'(z)^2
        if network == "normalized":
            return [slope / variance] + [slope / spread] * (depth - 1)
        return [1 + slope / (variance + layer * spread) for layer in range(depth)]
    found, level, size = [], 0.0, square  # mean and mean square of a layer's units
    for _ in range(depth):
        mean, power, _, slope = _moments(activation, gain * size)
        if network == "plain":
            size = power
            found.append(gain * slope)
        else:
            size, level = size + 2 * level * mean + power, level + mean
            found.append(1 + gain * slope)
    return found


def _moments(activation: str, variance: float) -> tuple[float, float, float, float]:
    """E f(a), E f(a)^2, Var f(a) and E f'(a)^2 for a ~ N(0, variance)."""
    if activation == "linear":
        return 0.0, variance, variance, 1.0
    if activation == "relu":
        mean = math.sqrt(variance / (2 * math.pi))
        return mean, variance / 2, variance * (1 - 1 / math.pi) / 2, 0.5
    h = np.tanh(math.sqrt(variance) * _GRID / (2 if activation == "logistic" else 1))
    h = (1 + h) / 2 if activation == "logistic" else h
    slope = h * (1 - h) if activation == "logistic" else 1 - h * h
    mean = float(_WEIGHTS @ h)
    return mean, float(_WEIGHTS @ h**2), float(_WEIGHTS @ (h - mean) ** 2), float(_WEIGHTS @ slope**2)
