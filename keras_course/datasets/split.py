"""Who is trained on, who is tested on, and in which order: pure functions of a seed.

    order(seed, n)            = argsort of n numbers from NumPy's Philox, keyed by the seed
    split(labels, seed)       = row i goes to test if u_i is among the n_test smallest,
                                to validation if among the next n_validation, to train otherwise,
                                u_i = (rank of i within its class + 1/2) / (size of the class)
    epoch_order(seed, e, n)   = order(derived from (seed, e), n)

Ranking every row within its own class and cutting all classes at one quantile makes the split stratified: a part of n
rows holds a class in its share to within one row, and the sizes of the parts are exact.

Only the raw bits of Philox are used, never `Generator.permutation`: NumPy promises the bits of a bit generator for
ever, but not what its Generator makes of them, and a split must survive an upgrade.
"""

from __future__ import annotations

from numbers import Integral
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from keras_course.core.seeds import derive_seed


class SplitRows(NamedTuple):
    """Row numbers of each part: disjoint, together all rows, each in random order."""

    train: NDArray[np.int64]
    validation: NDArray[np.int64]
    test: NDArray[np.int64]


def split_rows(labels: ArrayLike | int, seed: int = 0, validation: float = 0.1, test: float = 0.2) -> SplitRows:
    """Rows of train, validation and test, stratified by class.

        n_test = round(test * n),   n_validation = round(validation * n),   n_train = the rest

    Args:
        labels: integer array (N,), the classes to stratify by; or an int N, and the split is not stratified.
        seed: int.
        validation: float in (0, 1), share of the validation rows.
        test: float in [0, 1), share of the test rows; 0 where the test set is given from elsewhere.

    Returns:
        `SplitRows(train, validation, test)` of int64 arrays. While the two shares sum below
        one half, a class with a single row goes to train.

    Raises:
        ValueError: if a share is out of range, or a part would be empty.

    Example:
        >>> rows = split_rows(np.repeat([0, 1], 10), seed=0)
        >>> [len(part) for part in rows]
        [14, 2, 4]
    """
    labels = np.zeros(labels, "int64") if isinstance(labels, Integral) else np.asarray(labels)
    if not (0 < validation < 1 and 0 <= test < 1 and validation + test < 1):
        raise ValueError(
            "split_rows needs validation in (0, 1), test in [0, 1) and their sum below 1. "
            f"Received: validation={validation}, test={test}"
        )
    n = len(labels)
    n_test, n_validation = round(test * n), round(validation * n)
    if n_validation < 1 or (test > 0 and n_test < 1) or n - n_test - n_validation < 1:
        raise ValueError(
            "split_rows needs enough rows that no part is empty. "
            f"Received: rows={n}, validation={validation}, test={test}"
        )

    key = _random_keys(n, seed, "split")  # (N,)
    shuffled = np.argsort(key, kind="stable")
    _, group, size = np.unique(labels[shuffled], return_inverse=True, return_counts=True)
    by_class = np.argsort(group, kind="stable")  # classes one after the other, random order within each
    rank = np.empty(n, "int64")
    rank[by_class] = np.arange(n) - np.repeat(np.cumsum(size) - size, size)
    # Classes of one size tie; a tie falls by position, which is random because the rows are already shuffled.
    quantile = (rank + 0.5) / size[group]
    rows = shuffled[np.argsort(quantile, kind="stable")]

    # A second key: by the first, which chose the test rows, the classes would come in bunches.
    place = _random_keys(n, seed, "place")
    parts = np.split(rows, [n_test, n_test + n_validation])
    test_rows, validation_rows, train_rows = (part[np.argsort(place[part], kind="stable")] for part in parts)
    return SplitRows(train_rows, validation_rows, test_rows)


def epoch_order(seed: int, epoch: int, n: int) -> NDArray[np.int64]:
    """The order in which an epoch visits the training rows.

    A pure function of its arguments: a run resumed in epoch 7 shuffles as the uninterrupted one did, without having
    replayed epochs 0 to 6.

    Args:
        seed: int, the run's seed.
        epoch: int >= 0.
        n: int >= 1, number of rows.

    Returns:
        int64 array (n,), a permutation of 0 … n-1.

    Raises:
        ValueError: if epoch < 0 or n < 1.

    Example:
        >>> sorted(epoch_order(seed=0, epoch=3, n=4).tolist())
        [0, 1, 2, 3]
    """
    if epoch < 0 or n < 1:
        raise ValueError(f"epoch_order needs epoch >= 0 and n >= 1. Received: epoch={epoch}, n={n}")
    return np.argsort(_random_keys(n, seed, "epoch", epoch), kind="stable")


def _random_keys(n: int, seed: int, *purpose: object) -> NDArray[np.uint64]:
    """n random 64-bit numbers; sorting by them shuffles (two equal ones: chance n^2 / 2^65)."""
    return np.asarray(np.random.Philox(key=derive_seed(seed, *purpose)).random_raw(n))
