"""Oracles of R (masked autoencoders and flows): no masks and no matrix products, but who may know whom, one by one.

Conditionals are sums over the units that a variable may hear of; log-likelihoods are logarithms of products of
probabilities. Masks are judged by the paths that they leave: counted, not multiplied.
"""

import mpmath

from reference_tests.oracles.precision import exact, rounded, sigmoid

__all__ = ["masked_autoencoder", "masks_by_degree"]


def _places(order):
    """1 for the first variable of the order, and so on."""
    return [order.index(variable) + 1 for variable in range(len(order))]


def masks_by_degree(order, hidden):
    """The masks between layers of units of the given degrees, and how many paths lead from an input to an output."""
    inputs = _places(order)
    layers = [inputs, *hidden]
    masks = [
        [[int(knows >= known) for knows in above] for known in below]
        for below, above in zip(layers[:-1], layers[1:], strict=True)
    ]
    masks.append([[int(place > knows) for place in inputs] for knows in layers[-1]])

    def paths(layer, unit, output):
        if layer == len(masks):
            return int(unit == output)
        return sum(paths(layer + 1, above, output) for above, open_ in enumerate(masks[layer][unit]) if open_)

    variables = range(len(order))
    counted = [[paths(0, source, output) for output in variables] for source in variables]
    named = {f"mask_{level}": mask for level, mask in enumerate(masks)}
    return {"degrees": inputs, **named, "paths": counted}


def masked_autoencoder(order, hidden_degrees, x, hidden_kernel, hidden_bias, kernel, bias):
    """P(x) = prod_d P(x_d | before d): tanh units that hear of variables up to their degree, then one sigmoid each."""
    places = _places(order)
    w, b, v, c, rows = (exact(each) for each in (hidden_kernel, hidden_bias, kernel, bias, x))

    def probability(row, d):
        """P(x_d = 1 | before d)."""
        total = c[d]
        for k, degree in enumerate(hidden_degrees):
            if degree < places[d]:
                heard = sum(w[e][k] * row[e] for e in range(len(order)) if places[e] <= degree)
                total += mpmath.tanh(b[k] + heard) * v[k][d]
        return sigmoid(total)

    conditionals = [[probability(row, d) for d in range(len(order))] for row in rows]
    likelihoods = []
    for row, black in zip(rows, conditionals, strict=True):
        product = mpmath.mpf(1)
        for value, p in zip(row, black, strict=True):
            product *= p if value == 1 else 1 - p
        likelihoods.append(mpmath.log(product))
    return {
        "conditionals": rounded(conditionals),
        "log_prob": rounded(likelihoods),
    }
