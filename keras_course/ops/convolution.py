"""Discrete convolution and cross-correlation in one, two and three dimensions.

    cross-correlation   S(i) = sum_a K(a) I(i s + a d)            what TensorFlow, Keras and PyTorch call convolution
    convolution         S(i) = sum_a K(a) I(i s + (k-1-a) d)      the kernel is flipped: K(a) meets I(i - a)

i, a run over every spatial axis; k kernel size, s stride, d dilation. The printed 5x5 example of the notes is a
cross-correlation, although the formula beside it is the convolution.

Conventions that bite:
    dilation   as in TensorFlow: distance between two taps, 1 = none. The notes count the zeros in between, so their
               rate r is dilation r + 1 here: three taps over a width of five are rate 1 there, dilation 2 here.
    padding    "valid"      no padding, the window stays inside: output_size = 1 + (n - 1 - d(k-1)) // s
               "zero"       zeros all around, ceil(n / s) outputs, window i centred on sample i s
               "replicate"  the border's own rows and columns repeated, sizes as "zero"
               "same"       Keras's: equals "zero" at stride 1. At stride > 1 it pads only as much as the last window
                            needs, so its windows lie further left than those of "zero" for some n.
    even k     has no centre; the odd one of the d(k-1) padded samples goes to the end (bottom, right), as in
               TensorFlow. A flipped kernel is padded the same way.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from keras_course.core.shapes import normalize_tuple, require_one_of, require_positive_int, require_rank

__all__ = ["PADDINGS", "convolve", "cross_correlate", "feature_maps", "output_size"]

PADDINGS = ("valid", "zero", "replicate", "same")


def cross_correlate(inputs: Any, kernel: Any, strides: Any = 1, dilation: Any = 1, padding: str = "valid") -> Any:
    """Slides the kernel over a plain array and takes the dot product with each window.

    S(i, j) = sum_a sum_b K(a, b) I(i s + a d, j s + b d)

    Args:
        inputs: array (H,), (H, W) or (D, H, W), no batch and no channels; padding enlarges it first.
        kernel: array of the same rank, which decides between 1-D, 2-D and 3-D.
        strides: int or one int an axis, step s between two windows.
        dilation: int or one int an axis, distance d between two taps (1 = none; the notes' rate plus one).
        padding: "valid", "zero", "replicate" or "same" (see above).

    Returns:
        Array of the inputs' rank, `output_size` along each axis. Integers stay integers; otherwise the common
        floating dtype of inputs and kernel.

    Raises:
        ValueError: for a rank outside 1 to 3, different ranks, a bad stride, dilation or padding, or an image smaller
            than the (dilated) kernel under "valid".

    Example:
        >>> image = [[3, 3, 2, 1, 0], [0, 0, 1, 3, 1], [3, 1, 2, 2, 3], [2, 0, 0, 2, 2], [2, 0, 0, 0, 1]]
        >>> ops.convert_to_numpy(cross_correlate(image, [[0, 1, 2], [2, 2, 0], [0, 1, 2]])).tolist()
        [[12, 12, 17], [10, 17, 19], [9, 6, 14]]

    Source: C 8.1.1, N Convolutional Filter.
    """
    return _plain("cross_correlate", inputs, kernel, strides, dilation, padding, flip=False)


def convolve(inputs: Any, kernel: Any, strides: Any = 1, dilation: Any = 1, padding: str = "valid") -> Any:
    """Convolution in the mathematical sense: the kernel is flipped, then cross-correlated.

    S(i, j) = sum_a sum_b K(a, b) I(i - a, j - b)

    Under "valid" only the sums that never leave the image are kept, so S starts at i = k - 1. On an input padded with
    k - 1 zeros at each side it is the full convolution, which commutes and associates; cross-correlation does neither.

    Args:
        inputs: array (H,), (H, W) or (D, H, W), no batch and no channels.
        kernel: array of the same rank. It need not sum to one: that holds for the notes' weighted average alone.
        strides: int or one int an axis.
        dilation: int or one int an axis, distance between two taps (1 = none).
        padding: "valid", "zero", "replicate" or "same".

    Returns:
        Array of the inputs' rank, `output_size` along each axis.

    Raises:
        ValueError: as `cross_correlate`.

    Example:
        >>> image = [[3, 3, 2, 1, 0], [0, 0, 1, 3, 1], [3, 1, 2, 2, 3], [2, 0, 0, 2, 2], [2, 0, 0, 0, 1]]
        >>> ops.convert_to_numpy(convolve(image, [[0, 1, 2], [2, 2, 0], [0, 1, 2]])).tolist()
        [[18, 20, 19], [10, 9, 17], [11, 8, 14]]

    Source: C 8.1.1, N Convolution.
    """
    return _plain("convolve", inputs, kernel, strides, dilation, padding, flip=True)


def feature_maps(
    inputs: Any,
    kernel: Any,
    strides: Any = 1,
    dilation: Any = 1,
    padding: str = "valid",
    flip: bool = False,
) -> Any:
    """Convolution of a batch of multi-channel inputs, one feature map a filter: what the layers compute.

    S[b, i, f] = sum_a sum_c K[a, c, f] I[b, i s + a d, c]         (flip: K[k-1-a, c, f])

    Args:
        inputs: tensor (B, *spatial, C), one to three spatial axes, any of them unknown in a graph.
        kernel: tensor (*kernel_size, C, F).
        strides: int or one int a spatial axis. Together with dilation the dense result is computed and sampled.
        dilation: int or one int a spatial axis, distance between two taps (1 = none).
        padding: "valid", "zero", "replicate" or "same".
        flip: True for convolution, False for cross-correlation.

    Returns:
        Tensor (B, *output, F), `output_size` along each spatial axis.

    Raises:
        ValueError: for a wrong rank, channels that differ, a bad stride, dilation or padding, an image smaller than
            the (dilated) kernel under "valid", or "same" with both stride and dilation above 1.

    Example:
        >>> tuple(feature_maps(ops.ones((1, 5, 5, 2)), ops.ones((3, 3, 2, 4)), padding="zero").shape)
        (1, 5, 5, 4)

    Source: C 8.1.10.
    """
    inputs, kernel = ops.convert_to_tensor(inputs), ops.convert_to_tensor(kernel)
    require_rank("feature_maps", inputs.shape, 3, 4, 5)
    rank = len(inputs.shape) - 2
    if len(kernel.shape) != rank + 2 or inputs.shape[-1] != kernel.shape[-2]:
        raise ValueError(
            f"feature_maps needs a kernel (*kernel_size, channels, filters) for inputs (batch, *spatial, channels). "
            f"Received: inputs.shape={tuple(inputs.shape)}, kernel.shape={tuple(kernel.shape)}"
        )
    size = tuple(kernel.shape[:rank])
    strides = normalize_tuple("feature_maps", strides, rank, "strides")
    dilation = normalize_tuple("feature_maps", dilation, rank, "dilation")
    require_one_of("feature_maps", PADDINGS, padding=padding)
    skips = max(strides) > 1 and max(dilation) > 1
    if skips and padding == "same":
        raise ValueError(
            "feature_maps takes padding='same' with a stride or a dilation above 1, not both; 'zero' takes both. "
            f"Received: strides={strides}, dilation={dilation}"
        )
    for n, k, d in zip(inputs.shape[1:-1], size, dilation, strict=True):
        if padding == "valid" and n is not None and n < 1 + d * (k - 1):
            raise ValueError(
                f"The image is smaller than the window of {1 + d * (k - 1)} samples that kernel size {k} with dilation "
                f"{d} covers; use padding='zero' or a larger image. Received: inputs.shape={tuple(inputs.shape)}"
            )

    if flip:
        kernel = ops.flip(kernel, axis=tuple(range(rank)))
    if padding == "replicate" or (padding == "zero" and max(strides) > 1):
        inputs = _enlarge(inputs, size, dilation, padding)
        padding = "valid"
    primitive_padding = "valid" if padding == "valid" else "same"
    if not skips:
        maps = ops.conv(inputs, kernel, strides, primitive_padding, data_format="channels_last", dilation_rate=dilation)
        return _with_true_shape(maps, inputs, kernel, strides, dilation, primitive_padding)
    dense = ops.conv(inputs, kernel, 1, primitive_padding, data_format="channels_last", dilation_rate=dilation)
    dense = _with_true_shape(dense, inputs, kernel, (1,) * rank, dilation, primitive_padding)
    return dense[(slice(None), *(slice(None, None, s) for s in strides))]  # TensorFlow refuses both at once


def _with_true_shape(maps: Any, inputs: Any, kernel: Any, strides: Any, dilation: Any, padding: str) -> Any:
    """TensorFlow's CPU kernels give an empty batch the shape of the input; a batch that may be empty is set right."""
    spatial = inputs.shape[1:-1]
    if inputs.shape[0] or None in spatial:
        return maps
    sizes = [
        output_size(n, k, s, d, padding)
        for n, k, s, d in zip(spatial, kernel.shape[:-2], strides, dilation, strict=True)
    ]
    return ops.reshape(maps, (ops.shape(inputs)[0], *sizes, kernel.shape[-1]))


def output_size(n: int | None, kernel: int, stride: int = 1, dilation: int = 1, padding: str = "valid") -> int | None:
    """How many windows fit along one axis.

    valid:                  1 + (n - 1 - d (k - 1)) // s,   0 if the window is larger than the image
    zero, replicate, same:  ceil(n / s)

    Args:
        n: samples along the axis; None where unknown gives None.
        kernel: taps k along the axis.
        stride: step s between two windows.
        dilation: distance d between two taps (1 = none).
        padding: "valid", "zero", "replicate" or "same".

    Returns:
        Int at least 0, or None.

    Raises:
        ValueError: for anything but positive integers, or an unknown padding.

    Example:
        >>> output_size(5, 3), output_size(5, 3, stride=2), output_size(5, 3, dilation=2)
        (3, 2, 1)
        >>> output_size(5, 3, padding="zero")
        5

    Source: C 8.1.6, 8.1.9.
    """
    require_positive_int("output_size", kernel=kernel, stride=stride, dilation=dilation)
    require_one_of("output_size", PADDINGS, padding=padding)
    if n is None:
        return None
    if padding == "valid":
        return max(0, 1 + (n - 1 - dilation * (kernel - 1)) // stride)
    return -(-n // stride)


def _plain(who: str, inputs: Any, kernel: Any, strides: Any, dilation: Any, padding: str, flip: bool) -> Any:
    inputs, kernel = ops.convert_to_tensor(inputs), ops.convert_to_tensor(kernel)
    require_rank(who, kernel.shape, 1, 2, 3)
    require_rank(who, inputs.shape, len(kernel.shape))
    dtype = keras.backend.result_type(inputs.dtype, kernel.dtype)
    # Integers go through float64, exact up to 2**53: backends convolve integers in some ranks only.
    compute = dtype if "float" in dtype else "float64"
    image, taps = ops.cast(inputs, compute)[None, ..., None], ops.cast(kernel, compute)[..., None, None]
    maps = feature_maps(image, taps, strides, dilation, padding, flip)  # (1, *output, 1)
    if compute != dtype:
        maps = ops.round(maps)  # a fast algorithm inside the backend may be off by rounding
    return ops.cast(maps[0, ..., 0], dtype)


def _enlarge(inputs: Any, size: tuple[int, ...], dilation: tuple[int, ...], padding: str) -> Any:
    """Adds d (k - 1) samples along each spatial axis, half of them (rounded down) in front."""
    extra = [d * (k - 1) for k, d in zip(size, dilation, strict=True)]
    if padding == "zero":
        return ops.pad(inputs, [(0, 0), *((total // 2, total - total // 2) for total in extra), (0, 0)])
    for axis, total in enumerate(extra, start=1):
        before, after = (slice(None),) * axis + (slice(0, 1),), (slice(None),) * axis + (slice(-1, None),)
        first, last = [inputs[before]] * (total // 2), [inputs[after]] * (total - total // 2)
        inputs = ops.concatenate([*first, inputs, *last], axis=axis) if total else inputs
    return inputs
