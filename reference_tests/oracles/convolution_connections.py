"""Oracles of connections: sets of indices walked one by one, and sums over them in fractions."""

from fractions import Fraction
from itertools import product

from reference_tests.oracles.precision import rounded

__all__ = [
    "equal_kernels",
    "keras2_kernel",
    "locally_connected_image",
    "locally_connected_sequence",
    "parameter_sharing",
    "receptive_fields",
    "rotated_image",
    "sparse_interactions",
    "strided_translation",
    "unshared_gradients",
    "unshared_weights",
]


def _reached(units, reach, samples):
    """Indices within `reach` of any of `units`."""
    return {i for unit in units for i in range(unit - reach, unit + reach + 1) if 0 <= i < samples}


def sparse_interactions(samples, taps, depth):
    """A walk along the edges, layer by layer, in the picture of the notes (odd kernels)."""
    reach, middle = (taps - 1) // 2, samples // 2
    edges = {(i, j) for i in range(samples) for j in range(samples) if abs(i - j) <= reach}
    seen, fields = {middle}, []
    for _ in range(depth):
        seen = _reached(seen, reach, samples)
        fields.append(len(seen))
    return {
        "outputs_of_the_middle_input": len([i for i, j in edges if j == middle]),
        "connections": len(edges),
        "connections_of_a_matrix": len(list(product(range(samples), repeat=2))),
        "inputs_of_the_middle_unit": fields,
    }


def parameter_sharing(samples, taps, padding):
    """Count, for each tap, the places where it meets a sample (odd kernels)."""
    margin = 0 if padding == "valid" else (taps - 1) // 2
    starts = range(-margin, samples + margin - taps + 1)
    uses = [len([start for start in starts if 0 <= start + tap < samples]) for tap in range(taps)]
    return {
        "uses_of_each_tap": uses,
        "uses_of_an_unshared_weight": 1,
        "uses_of_a_matrix_entry": 1,
        "shared_weights": taps,
        "unshared_weights": taps * len(range(samples - taps + 1)),
        "matrix_weights": samples * samples,
    }


def receptive_fields(kernels, strides, dilations, unit):
    """The indices that a unit reads, then those that these read, down to the input."""

    def window(depth, at):
        indices = {at}
        for kernel, stride, dilation in list(zip(kernels, strides, dilations, strict=True))[:depth][::-1]:
            indices = {stride * index + dilation * tap for index in indices for tap in range(kernel)}
        return min(indices), max(indices)

    windows = [window(depth, 0) for depth in range(1, len(kernels) + 1)]
    first, last = window(len(kernels), unit)
    return {"fields": [end - start + 1 for start, end in windows], "first": first, "last": last}


def _dot(weights, window):
    return sum((Fraction(a) * Fraction(b) for a, b in zip(weights, window, strict=True)), Fraction(0))


def strided_translation(x, w, stride):
    """Windows of odd width centred on every stride-th sample of the signal on all integers."""
    margin = (len(w) - 1) // 2

    def moved(values, shift):
        return [0.0] * shift + list(values[: len(values) - shift])

    def maps(values):
        padded = [0.0] * margin + list(values) + [0.0] * margin
        return [_dot(w, padded[start : start + len(w)]) for start in range(0, len(values), stride)]

    return {
        "moved_map": rounded(moved(maps(x), 1)),
        "map_of_moved": rounded(maps(moved(x, stride))),
        "map_of_moved_by_one": rounded(maps(moved(x, 1))),
    }


def _correlated(image, kernel):
    flat = [weight for row in kernel for weight in row]
    height, width = len(kernel), len(kernel[0])
    return [
        [
            _dot(flat, [image[i + a][j + b] for a in range(height) for b in range(width)])
            for j in range(len(image[0]) - width + 1)
        ]
        for i in range(len(image) - height + 1)
    ]


def _rotated(image):
    """A quarter turn against the clock: the last column becomes the first row."""
    return [list(column) for column in zip(*image, strict=True)][::-1]


def rotated_image(image, kernel):
    """Turn before, turn after, turn both."""
    return {
        "rotated_map": rounded(_rotated(_correlated(image, kernel))),
        "map_of_rotated": rounded(_correlated(_rotated(image), kernel)),
        "map_of_both_rotated": rounded(_correlated(_rotated(image), _rotated(kernel))),
    }


def locally_connected_sequence(x, kernel, bias, taps, stride):
    """Each place: its window, laid out tap by tap and channel by channel, times its own matrix."""
    maps = []
    for place, (matrix, offsets) in enumerate(zip(kernel, bias, strict=True)):
        window = [value for sample in x[place * stride : place * stride + taps] for value in sample]
        maps.append([_dot([row[f] for row in matrix], window) + Fraction(offset) for f, offset in enumerate(offsets)])
    return {"s": rounded(maps)}


def locally_connected_image(image, kernel, bias, taps, stride):
    """The same, places counted row by row."""
    maps, places = [], iter(kernel)
    for i, row in enumerate(bias):
        maps.append([])
        for j, offsets in enumerate(row):
            matrix = next(places)
            window = [
                value
                for line in image[i * stride : i * stride + taps]
                for pixel in line[j * stride : j * stride + taps]
                for value in pixel
            ]
            maps[-1].append(
                [_dot([entry[f] for entry in matrix], window) + Fraction(offset) for f, offset in enumerate(offsets)]
            )
    return {"feature_map": rounded(maps)}


def keras2_kernel(x, kernel, taps, stride, padding, filters):
    """The whole matrix from inputs to outputs, filled from what is stored; zero where the window does not reach."""
    length, channels = len(x), len(x[0])
    front = taps // 2 if padding == "same" else 0
    starts = [start - front for start in range(0, length if padding == "same" else length - taps + 1, stride)]

    def joined(time, place):
        return starts[place] <= time < starts[place] + taps

    pairs = [
        (place, f, time, c)
        for place, f, time, c in product(range(len(starts)), range(filters), range(length), range(channels))
        if joined(time, place)
    ]  # sorted by output, then by input
    if isinstance(kernel[0], list):
        weight = {(place, f, time, c): Fraction(kernel[time][c][place][f]) for place, f, time, c in pairs}
    else:
        weight = dict(zip(pairs, map(Fraction, kernel), strict=True))
    maps = [[Fraction(0)] * filters for _ in starts]
    for (place, f, time, c), value in weight.items():
        maps[place][f] += value * Fraction(x[time][c])
    return {"s": rounded(maps)}


def unshared_gradients(x, kernel, g):
    """sum_i g_i s_i is linear in every single weight and sample: read off its coefficients."""
    weights = [[tap[0][0] for tap in place] for place in kernel]
    by_sample = [Fraction(0)] * len(x)
    by_weight = []
    for place, (row, slope) in enumerate(zip(weights, g, strict=True)):
        by_weight.append([[[Fraction(slope) * Fraction(x[place + tap])]] for tap in range(len(row))])
        for tap, weight in enumerate(row):
            by_sample[place + tap] += Fraction(slope) * Fraction(weight)
    return {"gradient_x": rounded(by_sample), "gradient_kernel": rounded(by_weight)}


def equal_kernels(image, kernel):
    """One cross-correlation answers for both layers."""
    maps = rounded(_correlated(image, kernel))
    return {"convolution": maps, "locally_connected": maps}


def unshared_weights(height, width, channels, filters, taps):
    """A bias for each output, a weight for each connection, counted window by window."""
    places = [(i, j) for i in range(height - taps + 1) for j in range(width - taps + 1)]
    rows, columns = len({i for i, _ in places}), len({j for _, j in places})
    window = len(list(product(range(taps), range(taps), range(channels))))
    return {
        "output_height": rows,
        "output_width": columns,
        "convolution": (window + 1) * filters,
        "locally_connected": sum((window + 1) * filters for _ in places),
        "fully_connected": sum(filters * (height * width * channels + 1) for _ in places),
    }
