"""Transposed convolution: the adjoint of a convolution, which spreads each input over the window it once summed.

    convolution   (K x)(i, f) = sum_a sum_c K[a, c, f] x(i s + a - p, c)
    transposed    (K' y)(j, c) = sum_i sum_a sum_f K[a, c, f] y(i, f)   over all i, a with i s + a - p = j

    <K x, y> = <x, K' y>   for every x and y: K' is the transpose of the matrix K, no inverse of it

i, j, a run over both spatial axes; s stride, p samples padded in front. It is the gradient of a convolution by its
input, and with stride s it makes an image s times as large: what a network needs that shrank an image and has to say
something of each pixel.

Conventions that bite: the kernel is that of the convolution, (height, width, output channels, input channels), its last
axis meets the channels of y. Several x have a convolution of y's size; the one meant is

    "valid"         s (m - 1) + max(k, s)   from m samples, as Keras
    "zero", "same"  s m

With k = 2 s (or 2 s - 1 for odd s) and the weights of `bilinear_weights`, "same" is bilinear interpolation.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from keras import ops
from numpy.typing import NDArray

from keras_course.core.shapes import normalize_tuple, require_one_of, require_positive_int, require_rank
from keras_course.ops.floating import as_floating

__all__ = ["TRANSPOSED_PADDINGS", "bilinear_weights", "transposed_maps", "transposed_size"]

TRANSPOSED_PADDINGS = ("valid", "zero", "same")


def transposed_maps(inputs: Any, kernel: Any, strides: Any = 1, padding: str = "valid") -> Any:
    """Spreads every sample of a batch of feature maps over a window, weighted by the kernel, and sums.

    T[b, j, c] = sum_{i, a: i s + a - p = j} sum_f K[a, c, f] y[b, i, f]

    The adjoint of `feature_maps` with the same kernel, strides and padding (dilation 1, no flip).

    Args:
        inputs: tensor (B, H, W, F), either side unknown in a graph if need be.
        kernel: tensor (height, width, C, F).
        strides: int or 2 ints.
        padding: "valid", "zero" or "same", that of the convolution it is the adjoint of.

    Returns:
        Tensor (B, H', W', C), sides by `transposed_size`.

    Raises:
        ValueError: for a wrong rank, channels that differ, a bad stride or padding.

    Example:
        >>> y = ops.reshape(ops.convert_to_tensor([1.0, 2.0]), (1, 1, 2, 1))
        >>> ops.convert_to_numpy(transposed_maps(y, ops.ones((1, 3, 1, 1)), (1, 2)))[0, 0, :, 0].tolist()
        [1.0, 1.0, 3.0, 2.0, 2.0]

    Source: C 8.1.12; Long, Shelhamer and Darrell 2015.
    """
    inputs, kernel = as_floating(inputs), as_floating(kernel)
    require_rank("transposed_maps", inputs.shape, 4)
    if len(kernel.shape) != 4 or inputs.shape[-1] != kernel.shape[-1]:
        raise ValueError(
            "transposed_maps needs a kernel (height, width, output channels, input channels) for inputs (batch, height,"
            f" width, channels). Received: inputs.shape={tuple(inputs.shape)}, kernel.shape={tuple(kernel.shape)}"
        )
    strides = normalize_tuple("transposed_maps", strides, 2, "strides")
    require_one_of("transposed_maps", TRANSPOSED_PADDINGS, padding=padding)
    if padding != "zero":
        return ops.conv_transpose(inputs, kernel, strides, padding, data_format="channels_last")

    sides = ops.shape(inputs)[1:3]
    maps = ops.conv_transpose(inputs, kernel, strides, "valid", data_format="channels_last")  # all that windows reach
    for axis, (m, k, s) in enumerate(zip(sides, kernel.shape[:2], strides, strict=True), start=1):
        before = (k - 1) // 2
        behind = max(0, before - max(k - s, 0))  # samples that no window reaches
        if behind:
            maps = ops.pad(maps, [(0, behind if other == axis else 0) for other in range(4)])
        maps = maps[(slice(None),) * axis + (slice(before, before + s * m),)]
    return maps


def transposed_size(n: Any, kernel: int, stride: int = 1, padding: str = "valid") -> Any:
    """How many samples n of them become along one axis.

    valid:       s (n - 1) + max(k, s) = s n + max(k - s, 0)
    zero, same:  s n

    `output_size` of the result, with the same kernel, stride and padding, is n again.

    Args:
        n: int, samples along the axis; None where unknown gives None, a scalar integer tensor gives a tensor.
        kernel: int, taps k along the axis.
        stride: int s.
        padding: "valid", "zero" or "same".

    Returns:
        Int, None or tensor, as n is.

    Raises:
        ValueError: for a kernel or stride below 1, or an unknown padding.

    Example:
        >>> transposed_size(4, 3, stride=2), transposed_size(4, 3, stride=2, padding="same")
        (9, 8)

    Source: C 8.1.6, 8.1.9, read backwards.
    """
    require_positive_int("transposed_size", kernel=kernel, stride=stride)
    require_one_of("transposed_size", TRANSPOSED_PADDINGS, padding=padding)
    if n is None:
        return None
    return n * stride + (max(kernel - stride, 0) if padding == "valid" else 0)


def bilinear_weights(size: int) -> NDArray[np.float64]:
    """The tent over `size` samples that interpolates linearly between neighbours.

    w(a) = 1 - |a - c| / f,   f = (size + 1) // 2,   c = (size - 1) / 2

    f is the factor by which a transposed convolution of this kernel and stride f enlarges: shifted by multiples of f
    these weights sum to 1 everywhere, so a constant stays that constant away from the border.

    Args:
        size: int k, taps.

    Returns:
        float64 array (size,).

    Raises:
        ValueError: for a size below 1.

    Example:
        >>> bilinear_weights(4).tolist(), bilinear_weights(3).tolist()
        ([0.25, 0.75, 0.75, 0.25], [0.5, 1.0, 0.5])

    Source: Long, Shelhamer and Darrell 2015.
    """
    require_positive_int("bilinear_weights", size=size)
    factor = (size + 1) // 2
    return np.asarray(1 - np.abs(np.arange(size) - (size - 1) / 2) / factor)
