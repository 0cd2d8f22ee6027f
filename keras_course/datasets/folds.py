"""Folds for model selection: who is trained on and who is held out, pure functions of a seed.

    hold-out        one fold (Tr - Va, Va)
    k-fold          Va_1 ... Va_k disjoint, together all rows; fold i is (Tr - Va_i, Va_i)
    leave-one-out   k = |Tr|

Every row is held out exactly once by k-fold and leave-one-out. (The notes test h_i "against V_i" and speak of "the k-th
pair"; it is Va_i and the i-th pair.)
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from keras_course.core.shapes import require_positive_int
from keras_course.datasets.split import epoch_order, split_rows

__all__ = ["Fold", "hold_out", "k_folds", "leave_one_out"]


class Fold(NamedTuple):
    """Row numbers, rising: what to train on and what to test on."""

    train: NDArray[np.int64]
    held_out: NDArray[np.int64]


def hold_out(rows: int, share: float = 0.2, seed: int = 0, labels: ArrayLike | None = None) -> tuple[Fold]:
    """One fold: a random share of the rows is held out.

    |Va| = round(share n)

    Args:
        rows: int n >= 2.
        share: float in (0, 1).
        seed: int.
        labels: integer array (n,) to stratify by, or None: each class then keeps its share to within one row.

    Returns:
        A tuple of one `Fold`.

    Raises:
        ValueError: if a part would be empty.

    Example:
        >>> [part.tolist() for part in hold_out(5, share=0.4, seed=0)[0]]
        [[1, 3, 4], [0, 2]]

    Source: C 1.3.
    """
    require_positive_int("hold_out", rows=rows)
    chosen = split_rows(rows if labels is None else _checked(labels, rows, "hold_out"), seed, validation=share, test=0)
    return (Fold(np.sort(chosen.train), np.sort(chosen.validation)),)


def k_folds(rows: int, k: int = 5, seed: int | None = 0, labels: ArrayLike | None = None) -> tuple[Fold, ...]:
    """k folds, whose sizes differ by one at most.

    Va_i = rows dealt to part i;  with labels, dealt class by class, so that the count of every class differs by one at
    most between folds as well

    Args:
        rows: int n >= 2.
        k: int in [2, n].
        seed: int, shuffles the rows first; None cuts them into k runs in their own order, as scikit-learn's KFold does.
        labels: integer array (n,) to stratify by, or None. Needs a seed.

    Returns:
        k folds.

    Raises:
        ValueError: for k outside [2, n], or labels without a seed or of another length.

    Example:
        >>> [fold.held_out.tolist() for fold in k_folds(5, k=2, seed=None)]
        [[0, 1, 2], [3, 4]]

    Source: C 1.3.
    """
    require_positive_int("k_folds", rows=rows, k=k)
    if not 2 <= k <= rows:
        raise ValueError(f"k_folds needs k in [2, rows], so that no part is empty. Received: k={k}, rows={rows}")
    if seed is None:
        if labels is not None:
            raise ValueError("k_folds stratifies shuffled rows: give a seed with labels. Received: seed=None")
        parts = np.array_split(np.arange(rows), k)
    else:
        order = epoch_order(seed, 0, rows)
        if labels is not None:
            order = order[np.argsort(_checked(labels, rows, "k_folds")[order], kind="stable")]
        parts = [order[start::k] for start in range(k)]
    everything = np.arange(rows)
    return tuple(Fold(np.setdiff1d(everything, part), np.sort(part)) for part in parts)


def leave_one_out(rows: int) -> tuple[Fold, ...]:
    """As many folds as rows: each row is held out alone.

    Va_i = {i}

    Args:
        rows: int n >= 2.

    Returns:
        n folds.

    Raises:
        ValueError: for fewer than two rows.

    Example:
        >>> [(fold.train.tolist(), fold.held_out.tolist()) for fold in leave_one_out(3)]
        [([1, 2], [0]), ([0, 2], [1]), ([0, 1], [2])]

    Source: C 1.3.
    """
    require_positive_int("leave_one_out", rows=rows)
    if rows < 2:
        raise ValueError(f"leave_one_out needs at least two rows. Received: rows={rows}")
    return k_folds(rows, rows, seed=None)


def _checked(labels: ArrayLike, rows: int, who: str) -> NDArray[np.int64]:
    labels = np.asarray(labels)
    if labels.shape != (rows,) or labels.dtype.kind not in "iub":
        raise ValueError(
            f"{who} needs one integer label a row. Received: shape={labels.shape}, dtype={labels.dtype}, rows={rows}"
        )
    return labels.astype("int64")
