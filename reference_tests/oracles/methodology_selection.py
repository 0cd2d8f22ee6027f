"""Oracles of C 1.3: rows dealt out by counting, and leave-one-out without leaving anything out.

Least squares knows its own leave-one-out error: with the hat matrix H = X (X'X)^-1 X', the error of the fit without
row i at row i is e_i / (1 - h_ii) (Allen's PRESS), from one fit to all rows.
"""

import mpmath

from reference_tests.oracles.precision import dot, exact, rounded, solve

__all__ = ["degree_by_leave_one_out", "fold_of_every_row", "settings_of_a_grid"]


def fold_of_every_row(rows, k):
    """Runs of rows, one fold after the other; the first (rows mod k) of them hold one more."""
    sizes = [rows // k + (j < rows % k) for j in range(k)]
    fold = [j + 1 for j, size in enumerate(sizes) for _ in range(size)]
    return {"fold": fold, "sizes": sizes, "times_tested": [1] * rows, "times_trained_on": [k - 1] * rows}


def degree_by_leave_one_out(x, y, degrees):
    """Squared leave-one-out errors of polynomials by the hat matrix."""
    points, targets = exact(x), exact(y)
    table, means, errors = [], [], []
    for degree in degrees:
        design = [[point**power for power in range(degree + 1)] for point in points]
        gram = [[dot([row[i] for row in design], [row[j] for row in design]) for j in range(degree + 1)]
                for i in range(degree + 1)]  # fmt: skip
        weights = solve(gram, [dot([row[i] for row in design], targets) for i in range(degree + 1)])
        squares = []
        for row, target in zip(design, targets, strict=True):
            leverage = dot(row, solve(gram, row))
            squares.append(((target - dot(row, weights)) / (1 - leverage)) ** 2)
        n = len(squares)
        mean = sum(squares) / n
        table.append(squares)
        means.append(mean)
        errors.append(mpmath.sqrt(sum((square - mean) ** 2 for square in squares) / (n - 1) / n))
    return {
        "squared_errors": rounded(table),
        "mean": rounded(means),
        "standard_error": rounded(errors),
        "chosen_degree": int(degrees[min(range(len(means)), key=lambda i: means[i])]),
    }


def settings_of_a_grid(lowest_rate, highest_rate, rates, units):
    """A rate is the last one times the common ratio; the settings are counted off by division with remainder."""
    low, high = mpmath.mpf(lowest_rate), mpmath.mpf(highest_rate)
    ratio = mpmath.root(high / low, rates - 1)
    ladder = [low * ratio**step for step in range(rates)]
    count = rates * len(units)
    return {
        "rate": rounded([ladder[index // len(units)] for index in range(count)]),
        "units": [units[index % len(units)] for index in range(count)],
        "count": count,
        "different_rates": rates,
    }
