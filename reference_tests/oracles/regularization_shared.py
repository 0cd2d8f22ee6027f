"""Oracles of shared representations: NumPy alone, gradients as central differences of the cost as the notes word it.

Each cost is written row by row with loops; a row without a label (-1) is passed over. Differences of fourth order with
mpmath numbers of 50 digits: their error is far below float64's.
"""

import mpmath
import numpy as np

DIGITS = 50
STEP = mpmath.mpf(10) ** -10


def _matrix(values):
    return np.array([[mpmath.mpf(v) for v in row] for row in values], dtype=object)


def _log_softmax(scores):
    total = mpmath.log(sum(mpmath.exp(s) for s in scores))
    return [s - total for s in scores]


def _slopes(cost, matrices):
    """d cost / d entry, by (-f(2h) + 8 f(h) - 8 f(-h) + f(-2h)) / 12 h."""
    slopes = {name: np.zeros(matrix.shape, dtype=object) for name, matrix in matrices.items()}
    for name, matrix in matrices.items():
        for place in np.ndindex(matrix.shape):

            def at(shift, name=name, place=place):
                moved = {key: value.copy() for key, value in matrices.items()}
                moved[name][place] += shift * STEP
                return cost(**moved)

            slopes[name][place] = (-at(2) + 8 * at(1) - 8 * at(-1) + at(-2)) / (12 * STEP)
    return slopes


def _floats(matrix):
    return [[float(v) for v in row] for row in matrix]


def _descended(cost, matrices, rate):
    slopes = _slopes(cost, matrices)
    return {name: matrices[name] - mpmath.mpf(rate) * slopes[name] for name in matrices}


def multi_task_step(x, y, trunk, classes, value, weights, rate):
    with mpmath.workdps(DIGITS):
        x, first, second = _matrix(x), mpmath.mpf(weights[0]), mpmath.mpf(weights[1])

        def cost(trunk, classes, value):
            total = mpmath.mpf(0)
            for row, (label, target) in zip(x, y, strict=True):
                shared = row @ trunk
                if label != -1:
                    total -= first * _log_softmax(shared @ classes)[int(label)]
                if target != -1:
                    total += second * ((shared @ value)[0] - mpmath.mpf(target)) ** 2 / 2
            return total / len(x)

        start = {"trunk": _matrix(trunk), "classes": _matrix(classes), "value": _matrix(value)}
        return {name: _floats(matrix) for name, matrix in _descended(cost, start, rate).items()}


def transfer_step(x, y, trunk, head, trunk_rate, rate):
    with mpmath.workdps(DIGITS):
        x = _matrix(x)

        def cost(trunk, head):
            picked = [_log_softmax(row @ trunk @ head)[label] for row, label in zip(x, y, strict=True)]
            return -sum(picked) / len(x)

        start = {"trunk": _matrix(trunk), "head": _matrix(head)}
        slopes = _slopes(cost, start)
        head = _floats(start["head"] - mpmath.mpf(rate) * slopes["head"])
        tuned = start["trunk"] - mpmath.mpf(trunk_rate) * mpmath.mpf(rate) * slopes["trunk"]
        return {
            "frozen_trunk": _floats(start["trunk"]),
            "frozen_head": head,
            "tuned_trunk": _floats(tuned),
            "tuned_head": head,
        }


def semi_supervised_step(x, y, encoder, classifier, code, decoder, weight, rate):
    with mpmath.workdps(DIGITS):
        x, strength = _matrix(x), mpmath.mpf(weight)

        def cost(encoder, classifier, code, decoder):
            total = mpmath.mpf(0)
            for row, label in zip(x, y, strict=True):
                shared = row @ encoder
                log_p = _log_softmax(shared @ classifier)
                if label != -1:
                    total -= log_p[label]
                told = np.concatenate([shared @ code, np.array([mpmath.exp(v) for v in log_p], dtype=object)])
                total += strength * sum((a - b) ** 2 for a, b in zip(row, told @ decoder, strict=True)) / 2
            return total / len(x)

        start = {
            "encoder": _matrix(encoder),
            "classifier": _matrix(classifier),
            "code": _matrix(code),
            "decoder": _matrix(decoder),
        }
        return {name: _floats(matrix) for name, matrix in _descended(cost, start, rate).items()}


def kept_labels(x, y, labels):
    """A place for each class is handed out row by row; what is left is unlabelled, and two of them outweigh a copy."""
    places = {label: labels // len(set(y)) for label in y}
    known, unknown = [], []
    for row, label in zip(x, y, strict=True):
        if places[label] > 0:
            places[label] -= 1
            known.append((row, label))
        else:
            unknown.append((row, -1))
    times = len(unknown) // (2 * labels)  # chosen to divide
    rows = [pair for pair in sorted(known, key=lambda pair: x.index(pair[0])) for _ in range(times)] + unknown
    return {"x": [row for row, _ in rows], "y": [label for _, label in rows]}
