"""Oracle of the error over time: what every pre-activation of every step adds, moved along the imaginary axis."""

import mpmath

from reference_tests.oracles.precision import STEP, dot, exact, plus, rounded, sigmoid, times, transpose

__all__ = ["error_over_time"]


def _formula(k, rows, columns):
    return [[mpmath.mpf((7 * (r * columns + c) + 3 * k) % 17 - 8) / 16 for c in range(columns)] for r in range(rows)]


def error_over_time(x, direction, cell):
    """|dL/da_t| with a_t moved entry by entry; of a GRU a_t is the input's share alone."""
    x, v = exact(x), exact(direction)
    units, gates = len(v), {"rnn": 1, "lstm": 4, "gru": 3}[cell]
    width = gates * units
    W, R = transpose(_formula(0, len(x[0]), width)), transpose(_formula(1, units, width))
    b = _formula(2, 1, width)[0]

    def last(moved, place):
        h, c = [mpmath.mpf(0)] * units, [mpmath.mpf(0)] * units
        for t, now in enumerate(x):
            a = plus(times(W, now), b)
            if t == moved:
                a[place] = mpmath.mpc(a[place], STEP)
            if cell == "gru":
                gate = [sigmoid(p) for p in plus(a[: 2 * units], times(R[: 2 * units], h))]
                reset = [r * one for r, one in zip(gate[units:], h, strict=True)]
                g = [mpmath.tanh(p) for p in plus(a[2 * units :], times(R[2 * units :], reset))]
                h = [z * old + (1 - z) * new for z, old, new in zip(gate[:units], h, g, strict=True)]
                continue
            a = plus(a, times(R, h))
            if cell == "rnn":
                h = [mpmath.tanh(p) for p in a]
                continue
            i, f, o, g = (a[k * units : (k + 1) * units] for k in range(4))
            c = [sigmoid(f[j]) * c[j] + sigmoid(i[j]) * mpmath.tanh(g[j]) for j in range(units)]
            h = [sigmoid(o[j]) * mpmath.tanh(c[j]) for j in range(units)]
        return dot(h, v)

    slopes = [[mpmath.im(last(t, place)) / STEP for place in range(width)] for t in range(len(x))]
    return {"error": rounded([mpmath.sqrt(dot(row, row)) for row in slopes])}
