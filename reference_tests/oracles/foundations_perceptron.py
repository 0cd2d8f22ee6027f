"""Oracles of C 1.2 (perceptron) and C 2.1 (calculus)."""

from fractions import Fraction

import mpmath

from reference_tests.oracles.precision import dot, exact, gradient, rounded, times


def perceptron_nets(x, w, b):
    """Net and sign through the augmented vectors w' = [b, w], x' = [1, x] (C 1.2)."""
    augmented = [Fraction(b)] + [Fraction(value) for value in w]
    nets = [sum(a * c for a, c in zip(augmented, [Fraction(1), *map(Fraction, row)], strict=True)) for row in x]
    return {"net": rounded(nets), "output": [_sign(net) for net in nets]}


def _sign(net):
    if net == 0:
        raise ValueError("a golden must not hang on sign(0)")
    return 1 if net > 0 else -1


def perceptron_training(x, t, w, b, learning_rate, epochs):
    """w' <- w' + eta (t - o) x', example by example, in fractions."""
    weights = [Fraction(b)] + [Fraction(value) for value in w]
    rate = Fraction(learning_rate)
    trajectory, mistakes = [], []
    for _ in range(epochs):
        wrong = 0
        for row, target in zip(x, t, strict=True):
            example = [Fraction(1), *map(Fraction, row)]
            output = _sign(sum(a * c for a, c in zip(weights, example, strict=True)))
            if output != target:
                wrong += 1
                weights = [a + rate * (target - output) * c for a, c in zip(weights, example, strict=True)]
            trajectory.append(list(weights))
        mistakes.append(wrong)
    return {
        "trajectory": rounded(trajectory),
        "w": rounded(weights[1:]),
        "b": rounded(weights[:1]),
        "mistakes": mistakes,
    }


def perceptron_mistake_bound(x, t, w, b):
    """R**2 / gamma**2 with gamma the margin of the unit vector along w' (Novikoff's theorem)."""
    weights = [Fraction(b)] + [Fraction(value) for value in w]
    examples = [[Fraction(1), *map(Fraction, row)] for row in x]
    radius_squared = max(sum(value**2 for value in row) for row in examples)
    nets = [
        label * sum(a * c for a, c in zip(weights, row, strict=True)) for row, label in zip(examples, t, strict=True)
    ]
    margin_squared = min(nets) ** 2 / sum(value**2 for value in weights)
    if min(nets) <= 0:
        raise ValueError("the weights must separate the examples")
    return {
        "radius_squared": [float(radius_squared)],
        "margin": rounded([mpmath.sqrt(mpmath.mpf(margin_squared.numerator) / margin_squared.denominator)]),
        "bound": [float(radius_squared / margin_squared)],
    }


def integer_input_count(low, high, dimension):
    """Number of integer vectors with every entry in [low, high], counted one by one."""
    tuples = [()]
    for _ in range(dimension):
        tuples = [(*head, value) for head in tuples for value in range(low, high + 1)]
    return {"count": len(tuples)}


def chain_rule_one_variable(t):
    """f(x1, x2) = x1**2 + 2 x2 along x1 = sin t, x2 = cos t; every derivative by mpmath.diff."""
    result = {"gradient": [], "velocity": [], "df_dt": []}
    for moment in exact(t):
        place = (mpmath.sin(moment), mpmath.cos(moment))
        result["gradient"].append([mpmath.diff(_f, place, (1, 0)), mpmath.diff(_f, place, (0, 1))])
        result["velocity"].append([mpmath.diff(mpmath.sin, moment), mpmath.diff(mpmath.cos, moment)])
        result["df_dt"].append(mpmath.diff(lambda s: _f(mpmath.sin(s), mpmath.cos(s)), moment))
    return {name: rounded(values) for name, values in result.items()}


def _f(x1, x2):
    return x1**2 + 2 * x2


def _g(s, t):
    return [s * mpmath.sin(t), s * mpmath.cos(t)]


def _h(s, t):
    return _f(*_g(s, t))


def chain_rule_two_variables(point):
    """h = f(g(s, t)): gradient of f at g, Jacobian of g, gradient of h, each by mpmath.diff."""
    place = tuple(exact(point))
    image = tuple(_g(*place))
    orders = ((1, 0), (0, 1))
    jacobian = [[mpmath.diff(lambda s, t, row=row: _g(s, t)[row], place, order) for order in orders] for row in (0, 1)]
    return {
        "gradient_f": rounded([mpmath.diff(_f, image, order) for order in orders]),
        "jacobian_g": rounded(jacobian),
        "gradient_h": rounded([mpmath.diff(_h, place, order) for order in orders]),
    }


def hessian_of_composition(point):
    """Second derivatives of h(s, t) = s**2 sin(t)**2 + 2 s cos(t)."""
    place = tuple(exact(point))
    orders = (((2, 0), (1, 1)), ((1, 1), (0, 2)))
    return {"hessian": rounded([[mpmath.diff(_h, place, order) for order in row] for row in orders])}


def hessian_of_quadratic(A, b, x):
    """f = x'Ax/2 - b'x: gradient by the complex step, Hessian by the complex step of the written-out gradient."""
    matrix, vector, place = exact(A), exact(b), exact(x)

    def value(point):
        return dot(point, times(matrix, point)) / 2 - dot(vector, point)

    def slope(point, i):
        symmetric = [(matrix[i][j] + matrix[j][i]) / 2 for j in range(len(point))]
        return dot(symmetric, point) - vector[i]

    return {
        "value": rounded([value(place)]),
        "gradient": rounded(gradient(value, place)),
        "hessian": rounded([gradient(lambda point, i=i: slope(point, i), place) for i in range(len(place))]),
    }


def gradient_of_scalar_function(A, b, x):
    """The value of f: R^n -> R is one number (rank 0), its gradient a vector (rank 1)."""
    return {"value_rank": 0, "gradient_rank": 1, "gradient": hessian_of_quadratic(A, b, x)["gradient"]}


def hessian_condition_number(H):
    """max |eigenvalue| / min nonzero |eigenvalue|, eigenvalues by Jacobi rotations in sixty digits."""
    eigenvalues = [abs(value) for value in mpmath.eigsy(mpmath.matrix(exact(H)), eigvals_only=True)]
    nonzero = [value for value in eigenvalues if value > max(eigenvalues) * mpmath.mpf(10) ** -40]
    return {"condition_number": rounded([max(nonzero) / min(nonzero)])}
