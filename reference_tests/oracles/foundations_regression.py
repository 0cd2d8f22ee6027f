"""Oracles of C 2.3 (the cost of theta), C 6.2 and C 6.3 (least squares, ridge, lasso): exact fractions throughout."""

from fractions import Fraction
from itertools import combinations, product

import mpmath

from reference_tests.oracles.precision import exact, gradient, rounded


def _fractions(value):
    if isinstance(value, list | tuple):
        return [_fractions(item) for item in value]
    return Fraction(value)


def _dot(a, b):
    return sum((x * y for x, y in zip(a, b, strict=True)), Fraction(0))


def _columns(rows):
    return [list(column) for column in zip(*rows, strict=True)]


def _gram(rows):
    columns = _columns(rows)
    return [[_dot(a, b) for b in columns] for a in columns]


def _solve(matrix, vector):
    """Gauss-Jordan elimination in fractions; None when the matrix is singular."""
    size = len(vector)
    rows = [list(row) + [value] for row, value in zip(matrix, vector, strict=True)]
    for column in range(size):
        pivot = next((row for row in range(column, size) if rows[row][column] != 0), None)
        if pivot is None:
            return None
        rows[column], rows[pivot] = rows[pivot], rows[column]
        rows[column] = [value / rows[column][column] for value in rows[column]]
        for row in range(size):
            if row != column:
                factor = rows[row][column]
                rows[row] = [a - factor * b for a, b in zip(rows[row], rows[column], strict=True)]
    return [row[-1] for row in rows]


def cost_of_theta(theta, x, y):
    """J(theta) = (1/2m) sum_i (theta x_i - y_i)**2."""
    xs, ys = _fractions(x), _fractions(y)
    costs = [
        sum((angle * a - c) ** 2 for a, c in zip(xs, ys, strict=True)) / (2 * len(xs)) for angle in _fractions(theta)
    ]
    return {"cost": rounded(costs)}


def theta_of_minimum_cost(x, y):
    """The vertex of the parabola J(theta), from its three coefficients."""
    xs, ys = _fractions(x), _fractions(y)
    return {"theta": rounded([_dot(xs, ys) / _dot(xs, xs)])}


def linear_regression_gradient(x, t, w):
    """dJ/dw_i of (1/2N) sum_s (t - w.x)**2, from the symmetric difference, exact on a parabola."""
    rows, targets, weights = _fractions(x), _fractions(t), _fractions(w)

    def cost(point):
        return sum((target - _dot(point, row)) ** 2 for row, target in zip(rows, targets, strict=True)) / (
            2 * len(rows)
        )

    return {"gradient": rounded(_parabola_gradient(cost, weights))}


def _parabola_gradient(cost, point):
    slopes = []
    for index in range(len(point)):
        up = [value + (position == index) for position, value in enumerate(point)]
        down = [value - (position == index) for position, value in enumerate(point)]
        slopes.append((cost(up) - cost(down)) / 2)
    return slopes


def gradient_descent_on_theta(theta, x, y, learning_rate, steps):
    """theta_k = theta* + (1 - eta c)**k (theta_0 - theta*), c the curvature: closed form, no iteration."""
    xs, ys, rate, start = _fractions(x), _fractions(y), Fraction(learning_rate), Fraction(theta[0])
    best = _dot(xs, ys) / _dot(xs, xs)
    curvature = _dot(xs, xs) / len(xs)
    thetas = [best + (1 - rate * curvature) ** k * (start - best) for k in range(steps + 1)]
    costs = [
        _dot([a * value - c for a, c in zip(xs, ys, strict=True)], [a * value - c for a, c in zip(xs, ys, strict=True)])
        / (2 * len(xs))
        for value in thetas
    ]
    return {"thetas": rounded(thetas), "costs": rounded(costs)}


def weight_decay_step(X, y, w, alpha, learning_rate):
    """w <- (1 - eps alpha) w - eps grad J for J = (1/n)|Xw - y|**2."""
    rows, targets, weights = _fractions(X), _fractions(y), _fractions(w)
    decay, rate = Fraction(alpha), Fraction(learning_rate)

    def cost(point):
        return sum((_dot(row, point) - target) ** 2 for row, target in zip(rows, targets, strict=True)) / len(rows)

    slopes = _parabola_gradient(cost, weights)
    return {
        "gradient": rounded([decay * value + slope for value, slope in zip(weights, slopes, strict=True)]),
        "w": rounded([(1 - rate * decay) * value - rate * slope for value, slope in zip(weights, slopes, strict=True)]),
    }


def least_squares_weights(X, y):
    """Normal equations in fractions."""
    rows, targets = _fractions(X), _fractions(y)
    return {"w": rounded(_solve(_gram(rows), [_dot(column, targets) for column in _columns(rows)]))}


def best_linear_fit(X, y):
    """Least squares with a bias: a column of ones in front."""
    rows = [[Fraction(1), *row] for row in _fractions(X)]
    targets = _fractions(y)
    weights = _solve(_gram(rows), [_dot(column, targets) for column in _columns(rows)])
    return {"coefficients": rounded(weights), "predictions": rounded([_dot(row, weights) for row in rows])}


def _ridge(X, y, diagonal):
    rows, targets = _fractions(X), _fractions(y)
    gram = [[value + diagonal * (i == j) for j, value in enumerate(row)] for i, row in enumerate(_gram(rows))]
    return _solve(gram, [_dot(column, targets) for column in _columns(rows)])


def ridge_weights(X, y, alpha):
    """Minimiser of (1/n)|Xw - y|**2 + (alpha/2)|w|**2: the diagonal grows by n alpha / 2."""
    return {"w": rounded(_ridge(X, y, Fraction(len(X)) * Fraction(alpha) / 2))}


def ridge_weights_as_printed(X, y, alpha):
    """The printed closed form (diagonal grows by alpha) and the gradient it leaves on the notes' own cost."""
    weights = _ridge(X, y, Fraction(alpha))
    rows, targets = _fractions(X), _fractions(y)

    def cost(point):
        squares = sum((_dot(row, point) - target) ** 2 for row, target in zip(rows, targets, strict=True))
        return squares / len(rows) + Fraction(alpha) / 2 * _dot(point, point)

    return {"w": rounded(weights), "gradient": rounded(_parabola_gradient(cost, weights))}


def ridge_diagonal(X):
    """Diagonal of X'X beside the variances of the columns (1/n, about their means)."""
    columns = _columns(_fractions(X))
    variances = [_dot(column, column) / len(column) - (sum(column) / len(column)) ** 2 for column in columns]
    return {"diagonal": rounded([_dot(column, column) for column in columns]), "variances": rounded(variances)}


def minimum_norm_weights(X, y):
    """Pseudo-inverse solution by Cramer-like enumeration: the shortest of all least-squares solutions.

    A least-squares solution of least norm lies in the row space: w = B c with B an independent set of rows, so c solves
    the normal equations of X B, which are regular.
    """
    rows, targets = _fractions(X), _fractions(y)
    basis = next(
        list(chosen)
        for size in range(min(len(rows), len(rows[0])), 0, -1)
        for chosen in combinations(rows, size)
        if _solve([[_dot(a, b) for b in chosen] for a in chosen], [Fraction(0)] * size) is not None
    )
    image = [[_dot(row, direction) for direction in basis] for row in rows]
    mixture = _solve(_gram(image), [_dot(column, targets) for column in _columns(image)])
    columns = _columns(basis)
    return {"w": rounded([_dot(column, mixture) for column in columns])}


def lasso_weights(X, y, alpha):
    """Minimiser of (1/n)|Xw - y|**2 + alpha |w|_1 by trying every sign pattern and checking the KKT conditions."""
    rows, targets, penalty = _fractions(X), _fractions(y), Fraction(alpha)
    gram, moment = _gram(rows), [_dot(column, targets) for column in _columns(rows)]
    count, found = len(rows), []
    for signs in product((-1, 0, 1), repeat=len(gram)):
        support = [index for index, sign in enumerate(signs) if sign]
        weights = [Fraction(0)] * len(gram)
        if support:
            right = [moment[i] - count * penalty * signs[i] / 2 for i in support]
            part = _solve([[gram[i][j] for j in support] for i in support], right)
            if part is None:
                continue
            for index, value in zip(support, part, strict=True):
                weights[index] = value
        slopes = [Fraction(2, count) * (_dot(row, weights) - value) for row, value in zip(gram, moment, strict=True)]
        active = all(weights[i] * signs[i] > 0 for i in support)
        if active and all(abs(slope) < penalty for i, slope in enumerate(slopes) if i not in support):
            found.append((weights, support))
    if len(found) != 1:
        raise ValueError(f"the lasso of a golden must have one strict solution. Received: {len(found)}")
    return {"w": rounded(found[0][0]), "support": found[0][1]}


def soft_thresholded(z, threshold):
    """argmin_u (u - z)**2 / 2 + threshold |u|: the better of the two half-lines and zero."""
    cut, shrunk = Fraction(threshold), []
    for value in _fractions(z):
        candidates = [Fraction(0), max(value - cut, Fraction(0)), min(value + cut, Fraction(0))]
        shrunk.append(min(candidates, key=lambda u, v=value: (u - v) ** 2 / 2 + cut * abs(u)))
    return {"shrunk": rounded(shrunk)}


def l1_penalty_step(w, alpha, learning_rate):
    """What the penalty alone moves w by in one step: -eps alpha sign(w)."""
    size = Fraction(learning_rate) * Fraction(alpha)
    return {"change": [float(-size if value > 0 else size) for value in w]}


def likelihood_and_squared_error(X, y, w):
    """-log N(y; w.x, 1) = (y - w.x)**2 / 2 + log(2 pi) / 2, from the density itself."""
    rows, targets, weights = exact(X), exact(y), exact(w)

    def negative_log(point, row, target):
        residual = target - sum(a * c for a, c in zip(point, row, strict=True))
        return -mpmath.log(mpmath.exp(-(residual**2) / 2) / mpmath.sqrt(2 * mpmath.pi))

    pairs = list(zip(rows, targets, strict=True))
    losses = [negative_log(weights, row, target) for row, target in pairs]
    constant = mpmath.log(2 * mpmath.pi) / 2
    return {
        "negative_log_likelihood": rounded(losses),
        "half_squared_error": rounded([loss - constant for loss in losses]),
        "constant": rounded([constant]),
        "gradient": rounded(gradient(lambda point: sum(negative_log(point, *pair) for pair in pairs), weights)),
    }


def growth_exponents(decades, exponents):
    """Slope of a straight line through log10 of the sizes, and the total growth in powers of ten."""
    xs = _fractions(decades)
    middle = sum(xs) / len(xs)
    slopes, growth = [], []
    for row in _fractions(exponents):
        slopes.append(_dot([x - middle for x in xs], row) / _dot([x - middle for x in xs], [x - middle for x in xs]))
        growth.append(row[-1] - row[0])
    return {"slope": rounded(slopes), "growth": rounded(growth)}
