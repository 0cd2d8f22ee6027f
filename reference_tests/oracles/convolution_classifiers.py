"""Oracles of local response normalization, AlexNet, VGG, inception modules and GoogLeNet: sizes and weights counted.

Networks are written down as the words of the papers' tables ("64 M 128 M ...") and counted with integers; a window's
places are counted one by one. The forward pass of an inception module is a sum over index sets, in fractions.
"""

from fractions import Fraction

import mpmath

from reference_tests.oracles.precision import exact, rounded


def local_response(x, size, bias, alpha, beta):
    """Each entry over (bias + alpha times the squares in its window)**beta, by index sets."""
    rows = exact(x)
    bias, alpha, beta = exact([bias, alpha, beta])
    reach = size // 2
    damped = []
    for row in rows:
        energy = [sum(row[j] ** 2 for j in range(len(row)) if abs(j - c) <= reach) for c in range(len(row))]
        damped.append([value / mpmath.power(bias + alpha * e, beta) for value, e in zip(row, energy, strict=True)])
    return {"y": rounded(damped)}


def _places(size, window, stride, before=0, after=0):
    """How many windows start inside the padded axis and end in it."""
    return sum(1 for start in range(-before, size + after, stride) if start + window <= size + after)


def _weights(inputs, outputs, window=1, groups=1):
    """One weight a connection within a group, one bias an output."""
    return groups * (window * window * (inputs // groups) * (outputs // groups)) + outputs


def alexnet_sizes(height, width, channels, classes, towers):
    """conv 11/4 valid, pool 3/2, conv 5, pool 3/2, conv 3, conv 3, conv 3, pool 3/2, three dense layers."""
    split = towers
    plan = (
        ("conv1", 96, 11, 4, 0, 1), ("pool1", 0, 3, 2, 0, 1), ("conv2", 256, 5, 1, 2, split), ("pool2", 0, 3, 2, 0, 1),
        ("conv3", 384, 3, 1, 1, 1), ("conv4", 384, 3, 1, 1, split), ("conv5", 256, 3, 1, 1, split),
        ("pool5", 0, 3, 2, 0, 1),
    )  # fmt: skip
    rows, columns, maps = height, width, channels
    stages, parameters = [], []
    for name, filters, window, stride, margin, groups in plan:
        rows, columns = (_places(n, window, stride, margin, margin) for n in (rows, columns))
        if filters:
            parameters.append(_weights(maps, filters, window, groups))
            maps = filters
        stages.append([name, rows, columns, maps])
    units = rows * columns * maps
    for outputs in (4096, 4096, classes):
        parameters.append(_weights(units, outputs))
        units = outputs
    total = sum(parameters)
    return {
        "stages": stages,
        "parameters": parameters,
        "weight_layers": len(parameters),
        "total": total,
        "tens_of_millions": total / 10**7,
    }


VGG_COLUMNS = {
    "A": "64 M 128 M 256 256 M 512 512 M 512 512 M",
    "A-LRN": "64 LRN M 128 M 256 256 M 512 512 M 512 512 M",
    "B": "64 64 M 128 128 M 256 256 M 512 512 M 512 512 M",
    "C": "64 64 M 128 128 M 256 256 1x256 M 512 512 1x512 M 512 512 1x512 M",
    "D": "64 64 M 128 128 M 256 256 256 M 512 512 512 M 512 512 512 M",
    "E": "64 64 M 128 128 M 256 256 256 256 M 512 512 512 512 M 512 512 512 512 M",
}


def vgg_sizes(configuration, height, width, channels, classes):
    """One column of the table, read word by word."""
    rows, columns, maps = height, width, channels
    column, parameters, sizes = [], [], []
    for word in VGG_COLUMNS[configuration].split():
        if word == "M":
            rows, columns = _places(rows, 2, 2), _places(columns, 2, 2)
            sizes.append([rows, columns, maps])
            column.append("maxpool")
        elif word == "LRN":
            column.append("LRN")
        else:
            window, filters = (1, int(word[2:])) if "x" in word else (3, int(word))
            parameters.append(_weights(maps, filters, window))
            maps = filters
            column.append(f"conv{window}-{filters}")
    units = rows * columns * maps
    for outputs in (4096, 4096, classes):
        parameters.append(_weights(units, outputs))
        column.append(f"FC-{outputs}")
        units = outputs
    return {
        "column": column,
        "weight_layers": len(parameters),
        "pooled": sizes,
        "parameters": parameters,
        "total": sum(parameters),
    }


def inception_cost(height, width, maps, filters, reductions):
    """Weights and products of the four paths, without and with 1 x 1 reductions."""
    one, three, five = filters
    reduce3, reduce5, projection = reductions
    naive = [(maps, one, 1), (maps, three, 3), (maps, five, 5)]
    reduced = [
        (maps, one, 1), (maps, reduce3, 1), (reduce3, three, 3), (maps, reduce5, 1), (reduce5, five, 5),
        (maps, projection, 1),
    ]  # fmt: skip

    answers = {}
    for name, path, last in (("naive", naive, maps), ("reduced", reduced, projection)):
        answers[f"{name}_parameters"] = sum(_weights(inputs, outputs, window) for inputs, outputs, window in path)
        answers[f"{name}_products"] = sum(height * width * i * o * window**2 for i, o, window in path)
        answers[f"{name}_maps"] = one + three + five + last
    return answers


def _weight(k, j):
    return Fraction((7 * j + 3 * k) % 17 - 8, 16)


def _correlated(image, k, window, filters):
    """relu(bias + sum over taps and maps), zeros outside; image[i][j][c]; tensors 2k and 2k + 1."""
    rows, columns, maps = len(image), len(image[0]), len(image[0][0])
    margin = window // 2

    def unit(i, j, f):
        total = _weight(2 * k + 1, f)
        for a in range(window):
            for b in range(window):
                y, x = i + a - margin, j + b - margin
                if 0 <= y < rows and 0 <= x < columns:
                    for c in range(maps):
                        total += _weight(2 * k, ((a * window + b) * maps + c) * filters + f) * image[y][x][c]
        return max(total, Fraction(0))

    return [[[unit(i, j, f) for f in range(filters)] for j in range(columns)] for i in range(rows)]


def _greatest_neighbour(image):
    rows, columns, maps = len(image), len(image[0]), len(image[0][0])

    def around(i, j, c):
        near = [(y, x) for y in range(i - 1, i + 2) for x in range(j - 1, j + 2)]
        return max(image[y][x][c] for y, x in near if 0 <= y < rows and 0 <= x < columns)

    return [[[around(i, j, c) for c in range(maps)] for j in range(columns)] for i in range(rows)]


def inception_maps(height, width, maps, filters, reductions):
    """The module's output for weights and an image given by a formula; reductions [] is the naive module."""
    image = [
        [[Fraction((5 * ((i * width + j) * maps + c)) % 13, 8) for c in range(maps)] for j in range(width)]
        for i in range(height)
    ]
    one, three, five = filters
    if reductions:
        paths = [
            _correlated(image, 0, 1, one),
            _correlated(_correlated(image, 1, 1, reductions[0]), 2, 3, three),
            _correlated(_correlated(image, 3, 1, reductions[1]), 4, 5, five),
            _correlated(_greatest_neighbour(image), 5, 1, reductions[2]),
        ]
    else:
        paths = [
            _correlated(image, 0, 1, one),
            _correlated(image, 2, 3, three),
            _correlated(image, 4, 5, five),
            _greatest_neighbour(image),
        ]
    stacked = [[[v for path in paths for v in path[i][j]] for j in range(width)] for i in range(height)]
    return {"y": rounded(stacked)}


# 1x1, 3x3 reduce, 3x3, 5x5 reduce, 5x5, pool projection.
INCEPTION = """
3a 64 96 128 16 32 32
3b 128 128 192 32 96 64
M
4a 192 96 208 16 48 64
4b 160 112 224 24 64 64
4c 128 128 256 24 64 64
4d 112 144 288 32 64 64
4e 256 160 320 32 128 128
M
5a 256 160 320 32 128 128
5b 384 192 384 48 128 128
"""


def googlenet_sizes(height, width, channels, classes):
    """Sizes behind every module, weights of every row of the table and of the two auxiliary classifiers."""

    def halved(n):
        return len(range(0, n, 2))  # a window on every second sample, cut at the border

    rows, columns, maps = halved(halved(height)), halved(halved(width)), 192
    rows, columns = halved(rows), halved(columns)
    stages, auxiliary = [], 0
    parameters = [_weights(channels, 64, 7), _weights(64, 64), _weights(64, 192, 3)]
    for line in INCEPTION.split("\n"):
        if line == "M":
            rows, columns = halved(rows), halved(columns)
        elif line:
            name, *numbers = line.split()
            one, reduce3, three, reduce5, five, projection = map(int, numbers)
            cost = inception_cost(rows, columns, maps, [one, three, five], [reduce3, reduce5, projection])
            parameters.append(cost["reduced_parameters"])
            maps = one + three + five + projection
            stages.append([name, rows, columns, maps])
            if name in ("4a", "4d"):
                flat = 128 * _places(rows, 5, 3) * _places(columns, 5, 3)
                auxiliary += _weights(maps, 128) + _weights(flat, 1024) + _weights(1024, classes)
    parameters.append(_weights(maps, classes))
    return {
        "stages": stages,
        "parameters": parameters,
        "total": sum(parameters),
        "auxiliary": auxiliary,
        "total_in_training": sum(parameters) + auxiliary,
    }
