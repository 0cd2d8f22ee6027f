"""Oracle of LeNet: sizes counted stage by stage, and logits for weights given by a formula.

The weights are small multiples of powers of two, so they are the same numbers in float32 and in float64.
"""

from fractions import Fraction

import mpmath

SHIFT = (5, 6, 7, 6, 8, 6, 6, 6, 5, 6)  # tensor k is divided by 2**SHIFT[k]


def lenet_sizes(height, width, channels, classes, first_padding):
    """Shape after each stage and weights of each layer, every position and every connection counted."""
    rows, columns = (height, width) if first_padding == "same" else (height - 4, width - 4)
    conv1, pool1 = [rows, columns, 6], [rows // 2, columns // 2, 6]
    conv2 = [pool1[0] - 4, pool1[1] - 4, 16]
    pool2 = [conv2[0] // 2, conv2[1] // 2, 16]
    flat = pool2[0] * pool2[1] * pool2[2]
    layers = ((25 * channels, 6), (25 * 6, 16), (flat, 120), (120, 84), (84, classes))
    parameters = [inputs * units + units for inputs, units in layers]
    return {
        "conv1": conv1,
        "pool1": pool1,
        "conv2": conv2,
        "pool2": pool2,
        "flat": flat,
        "parameters": parameters,
        "total": sum(parameters),
    }


def _weight(k, j):
    return Fraction((7 * j + 3 * k) % 17 - 8, 2 ** SHIFT[k])


def _dense(values, k, units):
    """values @ kernel + bias for the kernel number k, stored (inputs, units) in C order."""
    return [
        sum((value * _exact(_weight(k, i * units + u)) for i, value in enumerate(values)), _exact(_weight(k + 1, u)))
        for u in range(units)
    ]


def _exact(fraction):
    return mpmath.mpf(fraction.numerator) / fraction.denominator


def _convolution(image, k, filters, padded):
    """5x5 cross-correlation; image is a list of channel planes, so are the feature maps."""
    channels, height, width = len(image), len(image[0]), len(image[0][0])
    margin = 2 if padded else 0
    zero = mpmath.mpf(0)
    maps = []
    for target in range(filters):
        taps = [
            (a, b, c, _exact(_weight(k, ((a * 5 + b) * channels + c) * filters + target)))
            for a in range(5)
            for b in range(5)
            for c in range(channels)
        ]
        bias = _exact(_weight(k + 1, target))
        plane = []
        for i in range(-margin, height + margin - 4):
            row = []
            for j in range(-margin, width + margin - 4):
                total = bias
                for a, b, c, weight in taps:
                    if weight and 0 <= i + a < height and 0 <= j + b < width:
                        total += weight * image[c][i + a][j + b]
                row.append(total + zero)
            plane.append(row)
        maps.append(plane)
    return maps


def _pool(maps, pooling):
    summary = max if pooling == "max" else lambda cells: sum(cells) / 4
    return [
        [
            [summary([plane[2 * i + a][2 * j + b] for a in (0, 1) for b in (0, 1)]) for j in range(len(plane[0]) // 2)]
            for i in range(len(plane) // 2)
        ]
        for plane in maps
    ]


def lenet_logits(height, width, channels, classes, first_padding, activation, pooling):
    """The whole forward pass on the image ((5 j) % 13) / 12."""
    unit = mpmath.tanh if activation == "tanh" else lambda z: max(z, mpmath.mpf(0))
    with mpmath.workdps(30):
        pixels = [
            [
                [mpmath.mpf((5 * ((i * width + j) * channels + c)) % 13) / 12 for j in range(width)]
                for i in range(height)
            ]
            for c in range(channels)
        ]
        first = _convolution(pixels, 0, 6, first_padding == "same")
        first = _pool([[[unit(z) for z in row] for row in plane] for plane in first], pooling)
        second = _convolution(first, 2, 16, False)
        second = _pool([[[unit(z) for z in row] for row in plane] for plane in second], pooling)
        values = [plane[i][j] for i in range(len(second[0])) for j in range(len(second[0][0])) for plane in second]
        values = [unit(z) for z in _dense(values, 4, 120)]
        values = [unit(z) for z in _dense(values, 6, 84)]
        return {"logits": [[float(z) for z in _dense(values, 8, classes)]]}
