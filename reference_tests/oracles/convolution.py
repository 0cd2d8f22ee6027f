"""Oracles of N (convolutional filter), C 8.1 and S 9.2: convolution by its definition, sums over index sets.

Signals and kernels live on all integers, zero outside their list; "true convolution" and the padded forms are then
literally the printed sums, in fractions.
"""

from fractions import Fraction
from itertools import product

from reference_tests.oracles.convolution_classifiers import (
    alexnet_sizes,
    googlenet_sizes,
    inception_cost,
    inception_maps,
    local_response,
    vgg_sizes,
)
from reference_tests.oracles.convolution_connections import (
    equal_kernels,
    keras2_kernel,
    locally_connected_image,
    locally_connected_sequence,
    parameter_sharing,
    receptive_fields,
    rotated_image,
    sparse_interactions,
    strided_translation,
    unshared_gradients,
    unshared_weights,
)
from reference_tests.oracles.convolution_lenet import lenet_logits, lenet_sizes
from reference_tests.oracles.convolution_residual import (
    bottleneck_block_output,
    densenet_table,
    residual_block_output,
    resnet_table,
    small_densenet_logits,
    small_resnet_logits,
)
from reference_tests.oracles.convolution_segmentation import (
    bilinear_upsampling,
    classifier_at_every_window,
    fcn_logits,
    fcn_parameters,
    label_map_overlap,
    transposed_convolution,
)
from reference_tests.oracles.precision import rounded

__all__ = [
    "alexnet_sizes",
    "average_pooled_image",
    "average_pooled_sequence",
    "bilinear_upsampling",
    "bottleneck_block_output",
    "classifier_at_every_window",
    "convolution_costs",
    "convolution_gradients",
    "convolution_output_shape",
    "convolved",
    "convolved_sequence",
    "correlated_image",
    "correlated_sequence",
    "correlated_volume",
    "cross_correlated",
    "densenet_table",
    "equal_kernels",
    "fcn_logits",
    "fcn_parameters",
    "fully_connected_weights",
    "googlenet_sizes",
    "inception_cost",
    "inception_maps",
    "keras2_kernel",
    "kernel_mass",
    "label_map_overlap",
    "lenet_logits",
    "lenet_sizes",
    "local_response",
    "locally_connected_image",
    "locally_connected_sequence",
    "max_pooled_image",
    "max_pooled_sequence",
    "multi_channel_convolution",
    "parameter_sharing",
    "pooled_channels",
    "receptive_fields",
    "residual_block_output",
    "resnet_table",
    "rotated_image",
    "small_densenet_logits",
    "small_resnet_logits",
    "sparse_interactions",
    "strided_translation",
    "translation_equivariance",
    "transposed_convolution",
    "unshared_gradients",
    "unshared_weights",
    "vgg_sizes",
]


def _grid(nested):
    """A nested list as {index tuple: fraction}."""
    if not isinstance(nested, list):
        return {(): Fraction(nested)}
    return {(i, *rest): value for i, item in enumerate(nested) for rest, value in _grid(item).items()}


def _sizes(grid):
    return tuple(max(index[axis] for index in grid) + 1 for axis in range(len(next(iter(grid)))))


def _nest(values, sizes):
    if not sizes:
        return next(values)
    return [_nest(values, sizes[1:]) for _ in range(sizes[0])]


def _correlate(signal, kernel, stride, inserted_zeros, padding):
    """sum_a K(a) I(s i + d a - p) over every output position, d = inserted zeros + 1, in any number of dimensions."""
    source, taps = _grid(signal), _grid(kernel)
    sizes, lengths, spacing = _sizes(source), _sizes(taps), inserted_zeros + 1
    reach = [spacing * (length - 1) + 1 for length in lengths]
    margin = [0 if padding == "valid" else (span - 1) // 2 for span in reach]
    if padding != "valid" and any(span % 2 == 0 for span in reach):
        raise ValueError(f"padding needs a kernel of odd reach. Received: {reach}")

    def read(index):
        if padding == "replicate":
            index = tuple(min(max(i, 0), size - 1) for i, size in zip(index, sizes, strict=True))
        return source.get(index, Fraction(0))

    counts = [(size + 2 * m - span) // stride + 1 for size, m, span in zip(sizes, margin, reach, strict=True)]
    values = [
        sum(
            weight * read(tuple(stride * i + spacing * a - m for i, a, m in zip(place, tap, margin, strict=True)))
            for tap, weight in taps.items()
        )
        for place in product(*map(range, counts))
    ]
    return _nest(iter(values), counts)


def cross_correlated(image, kernel):
    """sum_{a,b} K(a, b) I(i + a, j + b)."""
    return {"feature_map": rounded(_correlate(image, kernel, 1, 0, "valid"))}


def _convolve(signal, kernel):
    """sum_a f(a) g(x - a) on all of Z^n, then the part where the kernel lies inside the signal."""
    source, taps = _grid(signal), _grid(kernel)
    sizes, lengths = _sizes(source), _sizes(taps)
    inside = [range(length - 1, size) for size, length in zip(sizes, lengths, strict=True)]
    values = [
        sum(value * source[tuple(x - a for x, a in zip(place, tap, strict=True))] for tap, value in taps.items())
        for place in product(*inside)
    ]
    return _nest(iter(values), [len(places) for places in inside])


def convolved(image, kernel):
    """The printed formula of N: (f * g)(x, y) = sum f(i, j) g(x - i, y - j), where the kernel fits."""
    return {"feature_map": rounded(_convolve(image, kernel))}


def convolved_sequence(x, w):
    """s(t) = sum_a x(a) w(t - a), where the kernel fits."""
    return {"s": rounded(_convolve(x, w))}


def correlated_sequence(x, w, stride, inserted_zeros, padding):
    """One-dimensional cross-correlation with stride, dilation and padding."""
    return {"s": rounded(_correlate(x, w, stride, inserted_zeros, padding))}


def correlated_image(image, kernel, stride, inserted_zeros, padding):
    """Two-dimensional cross-correlation with stride, dilation and padding."""
    return {"feature_map": rounded(_correlate(image, kernel, stride, inserted_zeros, padding))}


def correlated_volume(volume, kernel):
    """Three-dimensional cross-correlation."""
    return {"feature_map": rounded(_correlate(volume, kernel, 1, 0, "valid"))}


def multi_channel_convolution(image, kernel, bias):
    """One two-dimensional cross-correlation a pair (channel, filter), summed over channels, plus the bias."""
    channels, filters = len(kernel[0][0]), len(bias)
    maps = []
    for target in range(filters):
        planes = [
            _correlate(
                [[pixel[c] for pixel in row] for row in image],
                [[tap[c][target] for tap in row] for row in kernel],
                1,
                0,
                "valid",
            )
            for c in range(channels)
        ]
        maps.append(
            [
                [sum(cells) + Fraction(bias[target]) for cells in zip(*rows, strict=True)]
                for rows in zip(*planes, strict=True)
            ]
        )
    stacked = [[[plane[i][j] for plane in maps] for j in range(len(maps[0][0]))] for i in range(len(maps[0]))]
    return {"feature_map": rounded(stacked)}


def convolution_gradients(x, w, g):
    """sum_i g_i s_i is bilinear in x and w: a gradient entry is its value at a unit vector."""

    def pairing(signal, kernel):
        return sum(Fraction(a) * b for a, b in zip(g, _correlate(signal, kernel, 1, 0, "valid"), strict=True))

    def unit(size, index):
        return [float(position == index) for position in range(size)]

    return {
        "s": rounded(_correlate(x, w, 1, 0, "valid")),
        "gradient_x": rounded([pairing(unit(len(x), i), w) for i in range(len(x))]),
        "gradient_w": rounded([pairing(x, unit(len(w), i)) for i in range(len(w))]),
    }


def translation_equivariance(x, w, shift):
    """Shift after the convolution, and convolution after the shift (zeros come in, and are all that goes out)."""

    def moved(values):
        if any(values[len(values) - shift :]):
            raise ValueError("the shift must push out zeros only")
        return [Fraction(0)] * shift + [Fraction(value) for value in values[: len(values) - shift]]

    return {
        "convolved_then_shifted": rounded(moved(_correlate(x, w, 1, 0, "zero"))),
        "shifted_then_convolved": rounded(_correlate(moved(x), w, 1, 0, "zero")),
    }


def convolution_costs(height, width, kernel_height, kernel_width):
    """The efficiency table of C 8.1.3: counts, one multiplication a tap and one addition fewer."""
    rows, columns = height - kernel_height + 1, width - kernel_width + 1
    taps = kernel_height * kernel_width
    dense = rows * columns * height * width
    return {
        "output_height": rows,
        "output_width": columns,
        "convolution_floats": taps,
        "convolution_operations": rows * columns * (2 * taps - 1),
        "dense_floats": dense,
        "dense_operations": 2 * dense,
        "sparse_floats": taps * rows * columns,
        "sparse_operations": rows * columns * (2 * taps - 1),
        "dense_floats_exceed_8e9": dense > 8 * 10**9,
        "dense_operations_exceed_16e9": 2 * dense > 16 * 10**9,
    }


def fully_connected_weights(height, width, channels):
    """One weight for every pair of input and equally wide hidden layer."""
    inputs = height * width * channels
    return {"inputs": inputs, "weights": inputs**2}


def convolution_output_shape(
    height, width, channels, filters, kernel_height, kernel_width, stride, inserted_zeros, padding
):
    """Output positions counted one by one, and the number of weights."""

    def count(size, taps):
        reach = (taps - 1) * (inserted_zeros + 1) + 1
        padded = size if padding == "valid" else size + reach - 1
        return len([start for start in range(0, padded, stride) if start + reach <= padded])

    return {
        "output_height": count(height, kernel_height),
        "output_width": count(width, kernel_width),
        "output_channels": filters,
        "parameters": kernel_height * kernel_width * channels * filters + filters,
    }


def kernel_mass(kernel):
    """Sum of all entries: 1 for a probability density, anything for a kernel."""
    return {"mass": [float(sum(_grid(kernel).values()))]}


def _pool(signal, size, stride, summary):
    source = _grid(signal)
    counts = [(length - size) // stride + 1 for length in _sizes(source)]
    values = [
        summary(
            [
                source[tuple(stride * i + a for i, a in zip(place, window, strict=True))]
                for window in product(range(size), repeat=len(counts))
            ]
        )
        for place in product(*map(range, counts))
    ]
    return _nest(iter(values), counts)


def _mean(values):
    return sum(values) / len(values)


def max_pooled_image(image, size, stride):
    """Largest value of each window."""
    return {"pooled": rounded(_pool(image, size, stride, max))}


def average_pooled_image(image, size, stride):
    """Mean of each window."""
    return {"pooled": rounded(_pool(image, size, stride, _mean))}


def max_pooled_sequence(x, size, stride):
    """Largest value of each window, one dimension."""
    return {"pooled": rounded(_pool(x, size, stride, max))}


def average_pooled_sequence(x, size, stride):
    """Mean of each window, one dimension."""
    return {"pooled": rounded(_pool(x, size, stride, _mean))}


def pooled_channels(image, size, stride):
    """Each channel is pooled for itself."""
    planes = [[[pixel[c] for pixel in row] for row in image] for c in range(len(image[0][0]))]

    def stacked(summary):
        maps = [_pool(plane, size, stride, summary) for plane in planes]
        return [[[plane[i][j] for plane in maps] for j in range(len(maps[0][0]))] for i in range(len(maps[0]))]

    return {"maximum": rounded(stacked(max)), "average": rounded(stacked(_mean))}
