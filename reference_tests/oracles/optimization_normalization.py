"""Oracles of C 7.7, batch normalization: moments in exact fractions, gradients by the complex step."""

from fractions import Fraction

import mpmath

from reference_tests.oracles.precision import exact, gradient, rounded, times, transpose


def _fractions(rows):
    return [[Fraction(value) for value in row] for row in rows]


def _moments(column):
    """Mean of the numbers and mean of the squares less the squared mean: exact in fractions."""
    mean = sum(column) / len(column)
    return mean, sum(value * value for value in column) / len(column) - mean * mean


def _standardized(column, mean, variance, gamma=1, beta=0, epsilon=0):
    deviation = mpmath.sqrt(exact_number(variance) + exact_number(epsilon))
    return [
        exact_number(gamma) * (exact_number(value) - exact_number(mean)) / deviation + exact_number(beta)
        for value in column
    ]


def exact_number(value):
    """A fraction or float as an mpf, without rounding to float64 on the way."""
    if isinstance(value, Fraction):
        return mpmath.mpf(value.numerator) / value.denominator
    return mpmath.mpf(value)


def batch_normalization_as_printed(x):
    """(x - mean) / standard deviation of the mini-batch, each unit for itself."""
    columns = transpose(_fractions(x))
    moments = [_moments(column) for column in columns]
    y = transpose([_standardized(column, *pair) for column, pair in zip(columns, moments, strict=True)])
    return {
        "y": rounded(y),
        "mean": rounded([mean for mean, _ in moments]),
        "deviation": rounded([mpmath.sqrt(exact_number(variance)) for _, variance in moments]),
    }


def batch_normalization_gradient(x, gamma, beta, epsilon, slope):
    """y with gamma, beta and epsilon, and d/dx sum(slope * y), through the batch's mean and variance."""
    rows, factors = exact(x), exact(slope)

    def normalized(points):
        columns = []
        for column, g, b in zip(transpose(points), exact(gamma), exact(beta), strict=True):
            mean = sum(column) / len(column)
            variance = sum((value - mean) ** 2 for value in column) / len(column)
            columns.append([g * (value - mean) / mpmath.sqrt(variance + mpmath.mpf(epsilon)) + b for value in column])
        return transpose(columns)

    def total(points):
        pairs = zip(normalized(points), factors, strict=True)
        return sum(y * s for row, weights in pairs for y, s in zip(row, weights, strict=True))

    return {"y": rounded(normalized(rows)), "gradient": rounded(gradient(total, rows))}


def moving_averages(first, second, momentum, epsilon, x):
    """Statistics after two mini-batches, as the closed sum, and what the layer then makes of x."""
    share = Fraction(momentum)
    batches = [[_moments(column) for column in transpose(_fractions(batch))] for batch in (first, second)]
    means, variances = [], []
    for (m1, v1), (m2, v2) in zip(*batches, strict=True):
        means.append((1 - share) * (share * m1 + m2))
        variances.append(share**2 + (1 - share) * (share * v1 + v2))
    columns = zip(transpose(_fractions(x)), means, variances, strict=True)
    y = transpose([_standardized(column, m, v, epsilon=epsilon) for column, m, v in columns])
    return {"mean": rounded(means), "variance": rounded(variances), "y": rounded(y)}


def moments_of_uneven_batches(x, sizes):
    """Moments of the whole set, and the mean of the batches' variances, which is something else."""
    rows = _fractions(x)
    whole = [_moments(column) for column in transpose(rows)]
    starts = [sum(sizes[:index]) for index in range(len(sizes))]
    parts = [transpose(rows[start : start + size]) for start, size in zip(starts, sizes, strict=True)]
    naive = [
        sum(_moments(part[unit])[1] for part in parts) / len(sizes) for unit in range(len(rows[0]))
    ]  # every batch counts alike, and the spread of their means is lost
    return {
        "mean": rounded([mean for mean, _ in whole]),
        "variance": rounded([variance for _, variance in whole]),
        "mean_of_variances": rounded(naive),
    }


def statistics_layer_by_layer(x, first, second, epsilon):
    """Two linear layers with tanh between them, each followed by normalization: the second sees the first fixed."""

    def normalized(rows):
        columns = transpose(rows)
        means = [sum(column) / len(column) for column in columns]
        variances = [
            sum((value - mean) ** 2 for value in column) / len(column)
            for column, mean in zip(columns, means, strict=True)
        ]
        out = [
            [(value - mean) / mpmath.sqrt(variance + mpmath.mpf(epsilon)) for value in column]
            for column, mean, variance in zip(columns, means, variances, strict=True)
        ]
        return means, variances, transpose(out)

    rows = [times(transpose(exact(first)), row) for row in exact(x)]
    mean_1, variance_1, rows = normalized(rows)
    rows = [times(transpose(exact(second)), [mpmath.tanh(value) for value in row]) for row in rows]
    mean_2, variance_2, rows = normalized(rows)
    return {
        "first_mean": rounded(mean_1),
        "first_variance": rounded(variance_1),
        "second_mean": rounded(mean_2),
        "second_variance": rounded(variance_2),
        "y": rounded(rows),
    }


__all__ = [
    "batch_normalization_as_printed",
    "batch_normalization_gradient",
    "moments_of_uneven_batches",
    "moving_averages",
    "statistics_layer_by_layer",
]
