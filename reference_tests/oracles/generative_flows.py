"""Oracles of normalizing flows, in sixty digits: every log det is the determinant of a whole Jacobian.

The Jacobian is differentiated entry by entry (complex step) and its determinant taken by LU, so nothing here knows that
a coupling's is triangular.
"""

import mpmath

from reference_tests.oracles.precision import STEP, dot, exact, plus, rounded, times, transpose

__all__ = [
    "actnorm_of_a_batch",
    "additive_coupling_output",
    "affine_coupling_output",
    "bits_of_pixels",
    "flow_masks",
    "nice_density",
    "real_nvp_density",
]


def _jacobian(function, x):
    """J[i][j] = d f_i / d x_j."""
    columns = []
    for j in range(len(x)):
        moved = [mpmath.mpc(value, STEP) if k == j else mpmath.mpc(value) for k, value in enumerate(x)]
        columns.append([mpmath.im(value) / STEP for value in function(moved)])
    return transpose(columns)


def _log_det(function, x):
    return mpmath.log(abs(mpmath.det(mpmath.matrix(_jacobian(function, x)))))


def _affine(x, kernel, bias):
    """Row by row, with the notes' own index ranges."""
    half = len(x) // 2
    told = plus(times(transpose(kernel), x[:half]), bias)
    return x[:half] + [x[half + i] * mpmath.exp(told[i]) + told[half + i] for i in range(half)]


def affine_coupling_output(x, kernel, bias):
    """The inverse is the data: nothing else solves f(x) = z."""
    rows, kernel, bias = exact(x), exact(kernel), exact(bias)

    def forward(row):
        return _affine(row, kernel, bias)

    return {
        "z": rounded([forward(row) for row in rows]),
        "log_det": rounded([_log_det(forward, row) for row in rows]),
        "jacobian": rounded(_jacobian(forward, rows[0])),
        "inverse": rounded(rows),
    }


def additive_coupling_output(x, kernel, bias):
    rows, kernel, bias = exact(x), exact(kernel), exact(bias)

    def forward(row):
        half = len(row) // 2
        return row[:half] + plus(row[half:], plus(times(transpose(kernel), row[:half]), bias))

    log_dets = [_log_det(forward, row) for row in rows]
    return {
        "z": rounded([forward(row) for row in rows]),
        "log_det": rounded([mpmath.mpf(0) if abs(value) < 1e-40 else value for value in log_dets]),
        "inverse": rounded(rows),
    }


def flow_masks(size, height, width, image):
    """Block by block: the four pixels of a block, row by row, are the channels of one."""
    squeezed = [
        [
            [
                [part for i in (0, 1) for j in (0, 1) for part in picture[2 * r + i][2 * c + j]]
                for c in range(len(picture[0]) // 2)
            ]
            for r in range(len(picture) // 2)
        ]
        for picture in image
    ]
    return {
        "alternating": [float(place in range(0, size, 2)) for place in range(size)],
        "halves": [1.0] * (size - size // 2) + [0.0] * (size // 2),
        "checkerboard": [[float((row + column) % 2 == 0) for column in range(width)] for row in range(height)],
        "squeezed": squeezed,
    }


def actnorm_of_a_batch(x):
    """Standardised columns; the small constant under the root is 1e-6."""
    columns = transpose(exact(x))
    n = len(columns[0])
    z, log_det, means, variances = [], mpmath.mpf(0), [], []
    for column in columns:
        mean = sum(column) / n
        deviation = mpmath.sqrt(sum((value - mean) ** 2 for value in column) / n + mpmath.mpf(1e-6))
        z.append([(value - mean) / deviation for value in column])
        log_det -= mpmath.log(deviation)
        means.append(sum(z[-1]) / n)
        variances.append(sum(value**2 for value in z[-1]) / n)
    return {
        "z": rounded(transpose(z)), "log_det": rounded([log_det] * n),
        "mean": rounded([mpmath.mpf(0) if abs(mean) < 1e-40 else mean for mean in means]),
        "variance": rounded(variances),
    }  # fmt: skip


def bits_of_pixels(x, noise, levels, alpha):
    """The logistic density is the slope of the logistic function: the chance of y is a difference of its values."""
    y = [
        [(round(value * (levels - 1)) + u) / levels for value, u in zip(row, draws, strict=True)]
        for row, draws in zip(x, exact(noise), strict=True)
    ]
    alpha = mpmath.mpf(alpha)

    def odds(value):
        p = alpha + (1 - 2 * alpha) * value
        return mpmath.log(p / (1 - p))

    def density(value):  # d/dy of F(odds(y)), F the distribution function of the logistic density
        return mpmath.im(1 / (1 + mpmath.exp(-odds(mpmath.mpc(value, STEP))))) / STEP

    bits = [-sum(mpmath.log(density(value) / levels, 2) for value in row) / len(row) for row in y]
    return {"dequantised": rounded(y), "logits": rounded([[odds(v) for v in row] for row in y]), "bits": rounded(bits)}


class _Weights:
    """Tensors by formula, one after the other."""

    def __init__(self):
        self.t = 0

    def vector(self, size):
        values = [mpmath.mpf((7 * j + 3 * self.t) % 17 - 8) / 16 for j in range(size)]
        self.t += 1
        return values

    def matrix(self, rows, columns):
        flat = self.vector(rows * columns)
        return [flat[i * columns : (i + 1) * columns] for i in range(rows)]


def _network(weights, inputs, hidden, outputs):
    first, b, last, c = (
        weights.matrix(inputs, hidden), weights.vector(hidden), weights.matrix(hidden, outputs), weights.vector(outputs)
    )  # fmt: skip

    def run(kept):
        h = [mpmath.tanh(value) for value in plus(times(transpose(first), kept), b)]
        return [dot(column, h) + shift for column, shift in zip(transpose(last), c, strict=True)]

    return run


def _answers(x, forward, log_base):
    rows = exact(x)
    z = [forward(row) for row in rows]
    log_prob = [log_base(code) + _log_det(forward, row) for code, row in zip(z, rows, strict=True)]
    return {
        "z": rounded(z), "log_prob": rounded(log_prob), "inverse": rounded(rows),
        "bits_per_dimension": rounded([-value / (len(rows[0]) * mpmath.log(2)) for value in log_prob]),
    }  # fmt: skip


def nice_density(x, hidden):
    weights, width = _Weights(), len(x[0])
    even, odd = list(range(0, width, 2)), list(range(1, width, 2))
    steps = []
    for layer in range(4):
        kept, moved = (even, odd) if layer % 2 == 0 else (odd, even)
        steps.append((kept, moved, _network(weights, len(kept), hidden, len(moved))))
    scale = weights.vector(width)

    def forward(row):
        row = list(row)
        for kept, moved, network in steps:
            for place, shift in zip(moved, network([row[place] for place in kept]), strict=True):
                row[place] += shift
        return [value * mpmath.exp(s) for value, s in zip(row, scale, strict=True)]

    return _answers(x, forward, lambda code: sum(mpmath.log(mpmath.exp(-v) / (1 + mpmath.exp(-v)) ** 2) for v in code))


def real_nvp_density(x, hidden):
    weights, width = _Weights(), len(x[0])
    first = list(range((width + 1) // 2))
    second = list(range(len(first), width))
    steps = []
    for kept, moved in ((first, second), (second, first)):
        scale, shift = weights.vector(width), weights.vector(width)
        steps.append((scale, shift, kept, moved, _network(weights, len(kept), hidden, 2 * len(moved))))

    def forward(row):
        for scale, shift, kept, moved, network in steps:
            row = [value * mpmath.exp(s) + t for value, s, t in zip(row, scale, shift, strict=True)]
            told = network([row[place] for place in kept])
            for i, place in enumerate(moved):
                row[place] = row[place] * mpmath.exp(2 * mpmath.tanh(told[i] / 2)) + told[len(moved) + i]
        return row

    return _answers(
        x, forward, lambda code: sum(mpmath.log(mpmath.exp(-(v**2) / 2) / mpmath.sqrt(2 * mpmath.pi)) for v in code)
    )
