"""Oracles of C 7.2.4, 7.3.1, 7.4, 7.6 and S 9.4: second-order methods, schedules, clipping, initial scales.

Quadratics are solved in fractions; the Hessian of the wells is written out by hand.
"""

import math
from fractions import Fraction

import mpmath

from reference_tests.oracles.precision import dot, exact, flatten, gradient, rounded, solve, times

__all__ = [
    "clipped_gradients",
    "clipped_parameters",
    "conjugate_directions",
    "conjugate_gradient_on_quadratic",
    "conjugate_gradient_on_wells",
    "exponential_decay_rates",
    "linear_decay_rates",
    "newton_on_quadratic",
    "newton_on_wells",
    "normalized_limits",
    "polynomial_decay_rates",
    "uniform_fan_in_limits",
]


def _wells(p):
    return p[0] ** 4 / 4 - p[0] ** 2 / 2 + p[0] * p[1] / 2 + p[1] ** 2 / 2


def _wells_hessian(p):
    half = mpmath.mpf(1) / 2
    return [[3 * p[0] ** 2 - 1, half], [half, mpmath.mpf(1)]]


def _minimum(matrix, linear):
    """Where x'Ax/2 - b'x is least, in fractions (Cramer's rule by elimination)."""
    rows = [
        [Fraction(value) for value in row] + [Fraction(b)] for row, b in zip(matrix, linear, strict=True)
    ]  # fmt: skip
    size = len(rows)
    for i in range(size):
        pivot = next(k for k in range(i, size) if rows[k][i])
        rows[i], rows[pivot] = rows[pivot], rows[i]
        rows[i] = [value / rows[i][i] for value in rows[i]]
        for k in range(size):
            if k != i:
                rows[k] = [a - rows[k][i] * b for a, b in zip(rows[k], rows[i], strict=True)]
    return [row[-1] for row in rows]


def _fractions(values):
    return [Fraction(value) for value in values]


def newton_on_quadratic(matrix, linear, start):
    """One step, from anywhere (unless it starts there)."""
    least = _minimum(matrix, linear)
    value = sum((Fraction(-b) * x / 2 for b, x in zip(linear, least, strict=True)), Fraction(0))
    steps = int(_fractions(start) != least)
    return {"position": rounded(least), "value": float(value), "iterations": steps, "converged": True}


def newton_on_wells(start, steps):
    """theta - H^-1 grad, and the eigenvalues of H where it ends."""
    path = [exact(start)]
    for _ in range(steps):
        change = solve(_wells_hessian(path[-1]), gradient(_wells, path[-1]))
        path.append([p - c for p, c in zip(path[-1], change, strict=True)])
    (a, b), (_, d) = _wells_hessian(path[-1])
    root = mpmath.sqrt((a - d) ** 2 / 4 + b**2)
    return {"path": rounded(path), "eigenvalues": rounded([(a + d) / 2 - root, (a + d) / 2 + root])}


def _krylov_steps(matrix, linear, start):
    """How many conjugate-gradient steps are needed: the dimension of the space that the first residual spans."""
    a = [_fractions(row) for row in matrix]
    residual = [
        b - sum(x * y for x, y in zip(row, _fractions(start), strict=True))
        for row, b in zip(a, _fractions(linear), strict=True)
    ]
    basis = []
    while True:
        rest = list(residual)
        for vector in basis:
            share = sum(x * y for x, y in zip(rest, vector, strict=True)) / sum(x * x for x in vector)
            rest = [x - share * y for x, y in zip(rest, vector, strict=True)]
        if not any(rest):
            return len(basis)
        basis.append(rest)
        residual = [sum(x * y for x, y in zip(row, residual, strict=True)) for row in a]


def conjugate_gradient_on_quadratic(matrix, linear, start, tolerance, rule):
    """The minimum in as many steps as the residual's Krylov space has dimensions, by either rule."""
    if rule not in ("fletcher-reeves", "polak-ribiere") or not tolerance > 0:
        raise ValueError(f"no such rule or tolerance. Received: {rule}, {tolerance}")
    least = _minimum(matrix, linear)
    value = sum((Fraction(-b) * x / 2 for b, x in zip(linear, least, strict=True)), Fraction(0))
    steps = _krylov_steps(matrix, linear, start)
    return {"position": rounded(least), "value": float(value), "iterations": steps, "converged": True}


def conjugate_directions(matrix, linear, start):
    """Both directions of a plane by Gram-Schmidt in the inner product of A, on minus the gradient."""
    a, b, x = [_fractions(row) for row in matrix], _fractions(linear), _fractions(start)

    def inner(u, v):
        return sum(p * q for p, q in zip(u, v, strict=True))

    def slope(point):
        return [inner(row, point) - value for row, value in zip(a, b, strict=True)]

    directions, slopes, points = [], [], [x]
    for _ in range(len(x)):
        g = slope(points[-1])
        d = [-value for value in g]
        for old in directions:
            bent = [inner(row, old) for row in a]
            share = inner(d, bent) / inner(old, bent)
            d = [p - share * q for p, q in zip(d, old, strict=True)]
        step = -inner(g, d) / inner(d, [inner(row, d) for row in a])
        directions.append(d)
        slopes.append(inner(g, d))
        points.append([p + step * q for p, q in zip(points[-1], d, strict=True)])
    return {"directions": rounded(directions), "slopes": rounded(slopes), "points": rounded(points)}


def conjugate_gradient_on_wells(start, steps, rule):
    """Armijo's halving from the step that the curvature along the line suggests; a restart every second direction."""
    point, direction, old = exact(start), None, None
    for k in range(steps):
        g = gradient(_wells, point)
        plain = [-value for value in g]
        if direction is None or k % 2 == 0:
            direction = plain
        else:
            change = [p - q for p, q in zip(g, old, strict=True)] if rule == "polak-ribiere" else g
            beta = dot(change, g) / dot(old, old)
            beta = max(beta, mpmath.mpf(0)) if rule == "polak-ribiere" else beta
            direction = [p + beta * d for p, d in zip(plain, direction, strict=True)]
            direction = direction if dot(direction, g) < 0 else plain
        slope, bend = dot(g, direction), dot(direction, times(_wells_hessian(point), direction))
        step = -slope / abs(bend)
        while True:
            moved = [p + step * d for p, d in zip(point, direction, strict=True)]
            room = _wells(point) + mpmath.mpf("1e-4") * step * slope - _wells(moved)
            if abs(room) < mpmath.mpf("1e-4"):
                raise ValueError(f"a golden must not hang on a comparison this close. Received: room={room}")
            if room > 0:
                break
            step /= 2
        point, old = moved, g
    return {"position": rounded(point), "value": float(_wells(point)), "gradient": rounded(gradient(_wells, point))}


def linear_decay_rates(steps, initial_rate, final_rate, tau):
    """A point on the straight line through (0, eps_0) and (tau, eps_tau), in fractions."""
    first, last = Fraction(initial_rate), Fraction(final_rate)
    return {"rates": rounded([first + (last - first) * min(Fraction(k, tau), 1) for k in steps])}


def polynomial_decay_rates(steps, scale, offset, power):
    """alpha exp(-gamma log(beta + t))."""
    a, b, c = (mpmath.mpf(value) for value in (scale, offset, power))
    return {"rates": rounded([a * mpmath.exp(-c * mpmath.log(b + t)) for t in steps])}


def exponential_decay_rates(steps, scale, rate):
    """alpha (e^-beta)^t, by multiplying."""
    factor = mpmath.exp(-mpmath.mpf(rate))
    return {"rates": rounded([mpmath.mpf(scale) * mpmath.fprod([factor] * t) for t in steps])}


def clipped_gradients(kernel, bias, threshold):
    """Each gradient by its own norm, and both by their common norm."""
    bound = mpmath.mpf(threshold)

    def shortened(tensor, norm):
        factor = min(mpmath.mpf(1), bound / norm)
        return [[factor * v for v in row] if isinstance(row, list) else factor * row for row in tensor]

    tensors = {"kernel": exact(kernel), "bias": exact(bias)}
    lengths = {name: mpmath.norm(flatten(tensor)) for name, tensor in tensors.items()}
    together = mpmath.sqrt(sum(length**2 for length in lengths.values()))
    own = {name: rounded(shortened(tensor, lengths[name])) for name, tensor in tensors.items()}
    common = {f"{name}_together": rounded(shortened(tensor, together)) for name, tensor in tensors.items()}
    return {**own, **common}


def clipped_parameters(weights, limit):
    """The middle one of -c, w and c."""
    return {"weights": rounded([[sorted([-limit, w, limit])[1] for w in row] for row in weights])}


def _fans(shape):
    field = math.prod(shape[:-2])
    return field * shape[-2], field * shape[-1]


def uniform_fan_in_limits(dense, kernel):
    """The bound c with variance c^2 / 3 = 1 / (3 m)."""
    fans = [_fans(shape) for shape in (dense, kernel)]
    return {
        "limits": rounded([mpmath.sqrt(3 * mpmath.mpf(1) / (3 * m)) for m, _ in fans]),
        "fan_in": [m for m, _ in fans],
    }


def normalized_limits(dense, kernel):
    """The bound c with variance c^2 / 3 = 2 / (m + n)."""
    fans = [_fans(shape) for shape in (dense, kernel)]
    return {
        "limits": rounded([mpmath.sqrt(3 * mpmath.mpf(2) / (m + n)) for m, n in fans]),
        "fans": [list(p) for p in fans],
    }
