"""Quarter turns of images, exactly: rows and columns change places, no pixel is interpolated.

(turn_1 x)[r, c] = x[c, W - 1 - r]      counter-clockwise by 90 degrees, as numpy.rot90
turn_k = turn_1 applied k times,   turn_4 = identity
"""

from __future__ import annotations

from typing import Any

from keras import ops

from keras_course.core.shapes import require_rank

__all__ = ["all_quarter_turns", "quarter_turn", "quarter_turns"]

TURNS = 4


def quarter_turn(images: Any, turns: int) -> Any:
    """Every image turned counter-clockwise by turns * 90 degrees.

    turn_1[r, c] = x[c, W - 1 - r],   turn_2[r, c] = x[H - 1 - r, W - 1 - c],   turn_3[r, c] = x[H - 1 - c, r]

    Args:
        images: tensor (B, H, W, C), row 0 on top.
        turns: int, any.

    Returns:
        Tensor (B, H, W, C), or (B, W, H, C) for odd turns.

    Raises:
        ValueError: for another rank.

    Example:
        >>> x = ops.reshape(ops.arange(4), (1, 2, 2, 1))
        >>> quarter_turn(x, 1)[0, :, :, 0].numpy().tolist()
        [[1, 3], [0, 2]]

    Source: R; Gidaris et al. 2018.
    """
    images = ops.convert_to_tensor(images)
    require_rank("quarter_turn", images.shape, 4)
    turns = turns % TURNS
    if turns == 2:
        return ops.flip(images, axis=(1, 2))
    if turns == 0:
        return images
    turned = ops.transpose(images, (0, 2, 1, 3))
    return ops.flip(turned, axis=1 if turns == 1 else 2)


def all_quarter_turns(images: Any) -> tuple[Any, Any]:
    """Each image in its four rotations, and which rotation each is.

    rows 4 i + k = turn_k of image i,   label k

    Args:
        images: tensor (B, N, N, C), square.

    Returns:
        Tuple of a tensor (4 B, N, N, C) and int32 labels (4 B,).

    Raises:
        ValueError: if the images are not square.

    Example:
        >>> images, labels = all_quarter_turns(ops.zeros((2, 3, 3, 1)))
        >>> tuple(images.shape), labels.numpy().tolist()
        ((8, 3, 3, 1), [0, 1, 2, 3, 0, 1, 2, 3])

    Source: R; Gidaris et al. 2018.
    """
    images = ops.convert_to_tensor(images)
    _require_square("all_quarter_turns", images.shape)
    turned = ops.stack([quarter_turn(images, k) for k in range(TURNS)], axis=1)  # (B, 4, N, N, C)
    labels = ops.tile(ops.arange(TURNS, dtype="int32"), (ops.shape(images)[0],))
    return ops.reshape(turned, (-1, *images.shape[1:])), labels


def quarter_turns(images: Any, turns: Any) -> Any:
    """Each image by a number of turns of its own.

    y_i = turn_{turns_i} x_i

    Args:
        images: tensor (B, N, N, C), square.
        turns: int tensor (B,) in 0 ... 3.

    Returns:
        Tensor (B, N, N, C).

    Raises:
        ValueError: if the images are not square.

    Example:
        >>> x = ops.reshape(ops.arange(8), (2, 2, 2, 1))
        >>> quarter_turns(x, [0, 2])[1, :, :, 0].numpy().tolist()
        [[7, 6], [5, 4]]

    Source: R; Gidaris et al. 2018.
    """
    images = ops.convert_to_tensor(images)
    _require_square("quarter_turns", images.shape)
    turns = ops.cast(turns, "int32")[:, None, None, None]
    turned = images
    for k in range(1, TURNS):
        turned = ops.where(turns == k, quarter_turn(images, k), turned)
    return turned


def _require_square(who: str, shape: Any) -> None:
    require_rank(who, shape, 4)
    if shape[1] != shape[2]:
        raise ValueError(f"{who} turns square images. Received: shape={tuple(shape)}")
