"""Oracles of reservoir computing: closed forms where there are some, else unit by unit, in sixty digits."""

import mpmath

from reference_tests.oracles.precision import (
    descend,
    dot,
    exact,
    gradients,
    plus,
    rounded,
    sigmoid,
    solve,
    times,
    transpose,
)

ONE = mpmath.mpf(1)


def _formula(k, rows, columns):
    return [[mpmath.mpf((7 * (r * columns + c) + 3 * k) % 17 - 8) / 16 for c in range(columns)] for r in range(rows)]


def leaky_integrator(drive, leak, steps):
    """A geometric sum: h_n = f (1 - (1 - a)^n), and f / a times that in the printed form."""
    drive, leak = exact(drive), exact(leak)
    state = mpmath.tanh(drive) * (1 - (1 - leak) ** steps)
    return rounded_dict({"state": state, "printed_form": state / leak})


def rounded_dict(found):
    return {name: rounded(value) for name, value in found.items()}


def reservoir_states(x, units, leak, form, activation):
    """Unit by unit; matrices turned round to multiply columns."""
    x, leak = exact(x), exact(leak)
    f = {"tanh": mpmath.tanh, "sigmoid": sigmoid}[activation]
    U, W = transpose(_formula(0, len(x[0]), units)), transpose(_formula(1, units, units))
    b, gain = _formula(2, 1, units)[0], [1 + v / 2 for v in _formula(3, 1, units)[0]]
    h, kept = [mpmath.mpf(0)] * units, []
    for now in x:
        received = plus(times(U, now), times(W, h))
        new = [f(g * r + c) for g, r, c in zip(gain, received, b, strict=True)]
        share = leak if form == "averaged" else ONE
        h = [(1 - leak) * old + share * n for old, n in zip(h, new, strict=True)]
        kept.append(h)
    return rounded_dict({"outputs": kept, "last_h": h})


def radius_and_stretch(W):
    """Eigenvalues of W, and of W^T W."""
    matrix = mpmath.matrix(exact(W))
    radius = max(abs(value) for value in mpmath.eig(matrix, left=False, right=False))
    stretch = mpmath.sqrt(max(mpmath.eigsy(matrix.T * matrix, eigvals_only=True)))
    return rounded_dict({"radius": radius, "stretch": stretch})


def plasticity_step(x, gain, bias, mean, rate):
    """Minus the gradient, by the complex step, of the mean of -log(dy/dx) + y / mu."""
    x, gain, bias, mean, rate = (exact(each) for each in (x, gain, bias, mean, rate))

    def loss(gain, bias):
        total = mpmath.mpf(0)
        for row in x:
            for value, a, b in zip(row, gain, bias, strict=True):
                y = sigmoid(a * value + b)
                total += -mpmath.log(a * y * (1 - y)) + y / mean
        return total / len(x)

    slopes = gradients(loss, gain, bias)
    found = zip(("gain", "bias"), (gain, bias), slopes, strict=True)
    return rounded_dict({name: descend(old, slope, rate) for name, old, slope in found})


def linear_memory(W, u, delays):
    """r^2_k = c_k^T C^-1 c_k with C the covariance of the state, by solving for each delay."""
    W, row = transpose(exact(W)), exact(u)
    rows = []
    for _ in range(delays):
        rows.append(row)
        row = times(W, row)
    size = len(row)
    covariance = [[sum(r[i] * r[j] for r in rows) for j in range(size)] for i in range(size)]
    curve = [dot(r, solve(covariance, r)) for r in rows]
    return rounded_dict({"curve": curve, "capacity": sum(curve)})


def memory_terms(past, outputs, values, mean, bins):
    """Correlation as printed in statistics, and the divergence of counted bins from integrals of the density."""
    terms = []
    for a, b in zip(transpose(exact(past)), transpose(exact(outputs)), strict=True):
        a, b = ([v - mpmath.fsum(c) / len(c) for v in c] for c in (a, b))
        terms.append(dot(a, b) ** 2 / (dot(a, a) * dot(b, b)))
    mean, values = exact(mean), exact(values)
    whole = mpmath.quad(lambda y: mpmath.exp(-y / mean), [0, 1])
    divergence = mpmath.mpf(0)
    for i in range(bins):
        left, right = mpmath.mpf(i) / bins, mpmath.mpf(i + 1) / bins
        p = mpmath.mpf(sum(left <= v < right for v in values)) / len(values)
        q = mpmath.quad(lambda y: mpmath.exp(-y / mean), [left, right]) / whole
        divergence += p * mpmath.log(p / q) if p else 0
    return rounded_dict({"terms": terms, "divergence": divergence})


def constant_current(current, decay, steps, refractory):
    """Spikes at multiples of a known period: v_n = I (1 - d^n) reaches 1 at n = ceil(log(1 - 1/I) / log d)."""
    decay = exact(decay)
    potentials, spikes = [[] for _ in range(steps)], [[] for _ in range(steps)]
    for value in exact(current):
        charge = None if value <= 1 else int(mpmath.ceil(mpmath.log(1 - 1 / value) / mpmath.log(decay)))
        for t in range(steps):
            since = t + 1 if charge is None else (t + 1) % (charge + refractory)
            fires = charge is not None and since == charge % (charge + refractory)
            rests = charge is not None and (since > charge or since == 0)
            potentials[t].append(mpmath.mpf(0) if fires or rests else value * (1 - decay**since))
            spikes[t].append(ONE if fires else mpmath.mpf(0))
    return rounded_dict({"potentials": potentials, "spikes": spikes})


def spiking_states(x, neurons, drive):
    """Neuron by neuron, every past spike summed again at every step: no recursion of synapses or traces."""
    x, drive = exact(x), exact(drive)
    shapes = (0, len(x[0]), neurons), (1, neurons, neurons)
    U, W = ([[4 * v for v in row] for row in _formula(*shape)] for shape in shapes)
    membrane, fast, slow, read = (mpmath.exp(-ONE / t) for t in (10, 3, 6, 20))
    fired, v, rest, traces = [[] for _ in range(neurons)], [mpmath.mpf(0)] * neurons, [0] * neurons, []
    for t in range(len(x)):
        before = [list(times_of) for times_of in fired]
        for j in range(neurons):
            current = drive + mpmath.fsum(fast ** (t - s) * dot(x[s], [row[j] for row in U]) for s in range(t + 1))
            for i in range(neurons):
                fade = fast if W[i][j] > 0 else slow
                current += mpmath.fsum(W[i][j] * fade ** (t - s - 1) for s in before[i])
            if rest[j]:
                rest[j], v[j] = rest[j] - 1, mpmath.mpf(0)
                continue
            v[j] = membrane * v[j] + (1 - membrane) * current
            if abs(v[j] - 1) < 1e-3:
                raise ValueError(f"a golden must not hang on a spike by a hair. Received: v={v[j]} at step {t}")
            if v[j] > 1:
                fired[j].append(t)
                v[j], rest[j] = mpmath.mpf(0), 2
        traces.append([mpmath.fsum(read ** (t - s) for s in fired[j]) for j in range(neurons)])
    if not any(fired):
        raise ValueError("nothing fires")
    return {"traces": rounded(traces)}


def echo_state_read_out(x, y, units, leak, ridge, washout):
    """The penalised normal equations of centred states, by LU."""
    found = reservoir_exact(x, units, leak)[washout:]
    targets = [row[0] for row in exact(y)][washout:]
    ridge, n = exact(ridge), len(targets)
    mean = [mpmath.fsum(column) / n for column in transpose(found)]
    centre = mpmath.fsum(targets) / n
    moved = [[v - m for v, m in zip(row, mean, strict=True)] for row in found]
    gram = [[mpmath.fsum(r[i] * r[j] for r in moved) / n for j in range(units)] for i in range(units)]
    for i in range(units):
        gram[i][i] += ridge
    moment = [mpmath.fsum(r[i] * (t - centre) for r, t in zip(moved, targets, strict=True)) / n for i in range(units)]
    weights = solve(gram, moment)
    everything = reservoir_exact(x, units, leak)
    outputs = [[dot(row, weights) + centre - dot(mean, weights)] for row in everything]
    return rounded_dict({"kernel": [[w] for w in weights], "outputs": outputs})


def reservoir_exact(x, units, leak):
    """States of a tanh reservoir without gain, averaged form, not rounded."""
    x, leak = exact(x), exact(leak)
    U, W = transpose(_formula(0, len(x[0]), units)), transpose(_formula(1, units, units))
    b, h, kept = _formula(2, 1, units)[0], [mpmath.mpf(0)] * units, []
    for now in x:
        received = plus(plus(times(U, now), times(W, h)), b)
        h = [(1 - leak) * old + leak * mpmath.tanh(r) for old, r in zip(h, received, strict=True)]
        kept.append(h)
    return kept
