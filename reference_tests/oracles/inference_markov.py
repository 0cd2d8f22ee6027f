"""Oracles of C 18.4.3 and R (random walks): finite Markov chains in fractions, by theorems and by enumeration.

Stationary distributions come from the Markov chain tree theorem (cofactors), distributions over time from summing over
every single path, periods from powers of the pattern of non-zeros.
"""

from fractions import Fraction
from itertools import product
from math import gcd

import mpmath

from reference_tests.oracles.precision import rounded


def _rows(transition, convention):
    """T[i][j] = P(next = j | now = i) as fractions, each row divided by its sum (decimals do not sum to 1)."""
    matrix = [[Fraction(value) for value in row] for row in transition]
    if convention == "columns":
        matrix = [list(column) for column in zip(*matrix, strict=True)]
    return [[value / sum(row) for value in row] for row in matrix]


def _determinant(matrix):
    """Laplace's expansion along the first row."""
    if not matrix:
        return Fraction(1)
    return sum(
        (-1) ** column * value * _determinant([row[:column] + row[column + 1 :] for row in matrix[1:]])
        for column, value in enumerate(matrix[0])
        if value
    )


def stationary_distribution(transition, values, convention):
    """pi_i proportional to the cofactor of (I - T)_ii, and the mean of `values` under pi."""
    rows = _rows(transition, convention)
    states = range(len(rows))
    laplacian = [[int(i == j) - rows[i][j] for j in states] for i in states]
    cofactors = [
        _determinant([[laplacian[i][j] for j in states if j != root] for i in states if i != root]) for root in states
    ]
    total = sum(cofactors)
    if total == 0:
        raise ValueError(f"several closed classes: no unique stationary distribution. Received: {transition}")
    pi = [Fraction(cofactor) / total for cofactor in cofactors]
    return {
        "stationary": rounded(pi),
        "mean": rounded([sum(p * Fraction(value) for p, value in zip(pi, values, strict=True))]),
    }


def distribution_over_time(transition, start, steps, convention):
    """P(x_t = j), t = 0 ... steps: the probability of every path, added up by where it ends."""
    rows = _rows(transition, convention)
    trajectory = []
    for length in range(steps + 1):
        mass = [Fraction(0)] * len(rows)
        for path in product(range(len(rows)), repeat=length + 1):
            probability = Fraction(start[path[0]])
            for now, then in zip(path, path[1:], strict=False):
                probability *= rows[now][then]
            mass[path[-1]] += probability
        trajectory.append(mass)
    return {"trajectory": rounded(trajectory)}


def total_variation_curve(transition, start, steps, convention):
    """max over sets of states of |P(x_t in set) - pi(set)|, for t = 0 ... steps."""
    rows = _rows(transition, convention)
    states = range(len(rows))
    laplacian = [[int(i == j) - rows[i][j] for j in states] for i in states]
    cofactors = [
        _determinant([[laplacian[i][j] for j in states if j != root] for i in states if i != root]) for root in states
    ]
    pi = [Fraction(cofactor) / sum(cofactors) for cofactor in cofactors]
    v, curve = [Fraction(value) for value in start], []
    for _ in range(steps + 1):
        gaps = [a - b for a, b in zip(v, pi, strict=True)]
        curve.append(max(abs(sum(g for g, kept in zip(gaps, mask, strict=True) if kept))
                         for mask in product((False, True), repeat=len(gaps))))  # fmt: skip
        v = [sum(v[i] * rows[i][j] for i in states) for j in states]
    return {"total_variation": rounded(curve)}


def chain_structure(counts, convention):
    """Each state's closed class (-1: left for good) and the classes' periods, from the non-zeros of T ... T^(n^2)."""
    links = [[count > 0 for count in row] for row in counts]
    if convention == "columns":
        links = [list(column) for column in zip(*links, strict=True)]
    states = range(len(links))
    powers, reached = [links], [list(row) for row in links]
    for _ in range(len(links) ** 2):
        last = powers[-1]
        powers.append([[any(last[i][k] and links[k][j] for k in states) for j in states] for i in states])
        reached = [[reached[i][j] or powers[-1][i][j] for j in states] for i in states]
    closed = sorted({
        tuple(j for j in states if reached[i][j])
        for i in states
        if all(reached[j][i] for j in states if reached[i][j])
    })  # fmt: skip
    periods = []
    for members in closed:
        returns = [t + 1 for t, power in enumerate(powers) if power[members[0]][members[0]]]
        periods.append(gcd(*returns))
    return {
        "closed_class": [next((k for k, members in enumerate(closed) if i in members), -1) for i in states],
        "periods": periods,
        "irreducible": len(closed) == 1 and len(closed[0]) == len(links),
        "converges": len(closed) == 1 and periods[0] == 1,
    }


def walk_on_a_graph(links, rest):
    """pi by the tree theorem, and the second-largest modulus among the eigenvalues of T itself, not symmetric."""
    weight = [[Fraction(value) for value in row] for row in links]
    states = range(len(weight))
    rows = [
        [(1 - Fraction(rest)) * weight[i][j] / sum(weight[i]) + Fraction(rest) * int(i == j) for j in states]
        for i in states
    ]
    stationary = stationary_distribution(rows, [0] * len(rows), "rows")["stationary"]
    eigenvalues = mpmath.eig(
        mpmath.matrix([[mpmath.mpf(value.numerator) / value.denominator for value in row] for row in rows]),
        left=False, right=False,
    )  # fmt: skip
    moduli = sorted((abs(value) for value in eigenvalues), reverse=True)
    return {"stationary": stationary, "modulus": rounded([moduli[1]])}
