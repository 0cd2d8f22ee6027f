"""Images whose pixels change and stay where they are: colours shifted, edges blurred or sharpened.

    colours    y[i, j, c] = x[i, j, c] + d[c]
    blur       y = G x,   G[i, k] = g(k - i) / sum_m g(m),   g(d) = exp(-d**2 / (2 sigma**2)),  |d| <= radius
               along rows, then along columns
    sharpen    y = x + amount (x - G x)          unsharp masking: what blurring takes away is given back

Conventions: at the edge the image is mirrored with its last pixel repeated (SciPy calls this "reflect"), so that the
rows of G and its columns sum to 1: blurring keeps a constant image, and it keeps the mean of any image exactly.
"""

from __future__ import annotations

from typing import Any

from keras import ops

from keras_course.core.shapes import require_positive_int, require_rank
from keras_course.ops.augmentation import in_packets, wide_dtype
from keras_course.ops.floating import as_floating

__all__ = ["blur_images", "sharpen_images", "shift_colours"]


def shift_colours(images: Any, offsets: Any) -> Any:
    """Adds a number of its own to every channel of an image.

    y[i, j, c] = x[i, j, c] + d[c]

    Args:
        images: tensor (B, H, W, C).
        offsets: tensor (B, C), d in the images' own units.

    Returns:
        Tensor (B, H, W, C) of the images' dtype, not clipped.

    Raises:
        ValueError: unless images has rank 4.

    Example:
        >>> ops.convert_to_numpy(shift_colours(ops.zeros((1, 1, 1, 3)), [[0.5, 0.0, -0.25]])).ravel().tolist()
        [0.5, 0.0, -0.25]

    Source: S 9.3.
    """
    images = as_floating(images)
    require_rank("shift_colours", images.shape, 4)
    return images + ops.cast(as_floating(offsets), images.dtype)[:, None, None, :]


def blur_images(images: Any, sigma: Any, radius: int = 2) -> Any:
    """Blurs each image with a Gaussian of its own width.

    y = sum_d w(d) x[i + d] along rows, then along columns,   w(d) = exp(-d**2 / (2 sigma**2)) / sum

    Args:
        images: tensor (B, H, W, C), H and W at least radius.
        sigma: tensor (B,), width in pixels, >= 0; 0 leaves the image as it is.
        radius: int >= 1, where the Gaussian is cut off.

    Returns:
        Tensor (B, H, W, C) of the images' dtype.

    Raises:
        ValueError: unless images has rank 4 and sides of at least radius.

    Example:
        >>> edge = ops.reshape(ops.convert_to_tensor([0.0, 0.0, 1.0, 1.0]), (1, 1, 4, 1))
        >>> ops.convert_to_numpy(blur_images(edge, [1.0], radius=1)).astype("float64").round(3).ravel().tolist()
        [0.0, 0.274, 0.726, 1.0]

    Source: S 9.3.
    """
    images = as_floating(images)
    require_rank("blur_images", images.shape, 4)
    require_positive_int("blur_images", radius=radius)
    sides = images.shape[1:3]
    if min(sides) < radius:
        raise ValueError(
            f"blur_images mirrors the image at its edge, so it needs sides of at least radius. "
            f"Received: shape={tuple(images.shape)}, radius={radius}"
        )
    sigma = ops.cast(as_floating(sigma), wide_dtype(images))[:, None]  # (B, 1)
    # Below 0.05 pixels the neighbour's weight is exp(-200): sigma = 0 needs no case of its own.
    falloff = 0.5 / ops.square(ops.maximum(sigma, 0.05))
    squares = ops.square(ops.arange(radius + 1, dtype=sigma.dtype))
    heights = in_packets(ops.exp, -squares * falloff)  # (B, radius + 1)
    weights = [ops.reshape(heights[:, distance], (-1, 1, 1, 1)) for distance in range(radius + 1)]
    total = weights[0] + 2 * sum(weights[1:])
    weights = [ops.cast(weight / total, images.dtype) for weight in weights]
    for axis, size in ((1, sides[0]), (2, sides[1])):
        widths = [(radius, radius) if place == axis else (0, 0) for place in range(4)]
        mirrored = ops.pad(images, widths, mode="symmetric")
        images = sum(
            weights[abs(distance)] * _slice(mirrored, axis, radius + distance, size)
            for distance in range(-radius, radius + 1)
        )
    return images


def _slice(x: Any, axis: int, start: int, size: int) -> Any:
    return x[:, start : start + size] if axis == 1 else x[:, :, start : start + size]


def sharpen_images(images: Any, amount: Any, sigma: float = 1.0, radius: int = 2) -> Any:
    """Makes the edges of each image stronger by unsharp masking.

    y = x + amount (x - blur(x, sigma))

    Args:
        images: tensor (B, H, W, C), H and W at least radius.
        amount: tensor (B,), >= 0; 0 leaves the image as it is, -1 would be the blurred image.
        sigma: number > 0, width of the blur in pixels.
        radius: int >= 1, where its Gaussian is cut off.

    Returns:
        Tensor (B, H, W, C) of the images' dtype, not clipped: edges overshoot.

    Raises:
        ValueError: unless images has rank 4 and sides of at least radius.

    Example:
        >>> edge = ops.reshape(ops.convert_to_tensor([0.0, 0.0, 1.0, 1.0]), (1, 1, 4, 1))
        >>> ops.convert_to_numpy(sharpen_images(edge, [1.0], radius=1)).astype("float64").round(3).ravel().tolist()
        [0.0, -0.274, 1.274, 1.0]

    Source: S 9.3.
    """
    images = as_floating(images)
    require_rank("sharpen_images", images.shape, 4)
    amount = ops.reshape(ops.cast(as_floating(amount), images.dtype), (-1, 1, 1, 1))
    width = as_floating([sigma], wide_dtype(images))  # one for all images
    return images + amount * (images - blur_images(images, width, radius))
