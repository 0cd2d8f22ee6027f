"""Oracles of C 7.2.5: derivatives through deep networks by complex steps, entry by entry; wide ones by integrals."""

import mpmath

from reference_tests.oracles.precision import STEP, exact, rounded

__all__ = ["factors_of_wide_networks", "gradient_of_a_chain", "gradients_of_a_deep_network"]

_UNITS = {
    "linear": lambda a: a,
    "logistic": lambda a: 1 / (1 + mpmath.exp(-a)),
    "tanh": mpmath.tanh,
    "relu": lambda a: a if mpmath.re(a) > 0 else 0 * a,
}
_STEEPEST = {"linear": 1, "logistic": mpmath.mpf(1) / 4, "tanh": 1, "relu": 1}


def gradient_of_a_chain(x, weights, activation):
    """The rest of the chain as a function of each of its units, differentiated; the bound multiplied out."""
    unit, weights = _UNITS[activation], exact(weights)
    places = [exact(x)]
    for weight in weights:
        places.append(unit(weight * places[-1]))
    derivative, bound = [], []
    for layer, place in enumerate(places):
        moved = place + 1j * STEP
        for weight in weights[layer:]:
            moved = unit(weight * moved)
        derivative.append(mpmath.im(moved) / STEP)
        bound.append(mpmath.fprod(abs(weight) * _STEEPEST[activation] for weight in weights[layer:]))
    return {"derivative": rounded(derivative), "bound": rounded(bound)}


def _layer(rows, weight, activation, network):
    """One layer on rows of numbers, real or complex."""
    a = [[sum(w * h for w, h in zip(unit, row, strict=True)) for unit in weight] for row in rows]
    if network.startswith("normalized"):
        columns = []
        for column in zip(*a, strict=True):
            mean = sum(column) / len(column)
            spread = mpmath.sqrt(sum((value - mean) ** 2 for value in column) / len(column))
            columns.append([(value - mean) / spread for value in column])
        a = list(zip(*columns, strict=True))
    new = [[_UNITS[activation](value) for value in row] for row in a]
    if not network.endswith("residual"):
        return new
    return [[h + f for h, f in zip(*pair, strict=True)] for pair in zip(rows, new, strict=True)]


def _loss(rows, labels, output):
    total = 0
    for row, label in zip(rows, labels, strict=True):
        scores = [sum(v * h for v, h in zip(line, row, strict=True)) for line in output]
        total += mpmath.log(sum(mpmath.exp(score) for score in scores)) - scores[label]
    return total / len(rows)


def gradients_of_a_deep_network(x, labels, weights, output, activation, network):
    """Every entry of every layer and of every matrix is moved by itself; norms of the slopes."""
    weights, output = exact(weights), exact(output)
    layers = [exact(x)]
    for weight in weights:
        layers.append(_layer(layers[-1], weight, activation, network))

    def loss_from(layer, rows, matrices):
        for weight in matrices[layer:]:
            rows = _layer(rows, weight, activation, network)
        return _loss(rows, labels, output)

    def norm(matrix, loss):
        squares = 0
        for i, row in enumerate(matrix):
            for j in range(len(row)):
                moved = [list(other) for other in matrix]
                moved[i][j] += 1j * STEP
                squares += (mpmath.im(loss(moved)) / STEP) ** 2
        return mpmath.sqrt(squares)

    def replaced(k, weight):
        return [weight if index == k else other for index, other in enumerate(weights)]

    by_layer = [norm(rows, lambda moved, k=k: loss_from(k, moved, weights)) for k, rows in enumerate(layers)]
    by_weight = [
        norm(weight, lambda moved, k=k: loss_from(k, layers[k], replaced(k, moved))) for k, weight in enumerate(weights)
    ]
    loss = _loss(layers[-1], labels, output)
    return {"loss": rounded(loss), "layers": rounded(by_layer), "weights": rounded(by_weight)}


def factors_of_wide_networks(activation, gain, depth, square, variance):
    """Gaussian means as integrals; mean squares and means carried from layer to layer."""
    with mpmath.workdps(25):
        unit = _UNITS[activation]

        def mean(function):
            def weighed(z):
                return function(z) * mpmath.exp(-z * z / 2) / mpmath.sqrt(2 * mpmath.pi)

            return mpmath.quad(weighed, [-14, -6, -2, 0, 2, 6, 14])

        def slope(a):
            return mpmath.diff(unit, a) if activation in ("logistic", "tanh") else mpmath.mpf(a > 0)

        def moments(variance):
            scale = mpmath.sqrt(variance)
            return [
                mean(lambda z: unit(scale * z)), mean(lambda z: unit(scale * z) ** 2),
                mean(lambda z: slope(scale * z) ** 2),
            ]  # fmt: skip

        gain, one = mpmath.mpf(gain), moments(mpmath.mpf(1))
        spread = one[1] - one[0] ** 2
        behind, normalized, both = mpmath.mpf(variance), [], []
        for layer in range(depth):
            normalized.append(one[2] / (behind if layer == 0 else spread))
            both.append(1 + one[2] / (behind + layer * spread))
        plain, residual, size, sums, level = [], [], mpmath.mpf(square), mpmath.mpf(square), mpmath.mpf(0)
        for _ in range(depth):
            _, size, steep = moments(gain * size)
            plain.append(gain * steep)
            first, second, steep = moments(gain * sums)
            sums, level = sums + 2 * level * first + second, level + first
            residual.append(1 + gain * steep)
        found = {"plain": plain, "normalized": normalized, "residual": residual, "normalized_residual": both}
        return {name: rounded(values) for name, values in found.items()}
