"""Unshared convolution: a small kernel at every place, and another one at each place.

    S(i) = sum_a K(i, a) I(i s + a)                     convolution is the case K(i, a) = K(a) for every i

i, a run over every spatial axis; k kernel size, s stride. It is a cross-correlation, as in Keras: no kernel is flipped.

Conventions that bite:
    padding    "valid"  the window stays inside: 1 + (n - k) // s outputs
               "same"   ceil(n / s) outputs, window i starts k // 2 before sample i s, zeros outside: the rule of
                        Keras 2's locally connected layers. For odd k it is the padding "zero" of ops.convolution; an
                        even kernel reaches one sample further to the front here, one further to the end there.
    no shift   there is no equivariance: an object that moves meets other weights.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
from keras import ops
from numpy.typing import NDArray

from keras_course.core.shapes import normalize_tuple, require_one_of, require_rank
from keras_course.ops.convolution import output_size

__all__ = ["UNSHARED_PADDINGS", "unshared_convolution", "unshared_output_size"]

UNSHARED_PADDINGS = ("valid", "same")


def unshared_convolution(inputs: Any, kernel: Any, strides: Any = 1, padding: str = "valid") -> Any:
    """Cross-correlation with a kernel of its own at every output place: what locally connected layers compute.

    S[b, i, f] = sum_a sum_c K[i, a, c, f] I[b, i s + a, c]         (padding "same": I[b, i s + a - k // 2, c])

    One gather brings the windows side by side, one batched product (a product a place) does the sums; the windows take
    k / s times the memory of the inputs (of each axis), and the gradient by the kernel needs them again.

    Args:
        inputs: floating tensor (B, *spatial, C), one to three spatial axes of known size.
        kernel: tensor (*output, *kernel_size, C, F).
        strides: int or one int a spatial axis, step s between two windows.
        padding: "valid" or "same" (see above).

    Returns:
        Tensor (B, *output, F).

    Raises:
        ValueError: for a wrong rank, sizes that are unknown or do not fit each other, a bad stride or padding.

    Example:
        >>> x = ops.reshape(ops.convert_to_tensor([1.0, 2.0, 3.0]), (1, 3, 1))
        >>> kernel = ops.reshape(ops.convert_to_tensor([[1.0, 0.0], [0.0, 10.0]]), (2, 2, 1, 1))
        >>> ops.convert_to_numpy(unshared_convolution(x, kernel))[0, :, 0].tolist()
        [1.0, 30.0]

    Source: C 8.1.11.
    """
    who = "unshared_convolution"
    inputs, kernel = ops.convert_to_tensor(inputs), ops.convert_to_tensor(kernel)
    require_rank(who, inputs.shape, 3, 4, 5)
    rank = len(inputs.shape) - 2
    require_rank(who, kernel.shape, 2 * rank + 2)
    strides = normalize_tuple(who, strides, rank, "strides")
    require_one_of(who, UNSHARED_PADDINGS, padding=padding)
    spatial, channels = tuple(inputs.shape[1:-1]), inputs.shape[-1]
    output, size = tuple(kernel.shape[:rank]), tuple(kernel.shape[rank : 2 * rank])
    filters = kernel.shape[-1]
    wanted = tuple(unshared_output_size(n, k, s, padding) for n, k, s in zip(spatial, size, strides, strict=True))
    if output != wanted or 0 in output or kernel.shape[-2] != channels:
        raise ValueError(
            f"{who} needs a kernel (*output, *kernel_size, channels, filters) for inputs (batch, *spatial, channels) "
            f"of known sizes, here with output {wanted}. Received: inputs.shape={tuple(inputs.shape)}, "
            f"kernel.shape={tuple(kernel.shape)}, strides={strides}, padding={padding!r}"
        )

    if padding == "same":
        inputs = ops.pad(inputs, [(0, 0), *((k // 2, k - 1 - k // 2) for k in size), (0, 0)])
        spatial = tuple(n + k - 1 for n, k in zip(spatial, size, strict=True))
    batch, places, taps = ops.shape(inputs)[0], prod(output), prod(size) * channels
    # The batch last: each gathered row is C B numbers side by side, and the products below are wide.
    samples = ops.transpose(inputs, (*range(1, rank + 2), 0))
    samples = ops.reshape(samples, (prod(spatial), channels, batch))
    windows = ops.take(samples, _windows(spatial, output, size, strides), axis=0)  # (places * k, C, B)
    windows = ops.reshape(windows, (places, taps, batch))
    maps = ops.einsum("pkf,pkb->pfb", ops.reshape(kernel, (places, taps, filters)), windows)
    return ops.transpose(ops.reshape(maps, (*output, filters, batch)), (rank + 1, *range(rank + 1)))


def unshared_output_size(n: int | None, kernel: int, stride: int = 1, padding: str = "valid") -> int | None:
    """How many windows fit along one axis, and so how many kernels there are.

    valid:  1 + (n - k) // s,   0 if the window is larger than the image
    same:   ceil(n / s)

    Args:
        n: samples along the axis; None where unknown gives None.
        kernel: taps k along the axis.
        stride: step s between two windows.
        padding: "valid" or "same".

    Returns:
        Int at least 0, or None.

    Raises:
        ValueError: for anything but positive integers, or another padding.

    Example:
        >>> unshared_output_size(5, 3), unshared_output_size(5, 3, stride=2, padding="same")
        (3, 3)

    Source: C 8.1.11.
    """
    require_one_of("unshared_output_size", UNSHARED_PADDINGS, padding=padding)
    return output_size(n, kernel, stride, padding="valid" if padding == "valid" else "zero")


def _windows(
    spatial: tuple[int, ...], output: tuple[int, ...], size: tuple[int, ...], strides: tuple[int, ...]
) -> NDArray[np.int32]:
    """For each place and tap the flat number of the sample it reads, (places * k,)."""
    flat: Any = 0
    rank = len(spatial)
    for axis, n in enumerate(spatial):
        places = np.arange(output[axis]).reshape([-1 if axis == j else 1 for j in range(2 * rank)])
        taps = np.arange(size[axis]).reshape([-1 if rank + axis == j else 1 for j in range(2 * rank)])
        flat = flat * n + places * strides[axis] + taps
    return np.asarray(np.broadcast_to(flat, (*output, *size)).reshape(-1), "int32")
