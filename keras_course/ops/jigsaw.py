"""Images cut into pieces, and orders of pieces that are far apart.

    piece (a, b) = x[top + a (h + gap) : ... + h, left + b (w + gap) : ... + w]     a, b = 0 ... grid - 1, row by row
    distance(p, q) = number of j with p_j != q_j                                  (Hamming)
    p_0 = identity,   p_k = argmax_p min_{i < k} distance(p, p_i)                 ties: larger sum, then smaller p

In a shuffled image place j shows piece p_j. Orders that differ in few places are told apart by few pieces; a set with a
large least distance asks for the whole. The greedy choice is not always the best there is; it is for the sets that the
tests enumerate.
"""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
from keras import ops
from numpy.typing import ArrayLike, NDArray

from keras_course.core.shapes import require_positive_int, require_rank

__all__ = ["image_pieces", "least_distance", "permutation_set", "shuffled_pieces"]

MOST_PIECES = 9


def image_pieces(images: Any, grid: int, gap: int = 0) -> Any:
    """The grid x grid pieces of each image, row by row.

    h = floor((H - (grid - 1) gap) / grid); rows that are left over are cut off above and below, columns likewise.

    A gap keeps a task honest: lines that run on from piece to piece would give neighbours away. A gap below 0 lets
    neighbours overlap, for images of which pieces would be too small otherwise.

    Args:
        images: tensor (B, H, W, C).
        grid: int >= 1, pieces along each side.
        gap: int, pixels between neighbours, which no piece shows; below 0, pixels that two neighbours show.

    Returns:
        Tensor (B, grid**2, h, w, C).

    Raises:
        ValueError: if no pixel is left for a piece.

    Example:
        >>> x = ops.reshape(ops.arange(16), (1, 4, 4, 1))
        >>> image_pieces(x, 2)[0, 1, :, :, 0].numpy().tolist()
        [[2, 3], [6, 7]]

    Source: R; Doersch, Gupta, Efros 2015.
    """
    images = ops.convert_to_tensor(images)
    require_rank("image_pieces", images.shape, 4)
    require_positive_int("image_pieces", grid=grid)
    height, width = ((size - (grid - 1) * gap) // grid for size in images.shape[1:3])
    if min(height, width) < max(1, 1 - gap):
        raise ValueError(
            "image_pieces needs a pixel for every piece that no neighbour on one side shows. "
            f"Received: shape={tuple(images.shape)}, grid={grid}, gap={gap}"
        )
    top, left = (
        (size - grid * piece - (grid - 1) * gap) // 2
        for size, piece in zip(images.shape[1:3], (height, width), strict=True)
    )
    pieces = []
    for a, b in itertools.product(range(grid), repeat=2):
        row, column = top + a * (height + gap), left + b * (width + gap)
        pieces.append(images[:, row : row + height, column : column + width])
    return ops.stack(pieces, axis=1)


def shuffled_pieces(pieces: Any, order: Any) -> Any:
    """Pieces in another order, one order for all rows or one a row.

    place j shows piece order_j

    Args:
        pieces: tensor (B, P, ...): pieces, or their features.
        order: int tensor (P,) or (B, P), a permutation of 0 ... P - 1.

    Returns:
        Tensor (B, P, ...).

    Raises:
        ValueError: for an order of another rank.

    Example:
        >>> shuffled_pieces([[10, 11, 12], [20, 21, 22]], [[2, 0, 1], [0, 2, 1]]).numpy().tolist()
        [[12, 10, 11], [20, 22, 21]]

    Source: R; Noroozi and Favaro 2016.
    """
    pieces, order = ops.convert_to_tensor(pieces), ops.cast(order, "int32")
    require_rank("shuffled_pieces", order.shape, 1, 2)
    if len(order.shape) == 1:
        return ops.take(pieces, order, axis=1)
    places = ops.reshape(order, (-1, order.shape[1], *(1,) * (len(pieces.shape) - 2)))
    return ops.take_along_axis(pieces, places, axis=1)


def permutation_set(pieces: int, count: int) -> NDArray[np.int32]:
    """Orders of pieces, chosen one after the other to be as far as possible from those before.

    p_0 = identity,   p_k = argmax_p min_{i < k} distance(p, p_i)

    Args:
        pieces: int P in 2 ... 9.
        count: int in 2 ... P!.

    Returns:
        int32 array (count, P).

    Raises:
        ValueError: for other numbers.

    Example:
        >>> permutation_set(3, 3).tolist()
        [[0, 1, 2], [1, 2, 0], [2, 0, 1]]

    Source: Noroozi and Favaro 2016 (who take the largest mean distance); R names the puzzle.
    """
    require_positive_int("permutation_set", pieces=pieces, count=count)
    if not 2 <= pieces <= MOST_PIECES or not 2 <= count <= math.factorial(pieces):
        raise ValueError(
            f"permutation_set takes 2 to {MOST_PIECES} pieces, and 2 orders or more of all there are. "
            f"Received: pieces={pieces}, count={count}"
        )
    every = np.array(list(itertools.permutations(range(pieces))), "int8")  # lexicographic, the identity first
    chosen, least, total = [0], np.full(len(every), pieces), np.zeros(len(every), "int64")
    while len(chosen) < count:
        distance = np.sum(every != every[chosen[-1]], axis=1)
        least, total = np.minimum(least, distance), total + distance
        chosen.append(int(np.argmax(least * (pieces * count + 1) + total)))
    return every[chosen].astype("int32")


def least_distance(orders: ArrayLike) -> int:
    """The least Hamming distance of two orders of a set.

    min_{i != k} number of j with p_ij != p_kj

    Args:
        orders: int array (K, P), K >= 2.

    Returns:
        int; 0 if an order stands twice, never 1.

    Raises:
        ValueError: if it is no matrix of two rows or more.

    Example:
        >>> least_distance([[0, 1, 2], [1, 2, 0], [1, 0, 2]])
        2

    Source: Noroozi and Favaro 2016.
    """
    orders = np.asarray(orders)
    if orders.ndim != 2 or len(orders) < 2:
        raise ValueError(f"least_distance needs two orders or more, (K, P). Received: shape={orders.shape}")
    return min(int(np.sum(one != other)) for one, other in itertools.combinations(orders, 2))
