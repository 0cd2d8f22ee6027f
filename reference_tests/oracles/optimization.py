"""Oracles of C 7.3 and 7.5, N and S 9.4: every optimizer as an explicit sum over all gradients so far.

No state is carried from step to step: a velocity is the sum of alpha^i g(t - i), a moving average the sum of
(1 - rho) rho^i g(t - i)^2, Adam's corrected moments are weighted means whose weights are divided by their own sum.
Gradients are complex steps. The second order, schedules and initial scales lie in optimization_methods.
"""

import mpmath

from reference_tests.oracles.optimization_methods import (
    clipped_gradients,
    clipped_parameters,
    conjugate_directions,
    conjugate_gradient_on_quadratic,
    conjugate_gradient_on_wells,
    exponential_decay_rates,
    linear_decay_rates,
    newton_on_quadratic,
    newton_on_wells,
    normalized_limits,
    polynomial_decay_rates,
    uniform_fan_in_limits,
)
from reference_tests.oracles.optimization_normalization import (
    batch_normalization_as_printed,
    batch_normalization_gradient,
    moments_of_uneven_batches,
    moving_averages,
    statistics_layer_by_layer,
)
from reference_tests.oracles.precision import dot, exact, gradient, rounded, times

__all__ = [
    "adagrad_change",
    "adagrad_paths",
    "adam_against_keras",
    "adam_paths",
    "averaged_momentum_paths",
    "batch_normalization_as_printed",
    "batch_normalization_gradient",
    "batch_sizes_in_one_epoch",
    "clipped_gradients",
    "clipped_parameters",
    "conjugate_directions",
    "conjugate_gradient_on_quadratic",
    "conjugate_gradient_on_wells",
    "delta_bar_delta_paths",
    "error_of_gradient_estimates",
    "exponential_decay_rates",
    "gradient_descent_paths",
    "gradient_of_negative_log_likelihood",
    "linear_decay_rates",
    "moments_of_uneven_batches",
    "momentum_contributions",
    "momentum_paths",
    "momentum_terminal_speed",
    "momentum_velocities",
    "moving_averages",
    "nesterov_against_keras",
    "nesterov_paths",
    "newton_on_quadratic",
    "newton_on_wells",
    "normalized_limits",
    "polynomial_decay_rates",
    "rmsprop_paths",
    "statistics_layer_by_layer",
    "uniform_fan_in_limits",
    "windowed_adagrad_paths",
]


def _functions(hessian):
    """A quadratic with this Hessian, and two wells joined by a saddle."""
    matrix = exact(hessian)
    return {
        "quadratic": lambda p: dot(p, times(matrix, p)) / 2,
        "wells": lambda p: p[0] ** 4 / 4 - p[0] ** 2 / 2 + p[0] * p[1] / 2 + p[1] ** 2 / 2,
    }


def _walk(function, start, steps, change, where=lambda path, slopes: path[-1]):
    """Positions; `change` turns all gradients so far, one list a coordinate and newest first, into the next step."""
    path, slopes = [exact(start)], []
    for _ in range(steps):
        slopes.insert(0, gradient(function, where(path, slopes)))
        moves = [change([slope[i] for slope in slopes]) for i in range(len(path[0]))]
        path.append([p + move for p, move in zip(path[-1], moves, strict=True)])
    return path


def _paths(hessian, start, steps, change):
    return {name: rounded(_walk(f, start, steps, change)) for name, f in _functions(hessian).items()}


def _sum_of_powers(factor, values):
    """sum_i factor^i value_i, the newest first."""
    return sum((mpmath.mpf(factor) ** i * value for i, value in enumerate(values)), mpmath.mpf(0))


def gradient_descent_paths(hessian, start, learning_rate, steps):
    """theta - eps g."""
    rate = mpmath.mpf(learning_rate)
    return _paths(hessian, start, steps, lambda g: -rate * g[0])


def momentum_paths(hessian, start, learning_rate, momentum, steps):
    """theta - eps sum_i alpha^i g(t - i)."""
    rate = mpmath.mpf(learning_rate)
    return _paths(hessian, start, steps, lambda g: -rate * _sum_of_powers(momentum, g))


def _nesterov(function, start, learning_rate, momentum, steps):
    """(positions, interim points at which the gradients were taken, the next one included)."""
    rate, share = mpmath.mpf(learning_rate), mpmath.mpf(momentum)

    def interim(path, _):
        before = path[-2] if len(path) > 1 else path[-1]  # v is the last displacement
        return [p + share * (p - q) for p, q in zip(path[-1], before, strict=True)]

    path = _walk(function, start, steps, lambda g: -rate * _sum_of_powers(momentum, g), interim)
    return path, [interim(path[: k + 1], None) for k in range(len(path))]


def nesterov_paths(hessian, start, learning_rate, momentum, steps):
    """Gradients at theta + alpha v."""
    functions = _functions(hessian).items()
    return {name: rounded(_nesterov(f, start, learning_rate, momentum, steps)[0]) for name, f in functions}


def nesterov_against_keras(hessian, start, learning_rate, momentum, steps):
    """Keras's weights are the interim points."""
    path, interim = _nesterov(_functions(hessian)["quadratic"], start, learning_rate, momentum, steps)
    return {"weights": rounded(path), "weights_of_keras": rounded(interim)}


def averaged_momentum_paths(hessian, start, learning_rate, average_rate, share, steps):
    """theta - eta g - eta~ lambda sum_i (1 - lambda)^i g(t - i)."""
    rate, other, part = mpmath.mpf(learning_rate), mpmath.mpf(average_rate), mpmath.mpf(share)
    return _paths(hessian, start, steps, lambda g: -rate * g[0] - other * part * _sum_of_powers(1 - part, g))


def _adagrad_scale(squares, delta, form):
    total, delta = sum(squares), mpmath.mpf(delta)
    return {
        "outside-root": delta + mpmath.sqrt(total),
        "inside-root": mpmath.sqrt(delta + total),
        "no-root": delta + total,
    }[form]


def adagrad_paths(hessian, start, learning_rate, delta, form, steps):
    """All squared gradients under (or beside, or without) the root."""
    rate = mpmath.mpf(learning_rate)
    return _paths(
        hessian, start, steps, lambda g: -rate * g[0] / _adagrad_scale([slope**2 for slope in g], delta, form)
    )


def adagrad_change(gradient, learning_rate, delta, form):
    """The first step."""
    rate = mpmath.mpf(learning_rate)
    return {"change": rounded([-rate * g / _adagrad_scale([g**2], delta, form) for g in exact(gradient)])}


def windowed_adagrad_paths(hessian, start, learning_rate, window, delta, steps):
    """Only the newest tau + 1 squares."""
    rate = mpmath.mpf(learning_rate)

    def change(g):
        return -rate * g[0] / _adagrad_scale([slope**2 for slope in g[: window + 1]], delta, "inside-root")

    return _paths(hessian, start, steps, change)


def rmsprop_paths(hessian, start, learning_rate, decay, delta, steps):
    """(1 - rho) sum_i rho^i g(t - i)^2 and delta under the root."""
    rate, share = mpmath.mpf(learning_rate), 1 - mpmath.mpf(decay)

    def change(g):
        return -rate * g[0] / mpmath.sqrt(mpmath.mpf(delta) + share * _sum_of_powers(decay, [s**2 for s in g]))

    return _paths(hessian, start, steps, change)


def _adam(learning_rate, first_decay, second_decay, delta, corrected_delta):
    def mean(decay, values):
        weights = [mpmath.mpf(decay) ** i for i in range(len(values))]
        return dot(weights, values) / sum(weights)

    def change(g):
        small = mpmath.mpf(delta)
        if not corrected_delta:  # Keras adds it to the root of the uncorrected average
            small /= mpmath.sqrt(1 - mpmath.mpf(second_decay) ** len(g))
        root = mpmath.sqrt(mean(second_decay, [slope**2 for slope in g]))
        return -mpmath.mpf(learning_rate) * mean(first_decay, g) / (small + root)

    return change


def adam_paths(hessian, start, learning_rate, first_decay, second_decay, delta, steps):
    """Weighted means of gradients and of their squares: a mean needs no correction of its start."""
    return _paths(hessian, start, steps, _adam(learning_rate, first_decay, second_decay, delta, True))


def adam_against_keras(hessian, start, learning_rate, first_decay, second_decay, delta, steps):
    """The same small constant after the correction and before it."""
    quadratic = _functions(hessian)["quadratic"]
    sides = {"weights": True, "weights_of_keras": False}
    return {
        name: rounded(
            _walk(quadratic, start, steps, _adam(learning_rate, first_decay, second_decay, delta, after))
        )
        for name, after in sides.items()
    }  # fmt: skip


def delta_bar_delta_paths(hessian, start, learning_rate, increase, decrease, averaging, steps):
    """Jacobs's own form: every parameter's rate is kept itself, and kappa times the first rate is added to it."""
    first, part = mpmath.mpf(learning_rate), mpmath.mpf(averaging)

    def rate_after(g):
        rate = first
        for age in range(len(g) - 1, -1, -1):
            product = (1 - part) * _sum_of_powers(part, g[age + 1 :]) * g[age]
            if product > 0:
                rate += mpmath.mpf(increase) * first
            elif product < 0:
                rate *= 1 - mpmath.mpf(decrease)
        return rate

    answer = {}
    for name, function in _functions(hessian).items():
        path = _walk(function, start, steps, lambda g: -rate_after(g) * g[0])
        slopes = [gradient(function, point) for point in reversed(path[:-1])]
        gains = [rate_after([slope[i] for slope in slopes]) / first for i in range(len(path[0]))]
        answer |= {name: rounded(path), f"{name}_gains": rounded(gains)}
    return answer


def batch_sizes_in_one_epoch(x, y, theta, learning_rate, batch_sizes):
    """One pass over the data with full batch, mini-batches, single examples; the slope of ½(theta x - y)^2."""
    ends, counts = [], []
    for size in batch_sizes:
        value, steps = mpmath.mpf(theta), 0
        for begin in range(0, len(x), size):
            rows = list(zip(exact(x)[begin : begin + size], exact(y)[begin : begin + size], strict=True))
            value -= mpmath.mpf(learning_rate) * sum((value * a - b) * a for a, b in rows) / len(rows)
            steps += 1
        ends.append(value)
        counts.append(steps)
    return {"theta": rounded(ends), "updates": counts}


def error_of_gradient_estimates(sigma, examples):
    """sigma / sqrt(m), and how work and error of the last estimate compare with the first."""
    errors = [mpmath.mpf(sigma) / mpmath.sqrt(mpmath.mpf(m)) for m in examples]
    work = mpmath.mpf(examples[-1]) / mpmath.mpf(examples[0])
    return {"error": rounded(errors), "work": float(work), "gain": float(errors[0] / errors[-1])}


def gradient_of_negative_log_likelihood(logits, labels, learning_rate):
    """J = -mean log softmax(z)[y]: gradient by z, and J before and after one step down it."""

    def cost(z):
        rows = zip(z, labels, strict=True)
        return sum(mpmath.log(sum(mpmath.exp(v) for v in row)) - row[y] for row, y in rows) / len(labels)

    start = exact(logits)
    slope = gradient(cost, start)
    moved = [
        [v - mpmath.mpf(learning_rate) * s for v, s in zip(row, line, strict=True)]
        for row, line in zip(start, slope, strict=True)
    ]
    return {"gradient": rounded(slope), "costs": rounded([cost(start), cost(moved)])}


def momentum_velocities(gradients, learning_rate, momentum):
    """v(t) = -eps sum_i alpha^i g(t - i), every t."""
    rows = exact(gradients)
    rate = mpmath.mpf(learning_rate)
    columns = range(len(rows[0]))
    return {
        "velocities": rounded(
            [
                [-rate * _sum_of_powers(momentum, [row[c] for row in reversed(rows[: t + 1])]) for c in columns]
                for t in range(len(rows))
            ]
        )
    }


def momentum_contributions(momentum, steps):
    """Percent of its value that the newest, the second, ... gradient contributes to the velocity."""
    return {"percent": rounded([[100 * mpmath.mpf(a) ** i for i in range(steps)] for a in momentum])}


def momentum_terminal_speed(momentum):
    """The geometric series, summed until nothing is added any more."""
    return {
        "speed": rounded(
            [mpmath.nsum(lambda i, a=a: mpmath.mpf(a) ** i, [0, mpmath.inf], method="l") for a in momentum]
        )
    }
