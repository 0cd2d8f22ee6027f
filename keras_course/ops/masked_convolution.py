"""Masks that let a convolution see only what comes before: pixels in reading order, and red before green before blue.

    mask A    M[a, b, c, f] = 1   where the tap lies before the centre, or on it and colour(c) < colour(f)
    mask B    the same, but on the centre colour(c) <= colour(f)
    before    rows above, and to the left in the centre's own row
    vertical  before = rows above alone; A: nothing of the own row, B: all of the own row

A belongs to the first layer, which sees the image itself: x_i must not explain x_i. B belongs to all layers above,
whose features at i hold nothing of x_i any more. With A throughout green would never hear of red, with B at the bottom
every pixel would see itself.

Conventions that bite. Channel c has colour c mod C: channels 0, 3, 6 ... are red, so that halves of the channels (a
gate's two inputs) hold all colours alike. Rows below the centre are zeros in every mask: `causal_maps` leaves them out
and takes kernels of k // 2 + 1 rows, whose last is the centre's.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from keras import ops

from keras_course.core.shapes import normalize_tuple, require_one_of, require_positive_int
from keras_course.ops.convolution import feature_maps

__all__ = ["causal_maps", "convolution_mask"]


def convolution_mask(
    kernel_size: Any, inputs: int, outputs: int, kind: str = "B", colours: int = 1, stack: str = "raster"
) -> np.ndarray:
    """Which weights of a convolution may be other than zero, by definition above.

    Args:
        kernel_size: odd int or 2 of them, height and width.
        inputs: int, channels that come in.
        outputs: int, channels that go out.
        kind: "A" (first layer) or "B" (layers above).
        colours: int C >= 1, colours of a pixel that are made one after the other; 1 for grey images.
        stack: "raster", or "vertical" for rows above, whatever their column.

    Returns:
        NumPy array (height, width, inputs, outputs) of zeros and ones, float32.

    Raises:
        ValueError: for even sizes, or channels that are fewer than the colours.

    Example:
        >>> convolution_mask(3, 1, 1, "A")[..., 0, 0].astype(int).tolist()
        [[1, 1, 1], [1, 0, 0], [0, 0, 0]]
        >>> convolution_mask(1, 3, 3, "B", colours=3)[0, 0].astype(int).tolist()
        [[1, 1, 1], [0, 1, 1], [0, 0, 1]]

    Source: R (PixelCNN); van den Oord et al. 2016.
    """
    who = "convolution_mask"
    size = normalize_tuple(who, kernel_size, 2, "kernel_size")
    require_positive_int(who, inputs=inputs, outputs=outputs, colours=colours)
    require_one_of(who, ("A", "B"), kind=kind)
    require_one_of(who, ("raster", "vertical"), stack=stack)
    if not all(taps % 2 for taps in size):
        raise ValueError(f"{who} needs odd sizes: an even kernel has no centre. Received: kernel_size={kernel_size}")
    if min(inputs, outputs) < colours:
        raise ValueError(
            f"{who} needs at least one channel a colour. Received: inputs={inputs}, outputs={outputs}, "
            f"colours={colours}"
        )
    row, column = (taps // 2 for taps in size)
    mask = np.zeros((*size, inputs, outputs), "float32")
    mask[:row] = 1
    if stack == "vertical":
        mask[row] = kind == "B"
        return mask
    mask[row, :column] = 1
    colour_in, colour_out = np.arange(inputs)[:, None] % colours, np.arange(outputs) % colours
    mask[row, column] = colour_in < colour_out if kind == "A" else colour_in <= colour_out
    return mask


def causal_maps(inputs: Any, kernel: Any) -> Any:
    """Feature maps of windows that end in their own row; zeros stand around the image.

    S[b, i, j, f] = sum_{r=0..R-1} sum_a sum_c K[r, a, c, f] x[b, i - (R - 1) + r, j + a - k // 2, c]

    Args:
        inputs: tensor (B, H, W, C).
        kernel: tensor (R, k, C, F), k odd: the last row is the window's own.

    Returns:
        Tensor (B, H, W, F).

    Raises:
        ValueError: for a wrong rank or channels that differ.

    Example:
        >>> ones = ops.ones((1, 2, 3, 1))
        >>> ops.convert_to_numpy(causal_maps(ones, ops.ones((2, 3, 1, 1))))[0, ..., 0].tolist()
        [[2.0, 3.0, 2.0], [4.0, 6.0, 4.0]]

    Source: R (PixelCNN); van den Oord et al. 2016.
    """
    rows, width = kernel.shape[0] - 1, kernel.shape[1] // 2
    if rows or width:
        inputs = ops.pad(inputs, [(0, 0), (rows, 0), (width, width), (0, 0)])
    return feature_maps(inputs, kernel)
