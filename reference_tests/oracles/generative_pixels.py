"""Oracles of PixelCNN (R) and of generator networks (C 19.3), in sixty digits and by other routes than the library's.

Masks come from comparing places in the order of generation, whole networks from sums over earlier numbers, one output
at a time; nothing is padded or convolved. Normal densities come from determinant and inverse of the covariance, the
Bernoulli generator from products of probabilities over all codes.
"""

import itertools

import mpmath

from reference_tests.oracles.precision import dot, exact, product, rounded, sigmoid, transpose

__all__ = ["affine_samples", "bernoulli_codes", "masked_maps", "pixel_likelihood", "pixel_masks"]


def _seen(here, there, kind, stack="raster"):
    """Whether the number at `here` (row, column, colour) may be told the one `there`."""
    if stack == "vertical":
        return there[0] < here[0] or (kind == "B" and there[0] == here[0])
    return there < here or (kind == "B" and there == here)


def _kept(kernel, colours, kind, stack):
    """The kernel of a window centred on its middle, with what must not be seen as 0."""
    rows, columns = len(kernel) // 2, len(kernel[0]) // 2
    return [
        [
            [
                [
                    w if _seen((rows, columns, f % colours), (a, b, c % colours), kind, stack) else 0 * w
                    for f, w in enumerate(taps)
                ]
                for c, taps in enumerate(channels)
            ]
            for b, channels in enumerate(row)
        ]
        for a, row in enumerate(kernel)
    ]


def pixel_masks(kernel, colours):
    kernel = exact(kernel)
    return {
        f"{stack}_{kind}": rounded(_kept(kernel, colours, kind, stack))
        for stack in ("raster", "vertical")
        for kind in "AB"
    }


def _convolved(image, kernel, bias, colours, kind, stack="raster", height=None):
    """Every output of a masked convolution as a sum over the numbers that it may see.

    The kernel has its rows down to the centre's; `height` rows stand above it (None: all but one).
    """
    rows, columns, above = len(image), len(image[0]), len(kernel) - 1 if height is None else height
    beside = len(kernel[0]) // 2
    out = []
    for i in range(rows):
        out.append([])
        for j in range(columns):
            values = []
            for f, start in enumerate(bias):
                total = start
                for a, b in itertools.product(range(len(kernel)), range(len(kernel[0]))):
                    y, x = i + a - above, j + b - beside
                    if not (0 <= y < rows and 0 <= x < columns):
                        continue
                    for c, value in enumerate(image[y][x]):
                        if _seen((i, j, f % colours), (y, x, c % colours), kind, stack):
                            total += kernel[a][b][c][f] * value
                values.append(total)
            out[-1].append(values)
    return out


def masked_maps(image, kernel, bias, mask, colours):
    image, kernel, bias = exact(image), exact(kernel), exact(bias)
    return {"maps": rounded(_convolved(image, kernel, bias, colours, mask, height=len(kernel) // 2))}


def _each(function, *images):
    """A function of channel vectors, pixel by pixel."""
    return [[function(*pixels) for pixels in zip(*row, strict=True)] for row in zip(*images, strict=True)]


def _sum(*vectors):
    return [sum(entries) for entries in zip(*vectors, strict=True)]


def _rectified(vector):
    return [entry if entry > 0 else mpmath.mpf(0) for entry in vector]


def _gate(vector):
    half = len(vector) // 2
    return [mpmath.tanh(a) * sigmoid(b) for a, b in zip(vector[:half], vector[half:], strict=True)]


def _weights():
    """An endless supply of tensors by the formula: ask for a shape."""
    count = itertools.count()

    def tensor(*shape):
        k, entry = next(count), itertools.count()

        def nested(sizes):
            if not sizes:
                return mpmath.mpf((7 * next(entry) + 3 * k) % 17 - 8) / 16
            return [nested(sizes[1:]) for _ in range(sizes[0])]

        return nested(shape)

    return tensor


def pixel_likelihood(x, gated, filters, blocks):
    found, scores = [], []
    for image in exact(x):
        colours = len(image[0][0])
        seen = _each(lambda pixel: [2 * value - 1 for value in pixel], image)
        logits = (_gated if gated else _residual)(seen, colours, filters, blocks)
        probability = mpmath.mpf(1)
        for pixels, rows in zip(image, logits, strict=True):
            for values, each in zip(pixels, rows, strict=True):
                for value, logit in zip(values, each, strict=True):
                    probability *= sigmoid(logit) if value else sigmoid(-logit)
        found.append(logits)
        scores.append(mpmath.log(probability))
    return {"logits": rounded(found), "log_prob": rounded(scores)}


def _head(h, tensor, colours, width):
    """Two layers of single pixels, rectified before either."""
    for outputs in (width, colours):
        kernel, bias = tensor(1, 1, width, outputs), tensor(outputs)
        h = _convolved(_each(_rectified, h), kernel, bias, colours, "B")
    return h


def _gated(x, colours, filters, blocks):
    tensor, wide = _weights(), 2 * filters
    v = h = x
    for layer in range(blocks + 1):
        channels, kind = (filters, "B") if layer else (colours, "A")
        above = _convolved(v, tensor(2, 3, channels, wide), tensor(wide), colours, kind, "vertical")
        row = _convolved(h, tensor(1, 3, channels, wide), tensor(wide), colours, kind)
        columns = transpose(tensor(wide, wide))
        row = _each(lambda own, up, columns=columns: _sum(own, [dot(column, up) for column in columns]), row, above)
        mixed = _convolved(_each(_gate, row), tensor(1, 1, filters, filters), tensor(filters), colours, "B")
        h = _each(_sum, h, mixed) if layer else mixed
        v = _each(_gate, above)
    return _head(h, tensor, colours, filters)


def _residual(x, colours, filters, blocks):
    tensor, wide = _weights(), 2 * filters
    h = _convolved(x, tensor(2, 3, colours, wide), tensor(wide), colours, "A")
    for _ in range(blocks):
        narrow = _convolved(_each(_rectified, h), tensor(1, 1, wide, filters), tensor(filters), colours, "B")
        spread = _convolved(_each(_rectified, narrow), tensor(2, 3, filters, filters), tensor(filters), colours, "B")
        added = _convolved(_each(_rectified, spread), tensor(1, 1, filters, wide), tensor(wide), colours, "B")
        h = _each(_sum, h, added)
    return _head(h, tensor, colours, wide)


def affine_samples(z, mean, factor, x):
    z, mean, factor, x = map(exact, (z, mean, factor, x))
    samples = [[m + dot(row, code) for m, row in zip(mean, factor, strict=True)] for code in z]
    covariance = mpmath.matrix(product(factor, transpose(factor)))
    inverse, scale = covariance**-1, mpmath.sqrt((2 * mpmath.pi) ** len(mean) * mpmath.det(covariance))
    densities = []
    for sample in samples:
        away = mpmath.matrix([s - m for s, m in zip(sample, mean, strict=True)])
        densities.append(mpmath.log(mpmath.exp(-(away.T * inverse * away)[0] / 2) / scale))
    count = len(x)
    centre = [sum(column) / count for column in transpose(x)]
    second = [[dot(a, b) / count - p * q for b, q in zip(transpose(x), centre, strict=True)]
              for a, p in zip(transpose(x), centre, strict=True)]  # fmt: skip
    return {
        "samples": rounded(samples),
        "log_density": rounded(densities),
        "matched_mean": rounded(centre),
        "matched_factor": rounded(mpmath.cholesky(mpmath.matrix(second)).tolist()),
    }


def bernoulli_codes(x, kernel, bias):
    x, kernel, bias = map(exact, (x, kernel, bias))
    codes = [code[::-1] for code in itertools.product((0, 1), repeat=len(kernel))]  # the first unit changes fastest
    likelihoods, scores = [], []
    for pixels in x:
        row = []
        for code in codes:
            likelihood = mpmath.mpf(1)
            for pixel, column, start in zip(pixels, transpose(kernel), bias, strict=True):
                black = sigmoid(start + dot(column, code))
                likelihood *= black if pixel else 1 - black
            row.append(likelihood)
        scores.append(mpmath.log(sum(row) / len(codes)))
        likelihoods.append([each / sum(row) for each in row])
    return {"log_prob": rounded(scores), "posterior": rounded(likelihoods)}
