"""The best single question "is feature j at most t?", by the purity of its two answers.

    W_sc      weight of class c on side s (x_j <= t, x_j > t)
    impurity  = sum_s (W_s - sum_c W_sc^2 / W_s),  W_s = sum_c W_sc           (Gini)
    (j, t)    = the question of least impurity, t halfway between neighbouring values of feature j

Of equally good questions the first feature's, and of one feature the smallest t. The answer of a side is its heaviest
class. Gini is what scikit-learn's trees split by; the least weighted error would often choose another question.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from keras import ops

from keras_course.core.shapes import require_rank
from keras_course.ops.floating import as_floating

__all__ = ["best_stump"]


def best_stump(x: Any, class_weights: Any) -> tuple[Any, Any, Any]:
    """Feature, threshold and class weights of both sides of the best question.

    Args:
        x: tensor (N, D), N >= 1.
        class_weights: tensor (N, K): an example's weight in the column of its class, 0 elsewhere. An example of weight
            0 is not there: no threshold lies next to its values.

    Returns:
        Tuple of j (int32 scalar), t (scalar of the dtype of x) and W (2, K): the weights for x_j <= t and for x_j > t.
        If all examples are alike there is no question: j and t are 0, and both rows are the whole sample's.

    Raises:
        ValueError: for ranks other than 2.

    Example:
        >>> j, t, w = best_stump([[5.0, 0.0], [4.0, 1.0], [5.0, 3.0]], [[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
        >>> int(j), float(t), w.numpy().tolist()
        (1, 2.0, [[2.0, 0.0], [0.0, 1.0]])

    Source: C 6.12 (a simple predictor); Breiman et al. 1984 (Gini).
    """
    x = as_floating(x)
    require_rank("best_stump", x.shape, 2)
    class_weights = ops.cast(ops.convert_to_tensor(class_weights), x.dtype)
    require_rank("best_stump", class_weights.shape, 2)

    present = ops.sum(class_weights, axis=1, keepdims=True) > 0  # (N, 1)
    x = ops.where(present, x, ops.full_like(x, np.inf))  # the others come last, and are never asked about
    order = ops.argsort(x, axis=0)  # (N, D)
    value = ops.take_along_axis(x, order, axis=0)
    weight = ops.take(class_weights, order, axis=0)  # (N, D, K)
    total = ops.sum(class_weights, axis=0)  # (K,)
    left = ops.cumsum(weight, axis=0)  # the first 1 ... N examples in the order of each feature
    right = ops.maximum(total - left, 0)

    impurity = _gini(left) + _gini(right)  # (N, D)
    following = ops.concatenate([value[1:], value[-1:]], axis=0)
    between = ops.logical_and(following > value, following < np.inf)
    impurity = ops.where(between, impurity, ops.full_like(impurity, np.inf))
    flat = ops.reshape(ops.transpose(impurity), (-1,))  # feature by feature
    best = ops.argmin(flat)
    rows = ops.cast(ops.shape(x)[0], best.dtype)
    j, i = best // rows, best % rows

    asks = flat[best] < np.inf
    threshold = ops.where(asks, (value[i, j] + following[i, j]) / 2, ops.zeros_like(value[0, 0]))
    sides = ops.stack([ops.where(asks, left[i, j], total), ops.where(asks, right[i, j], total)])
    return ops.cast(j, "int32"), threshold, sides


def _gini(weight: Any) -> Any:
    """W - sum_c W_c^2 / W over the last axis, 0 for W = 0."""
    whole = ops.sum(weight, axis=-1)
    safe = ops.where(whole > 0, whole, ops.ones_like(whole))
    return whole - ops.sum(weight**2, axis=-1) / safe
