"""Oracles of handwriting synthesis: Graves's equations as he prints them, in sixty digits."""

import mpmath

from reference_tests.oracles.precision import exact, plus, rounded, sigmoid, softmax, softplus, times, transpose


def _gaussian(point, mean, scale, rho):
    """N with Z, equations 24 and 25."""
    (x, y), (m, n), (s, r) = point, mean, scale
    z = (x - m) ** 2 / s**2 + (y - n) ** 2 / r**2 - 2 * rho * (x - m) * (y - n) / (s * r)
    return mpmath.exp(-z / (2 * (1 - rho**2))) / (2 * mpmath.pi * s * r * mpmath.sqrt(1 - rho**2))


def stroke_density(point, logits, mean, scale, correlation):
    """The logarithms of densities and of their weighted sum."""
    point, logits, mean, scale, correlation = (exact(each) for each in (point, logits, mean, scale, correlation))
    each = [_gaussian(point, *parts) for parts in zip(mean, scale, correlation, strict=True)]
    total = sum(share * density for share, density in zip(softmax(logits), each, strict=True))
    return {"each": rounded([mpmath.log(density) for density in each]), "mixture": rounded(mpmath.log(total))}


def _look(raw, place, characters):
    """(w, phi, kappa) from the 3 K outputs for alpha, beta and the way of kappa; positions from 0."""
    powers = [mpmath.exp(v) for v in raw]
    k = len(powers) // 3
    alpha, beta, place = powers[:k], powers[k : 2 * k], plus(place, powers[2 * k :])
    phi = [
        sum(a * mpmath.exp(-b * (p - u) ** 2) for a, b, p in zip(alpha, beta, place, strict=True))
        for u in range(len(characters))
    ]
    return times(transpose(characters), phi), phi, place


def window_weights(hidden, characters, kernel, bias):
    """kappa adds up from zero."""
    hidden, characters, kernel, bias = (exact(each) for each in (hidden, characters, kernel, bias))
    place, seen, weights = [mpmath.mpf(0)] * (len(bias) // 3), [], []
    for h in hidden:
        w, phi, place = _look(plus(times(transpose(kernel), h), bias), place, characters)
        seen.append(w)
        weights.append(phi)
    return {"seen": rounded(seen), "weights": rounded(weights)}


def sampling_bias(logits, scale, bias):
    """Equations 61 and 62; sigma is exp(s - b) where it was exp(s)."""
    bias = exact(bias)
    narrower = [[mpmath.exp(mpmath.log(s) - bias) for s in pair] for pair in exact(scale)]
    return {"shares": rounded(softmax([z * (1 + bias) for z in exact(logits)])), "scale": rounded(narrower)}


def _formula(k, rows, columns):
    """Weight tensor k of a model, as rows."""
    return [[mpmath.mpf((7 * (r * columns + c) + 3 * k) % 17 - 8) / 16 for c in range(columns)] for r in range(rows)]


class _Level:
    """A peephole LSTM: kernel, recurrent kernel, bias, p_o, (p_i, p_f), numbered from k."""

    def __init__(self, k, features, units):
        self.kernel, self.recurrent = _formula(k, features, 4 * units), _formula(k + 1, units, 4 * units)
        self.bias, self.out = _formula(k + 2, 1, 4 * units)[0], _formula(k + 3, 1, units)[0]
        self.inward, self.forget = _formula(k + 4, 2, units)
        self.units, self.h, self.c = units, [mpmath.mpf(0)] * units, [mpmath.mpf(0)] * units

    def step(self, x):
        a = plus(plus(times(transpose(self.kernel), x), times(transpose(self.recurrent), self.h)), self.bias)
        i, f, o, g = (a[first : first + self.units] for first in range(0, 4 * self.units, self.units))
        old = self.c
        kept = [sigmoid(f[j] + self.forget[j] * old[j]) * old[j] for j in range(self.units)]
        written = [sigmoid(i[j] + self.inward[j] * old[j]) * mpmath.tanh(g[j]) for j in range(self.units)]
        self.c = plus(kept, written)
        self.h = [sigmoid(o[j] + self.out[j] * self.c[j]) * mpmath.tanh(self.c[j]) for j in range(self.units)]
        return self.h


def handwriting_densities(lines, units):
    """Point by point: two levels, an alphabet of two letters, two Gaussians, a window of two."""
    letters, m, found = 2, 2, []
    for line in exact(lines):
        first, second = _Level(0, 3 + letters, units), _Level(7, 3 + units + letters, units)
        kernel, bias = _formula(5, units, 6), _formula(6, 1, 6)[0]
        head, offset = _formula(12, 2 * units, 1 + 6 * m), _formula(13, 1, 1 + 6 * m)[0]
        characters = [[mpmath.mpf(int(row[3]) == 1 + letter) for letter in range(letters)] for row in line[:3]]
        last, seen, place, kept = [mpmath.mpf(0)] * 3, [mpmath.mpf(0)] * letters, [mpmath.mpf(0)] * 2, []
        for dx, dy, up, _ in line:
            h = first.step(last + seen)
            seen, _, place = _look(plus(times(transpose(kernel), h), bias), place, characters)
            top = second.step(last + h + seen)
            p = plus(times(transpose(head), h + top), offset)
            shares = softmax(p[1 : 1 + m])
            mean = [p[1 + m + 2 * k : 3 + m + 2 * k] for k in range(m)]
            scale = [[exact(0.01) + softplus(v) for v in p[1 + 3 * m + 2 * k : 3 + 3 * m + 2 * k]] for k in range(m)]
            rho = [exact(0.999) * mpmath.tanh(v) for v in p[1 + 5 * m :]]
            density = sum(shares[k] * _gaussian((dx, dy), mean[k], scale[k], rho[k]) for k in range(m))
            kept.append(mpmath.log(density) + mpmath.log(sigmoid(p[0] if up else -p[0])))
            last = [dx, dy, up]
        found.append(kept)
    return {"log_densities": rounded(found)}


def handwriting_weights(units, letters):
    """Gate by gate: 4 H (inputs + H + 1), three peepholes H a level, the window 3 K (H + 1), the head 121 (3 H + 1)."""
    plain = sum(4 * units * (inputs + units + 1) for inputs in (3, units, units))
    inputs = (3 + letters, 3 + units + letters, 3 + units + letters)
    levels = sum(4 * units * (size + units + 1) + 3 * units for size in inputs)
    whole = levels + 3 * 10 * (units + 1) + (1 + 6 * 20) * (3 * units + 1)
    return {"lstm_stack": plain / 1e6, "whole_network": whole / 1e6, "parameters_of_a_point": 1 + 6 * 20}
