"""Oracles of the chapter on autoencoders, in sixty digits; derivatives by the complex step."""

import mpmath

from reference_tests.oracles.precision import STEP, dot, exact, plus, rounded, sigmoid, times, transpose

__all__ = [
    "angles_of_subspaces",
    "atoms_after_a_pass",
    "bernoulli_reconstruction",
    "codes_by_threshold",
    "components_of_points",
    "corrupted_values",
    "jacobian_norms",
    "proximal_codes",
    "score_of_a_gaussian",
    "sparsity_of_codes",
    "tied_reconstruction",
]


def components_of_points(x, components):
    """Eigenvectors of the covariance about the mean, divisor n; the entry of largest magnitude is positive."""
    points = mpmath.matrix(x)
    n, width = points.rows, points.cols
    mean = [sum(points[i, j] for i in range(n)) / n for j in range(width)]
    centred = mpmath.matrix(n, width)
    for i in range(n):
        for j in range(width):
            centred[i, j] = points[i, j] - mean[j]
    values, vectors = mpmath.eigsy(centred.T * centred / n)
    order = sorted(range(width), key=lambda k: -values[k])
    rows = []
    for k in order[:components]:
        row = [vectors[j, k] for j in range(width)]
        largest = max(row, key=abs)
        rows.append([entry if largest > 0 else -entry for entry in row])
    codes = [[sum(row[j] * centred[i, j] for j in range(width)) for row in rows] for i in range(n)]
    back = [[mean[j] + sum(code[k] * rows[k][j] for k in range(components)) for j in range(width)] for code in codes]
    return {
        "mean": rounded(mean),
        "components": rounded(rows),
        "variances": rounded([values[k] for k in order]),
        "codes": rounded(codes),
        "reconstructions": rounded(back),
    }


def angles_of_subspaces(one, other):
    """arccos of the singular values of the product of two orthonormal bases."""
    first, second = (mpmath.qr(mpmath.matrix(each), mode="skinny")[0] for each in (one, other))
    cosines = sorted(mpmath.svd_r(first.T * second, compute_uv=False))
    return {"angles": rounded([mpmath.acos(min(cosine, mpmath.mpf(1))) for cosine in cosines])}


def _formula(k, rows, columns):
    """Weight tensor k of a model, as rows."""
    return [[mpmath.mpf((7 * (r * columns + c) + 3 * k) % 17 - 8) / 16 for c in range(columns)] for r in range(rows)]


def tied_reconstruction(x, units, code):
    """Two tanh layers to a linear code and back through the transposed kernels; errors by their definition."""
    x = exact(x)
    sizes = [len(x[0]), units, code]
    kernels = [_formula(k, *pair) for k, pair in enumerate(zip(sizes[:-1], sizes[1:], strict=True))]
    biases = [_formula(2 + k, 1, size)[0] for k, size in enumerate(sizes[1:])]
    back = [_formula(4 + k, 1, size)[0] for k, size in enumerate(sizes[:-1])]
    codes, rows, errors = [], [], []
    for one in x:
        h = [mpmath.tanh(v) for v in plus(times(transpose(kernels[0]), one), biases[0])]
        z = plus(times(transpose(kernels[1]), h), biases[1])
        h = [mpmath.tanh(v) for v in plus(times(kernels[1], z), back[1])]
        r = plus(times(kernels[0], h), back[0])
        codes.append(z)
        rows.append(r)
        errors.append(sum((a - b) ** 2 for a, b in zip(one, r, strict=True)))
    return {"codes": rounded(codes), "reconstructions": rounded(rows), "errors": rounded(errors)}


def bernoulli_reconstruction(x, logits):
    """-log of the product of the pixels' probabilities."""
    costs = []
    for row, scores in zip(exact(x), exact(logits), strict=True):
        p = [sigmoid(a) for a in scores]
        costs.append(-sum(v * mpmath.log(q) + (1 - v) * mpmath.log(1 - q) for v, q in zip(row, p, strict=True)))
    return {"errors": rounded(costs)}


def corrupted_values(x, normal, uniform, deviation, probability):
    """The three corruptions, case by case."""
    x, normal, uniform = exact(x), exact(normal), exact(uniform)
    half = exact(probability) / 2
    masked = [mpmath.mpf(0) if u < exact(probability) else v for v, u in zip(x, uniform, strict=True)]
    salted = [
        mpmath.mpf(0) if u < half else mpmath.mpf(1) if u >= 1 - half else v for v, u in zip(x, uniform, strict=True)
    ]
    return {
        "gaussian": rounded([v + exact(deviation) * n for v, n in zip(x, normal, strict=True)]),
        "masking": rounded(masked),
        "salt_and_pepper": rounded(salted),
    }


def score_of_a_gaussian(x, covariance, deviation):
    """grad log N(x; 0, S + sigma^2 I), by the complex step on the log-density."""
    smoothed = mpmath.matrix(covariance) + mpmath.mpf(deviation) ** 2 * mpmath.eye(len(covariance))
    inverse = smoothed**-1
    scores = []
    for point in exact(x):
        slopes = []
        for j in range(len(point)):
            moved = mpmath.matrix([mpmath.mpc(v, STEP if i == j else 0) for i, v in enumerate(point)])
            slopes.append(mpmath.im(-(moved.T * inverse * moved)[0] / 2) / STEP)
        scores.append(slopes)
    return {"scores": rounded(scores)}


def sparsity_of_codes(codes, target):
    """Sums of absolute values, mean activities, and the sum of the coins' divergences from the definition."""
    codes, rho = exact(codes), exact(target)
    means = [sum(column) / len(codes) for column in transpose(codes)]
    coins = [((rho, m), (1 - rho, 1 - m)) for m in means]
    divergence = sum(p * mpmath.log(p / q) for pairs in coins for p, q in pairs)
    return {"absolute": rounded([sum(abs(v) for v in row) for row in codes]), "divergence": rounded([divergence])}


def jacobian_norms(x, units, code):
    """The squares of all partial derivatives, each by the complex step; tanh layers under a logistic code."""
    x = exact(x)
    sizes = [len(x[0]), *units, code]
    depth = len(sizes) - 1
    kernels = [_formula(k, *pair) for k, pair in enumerate(zip(sizes[:-1], sizes[1:], strict=True))]
    biases = [_formula(depth + k, 1, size)[0] for k, size in enumerate(sizes[1:])]

    def encoded(h):
        for level, (kernel, bias) in enumerate(zip(kernels, biases, strict=True)):
            a = plus(times(transpose(kernel), h), bias)
            h = [sigmoid(v) if level == depth - 1 else mpmath.tanh(v) for v in a]
        return h

    norms = []
    for one in x:
        total = mpmath.mpf(0)
        for j in range(len(one)):
            moved = [mpmath.mpc(v, STEP if i == j else 0) for i, v in enumerate(one)]
            total += sum((mpmath.im(v) / STEP) ** 2 for v in encoded(moved))
        norms.append(total)
    return {"norms": rounded(norms)}


def proximal_codes(x, atoms, penalty, steps):
    """ISTA and FISTA written out in scalars, at the rate 1 / |D D^T| of the exact largest eigenvalue."""
    x, atoms, penalty = exact(x), exact(atoms), exact(penalty)
    gram = mpmath.matrix([[dot(a, b) for b in atoms] for a in atoms])
    rate = 1 / max(mpmath.eigsy(gram, eigvals_only=True))

    def step(codes, row):
        residual = [dot(codes, column) - v for column, v in zip(transpose(atoms), row, strict=True)]
        moved = [h - rate * dot(atom, residual) for h, atom in zip(codes, atoms, strict=True)]
        return [mpmath.sign(v) * max(abs(v) - rate * penalty, mpmath.mpf(0)) for v in moved]

    def run(row, momentum):
        codes = ahead = [mpmath.mpf(0)] * len(atoms)
        s = mpmath.mpf(1)
        for _ in range(steps):
            new = step(ahead, row)
            later = (1 + mpmath.sqrt(1 + 4 * s * s)) / 2
            push = (s - 1) / later if momentum else 0
            ahead = [n + push * (n - o) for n, o in zip(new, codes, strict=True)]
            codes, s = new, later
        return codes

    def cost(codes, row):
        made = [dot(codes, column) for column in transpose(atoms)]
        return sum((a - b) ** 2 for a, b in zip(row, made, strict=True)) / 2 + penalty * sum(abs(h) for h in codes)

    ista, fista = ([run(row, momentum) for row in x] for momentum in (False, True))
    return {
        "ista": rounded(ista),
        "fista": rounded(fista),
        "costs": rounded([[cost(h, row) for h, row in zip(codes, x, strict=True)] for codes in (ista, fista)]),
    }


def atoms_after_a_pass(codes, x, atoms):
    """Each atom from the errors that all the others leave, one after the other."""
    codes, x, atoms = exact(codes), exact(x), exact(atoms)
    for k in range(len(atoms)):
        weight = sum(h[k] ** 2 for h in codes)
        if weight == 0:
            continue
        best = []
        for j in range(len(atoms[0])):
            left = [
                row[j] - sum(h[m] * atoms[m][j] for m in range(len(atoms)) if m != k)
                for h, row in zip(codes, x, strict=True)
            ]
            best.append(sum(h[k] * v for h, v in zip(codes, left, strict=True)) / weight)
        length = mpmath.sqrt(dot(best, best))
        atoms[k] = [v / max(length, mpmath.mpf(1)) for v in best]
    return {"atoms": rounded(atoms)}


def codes_by_threshold(z, noise, kernel, tau):
    """The code itself, if its claim holds: noise no longer than tau / 4, columns orthonormal."""
    z, noise, kernel = exact(z), exact(noise), exact(kernel)
    columns = transpose(kernel)
    if any(abs(dot(a, b) - (i == j)) > 1e-15 for i, a in enumerate(columns) for j, b in enumerate(columns)):
        raise ValueError("the claim needs orthonormal columns")
    if any(dot(e, e) > (mpmath.mpf(tau) / 4) ** 2 for e in noise):
        raise ValueError("the claim needs noise no longer than tau / 4")
    return {"codes": rounded(z), "errors": rounded([mpmath.sqrt(dot(e, e)) for e in noise])}
