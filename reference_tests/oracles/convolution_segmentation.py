"""Oracles of structured outputs: matrices transposed, tents read off, windows one by one, sets of pixels counted."""

from fractions import Fraction
from itertools import product

import numpy as np
from scipy import signal

from reference_tests.oracles.precision import rounded


def _window_start(taps, stride, padding):
    """Samples in front of the image that the first window covers."""
    return {"valid": 0, "zero": (taps - 1) // 2, "same": max(taps - stride, 0) // 2}[padding]


def transposed_convolution(maps, kernel, image, stride_down, stride_right, padding):
    """The matrix of the convolution, entry by entry, transposed; and both products with it."""
    y, x = np.array(maps, dtype=object), np.array(image, dtype=object)
    taps = np.array(kernel, dtype=object)
    (rows, columns, filters), (height, width, channels) = y.shape, x.shape
    strides = (stride_down, stride_right)
    start = [_window_start(n, s, padding) for n, s in zip(taps.shape[:2], strides, strict=True)]
    matrix = {}
    for i, j, f in np.ndindex(rows, columns, filters):
        for a, b, c in np.ndindex(taps.shape[0], taps.shape[1], channels):
            place = (i * strides[0] + a - start[0], j * strides[1] + b - start[1])
            if 0 <= place[0] < height and 0 <= place[1] < width:
                matrix[(i, j, f), (*place, c)] = Fraction(taps[a, b, c, f])
    spread = np.full(x.shape, Fraction(0), dtype=object)
    product_of_both = Fraction(0)
    for (here, there), weight in matrix.items():
        spread[there] += weight * Fraction(y[here])
        product_of_both += weight * Fraction(y[here]) * Fraction(x[there])
    return {"spread": rounded(spread.tolist()), "products": rounded([product_of_both, product_of_both])}


def bilinear_upsampling(image, factor):
    """Straight lines between the centres of the samples, and down to zero one sample outside, along both axes."""

    def between(values, place):
        """The piecewise linear function through `values` at 0, 1, 2 …, zero at -1, len and beyond."""
        low = place.numerator // place.denominator
        share = place - low
        read = [values[i] if 0 <= i < len(values) else Fraction(0) for i in (low, low + 1)]
        return (1 - share) * read[0] + share * read[1]

    rows = [[Fraction(value) for value in row] for row in image]
    for _ in range(2):
        places = [Fraction(2 * q + 1, 2 * factor) - Fraction(1, 2) for q in range(factor * len(rows[0]))]
        wide = [[between(row, place) for place in places] for row in rows]
        rows = [list(column) for column in zip(*wide, strict=True)]
    return {"enlarged": rounded(rows)}


def classifier_at_every_window(image, kernel, bias, hidden, hidden_bias, output, output_bias):
    """Every window is cut out and classified alone."""
    picture, taps = np.array(image), np.array(kernel)
    inner = int(len(hidden) ** 0.5)
    own = 2 * inner + len(kernel) - 1

    def classify(window):
        maps = np.maximum(signal.correlate2d(window, taps, mode="valid") + bias[0], 0)
        pooled = maps[: 2 * inner, : 2 * inner].reshape(inner, 2, inner, 2).max(axis=(1, 3))
        units = np.tanh(pooled.reshape(-1) @ np.array(hidden) + hidden_bias)
        return (units @ np.array(output) + output_bias).tolist()

    tops, lefts = (range(0, size - own + 1, 2) for size in picture.shape)
    return {"scores": [[classify(picture[t : t + own, le : le + own]) for le in lefts] for t in tops]}


def fcn_parameters(filters, convolutions, head, head_kernel, channels, classes, skips):
    """Every connection counted, layer by layer."""
    trunk, given, widths = 0, channels, []
    for width, count in zip(filters, convolutions, strict=True):
        for _ in range(count):
            trunk, given = trunk + (9 * given + 1) * width, width
        widths.append(width)
    for number, width in enumerate(head):
        size = head_kernel if number == 0 else 1
        trunk, given = trunk + (size * size * given + 1) * width, width
    widths[-1] = given
    used = list(reversed(widths))[: skips + 1]
    scores = [(width + 1) * classes for width in used]
    finest = 2 ** (len(filters) - skips)
    upsampling = [(2 * f) ** 2 * classes**2 for f in [2] * skips + [finest]]
    return {
        "trunk": trunk,
        "scores": scores,
        "upsampling": upsampling,
        "finest_stride": finest,
        "total": trunk + sum(scores) + sum(upsampling),
    }


def _numbers(k, shape):
    """Weight tensor number k; every entry is a multiple of 1/64."""
    j = np.arange(int(np.prod(shape)), dtype=np.int64).reshape(shape)
    return ((7 * j + 3 * k) % 17 - 8) / 64.0


def _correlated(maps, kernel):
    """Cross-correlation with zeros around, channel by channel in SciPy; maps (H, W, C), kernel (3, 3, C, F)."""
    planes = [
        sum(signal.correlate2d(maps[..., c], kernel[..., c, f], mode="same") for c in range(maps.shape[-1]))
        for f in range(kernel.shape[-1])
    ]
    return np.stack(planes, axis=-1)


def _spread(maps, kernel, factor):
    """Zeros put between the samples, then a full true convolution, then what lies over the image."""
    rows, columns, given = maps.shape
    thin = np.zeros((factor * (rows - 1) + 1, factor * (columns - 1) + 1, given))
    thin[::factor, ::factor] = maps
    planes = [
        sum(signal.convolve2d(thin[..., f], kernel[..., c, f], mode="full") for f in range(given))
        for c in range(kernel.shape[2])
    ]
    cut = (kernel.shape[0] - factor) // 2
    return np.stack(planes, axis=-1)[cut : cut + factor * rows, cut : cut + factor * columns]


def fcn_logits(height, width, channels, classes, filters, skips):
    """The forward pass in float64, image enlarged by zeros until 2^n divides it."""
    stride = 2 ** len(filters)
    image = np.zeros((-(-height // stride) * stride, -(-width // stride) * stride, channels))
    image[:height, :width] = ((5 * np.arange(height * width * channels)) % 13 / 12.0).reshape(height, width, channels)
    k, given, maps, levels = 0, channels, image, []
    for filters_here in filters:
        maps = np.maximum(
            _correlated(maps, _numbers(k, (3, 3, given, filters_here))) + _numbers(k + 1, filters_here), 0
        )
        rows, columns = maps.shape[0] // 2, maps.shape[1] // 2
        maps = maps.reshape(rows, 2, columns, 2, filters_here).max(axis=(1, 3))
        levels.append(maps)
        k, given = k + 2, filters_here
    chosen = list(reversed(levels))[: skips + 1]
    scores = []
    for maps in chosen:
        scores.append(maps @ _numbers(k, (maps.shape[-1], classes)) + _numbers(k + 1, classes))
        k += 2
    total = 0
    for number, own in enumerate(scores):
        factor = 2 if number < skips else 2 ** (len(filters) - skips)
        total = _spread(total + own, _numbers(k, (2 * factor, 2 * factor, classes, classes)), factor)
        k += 1
    return {"logits": total[:height, :width].tolist()}


def label_map_overlap(truth, guess, classes, ignored):
    """Sets of places: where a class is, where it is said to be."""
    places = [(i, j) for i, j in product(range(len(truth)), range(len(truth[0]))) if truth[i][j] != ignored]
    true = [{p for p in places if truth[p[0]][p[1]] == k} for k in range(classes)]
    said = [{p for p in places if guess[p[0]][p[1]] == k} for k in range(classes)]
    iou = {k: Fraction(len(true[k] & said[k]), len(true[k] | said[k])) for k in range(classes) if true[k] | said[k]}
    return {
        "mean_iou": float(sum(iou.values()) / len(iou)),
        "frequency_weighted_iou": float(sum(len(true[k]) * value for k, value in iou.items()) / len(places)),
        "pixel_accuracy": float(Fraction(sum(len(true[k] & said[k]) for k in range(classes)), len(places))),
        "occurring": [float(len(one)) for one in true],
    }
