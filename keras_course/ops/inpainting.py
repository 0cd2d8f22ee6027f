"""Holes in images, and what filling them costs.

    mask M       1 where a pixel is missing, 0 where it is seen
    context      (1 - M) x + M fill                          what the encoder sees
    weights w    1 in the hole, `band` in the pixels within `overlap` of it, 0 elsewhere
    error        sum_p w_p (x_p - y_p)**2 / sum_p w_p        p over pixels and channels
    composite    (1 - M) x + M y                             the seen pixels stay as they are

Conventions that bite. M is 1 in the hole, as in the paper, not 1 for what is kept. The band lies outside the hole: the
encoder has seen those pixels, and paying more for them makes the filling continue its surroundings. The error is a
weighted mean over the places that count, so that a large hole weighs no more than a small one.
"""

from __future__ import annotations

from typing import Any

from keras import ops

from keras_course.core.shapes import require_positive_int, require_rank
from keras_course.ops.augmentation_pixels import blur_images
from keras_course.ops.floating import as_floating
from keras_course.ops.pooling import max_pool

__all__ = ["central_block", "masked_squared_error", "random_blocks", "random_regions", "reconstruction_weights"]


def central_block(height: int, width: int, side: int) -> Any:
    """A square hole in the middle.

    M[i, j] = 1 where top <= i < top + side and left <= j < left + side,   top = (height - side) // 2, left likewise

    Args:
        height, width: ints, size of the image.
        side: int, of the square.

    Returns:
        float32 tensor (1, height, width, 1).

    Raises:
        ValueError: unless 1 <= side <= height, width.

    Example:
        >>> ops.convert_to_numpy(central_block(1, 4, 1)).ravel().tolist()
        [0.0, 1.0, 0.0, 0.0]

    Source: R; Pathak et al. 2016.
    """
    _require_side("central_block", height, width, side)
    top, left = (height - side) // 2, (width - side) // 2
    return _squares(ops.full((1, 1), top, dtype="int32"), ops.full((1, 1), left, dtype="int32"), height, width, side)


def random_blocks(uniforms: Any, height: int, width: int, side: int) -> Any:
    """Several square holes a picture, which may overlap: no one border that every hole shares could be learned.

    M[i, j] = 1 where some block k has top_k <= i < top_k + side and left_k <= j < left_k + side
    top_k   = floor(u_k1 (height - side + 1)),   left_k = floor(u_k2 (width - side + 1))

    At most K side**2 pixels are missing; the paper covers up to a quarter.

    Args:
        uniforms: float tensor (B, K, 2) in [0, 1).
        height, width: ints, size of the images.
        side: int, of the squares.

    Returns:
        float32 tensor (B, height, width, 1).

    Raises:
        ValueError: unless uniforms has that shape and 1 <= side <= height, width.

    Example:
        >>> uniforms = [[[0.0, 0.0], [0.0, 0.99]]]
        >>> ops.convert_to_numpy(random_blocks(uniforms, 1, 4, 1)).ravel().tolist()
        [1.0, 0.0, 0.0, 1.0]

    Source: R; Pathak et al. 2016.
    """
    uniforms = as_floating(uniforms)
    require_rank("random_blocks", uniforms.shape, 3)
    if uniforms.shape[2] != 2:
        raise ValueError(f"random_blocks needs two numbers a block. Received: shape={tuple(uniforms.shape)}")
    _require_side("random_blocks", height, width, side)
    places = ops.convert_to_tensor([height - side + 1, width - side + 1], dtype=uniforms.dtype)
    corners = ops.cast(ops.floor(uniforms * places), "int32")  # (B, K, 2)
    return _squares(corners[..., 0], corners[..., 1], height, width, side)


def random_regions(uniforms: Any, share: float, sigma: float = 1.0, radius: int = 2) -> Any:
    """A hole of arbitrary shape, of exactly round(share height width) pixels: where blurred noise is greatest.

    M[i, j] = 1 where (G u)[i, j] is among the round(share height width) greatest

    The paper cuts its shapes out of another data set's segmentation; all it asks of them is that they have no outline
    that could be learned.

    Args:
        uniforms: float tensor (B, height, width, 1) in [0, 1), noise u.
        share: float, part of the pixels that is missing, 0 < share < 1.
        sigma: float >= 0, width of the Gaussian G in pixels: larger makes rounder, fewer islands.
        radius: int >= 1, where the Gaussian is cut off; at most height and width.

    Returns:
        float32 tensor (B, height, width, 1).

    Raises:
        ValueError: for a share that leaves no pixel, or takes all, or uniforms of another rank.

    Example:
        >>> noise = ops.reshape(ops.convert_to_tensor([0.1, 0.9, 0.2, 0.8]), (1, 2, 2, 1))
        >>> ops.convert_to_numpy(random_regions(noise, 0.5, sigma=0.0)).ravel().tolist()
        [0.0, 1.0, 0.0, 1.0]

    Source: R; Pathak et al. 2016.
    """
    uniforms = as_floating(uniforms)
    require_rank("random_regions", uniforms.shape, 4)
    height, width = uniforms.shape[1:3]
    missing = round(share * height * width)
    if not 1 <= missing < height * width:
        raise ValueError(
            f"random_regions needs a share that takes some pixels and leaves some. Received: share={share!r} of "
            f"{height} x {width} pixels"
        )
    many = ops.shape(uniforms)[0]
    field = blur_images(uniforms, ops.full((many,), sigma, dtype=uniforms.dtype), radius)
    least = ops.sort(ops.reshape(field, (-1, height * width)), axis=-1)[:, height * width - missing]  # (B,)
    return ops.cast(field >= least[:, None, None, None], "float32")


def reconstruction_weights(mask: Any, overlap: int = 0, band: float = 10.0) -> Any:
    """How much each place counts: the hole, and a band of seen pixels around it.

    w = M + band (dilated - M),   dilated = max of M over the window of 2 overlap + 1

    Args:
        mask: tensor (B, H, W, 1), 1 where a pixel is missing.
        overlap: int >= 0, width of the band in pixels; 0 for none.
        band: float >= 0, weight of the band; the paper takes 10.

    Returns:
        Tensor like mask.

    Raises:
        ValueError: for a negative overlap or band, or a mask of another rank.

    Example:
        >>> hole = ops.reshape(ops.convert_to_tensor([0.0, 0.0, 1.0, 0.0]), (1, 1, 4, 1))
        >>> ops.convert_to_numpy(reconstruction_weights(hole, overlap=1)).ravel().tolist()
        [0.0, 10.0, 1.0, 10.0]

    Source: R; Pathak et al. 2016.
    """
    mask = as_floating(mask)
    require_rank("reconstruction_weights", mask.shape, 4)
    if isinstance(overlap, bool) or not isinstance(overlap, int) or overlap < 0 or not 0 <= band < float("inf"):
        raise ValueError(
            "reconstruction_weights needs an integer overlap >= 0 and a finite band >= 0. "
            f"Received: overlap={overlap!r}, band={band!r}"
        )
    if overlap == 0:
        return mask
    return mask + band * (max_pool(mask, 2 * overlap + 1, strides=1, padding="same") - mask)


def masked_squared_error(x: Any, y: Any, weights: Any) -> Any:
    """Mean squared distance over the places that count.

    l = sum_p w_p (x_p - y_p)**2 / sum_p w_p,   0 for an image in which nothing counts

    Args:
        x: tensor (B, H, W, C), the images.
        y: tensor (B, H, W, C), what was made of them.
        weights: tensor (B or 1, H, W, 1 or C), not negative.

    Returns:
        Tensor (B,).

    Raises:
        ValueError: unless x and y are of one shape of rank 4.

    Example:
        >>> x, y = ops.zeros((1, 1, 2, 1)), ops.reshape(ops.convert_to_tensor([1.0, 3.0]), (1, 1, 2, 1))
        >>> float(masked_squared_error(x, y, ops.reshape(ops.convert_to_tensor([0.75, 0.25]), (1, 1, 2, 1)))[0])
        3.0

    Source: R; Pathak et al. 2016, equation 1.
    """
    y = as_floating(y)
    x, weights = as_floating(x, y.dtype), as_floating(weights, y.dtype)
    require_rank("masked_squared_error", y.shape, 4)
    if tuple(x.shape)[1:] != tuple(y.shape)[1:]:
        raise ValueError(
            f"masked_squared_error compares images of one shape. Received: x.shape={tuple(x.shape)}, "
            f"y.shape={tuple(y.shape)}"
        )
    weights = weights * ops.ones_like(y)
    total = ops.sum(weights, axis=(1, 2, 3))
    error = ops.sum(weights * ops.square(x - y), axis=(1, 2, 3))
    return error / ops.where(total > 0, total, ops.ones_like(total))


def _squares(top: Any, left: Any, height: int, width: int, side: int) -> Any:
    """Union of squares whose corners are (B, K), as float32 (B, H, W, 1)."""
    rows = ops.arange(height, dtype="int32")[None, None] - top[..., None]
    columns = ops.arange(width, dtype="int32")[None, None] - left[..., None]
    down = ops.logical_and(rows >= 0, rows < side)  # (B, K, H)
    across = ops.logical_and(columns >= 0, columns < side)  # (B, K, W)
    inside = ops.logical_and(down[..., :, None], across[..., None, :])  # (B, K, H, W)
    return ops.cast(ops.any(inside, axis=1), "float32")[..., None]


def _require_side(who: str, height: int, width: int, side: int) -> None:
    require_positive_int(who, height=height, width=width, side=side)
    if side > min(height, width):
        raise ValueError(f"{who} needs a hole within the image of {height} x {width}. Received: side={side}")
