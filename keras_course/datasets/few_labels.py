"""Which labels are kept when few are: the same number of every class, for curves of accuracy against labels.

kept_i = 1 if fewer than labels / K rows before i are of the class of i
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["labelled_rows", "partly_labelled_rows"]


def labelled_rows(y: ArrayLike, labels: int) -> NDArray[np.bool_]:
    """The first rows of each class, as many of each as of any other while there are enough.

    Args:
        y: int array (N,), the classes of all rows.
        labels: int, how many to keep: a positive multiple of the number of classes.

    Returns:
        Bool array (N,).

    Raises:
        ValueError: if `labels` is no such multiple.

    Example:
        >>> labelled_rows([0, 0, 1, 0, 1], 2).tolist()
        [True, False, True, False, False]

    Source: C 6.5.
    """
    y = np.asarray(y)
    classes = np.unique(y)
    if labels < 1 or labels % len(classes):
        raise ValueError(f"labelled_rows needs a multiple of the {len(classes)} classes. Received: labels={labels}")
    kept = np.zeros(len(y), bool)
    for label in classes:
        kept[np.flatnonzero(y == label)[: labels // len(classes)]] = True
    return kept


def partly_labelled_rows(x: NDArray[Any], y: NDArray[Any], labels: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """Rows of which few have a label and the others -1; labelled rows are repeated until they are about a third.

    Args:
        x: array (N, ...).
        y: int array (N,).
        labels: int, as `labelled_rows`.

    Returns:
        Tuple of x and y with the labelled rows in front, each as often as any other.

    Example:
        >>> x, y = partly_labelled_rows(np.arange(8), np.array([0, 1, 0, 1, 0, 1, 0, 1]), 2)
        >>> x.tolist(), y.tolist()
        ([0, 0, 1, 1, 2, 3, 4, 5, 6, 7], [0, 0, 1, 1, -1, -1, -1, -1, -1, -1])

    Source: C 6.5.
    """
    known = labelled_rows(y, labels)
    times = max(1, round(np.sum(~known) / 2 / np.sum(known)))
    rows = np.concatenate([np.repeat(x[known], times, axis=0), x[~known]])
    return rows, np.concatenate([np.repeat(y[known], times), np.full(np.sum(~known), -1, y.dtype)])
