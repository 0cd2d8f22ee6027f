"""Oracles of C 4.1, 4.4, 4.5, C 5.1 and S 9.1: units, networks, and backpropagation without any backpropagation.

The deltas and gradients here are complex steps of the error itself, one weight at a time; no chain rule is used.
"""

import mpmath

from reference_tests.oracles.precision import (
    descend,
    dot,
    exact,
    gradient,
    gradients,
    plus,
    relu,
    rounded,
    sigmoid,
    softplus,
    times,
    transpose,
)


def relu_values(z):
    """max(0, z) as (z + |z|) / 2, slope 0 or 1."""
    values = exact(z)
    return {
        "value": rounded([(value + abs(value)) / 2 for value in values]),
        "derivative": rounded([gradient(relu, value) for value in values]),
    }


def _leaky(z, alpha):
    return relu(z) - alpha * relu(-z)


def leaky_relu_values(z, alpha):
    """max(0, z) + alpha min(0, z)."""
    values, slope = exact(z), exact(alpha)
    return {
        "value": rounded([_leaky(value, slope) for value in values]),
        "derivative": rounded([gradient(lambda u: _leaky(u, slope), value) for value in values]),
    }


def prelu_values(z, alpha):
    """max(0, z_i) + alpha_i min(0, z_i), one learned slope a column."""
    rows = [list(zip(row, exact(alpha), strict=True)) for row in exact(z)]
    slopes = [[gradients(_leaky, *pair) for pair in row] for row in rows]
    return {
        "value": rounded([[_leaky(*pair) for pair in row] for row in rows]),
        "derivative_z": rounded([[pair[0] for pair in row] for row in slopes]),
        "derivative_alpha": rounded([[pair[1] for pair in row] for row in slopes]),
    }


def maxout_values(x, W, b):
    """Unit u: max over its pieces p of sum_d x_d W[d][u][p] + b[u][p]."""
    weights, bias = exact(W), exact(b)
    units, pieces = len(bias), len(bias[0])
    return {
        "value": rounded(
            [
                [
                    max(dot(row, [line[u][p] for line in weights]) + bias[u][p] for p in range(pieces))
                    for u in range(units)
                ]
                for row in exact(x)
            ]
        )
    }


def softplus_values(x):
    """log(1 + e**x) and its slope."""
    values = exact(x)
    return {
        "value": rounded([softplus(value) for value in values]),
        "derivative": rounded([gradient(softplus, value) for value in values]),
    }


def logistic_values(x):
    """1 / (1 + e**-x) and its slope."""
    values = exact(x)
    return {
        "value": rounded([sigmoid(value) for value in values]),
        "derivative": rounded([gradient(sigmoid, value) for value in values]),
    }


def tanh_values(x):
    """sinh / cosh, its slope, and 2 sigma(2x) - 1."""
    values = exact(x)
    return {
        "value": rounded([mpmath.sinh(value) / mpmath.cosh(value) for value in values]),
        "derivative": rounded([gradient(mpmath.tanh, value) for value in values]),
        "from_sigmoid": rounded([2 * sigmoid(2 * value) - 1 for value in values]),
    }


def relu_unit(x, W, b):
    """z = W'x + b (no f around it), then max(0, z)."""
    nets = [plus(times(transpose(exact(W)), row), exact(b)) for row in exact(x)]
    return {"net": rounded(nets), "value": rounded([[relu(z) for z in row] for row in nets])}


def two_layer_relu_network(X, W, c, w, b):
    """w . max(0, W x + c) + b (C 4.1)."""
    nets = [plus(times(exact(W), row), exact(c)) for row in exact(X)]
    hidden = [[relu(z) for z in row] for row in nets]
    return {
        "hidden_net": rounded(nets),
        "hidden": rounded(hidden),
        "output": rounded([dot(exact(w), row) + exact(b) for row in hidden]),
    }


def mlp_two_hidden_layers(x, W1, b1, W2, b2, W3, b3, activation):
    """h_i = g(W_i' h_{i-1} + b_i) twice, then a linear output."""
    unit = {"relu": relu, "tanh": mpmath.tanh, "linear": lambda z: z, "sigmoid": sigmoid}[activation]
    first = [[unit(z) for z in plus(times(transpose(exact(W1)), row), exact(b1))] for row in exact(x)]
    second = [[unit(z) for z in plus(times(transpose(exact(W2)), row), exact(b2))] for row in first]
    output = [plus(times(transpose(exact(W3)), row), exact(b3)) for row in second]
    return {"h1": rounded(first), "h2": rounded(second), "output": rounded(output)}


def layered_nonlinearities(x, W1, W2, W3):
    """x_{i+1} = sigma(W_i x_i) in every layer (S 9.1)."""
    layers = [exact(x)]
    for weights in (W1, W2, W3):
        layers.append([[sigmoid(z) for z in times(exact(weights), row)] for row in layers[-1]])
    return {"x2": rounded(layers[1]), "x3": rounded(layers[2]), "x4": rounded(layers[3])}


def _forward(row, layers):
    """Outputs of every layer of sigmoid units, weights with a row a unit."""
    outputs = [row]
    for weights, bias in layers:
        outputs.append([sigmoid(z) for z in plus(times(weights, outputs[-1]), bias)])
    return outputs


def _error(x, t, *flat):
    """(1/2cN) sum over examples and outputs of (t - z)**2; flat = W1, b1, W2, b2, ..."""
    layers = list(zip(flat[::2], flat[1::2], strict=True))
    outputs = [_forward(row, layers)[-1] for row in x]
    squares = sum(
        (a - z) ** 2 for target, output in zip(t, outputs, strict=True) for a, z in zip(target, output, strict=True)
    )
    return squares / (2 * len(t[0]) * len(t))


def sigmoid_unit_gradient(x, t, w, b):
    """One sigmoid unit under (1/2N) sum (t - out)**2 (C 5.1.1)."""
    rows, targets, weights, bias = exact(x), [[value] for value in exact(t)], [exact(w)], [exact(b)]
    by_w, by_b = gradients(lambda u, v: _error(rows, targets, u, v), weights, bias)
    return {
        "output": rounded([_forward(row, [(weights, bias)])[-1][0] for row in rows]),
        "error": rounded([_error(rows, targets, weights, bias)]),
        "gradient_w": rounded(by_w[0]),
        "gradient_b": rounded(by_b),
    }


def _online(x, t, weights, rate):
    """One example: outputs, printed changes (minus the slope of sum (t - z)**2 / 2) and the new weights."""
    scale = len(t)  # _error divides by c, the online rule does not
    slopes = gradients(lambda *flat: _error([x], [t], *flat) * scale, *weights)
    changes = [descend(_zeros(slope), slope, 1) for slope in slopes]
    moved = [descend(tensor, slope, rate) for tensor, slope in zip(weights, slopes, strict=True)]
    layers = list(zip(weights[::2], weights[1::2], strict=True))
    return _forward(x, layers), changes, moved


def _zeros(nested):
    return [_zeros(item) for item in nested] if isinstance(nested, list) else mpmath.mpf(0)


def backprop_online_step(x, t, W1, b1, W2, b2, learning_rate):
    """The printed stochastic step; a delta is the change of the bias of its unit, whose input is 1."""
    outputs, changes, moved = _online(exact(x), exact(t), exact([W1, b1, W2, b2]), exact(learning_rate))
    return {
        "y": rounded(outputs[1]),
        "z": rounded(outputs[2]),
        "delta_output": rounded(changes[3]),
        "delta_hidden": rounded(changes[1]),
        "change_W2": rounded(changes[2]),
        "change_b2": rounded(changes[3]),
        "change_W1": rounded(changes[0]),
        "change_b1": rounded(changes[1]),
        "W1": rounded(moved[0]),
        "b1": rounded(moved[1]),
        "W2": rounded(moved[2]),
        "b2": rounded(moved[3]),
    }


def backprop_online_epoch(x, t, W1, b1, W2, b2, learning_rate):
    """One pass of online steps in the listed order."""
    weights, outputs = exact([W1, b1, W2, b2]), []
    for row, target in zip(exact(x), exact(t), strict=True):
        layers, _, weights = _online(row, target, weights, exact(learning_rate))
        outputs.append(layers[-1])
    return {"outputs": rounded(outputs), **_named(weights)}


def _named(weights):
    names = ("W1", "b1", "W2", "b2", "W3", "b3")
    return {name: rounded(tensor) for name, tensor in zip(names, weights, strict=False)}


def backprop_batch_gradient(x, t, W1, b1, W2, b2):
    """E over the whole set and dE/dw, the printed sums with 1/(cN)."""
    rows, targets, weights = exact(x), exact(t), exact([W1, b1, W2, b2])
    slopes = gradients(lambda *flat: _error(rows, targets, *flat), *weights)
    named = {f"gradient_{name}": value for name, value in _named(slopes).items()}
    return {"error": rounded([_error(rows, targets, *weights)]), **named}


def backprop_training(x, t, W1, b1, W2, b2, learning_rate, batch_size, epochs):
    """Batch (batch_size = N) or mini-batch descent over consecutive batches, gradient 1/(c |batch|)."""
    rows, targets, weights, rate = exact(x), exact(t), exact([W1, b1, W2, b2]), exact(learning_rate)
    errors = [_error(rows, targets, *weights)]
    for _ in range(epochs):
        for start in range(0, len(rows), batch_size):
            part, wanted = rows[start : start + batch_size], targets[start : start + batch_size]
            slopes = gradients(lambda *flat, p=part, q=wanted: _error(p, q, *flat), *weights)
            weights = [descend(tensor, slope, rate) for tensor, slope in zip(weights, slopes, strict=True)]
        errors.append(_error(rows, targets, *weights))
    return {"errors": rounded(errors), **_named(weights)}


def backprop_deep_gradient(x, t, W1, b1, W2, b2, W3, b3):
    """Two hidden layers of sigmoid units: the same error, the same 1/(cN)."""
    rows, targets, weights = exact(x), exact(t), exact([W1, b1, W2, b2, W3, b3])
    layers = list(zip(weights[::2], weights[1::2], strict=True))
    slopes = gradients(lambda *flat: _error(rows, targets, *flat), *weights)
    named = {f"gradient_{name}": value for name, value in _named(slopes).items()}
    return {
        "error": rounded([_error(rows, targets, *weights)]),
        "output": rounded([_forward(row, layers)[-1] for row in rows]),
        **named,
    }


def layer_gradients(x, W, g):
    """y = Wx, x' = sigma(y): Jacobian of x' by x, and the gradients of g . x' by x and by W."""
    point, weights, upstream = exact(x), exact(W), exact(g)

    def output(u, v):
        return [sigmoid(z) for z in times(v, u)]

    jacobian = [gradient(lambda u, k=k: output(u, weights)[k], point) for k in range(len(weights))]
    by_x, by_w = gradients(lambda u, v: dot(upstream, output(u, v)), point, weights)
    return {
        "y": rounded(times(weights, point)),
        "output": rounded(output(point, weights)),
        "jacobian": rounded(jacobian),
        "gradient_x": rounded(by_x),
        "gradient_W": rounded(by_w),
    }
