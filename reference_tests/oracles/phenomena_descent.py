"""Oracles of C 7.1.2 and C 7.3.1: noisy descent of least squares, every batch enumerated, in fractions."""

from fractions import Fraction
from itertools import product

__all__ = ["excess_of_noisy_descent", "floor_of_a_constant_rate", "walks_on_batches"]


def _fractions(value):
    return [_fractions(item) for item in value] if isinstance(value, list) else Fraction(value)


def _loss(x, y, w):
    errors = [sum(a * b for a, b in zip(row, w, strict=True)) - target for row, target in zip(x, y, strict=True)]
    return sum(error**2 for error in errors) / (2 * len(x))


def _moved(x, y, w, rows, rate):
    """One step on the examples `rows`."""
    slope = [Fraction(0)] * len(w)
    for row in rows:
        error = sum(a * b for a, b in zip(x[row], w, strict=True)) - y[row]
        slope = [s + error * a / len(rows) for s, a in zip(slope, x[row], strict=True)]
    return [value - rate * s for value, s in zip(w, slope, strict=True)]


def _solved(matrix, vector):
    """Gauss and Jordan, exactly."""
    rows = [[*row, value] for row, value in zip(matrix, vector, strict=True)]
    for i in range(len(rows)):
        pivot = next(k for k in range(i, len(rows)) if rows[k][i] != 0)
        rows[i], rows[pivot] = rows[pivot], rows[i]
        rows[i] = [value / rows[i][i] for value in rows[i]]
        for k in range(len(rows)):
            if k != i:
                rows[k] = [a - rows[k][i] * b for a, b in zip(rows[k], rows[i], strict=True)]
    return [row[-1] for row in rows]


def _least(x, y):
    features = range(len(x[0]))
    matrix = [[sum(row[i] * row[j] for row in x) for j in features] for i in features]
    return _solved(matrix, [sum(row[i] * target for row, target in zip(x, y, strict=True)) for i in features])


def walks_on_batches(x, y, start, batches, rates):
    """Loss over all examples before the first step and after each, [step][series of rates][walk]."""
    x, y, rates = _fractions(x), _fractions(y), _fractions(rates)
    walks = [[_fractions(start) for _ in batches[0]] for _ in rates[0]]
    losses = [[[float(_loss(x, y, w)) for w in series] for series in walks]]
    for rows, series_rates in zip(batches, rates, strict=True):
        walks = [
            [_moved(x, y, w, chosen, rate) for w, chosen in zip(series, rows, strict=True)]
            for series, rate in zip(walks, series_rates, strict=True)
        ]
        losses.append([[float(_loss(x, y, w)) for w in series] for series in walks])
    return {"loss": losses}


def excess_of_noisy_descent(x, y, start, batch_size, rates):
    """Mean over every sequence of batches: all walks there are, one by one."""
    x, y = _fractions(x), _fractions(y)
    least, walks = _loss(x, y, _least(x, y)), [_fractions(start)]
    answer = [float(_loss(x, y, walks[0]) - least)]
    batches = list(product(range(len(x)), repeat=batch_size))
    for rate in _fractions(rates):
        walks = [_moved(x, y, w, rows, rate) for w in walks for rows in batches]
        answer.append(float(sum(_loss(x, y, w) for w in walks) / len(walks) - least))
    return {"excess": answer}


def floor_of_a_constant_rate(x, y, batch_size, rate):
    """Fixed point of S -> mean over all batches of A S A^T + c c^T, where a step takes e = w - w* to A e + c."""
    x, y, rate = _fractions(x), _fractions(y), Fraction(rate)
    least, features = _least(x, y), range(len(x[0]))
    batches = list(product(range(len(x)), repeat=batch_size))
    steps = []
    for rows in batches:
        moved = _moved(x, y, least, rows, rate)
        shift = [a - b for a, b in zip(moved, least, strict=True)]
        columns = []
        for i in features:
            ahead = [value + (j == i) for j, value in enumerate(least)]
            columns.append([a - b for a, b in zip(_moved(x, y, ahead, rows, rate), moved, strict=True)])
        steps.append(([[columns[j][i] for j in features] for i in features], shift))
    if any(sum(shift[i] for _, shift in steps) for i in features):
        raise ValueError("the mean step should not leave the minimum")
    places = list(product(features, features))
    matrix = [
        [(p == q) - sum(a[p[0]][q[0]] * a[p[1]][q[1]] for a, _ in steps) / len(steps) for q in places] for p in places
    ]
    second = _solved(matrix, [sum(c[i] * c[j] for _, c in steps) / len(steps) for i, j in places])
    curvature = [sum(row[i] * row[j] for row in x) / len(x) for i, j in places]
    return {"floor": float(sum(h * s for h, s in zip(curvature, second, strict=True)) / 2)}
