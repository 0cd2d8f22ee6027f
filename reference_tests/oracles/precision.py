"""Fifty-digit arithmetic on nested lists: what the oracles are written in.

JSON floats are taken as the binary numbers they are (0.1 is 0.1000000000000000055...), computed with in fifty digits
and rounded to float64 once, at the very end. Gradients come from the complex step f'(x) = Im f(x + ih) / h, which
shares nothing with the chain rule of an implementation.
"""

import mpmath

mpmath.mp.dps = 60
STEP = mpmath.mpf(10) ** -45  # truncation error of the complex step: h**2 = 1e-90


def exact(value):
    """Nested lists of numbers as nested lists of mpf."""
    if isinstance(value, list | tuple):
        return [exact(item) for item in value]
    return mpmath.mpf(value)


def rounded(value):
    """Nested lists of mpf (or of fractions) as nested lists of float64; ints, bools and strings stay."""
    if isinstance(value, list | tuple):
        return [rounded(item) for item in value]
    if isinstance(value, bool | int | str):
        return value
    return float(value)


def dot(a, b):
    """Inner product of two lists of one length."""
    return sum((x * y for x, y in zip(a, b, strict=True)), mpmath.mpf(0))


def transpose(matrix):
    """Rows become columns."""
    return [list(column) for column in zip(*matrix, strict=True)]


def times(matrix, vector):
    """Matrix times vector, row by row."""
    return [dot(row, vector) for row in matrix]


def product(a, b):
    """Matrix product."""
    columns = transpose(b)
    return [[dot(row, column) for column in columns] for row in a]


def plus(a, b):
    """Sum of two vectors."""
    return [x + y for x, y in zip(a, b, strict=True)]


def sigmoid(z):
    """1 / (1 + e**-z), for real and for complex z."""
    return 1 / (1 + mpmath.exp(-z))


def softplus(z):
    """log(1 + e**z)."""
    return mpmath.log(1 + mpmath.exp(z))


def softmax(row):
    """e**z_i / sum_j e**z_j; no overflow at any exponent in mpmath."""
    powers = [mpmath.exp(z) for z in row]
    return [power / sum(powers) for power in powers]


def real(z):
    """Real part of an mpf or mpc, for the comparisons of max and argmax."""
    return mpmath.re(z)


def relu(z):
    """max(0, z), decided by the real part so that the complex step passes through."""
    return z if real(z) > 0 else 0 * z


def argmax(row):
    """Index of the largest entry; ties are refused, a golden must not hang on them."""
    order = sorted(range(len(row)), key=lambda i: row[i])
    if len(row) > 1 and row[order[-1]] == row[order[-2]]:
        raise ValueError(f"a golden must not hang on a tie. Received: row={row}")
    return order[-1]


def shape_like(flat, template):
    """Values of an iterator, nested as the template is."""
    if isinstance(template, list):
        return [shape_like(flat, item) for item in template]
    return next(flat)


def flatten(nested):
    """All numbers of nested lists, in C order."""
    if isinstance(nested, list):
        return [number for item in nested for number in flatten(item)]
    return [nested]


def gradients(function, *tensors):
    """Gradient of a scalar function by each of its tensors, by the complex step, one entry at a time."""
    answers = []
    for position, tensor in enumerate(tensors):
        flat = flatten(tensor)
        entries = []
        for index in range(len(flat)):
            moved = list(flat)
            moved[index] = mpmath.mpc(flat[index], STEP)
            arguments = list(tensors)
            arguments[position] = shape_like(iter(moved), tensor)
            entries.append(mpmath.im(function(*arguments)) / STEP)
        answers.append(shape_like(iter(entries), tensor))
    return answers


def gradient(function, tensor):
    """Gradient of a scalar function of one tensor."""
    return gradients(function, tensor)[0]


def descend(tensor, slope, rate):
    """tensor - rate * slope, entry by entry."""
    pairs = zip(flatten(tensor), flatten(slope), strict=True)
    return shape_like(iter([value - rate * change for value, change in pairs]), tensor)


def solve(matrix, vector):
    """Solution of a square system by LU in sixty digits."""
    return list(mpmath.lu_solve(mpmath.matrix(matrix), mpmath.matrix(vector)))
