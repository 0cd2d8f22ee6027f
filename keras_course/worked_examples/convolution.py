"""Worked examples of the chapters on convolutional networks, from the printed 5x5 example to LeNet's logits.

Each function takes a golden's inputs and returns its outputs, through the public API. The notes count the zeros
inserted between two taps; `dilation` here is that number plus one.
"""

from __future__ import annotations

from typing import Any

from keras import ops

from keras_course.core.backend import arithmetic, compiled, jacobian
from keras_course.layers.convolution import Convolution2D, Convolution3D
from keras_course.layers.pooling import AveragePooling, MaxPooling
from keras_course.ops.convolution import convolve, cross_correlate

__all__ = [
    "average_pooled_image",
    "average_pooled_sequence",
    "convolution_costs",
    "convolution_gradients",
    "convolution_output_shape",
    "convolved",
    "convolved_sequence",
    "correlated_image",
    "correlated_sequence",
    "correlated_volume",
    "cross_correlated",
    "fully_connected_weights",
    "kernel_mass",
    "max_pooled_image",
    "max_pooled_sequence",
    "multi_channel_convolution",
    "pooled_channels",
    "translation_equivariance",
]


def cross_correlated(image: Any, kernel: Any) -> dict[str, Any]:
    """The 5x5 image under the 3x3 filter, as printed: no flip. Source: N Convolutional Filter, C 8.1.1."""
    return {"feature_map": compiled(cross_correlate)(image, kernel)}


def convolved(image: Any, kernel: Any) -> dict[str, Any]:
    """The same by the formula printed beside it: the kernel is flipped. Source: N Convolution, C 8.1.1."""
    return {"feature_map": compiled(convolve)(image, kernel)}


def convolved_sequence(x: Any, w: Any) -> dict[str, Any]:
    """The spaceship's smoothed position: recent measurements weigh more. Source: C 8.1.1."""
    return {"s": compiled(convolve)(x, w)}


def correlated_sequence(x: Any, w: Any, stride: int, inserted_zeros: int, padding: str) -> dict[str, Any]:
    """Stride, dilation and padding along one axis. Source: C 8.1.6, 8.1.7, 8.1.9."""
    return {"s": compiled(cross_correlate)(x, w, stride, inserted_zeros + 1, padding)}


def correlated_image(image: Any, kernel: Any, stride: int, inserted_zeros: int, padding: str) -> dict[str, Any]:
    """Stride, dilation and padding of an image. Source: C 8.1.6, 8.1.7, 8.1.9."""
    return {"feature_map": compiled(cross_correlate)(image, kernel, stride, inserted_zeros + 1, padding)}


def multi_channel_convolution(image: Any, kernel: Any, bias: Any) -> dict[str, Any]:
    """Every filter sees every channel; one map a filter. Source: C 8.1.10."""
    layer = Convolution2D(kernel.shape[-1], tuple(kernel.shape[:2]))
    layer.build((None, *image.shape))
    layer.set_weights([ops.convert_to_numpy(kernel), ops.convert_to_numpy(bias)])
    return {"feature_map": compiled(layer)(image[None])[0]}


def correlated_volume(volume: Any, kernel: Any) -> dict[str, Any]:
    """Three spatial axes. Source: N Convolution Applications."""
    layer = Convolution3D(1, tuple(kernel.shape), use_bias=False)
    layer.build((None, *volume.shape, 1))
    layer.set_weights([ops.convert_to_numpy(kernel)[..., None, None]])
    return {"feature_map": compiled(layer)(volume[None, ..., None])[0, ..., 0]}


def convolution_gradients(x: Any, w: Any, g: Any) -> dict[str, Any]:
    """What flows back: into the input a full convolution of g with w, into the kernel the correlation of x with g.

    Source: S 9.2 Convolutional Layers ("need to convolve appropriately").
    """

    def by_input(x: Any, w: Any, g: Any) -> Any:
        return jacobian(lambda x: ops.sum(g * cross_correlate(x, w)), x)

    def by_kernel(x: Any, w: Any, g: Any) -> Any:
        return jacobian(lambda w: ops.sum(g * cross_correlate(x, w)), w)

    return {
        "s": compiled(cross_correlate)(x, w),
        "gradient_x": compiled(by_input)(x, w, g),
        "gradient_w": compiled(by_kernel)(x, w, g),
    }


def translation_equivariance(x: Any, w: Any, shift: int) -> dict[str, Any]:
    """If the object moves, its representation moves as much: f(g(x)) = g(f(x)). Source: C 8.1.4."""

    def moved(x: Any) -> Any:
        return ops.concatenate([ops.zeros_like(x[:shift]), x[: x.shape[0] - shift]])

    return {
        "convolved_then_shifted": compiled(lambda x, w: moved(cross_correlate(x, w, padding="zero")))(x, w),
        "shifted_then_convolved": compiled(lambda x, w: cross_correlate(moved(x), w, padding="zero"))(x, w),
    }


@arithmetic
def convolution_costs(height: int, width: int, kernel_height: int, kernel_width: int) -> dict[str, Any]:
    """The efficiency table: what finding vertical edges costs by convolution and by matrices.

    convolution  stores k floats;                 every output takes k products and k - 1 sums
    dense        stores outputs x inputs floats;  each takes a product and a sum
    sparse       stores k floats an output;       as many operations as convolution

    Source: C 8.1.3.
    """
    layer = Convolution2D(1, (kernel_height, kernel_width), use_bias=False)
    _, rows, columns, _ = layer.compute_output_shape((None, height, width, 1))
    outputs, inputs, taps = rows * columns, height * width, kernel_height * kernel_width
    return {
        "output_height": rows,
        "output_width": columns,
        "convolution_floats": taps,
        "convolution_operations": outputs * (2 * taps - 1),
        "dense_floats": outputs * inputs,
        "dense_operations": 2 * outputs * inputs,
        "sparse_floats": outputs * taps,
        "sparse_operations": outputs * (2 * taps - 1),
        "dense_floats_exceed_8e9": outputs * inputs > 8 * 10**9,
        "dense_operations_exceed_16e9": 2 * outputs * inputs > 16 * 10**9,
    }


@arithmetic
def fully_connected_weights(height: int, width: int, channels: int) -> dict[str, Any]:
    """A hidden layer as wide as the image has numbers: one weight for each pair. Source: C 8.1."""
    inputs = height * width * channels
    return {"inputs": inputs, "weights": inputs**2}


@arithmetic
def convolution_output_shape(
    height: int,
    width: int,
    channels: int,
    filters: int,
    kernel_height: int,
    kernel_width: int,
    stride: int,
    inserted_zeros: int,
    padding: str,
) -> dict[str, Any]:
    """Shape of the feature maps, and how few weights make them. Source: C 8.1.6, 8.1.9."""
    layer = Convolution2D(filters, (kernel_height, kernel_width), stride, padding, dilation_rate=inserted_zeros + 1)
    shape = (None, height, width, channels)
    layer.build(shape)
    _, rows, columns, maps = layer.compute_output_shape(shape)
    return {
        "output_height": rows,
        "output_width": columns,
        "output_channels": maps,
        "parameters": layer.count_params(),
    }


def kernel_mass(kernel: Any) -> dict[str, Any]:
    """A constant image times this: a kernel need not be a probability density. Source: C 8.1.1."""
    return {"mass": compiled(lambda kernel: ops.reshape(cross_correlate(ops.ones_like(kernel), kernel), (1,)))(kernel)}


def max_pooled_image(image: Any, size: int, stride: int) -> dict[str, Any]:
    """The maximum of each window of an image. Source: C 8.1.8."""
    return {"pooled": compiled(MaxPooling(size, stride))(image[None, ..., None])[0, ..., 0]}


def average_pooled_image(image: Any, size: int, stride: int) -> dict[str, Any]:
    """The mean of each window of an image. Source: C 8.1.8, S 9.2 Subsampling."""
    return {"pooled": compiled(AveragePooling(size, stride))(image[None, ..., None])[0, ..., 0]}


def max_pooled_sequence(x: Any, size: int, stride: int) -> dict[str, Any]:
    """The maximum of each window of a sequence. Source: C 8.1.8."""
    return {"pooled": compiled(MaxPooling(size, stride))(x[None, :, None])[0, :, 0]}


def average_pooled_sequence(x: Any, size: int, stride: int) -> dict[str, Any]:
    """The mean of each window of a sequence. Source: C 8.1.8."""
    return {"pooled": compiled(AveragePooling(size, stride))(x[None, :, None])[0, :, 0]}


def pooled_channels(image: Any, size: int, stride: int) -> dict[str, Any]:
    """Each channel is pooled for itself. Source: C 8.1.8."""
    return {
        "maximum": compiled(MaxPooling(size, stride))(image[None])[0],
        "average": compiled(AveragePooling(size, stride))(image[None])[0],
    }
