"""What a data set is here: three splits of arrays and a spec that says what is in them.

    Dataset = (train, validation, test, spec),   split = (x, y)

A `Dataset` that exists is sound: building one checks every split against the spec, so that nothing downstream meets
empty arrays, NaN, or a label that a gather on XLA would silently clamp into range.

Conventions that bite: images are (N, H, W, C) in [0, 1]; class labels are int32 (N,), never one-hot, also with two
classes (0 and 1), and (N, H, W) where each pixel has one; regression targets are float32 (N, targets), two axes even
for one target.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from keras_course.core.errors import InvalidDataError

TASKS = ("classification", "regression")


@dataclass(frozen=True, eq=False)
class Split:
    """Samples and what is to be predicted from them, row by row.

    Args:
        x: array (N, ...), N >= 1.
        y: array (N,) of class labels, (N, H, W) of label maps, or (N, targets) of real targets.

    Raises:
        InvalidDataError: if there is no row, or x and y differ in length.

    Example:
        >>> len(Split(np.zeros((3, 2), "float32"), np.array([0, 1, 1], "int32")))
        3
    """

    x: NDArray[Any]
    y: NDArray[Any]

    def __post_init__(self) -> None:
        if self.x.ndim == 0 or self.y.ndim == 0 or len(self.x) == 0:
            raise InvalidDataError(f"A split needs at least one sample. Received: {_shapes(self)}")
        if len(self.x) != len(self.y):
            raise InvalidDataError(f"A split needs as many targets as samples. Received: {_shapes(self)}")

    def __len__(self) -> int:
        return len(self.x)


@dataclass(frozen=True)
class Spec:
    """What a data set holds: enough to size a model, label a figure, and undo the standardisation.

        standardised x = (x - feature_mean) / feature_scale,    y = (target - target_mean) / target_scale

    The four statistics come from the training rows alone. They are None where the data stay as they are (images).

    Args:
        name: str, the name `load` knows it by.
        task: "classification" or "regression".
        shape: tuple of ints, the shape of one sample x, without N.
        classes: int, number of classes K; labels lie in [0, K). None for regression.
        targets: int, number of real targets a sample. None for classification.
        label_shape: tuple of ints, the shape of one sample's labels: () for one class a sample, (H, W) for one a pixel.
        feature_names: tuple of strings, one a column of x; empty for images.
        class_names: tuple of K strings; empty for regression.
        vocabulary: tuple of strings, the tokens that integers in x stand for; empty where x holds none.
        feature_mean, feature_scale: tuples of floats, one a feature, in the feature's own unit.
        target_mean, target_scale: tuples of floats, one a target, in the target's own unit.
        seed: int, the seed of the split.
        sha256: mapping from file (or array) name to hexadecimal digest, for the record of a run.

    Example:
        >>> Spec("tiny", "classification", (8, 8, 1), classes=10).features
        64
    """

    name: str
    task: str
    shape: tuple[int, ...]
    classes: int | None = None
    targets: int | None = None
    label_shape: tuple[int, ...] = ()
    feature_names: tuple[str, ...] = ()
    class_names: tuple[str, ...] = ()
    vocabulary: tuple[str, ...] = ()
    feature_mean: tuple[float, ...] | None = None
    feature_scale: tuple[float, ...] | None = None
    target_mean: tuple[float, ...] | None = None
    target_scale: tuple[float, ...] | None = None
    seed: int = 0
    sha256: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.task not in TASKS:
            raise ValueError(f"Spec needs task to be one of {TASKS}. Received: task={self.task!r}")
        wanted, other = ("classes", "targets") if self.task == "classification" else ("targets", "classes")
        if not getattr(self, wanted) or getattr(self, other) is not None:
            raise ValueError(
                f"Spec of a {self.task} needs {wanted} >= 1 and {other}=None. "
                f"Received: classes={self.classes}, targets={self.targets}"
            )
        if self.label_shape and self.task == "regression":
            raise ValueError(f"Spec of a regression has no label_shape. Received: label_shape={self.label_shape}")

    @property
    def features(self) -> int:
        """Number of values in one sample, the product of `shape`."""
        return math.prod(self.shape)

    def standardise(self, features: ArrayLike) -> NDArray[np.float32]:
        """Bring samples from their own units to what the model was trained on.

            x = (features - feature_mean) / feature_scale

        Args:
            features: array (..., D) in the units of `feature_names`.

        Returns:
            float32 array of the same shape; unchanged values if the set is not standardised.
        """
        return _standardised(features, self.feature_mean, self.feature_scale)

    def standardise_targets(self, targets: ArrayLike) -> NDArray[np.float32]:
        """Bring targets from their own unit to what the model was trained on; `restore_targets` undoes it.

            y = (targets - target_mean) / target_scale

        Args:
            targets: array (..., targets) in the target's own unit.

        Returns:
            float32 array of the same shape; unchanged values if the set is not standardised.
        """
        return _standardised(targets, self.target_mean, self.target_scale)

    def restore_targets(self, y: ArrayLike) -> NDArray[np.float32]:
        """Bring targets or predictions back to the target's own unit.

            target = y * target_scale + target_mean

        A log density of the standardised y becomes one of the target by subtracting sum(log(target_scale)).

        Args:
            y: array (..., targets), standardised.

        Returns:
            float32 array of the same shape; unchanged values if the set is not standardised.
        """
        if self.target_mean is None or self.target_scale is None:
            return np.asarray(y, "float32")
        return (np.asarray(y, "float64") * self.target_scale + self.target_mean).astype("float32")


@dataclass(frozen=True, eq=False)
class Dataset:
    """Train, validation and test split of one data set, with its spec.

    Args:
        train, validation, test: `Split`, each checked against `spec`.
        spec: `Spec`.

    Raises:
        InvalidDataError: if a split is not what the spec says; the message names the split and the first bad row.
    """

    train: Split
    validation: Split
    test: Split
    spec: Spec

    def __post_init__(self) -> None:
        for name in ("train", "validation", "test"):
            check_split(getattr(self, name), self.spec, name)


def check_split(split: Split, spec: Spec, name: str) -> None:
    """Check one split against the spec: shape, finiteness, and targets.

    Args:
        split: `Split`.
        spec: `Spec` to hold it to.
        name: str, what to call the split in the message.

    Raises:
        InvalidDataError: with what was wanted and what came.
    """
    where = f"{name} of {spec.name!r}"
    if split.x.shape[1:] != spec.shape:
        raise InvalidDataError(
            f"x in {where} must have shape (N, {', '.join(map(str, spec.shape))}). Received: x.shape={split.x.shape}"
        )
    _check_finite(split.x, f"x in {where}")
    if spec.classes is not None:
        _check_labels(split.y, spec.classes, spec.label_shape, where)
    else:
        if split.y.shape != (len(split), spec.targets):
            raise InvalidDataError(
                f"y in {where} must have shape (N, {spec.targets}). Received: y.shape={split.y.shape}"
            )
        _check_finite(split.y, f"y in {where}")


def _check_labels(y: NDArray[Any], classes: int, shape: tuple[int, ...], where: str) -> None:
    if y.shape[1:] != shape or not np.issubdtype(y.dtype, np.integer):
        wanted = ", ".join(map(str, ("N", *shape))) if shape else "N,"
        raise InvalidDataError(
            f"y in {where} must be integer class labels of shape ({wanted}). "
            f"Received: y.shape={y.shape}, y.dtype={y.dtype}"
        )
    outside = (y < 0) | (y >= classes)
    if outside.any():
        place = np.unravel_index(int(outside.argmax()), y.shape)
        index = ", ".join(str(int(i)) for i in place)
        raise InvalidDataError(f"Labels in {where} must lie in [0, {classes}). Received: y[{index}]={int(y[place])}")


def _check_finite(values: NDArray[Any], what: str) -> None:
    if not np.issubdtype(values.dtype, np.number) or np.issubdtype(values.dtype, np.complexfloating):
        raise InvalidDataError(f"{what} must be real numbers. Received: dtype={values.dtype}")
    finite = np.isfinite(values)
    if not finite.all():
        place = np.unravel_index(int(finite.argmin()), values.shape)
        index = ", ".join(str(int(i)) for i in place)
        raise InvalidDataError(f"{what} must be finite. Received: {values[place]} at [{index}]")


def _standardised(
    values: ArrayLike, mean: tuple[float, ...] | None, scale: tuple[float, ...] | None
) -> NDArray[np.float32]:
    if mean is None or scale is None:
        return np.asarray(values, "float32")
    # In float64 until the end: a column such as area (0 to 2500) loses digits if centred in float32.
    return ((np.asarray(values, "float64") - mean) / scale).astype("float32")


def _shapes(split: Split) -> str:
    return f"x.shape={split.x.shape}, y.shape={split.y.shape}"
