"""From two arrays to a `Dataset`: check, split, standardise.

    mean_j  = 1/n sum_i x_ij,   scale_j = sqrt(1/n sum_i (x_ij - mean_j)^2),   i over the n TRAINING rows
    x_ij   <- (x_ij - mean_j) / scale_j,   in all three parts

Validation and test rows never enter the statistics: a test score computed with them would know the test set. The
divisor is n, not n - 1. A feature that is constant over the training rows gets scale 1 and becomes zero there.
Sums are correctly rounded (`math.fsum`), so that the statistics have the same bits whatever order a machine adds in.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from keras_course.datasets.dataset import Dataset, Spec, Split, check_split
from keras_course.datasets.split import split_rows


def from_arrays(
    x: ArrayLike,
    y: ArrayLike,
    *,
    name: str,
    classes: int | None = None,
    label_shape: tuple[int, ...] = (),
    standardise: bool = False,
    seed: int = 0,
    validation: float = 0.1,
    test: float = 0.2,
    feature_names: tuple[str, ...] = (),
    class_names: tuple[str, ...] = (),
    sha256: Mapping[str, str] | None = None,
) -> Dataset:
    """Make a data set of your own arrays, checked and split like the bundled ones.

    Args:
        x: array (N, ...), samples.
        y: with `classes`, integer labels (N, *label_shape) in [0, classes); without, real targets (N, targets) or (N,).
        name: str, what to call it.
        classes: int for classification (split stratified by label), None for regression.
        label_shape: (H, W) where each pixel has a label, () for one a sample; label maps are not stratified.
        standardise: bool, whether features, and the targets of a regression, are standardised by training statistics;
            x must then be (N, D).
        seed: int, seed of the split.
        validation, test: floats, shares of the rows.
        feature_names, class_names: tuples of strings for figures and reports.
        sha256: digests for the run record; those of the arrays if not given.

    Returns:
        `Dataset` with x float32; y int32 (N, *label_shape) for classification, float32 (N, targets) for regression.

    Raises:
        InvalidDataError: if the arrays are empty, of unequal length, not finite, or hold labels out of range.
        ValueError: if the shares leave a part empty, or x to be standardised is not (N, D).

    Example:
        >>> data = from_arrays(np.arange(20.0).reshape(10, 2), np.arange(10) % 2, name="mine", classes=2)
        >>> len(data.train), data.train.x.dtype.name, data.spec.classes
        (7, 'float32', 2)
    """
    x, y = np.asarray(x), np.asarray(y)
    if classes is None and y.ndim == 1:
        y = y[:, None]  # (N, 1)
    everything = Split(x, y)
    if standardise and x.ndim != 2:
        raise ValueError(f"from_arrays can standardise features of shape (N, D) only. Received: x.shape={x.shape}")
    spec = Spec(
        name,
        task="regression" if classes is None else "classification",
        shape=x.shape[1:],
        classes=classes,
        targets=y.shape[-1] if classes is None else None,
        label_shape=tuple(label_shape),
        feature_names=feature_names,
        class_names=class_names,
        seed=seed,
        sha256=dict(sha256) if sha256 is not None else {"x": digest(x), "y": digest(y)},
    )
    # Before the split, so that a message names the row as the caller counts rows.
    check_split(everything, spec, "rows")

    rows = split_rows(len(x) if classes is None or label_shape else y, seed, validation, test)
    if standardise:
        mean, scale = training_statistics(x[rows.train])
        spec = replace(spec, feature_mean=mean, feature_scale=scale)
        if classes is None:
            mean, scale = training_statistics(y[rows.train])
            spec = replace(spec, target_mean=mean, target_scale=scale)
    train, validation_part, test_part = (
        Split(spec.standardise(x[part]), y[part].astype("int32") if classes else spec.standardise_targets(y[part]))
        for part in rows
    )
    return Dataset(train, validation_part, test_part, spec)


def training_statistics(columns: NDArray[Any]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and standard deviation (divisor n) of each column, in float64.

    Args:
        columns: array (n, D) of training rows.

    Returns:
        Two tuples of D floats, mean and scale; scale is 1 where a column is constant.

    Example:
        >>> training_statistics(np.array([[1.0, 5.0], [3.0, 5.0]]))
        ((2.0, 5.0), (1.0, 1.0))
    """
    means, scales = [], []
    for column in np.asarray(columns, "float64").T:
        # A constant column is told by its range: rounding may give a column of 0.1 a deviation of 1e-17.
        constant = column.min() == column.max()
        mean = float(column[0]) if constant else math.fsum(column) / len(column)
        variance = 1.0 if constant else math.fsum((column - mean) ** 2) / len(column)
        means.append(mean)
        scales.append(math.sqrt(variance))
    return tuple(means), tuple(scales)


def digest(array: NDArray[Any]) -> str:
    """sha256 of an array: of its dtype, its shape and its bytes.

    Example:
        >>> digest(np.zeros(2)) == digest(np.zeros((1, 2)))
        False
    """
    described = hashlib.sha256(f"{array.dtype.str}{array.shape}".encode())
    described.update(np.ascontiguousarray(array).data)
    return described.hexdigest()
