"""Oracles of DRAW (C 19.4): filters as quotients of exponentials, windows as sums over all pairs of pixels.

One image at a time, in sixty digits; likelihoods and densities are products, whose logarithm is taken at the end.
"""

import mpmath

from reference_tests.oracles.normals import mean_of, normal_density, normal_divergence
from reference_tests.oracles.precision import exact, rounded, sigmoid, softplus

__all__ = ["draw_filterbank", "draw_strokes", "draw_windows"]

UNIT_OFFSET = mpmath.log(mpmath.e - 1)  # softplus of it is 1
LEAST_SCALE = mpmath.mpf("1e-5")  # of a code


def _filters(centre, stride, variance, size, length):
    """Rows of exp(-(a - mu_i)^2 / (2 sigma^2)) over their own sum; pixels a = 1 ... length."""
    rows = []
    for i in range(1, size + 1):
        mean = centre + (i - mpmath.mpf(size) / 2 - mpmath.mpf(1) / 2) * stride
        bells = [mpmath.exp(-((a - mean) ** 2) / (2 * variance)) for a in range(1, length + 1)]
        rows.append([bell / sum(bells) for bell in bells])
    return rows


def _window(parameters, height, width, size):
    """F_Y, F_X, gamma, and (x, y, stride, sigma, gamma)."""
    a, b, log_variance, log_stride, log_gamma = parameters
    x, y = mpmath.mpf(width + 1) / 2 * (a + 1), mpmath.mpf(height + 1) / 2 * (b + 1)
    stride = mpmath.mpf(max(height, width) - 1) / (size - 1) * mpmath.exp(log_stride)
    variance, gamma = mpmath.exp(log_variance), mpmath.exp(log_gamma)
    filters = (_filters(y, stride, variance, size, height), _filters(x, stride, variance, size, width))
    return *filters, gamma, [x, y, stride, mpmath.sqrt(variance), gamma]


def _read(image, filters_y, filters_x, gamma):
    return [
        [
            gamma * sum(fy[b] * fx[a] * image[b][a] for b in range(len(image)) for a in range(len(image[0])))
            for fx in filters_x
        ]
        for fy in filters_y
    ]


def _write(patch, filters_y, filters_x, gamma):
    pairs = [(i, j) for i in range(len(patch)) for j in range(len(patch))]

    def drawn(b, a):
        return sum(filters_y[i][b] * filters_x[j][a] * patch[i][j] for i, j in pairs) / gamma

    return [[drawn(b, a) for a in range(len(filters_x[0]))] for b in range(len(filters_y[0]))]


def draw_filterbank(centre, stride, scale, size, length):
    """A bank a row of the inputs."""
    banks = [_filters(g, d, s**2, size, length) for g, d, s in zip(*map(exact, (centre, stride, scale)), strict=True)]
    return {"filters": rounded(banks)}


def draw_windows(image, parameters, patch):
    """The window that five numbers mean, what it shows of an image and what it adds to a canvas of that size."""
    answers = {"window": [], "seen": [], "drawn": []}
    for picture, five, ink in zip(exact(image), exact(parameters), exact(patch), strict=True):
        *window, numbers = _window(five, len(picture), len(picture[0]), len(ink))
        answers["window"].append(numbers)
        answers["seen"].append(_read(picture, *window))
        answers["drawn"].append(_write(ink, *window))
    return {name: rounded(value) for name, value in answers.items()}


def _block(number, *shape):
    """Weight block `number`: entry k of it, in C order, is 0.6 sin(number + 1 + 1.3 k)."""
    counter = iter(range(10**6))

    def filled(sizes):
        if not sizes:
            return mpmath.mpf("0.6") * mpmath.sin(number + 1 + mpmath.mpf("1.3") * next(counter))
        return [filled(sizes[1:]) for _ in range(sizes[0])]

    return filled(shape)


def _affine(kernel, bias, row):
    return [b + sum(x * kernel[i][j] for i, x in enumerate(row)) for j, b in enumerate(bias)]


def _lstm(row, h, c, kernel, recurrent, bias):
    units = len(h)
    net = [x + y for x, y in zip(_affine(kernel, bias, row), _affine(recurrent, [0] * len(bias), h), strict=True)]
    i, f, o = ([sigmoid(z) for z in net[k * units : (k + 1) * units]] for k in range(3))
    g = [mpmath.tanh(z) for z in net[3 * units :]]
    c = [f[k] * c[k] + i[k] * g[k] for k in range(units)]
    return [o[k] * mpmath.tanh(c[k]) for k in range(units)], c


def draw_strokes(x, units, latent, read, write, noise):
    """The whole model, image by image and draw by draw; read or write 0 is without attention."""
    answers = {"reconstruction": [], "divergence": [], "elbo": [], "bound": []}
    for image in exact(x):
        logs, costs, quotients = [], [], []
        for eps in exact(noise):
            probability, cost, quotient = _drawn(image, units, latent, read, write, eps)
            logs.append(mpmath.log(probability))
            costs.append(cost)
            quotients.append(probability * quotient)
        answers["reconstruction"].append(mean_of(logs))
        answers["divergence"].append(mean_of(costs))
        answers["elbo"].append(mean_of(logs) - mean_of(costs))
        answers["bound"].append(mpmath.log(mean_of(quotients)))
    return {name: rounded(value) for name, value in answers.items()}


def _drawn(image, units, latent, read, write, noise):
    """p(x | z), the divergence, and the product of p(z_t) / q(z_t), of one draw."""
    height, width = len(image), len(image[0])
    encoder, decoder = units
    seen = 2 * (read**2 if read else height * width)
    e = [_block(0, seen + decoder, 4 * encoder), _block(1, encoder, 4 * encoder), _block(2, 4 * encoder)]
    h_e, c_e = _block(3, 2, encoder)
    posterior = _block(4, encoder, 2 * latent), _block(5, 2 * latent)
    d = [_block(6, latent, 4 * decoder), _block(7, decoder, 4 * decoder), _block(8, 4 * decoder)]
    h_d, c_d = _block(9, 2, decoder)
    looking, drawing = (_block(10, decoder, 5), _block(11, 5)), (_block(12, decoder, 5), _block(13, 5))
    width_of_patch = write**2 if write else height * width
    ink = _block(14, decoder, width_of_patch), _block(15, width_of_patch)
    canvas = _block(16, height, width)
    cost, quotient = mpmath.mpf(0), mpmath.mpf(1)
    for eps in noise:
        errors = [[image[b][a] - sigmoid(canvas[b][a]) for a in range(width)] for b in range(height)]
        if read:
            *window, _ = _window(_affine(*looking, h_d), height, width, read)
            looks = [_read(image, *window), _read(errors, *window)]
        else:
            looks = [image, errors]
        row = [value for look in looks for line in look for value in line]
        h_e, c_e = _lstm(row + h_d, h_e, c_e, *e)
        numbers = _affine(*posterior, h_e)
        mean, scale = numbers[:latent], [LEAST_SCALE + softplus(r + UNIT_OFFSET) for r in numbers[latent:]]
        z = [m + s * n for m, s, n in zip(mean, scale, eps, strict=True)]
        for value, m, s in zip(z, mean, scale, strict=True):
            cost += normal_divergence(m, s)
            quotient *= normal_density(value, 0, 1) / normal_density(value, m, s)
        h_d, c_d = _lstm(z, h_d, c_d, *d)
        patch = _affine(*ink, h_d)
        side = write or width
        patch = [patch[k : k + side] for k in range(0, len(patch), side)]
        if write:
            *window, _ = _window(_affine(*drawing, h_d), height, width, write)
            patch = _write(patch, *window)
        canvas = [[canvas[b][a] + patch[b][a] for a in range(width)] for b in range(height)]
    probability = mpmath.mpf(1)
    for b in range(height):
        for a in range(width):
            probability *= sigmoid(canvas[b][a]) if image[b][a] == 1 else sigmoid(-canvas[b][a])
    return probability, cost, quotient
