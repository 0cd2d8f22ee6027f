"""Images moved: shifted, scaled and turned, each example by its own amount, with bilinear interpolation.

    out[p] = in(A p + b)         the output pixel p asks where in the input it comes from

    shift    y = p_y - down,               x = p_x - right
    scale    y = c_y + (p_y - c_y) / f,    x = c_x + (p_x - c_x) / f
    rotate   y = c_y + cos(a) (p_y - c_y) + sin(a) (p_x - c_x)
             x = c_x - sin(a) (p_y - c_y) + cos(a) (p_x - c_x)
    affine   y = c_y + (cos(a) (p_y - c_y) + (sin(a) + s) (p_x - c_x)) / f - down
             x = c_x + (-sin(a) (p_y - c_y) + cos(a) (p_x - c_x)) / f - right

    in(y, x) = sum_ij max(0, 1 - |y - i|) max(0, 1 - |x - j|) in[i, j],   in[i, j] = fill outside the image

Conventions: y counts rows downwards, x columns to the right; c is the centre ((H-1)/2, (W-1)/2); angles are in radians
and turn anticlockwise as the image is seen (a = pi/2 is numpy.rot90); f > 1 makes things larger. Between the last
pixel and the first one outside, values go over into `fill` (SciPy calls this "grid-constant").
"""

from __future__ import annotations

from typing import Any

from keras import ops

from keras_course.core.shapes import require_rank
from keras_course.ops.augmentation import in_packets, wide_dtype
from keras_course.ops.floating import as_floating

__all__ = ["affine_images", "bilinear", "rotate_images", "scale_images", "shift_images"]


def bilinear(images: Any, rows: Any, columns: Any, fill: float = 0.0) -> Any:
    """Values of images between their pixels.

    in(y, x) = sum_ij max(0, 1 - |y - i|) max(0, 1 - |x - j|) in[i, j],   in[i, j] = fill outside

    Args:
        images: tensor (B, H, W, C).
        rows: tensor (B, H', W'), the places y.
        columns: tensor (B, H', W'), the places x.
        fill: number, the value outside.

    Returns:
        Tensor (B, H', W', C) of the images' dtype.

    Raises:
        ValueError: unless images has rank 4.

    Example:
        >>> image = ops.reshape(ops.convert_to_tensor([0.0, 1.0, 2.0, 3.0]), (1, 2, 2, 1))
        >>> float(bilinear(image, [[[0.5]]], [[[0.5]]])[0, 0, 0, 0])
        1.5

    Source: S 9.3.
    """
    images = as_floating(images)
    require_rank("bilinear", images.shape, 4)
    dtype = wide_dtype(images)
    rows, columns = as_floating(rows, dtype), as_floating(columns, dtype)
    batch = ops.shape(images)[0]
    height, width, channels = images.shape[1:]
    pixels = ops.reshape(images, (-1, channels))  # (B H W, C)
    first = ops.arange(batch, dtype="int32") * (height * width)  # (B,), where in `pixels` each image starts
    outside = as_floating(fill, images.dtype)

    # Places far outside are all alike; clipping them keeps the integers small.
    rows = ops.clip(rows, -1.0, float(height))[..., None]  # (B, H', W', 1)
    columns = ops.clip(columns, -1.0, float(width))[..., None]
    i = ops.floor(rows) + ops.convert_to_tensor([0, 0, 1, 1], dtype=dtype)  # (B, H', W', 4): the four pixels around
    j = ops.floor(columns) + ops.convert_to_tensor([0, 1, 0, 1], dtype=dtype)
    weight = (1 - ops.abs(rows - i)) * (1 - ops.abs(columns - j))
    row, column = ops.clip(i, 0, height - 1), ops.clip(j, 0, width - 1)
    inside = (row == i) & (column == j)
    place = ops.reshape(first, (-1, 1, 1, 1)) + ops.cast(row, "int32") * width + ops.cast(column, "int32")
    value = ops.where(inside[..., None], ops.take(pixels, place, axis=0), outside)  # (B, H', W', 4, C)
    # Four sums written out: a reduction may add in another order in another batch.
    a, b, c, d = ops.unstack(ops.cast(weight, images.dtype)[..., None] * value, 4, axis=-2)
    return a + b + c + d


def _grid(images: Any) -> tuple[Any, Any, float, float]:
    """(rows, columns, centre row, centre column): where each output pixel lies, (1, H, 1) and (1, 1, W)."""
    height, width = images.shape[1:3]
    dtype = wide_dtype(images)
    rows = ops.reshape(ops.arange(height, dtype=dtype), (1, -1, 1))
    columns = ops.reshape(ops.arange(width, dtype=dtype), (1, 1, -1))
    return rows, columns, (height - 1) / 2, (width - 1) / 2


def _at(images: Any, rows: Any, columns: Any, fill: float) -> Any:
    """`bilinear` at rows and columns that broadcast to (B, H, W)."""
    zero = ops.zeros_like(rows + columns)
    return bilinear(images, rows + zero, columns + zero, fill)


def _of_each(who: str, images: Any, values: Any) -> tuple[Any, Any]:
    """The images as a floating tensor of rank 4, and one value an image, (B, 1, 1)."""
    images = as_floating(images)
    require_rank(who, images.shape, 4)
    return images, ops.reshape(ops.cast(as_floating(values), wide_dtype(images)), (-1, 1, 1))


def shift_images(images: Any, down: Any, right: Any, fill: float = 0.0) -> Any:
    """Moves each image.

    out[i, j] = in(i - down, j - right)

    Args:
        images: tensor (B, H, W, C).
        down: tensor (B,), pixels downwards; fractions are fine.
        right: tensor (B,), pixels to the right.
        fill: number, what appears at the edge.

    Returns:
        Tensor (B, H, W, C) of the images' dtype.

    Raises:
        ValueError: unless images has rank 4.

    Example:
        >>> image = ops.reshape(ops.convert_to_tensor([1.0, 2.0, 3.0]), (1, 1, 3, 1))
        >>> ops.convert_to_numpy(shift_images(image, [0.0], [1.0], fill=9.0)).ravel().tolist()
        [9.0, 1.0, 2.0]

    Source: S 9.3, C 6.4.
    """
    images, down = _of_each("shift_images", images, down)
    _, right = _of_each("shift_images", images, right)
    rows, columns, _, _ = _grid(images)
    return _at(images, rows - down, columns - right, fill)


def scale_images(images: Any, factor: Any, fill: float = 0.0) -> Any:
    """Makes what each image shows larger or smaller, about the image's centre.

    out[p] = in(c + (p - c) / f)

    Args:
        images: tensor (B, H, W, C).
        factor: tensor (B,), f > 0; above 1 things grow, below 1 they shrink and `fill` appears around them.
        fill: number.

    Returns:
        Tensor (B, H, W, C) of the images' dtype.

    Raises:
        ValueError: unless images has rank 4.

    Example:
        >>> image = ops.reshape(ops.convert_to_tensor([0.0, 4.0, 8.0]), (1, 1, 3, 1))
        >>> ops.convert_to_numpy(scale_images(image, [2.0])).ravel().tolist()
        [2.0, 4.0, 6.0]

    Source: S 9.3, C 6.4.
    """
    images, factor = _of_each("scale_images", images, factor)
    rows, columns, middle, centre = _grid(images)
    return _at(images, middle + (rows - middle) / factor, centre + (columns - centre) / factor, fill)


def rotate_images(images: Any, angle: Any, fill: float = 0.0) -> Any:
    """Turns each image about its centre, anticlockwise as it is seen.

    y = c_y + cos(a) (p_y - c_y) + sin(a) (p_x - c_x)
    x = c_x - sin(a) (p_y - c_y) + cos(a) (p_x - c_x),   out[p] = in(y, x)

    Args:
        images: tensor (B, H, W, C).
        angle: tensor (B,), a in radians; pi/2 is numpy.rot90 of a square image.
        fill: number, what appears in the corners.

    Returns:
        Tensor (B, H, W, C) of the images' dtype.

    Raises:
        ValueError: unless images has rank 4.

    Example:
        >>> image = ops.reshape(ops.convert_to_tensor([1.0, 2.0, 3.0, 4.0]), (1, 2, 2, 1))
        >>> ops.convert_to_numpy(rotate_images(image, [3.14159265 / 2])).round(4).ravel().tolist()
        [2.0, 4.0, 1.0, 3.0]

    Source: S 9.3, C 6.4.
    """
    images = as_floating(images)
    angle = ops.cast(as_floating(angle), wide_dtype(images))
    _, cosine = _of_each("rotate_images", images, in_packets(ops.cos, angle))
    _, sine = _of_each("rotate_images", images, in_packets(ops.sin, angle))
    rows, columns, middle, centre = _grid(images)
    down, right = rows - middle, columns - centre
    return _at(images, middle + cosine * down + sine * right, centre - sine * down + cosine * right, fill)


def affine_images(images: Any, down: Any, right: Any, angle: Any, factor: Any, shear: Any, fill: float = 0.0) -> Any:
    """Shifts, turns, scales and shears each image in one interpolation: one after the other blurs every time.

    y = c_y + (cos(a) (p_y - c_y) + (sin(a) + s) (p_x - c_x)) / f - down
    x = c_x + (-sin(a) (p_y - c_y) + cos(a) (p_x - c_x)) / f - right,   out[p] = in(y, x)

    Args:
        images: tensor (B, H, W, C).
        down: tensor (B,), pixels of the input by which it moves downwards before the rest.
        right: tensor (B,), to the right.
        angle: tensor (B,), a in radians, as `rotate_images`.
        factor: tensor (B,), f > 0, as `scale_images`.
        shear: tensor (B,), s: rows by which a column one to the right is read further down.
        fill: number, what appears outside.

    Returns:
        Tensor (B, H, W, C) of the images' dtype.

    Raises:
        ValueError: unless images has rank 4.

    Example:
        >>> image = ops.reshape(ops.convert_to_tensor([1.0, 2.0, 3.0]), (1, 1, 3, 1))
        >>> moved = affine_images(image, [0.0], [1.0], [0.0], [1.0], [0.0], fill=9.0)
        >>> ops.convert_to_numpy(moved).ravel().tolist()
        [9.0, 1.0, 2.0]

    Source: S 9.3, C 6.4.
    """
    images, down = _of_each("affine_images", images, down)
    angle = ops.cast(as_floating(angle), wide_dtype(images))
    values = (right, factor, shear, in_packets(ops.cos, angle), in_packets(ops.sin, angle))
    right, factor, shear, cosine, sine = (_of_each("affine_images", images, value)[1] for value in values)
    rows, columns, middle, centre = _grid(images)
    y, x = rows - middle, columns - centre
    from_row = middle + (cosine * y + (sine + shear) * x) / factor - down
    return _at(images, from_row, centre + (cosine * x - sine * y) / factor - right, fill)
