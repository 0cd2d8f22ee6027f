"""Do the features of one class lie together? Asked of the nearest neighbour.

    nn(i) = argmin_{j != i} |f_i - f_j|,   clusterability = 1/N sum_i [y_nn(i) = y_i]

No classifier is trained: a representation that puts each class in clusters of its own, however many and however
shaped, scores 1; one that knows nothing of the classes scores about sum_c (share of c)^2, 0.1 for ten equal classes.
Moving, rotating or scaling all features together changes nothing.
"""

from __future__ import annotations

from typing import Any

from keras import ops

from keras_course.core.shapes import require_rank
from keras_course.ops.clustering import squared_distances
from keras_course.ops.floating import as_floating

__all__ = ["nearest_neighbour_clusterability", "nearest_other"]


def nearest_other(features: Any) -> Any:
    """nn(i) = argmin_{j != i} |f_i - f_j|, the first of equals.

    Args:
        features: tensor (N, F), N >= 2.

    Returns:
        int32 tensor (N,), row numbers.

    Raises:
        ValueError: if features is no matrix, or has fewer than two rows.

    Example:
        >>> nearest_other([[0.0], [1.0], [5.0]]).numpy().tolist()
        [1, 0, 1]

    Source: R (semantic clusterability).
    """
    features = as_floating(features)
    require_rank("nearest_other", features.shape, 2)
    if features.shape[0] is not None and features.shape[0] < 2:
        raise ValueError(f"nearest_other needs two rows or more. Received: shape={tuple(features.shape)}")
    distances = squared_distances(features, features)  # (N, N)
    rows = ops.arange(ops.shape(features)[0], dtype="int32")
    itself = rows[:, None] == rows[None, :]
    return ops.cast(ops.argmin(ops.where(itself, float("inf"), distances), axis=1), "int32")


def nearest_neighbour_clusterability(features: Any, labels: Any) -> Any:
    """The share of rows whose nearest other row is of the same class.

    clusterability = 1/N sum_i [y_nn(i) = y_i],   nn(i) = argmin_{j != i} |f_i - f_j|

    It is the leave-one-out accuracy of the classifier by one nearest neighbour.

    Args:
        features: tensor (N, F), N >= 2.
        labels: int tensor (N,).

    Returns:
        Scalar tensor in [0, 1].

    Raises:
        ValueError: if features is no matrix of two rows or more, or labels no vector.

    Example:
        >>> float(nearest_neighbour_clusterability([[0.0], [1.0], [5.0], [6.0]], [0, 0, 1, 0]))
        0.5

    Source: R (semantic clusterability).
    """
    features, labels = as_floating(features), ops.convert_to_tensor(labels)
    require_rank("nearest_neighbour_clusterability", labels.shape, 1)
    same = ops.take(labels, nearest_other(features), axis=0) == labels
    return ops.mean(ops.cast(same, features.dtype))
