"""Oracles of C 9.1.4 and 9.1.6: complex steps through the chain, units looked at one by one."""

import mpmath

from reference_tests.oracles.precision import exact, gradient, relu, rounded, sigmoid

__all__ = ["gradients_through_sigmoids", "next_step", "stuck_units"]


def gradients_through_sigmoids(x, y, weights):
    """|dL/dw_l| of the mean squared error of a chain of sigmoids."""
    inputs, targets = exact(x), exact(y)

    def loss(chain):
        total = mpmath.mpf(0)
        for (value,), (target,) in zip(inputs, targets, strict=True):
            for weight in chain:
                value = sigmoid(weight * value)
            total += (value - target) ** 2
        return total / len(inputs)

    return {"gradient_norms": rounded([abs(slope) for slope in gradient(loss, exact(weights))])}


def stuck_units(x, kernel, bias, activation):
    """Shares counted over the columns of the table of outputs."""
    function = {"relu": relu, "tanh": mpmath.tanh, "sigmoid": sigmoid}[activation]
    rows = [
        [function(sum(a * w for a, w in zip(row, column, strict=True)) + b)
         for column, b in zip(zip(*exact(kernel), strict=True), exact(bias), strict=True)]
        for row in exact(x)
    ]  # fmt: skip
    columns = [tuple(column) for column in zip(*rows, strict=True)]
    alive = [column for column in columns if any(value != 0 for value in column)]
    slopes = {
        "relu": lambda value: mpmath.mpf(1),
        "tanh": lambda value: 1 - value**2,
        "sigmoid": lambda value: 4 * value * (1 - value),
    }[activation]
    flat = [value for column in columns for value in column]
    stuck = sum(slopes(value) < mpmath.mpf(1) / 100 for value in flat)
    return {
        "outputs": rounded(rows),
        "dead": 1 - len(alive) / len(columns),
        "saturated": stuck / len(flat),
        "copies": (len(alive) - len(set(alive))) / len(columns),
    }


def next_step(training_errors, validation_errors, wanted):
    """The decision table of the section, in words."""
    table = {(True, True): "capacity", (True, False): "capacity", (False, True): "data", (False, False): "done"}
    pairs = zip(training_errors, validation_errors, strict=True)
    return {"advice": [table[training > wanted, validation > wanted] for training, validation in pairs]}
