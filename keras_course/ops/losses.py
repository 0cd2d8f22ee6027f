"""What a network is told to make small: one number a sample, from scores, never from probabilities.

    logistic      log(1 + exp(-y f))                                      y in {-1, +1}
    softmax       log sum_j exp(f_j) - f_y                                y a class, or a distribution over classes
    half squared  1/2 |y - f|**2                                          y a vector
    top-k ranking max(0, mean of the k largest (1[j != y] + f_j - f_y))   y a class
    preference    log(1 + exp(-(f_preferred - f_other)))                  two scores

A label that means nothing (0 for the logistic loss, class 7 of 5) gives NaN for its sample, loss and gradient, in
eager, graph and XLA code alike: compiled code cannot raise, and any number would be silently wrong. That includes
samples of weight 0: give padding a valid label.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

from keras_course.core.shapes import require_positive_int, require_rank
from keras_course.ops.floating import as_floating
from keras_course.ops.information import sum_tolerance

__all__ = ["half_squared_loss", "logistic_loss", "preference_loss", "softmax_loss", "top_k_ranking_loss"]


def logistic_loss(y: Any, f: Any) -> Any:
    """Negative log-likelihood of a Bernoulli output unit with labels of either sign.

    l(y, f) = log(1 + exp(-y f)) = softplus(-y f)

    With labels t in {0, 1}, y = 2t - 1. The naive form overflows at y f = -89 in float32.

    Args:
        y: tensor of any shape, -1 or +1; anything else gives NaN.
        f: tensor of y's shape, real scores; the sign is the prediction.

    Returns:
        Tensor like f.

    Raises:
        ValueError: if the shapes differ.

    Example:
        >>> [round(float(v), 6) for v in logistic_loss([1.0, -1.0, 0.0], [0.0, -1000.0, 3.0])]
        [0.693147, 0.0, nan]

    Source: S 9.1, S 9.3, C 4.3.
    """
    f = as_floating(f)
    y = as_floating(y, f.dtype)
    _require_same_shape("logistic_loss", y, f)
    y = ops.where(ops.abs(y) == 1, y, _nan(f))
    return ops.softplus(-y * f)


def softmax_loss(y: Any, f: Any) -> Any:
    """Negative log-likelihood of a multinoulli output unit.

    l(y, f) = -log softmax(f)_y = log sum_j exp(f_j) - f_y
    l(p, f) = -sum_j p_j log softmax(f)_j                       for a distribution p over the classes

    (One of the sources prints log softmax(f)_y without the minus and calls it the cost.) Scores are shifted by their
    maximum first, which cancels in the formula and keeps exp from overflowing.

    Args:
        y: classes (...), integers 0 <= y < C of any dtype; or distributions (..., C), one-hot or soft. A class that
            does not exist and a row that is no distribution (negative, or a sum other than 1) give NaN.
        f: tensor (..., C), C >= 2, unnormalised log-probabilities; minus infinity for an impossible class.

    Returns:
        Tensor (...).

    Raises:
        ValueError: if the shapes do not fit, C < 2, or classes in a float dtype too short to count to C.

    Example:
        >>> [round(float(v), 6) for v in softmax_loss([2, 3], [[1.0, 2.0, 3.0]] * 2)]
        [0.407606, nan]

    Source: C 4.3, S 9.1, S 9.3.
    """
    f = as_floating(f)
    log_odds = f - ops.stop_gradient(ops.max(f, axis=-1, keepdims=True))  # at most 0
    log_softmax = log_odds - ops.log(ops.sum(ops.exp(log_odds), axis=-1, keepdims=True))  # (..., C)
    weight = _class_weights("softmax_loss", y, f)  # (..., C)
    # An impossible class costs nothing where it has no weight, instead of 0 times infinity.
    return -ops.sum(weight * ops.where(weight == 0, ops.zeros_like(f), log_softmax), axis=-1)


def half_squared_loss(y: Any, f: Any) -> Any:
    """Half the squared distance; up to a constant the negative log-likelihood of a unit-variance Gaussian.

    l(y, f) = 1/2 |y - f|**2 = 1/2 sum_i (y_i - f_i)**2,   gradient f - y

    A sum over the vector, where Keras's MeanSquaredError takes a mean and has no half.

    Args:
        y: tensor (..., D), targets.
        f: tensor of y's shape, predictions.

    Returns:
        Tensor (...).

    Raises:
        ValueError: if the shapes differ or are those of a scalar.

    Example:
        >>> ops.convert_to_numpy(half_squared_loss([[1.0, 2.0]], [[0.0, 4.0]])).tolist()
        [2.5]

    Source: S 9.1, S 9.3, C 4.3.
    """
    f = as_floating(f)
    y = as_floating(y, f.dtype)
    _require_same_shape("half_squared_loss", y, f)
    if len(f.shape) == 0:
        raise ValueError("half_squared_loss needs vectors on the last axis. Received: f.shape=()")
    return ops.sum(ops.square(y - f), axis=-1) / 2


def top_k_ranking_loss(y: Any, f: Any, k: int) -> Any:
    """Top-k hinge: pays unless the true class beats the mean of its k strongest rivals by a margin of 1.

    l(y, f) = max(0, 1/k sum of the k largest a_j),   a_j = 1[j != y] + f_j - f_y,   j = y (a_y = 0) included

    For k = 1 the multiclass hinge of Crammer and Singer. Convex in f; an upper bound on the top-k error.

    Args:
        y: classes (...), integers 0 <= y < C of any dtype, or one-hot (..., C). A class that does not exist gives NaN.
        f: tensor (..., C), scores.
        k: int, 1 <= k <= C, how many guesses are allowed.

    Returns:
        Tensor (...).

    Raises:
        ValueError: if k is not between 1 and C, the shapes do not fit, or C < 2.

    Example:
        >>> ops.convert_to_numpy(top_k_ranking_loss([0], [[2.0, 3.0, 1.5]], k=2)).tolist()
        [1.25]

    Source: S 9.1; Lapin, Hein and Schiele 2015.
    """
    f = as_floating(f)
    require_positive_int("top_k_ranking_loss", k=k)
    weight = _class_weights("top_k_ranking_loss", y, f)  # (..., C)
    if k > f.shape[-1]:
        raise ValueError(f"top_k_ranking_loss needs k of at most the {f.shape[-1]} classes. Received: k={k}")
    is_true = weight == 1
    score = ops.sum(ops.where(is_true, f, ops.zeros_like(f)), axis=-1, keepdims=True)  # f_y
    margin = ops.where(is_true, ops.zeros_like(f), 1 + f - score)  # a_j
    loss = ops.relu(ops.mean(ops.top_k(margin, k)[0], axis=-1))
    # Soft labels name no single true class; and a sort may hide a NaN score.
    meaningful = ops.all((is_true | (weight == 0)) & ops.logical_not(ops.isnan(f)), axis=-1)
    return ops.where(meaningful, ops.ones_like(loss), _nan(loss)) * loss


def preference_loss(preferred: Any, other: Any) -> Any:
    """Negative log-likelihood of one item being preferred to another (Bradley and Terry).

    l = -log P(preferred over other) = log(1 + exp(-(f_preferred - f_other)))

    Args:
        preferred: tensor of any shape, scores of the items that were preferred.
        other: tensor of the same shape, scores of those that were not.

    Returns:
        Tensor like preferred. Adding a number to both scores changes nothing.

    Raises:
        ValueError: if the shapes differ.

    Example:
        >>> [round(float(v), 6) for v in preference_loss([1.0, 5.0], [1.0, -995.0])]
        [0.693147, 0.0]

    Source: S 9.1; Bradley and Terry 1952.
    """
    preferred, other = as_floating(preferred), as_floating(other)
    _require_same_shape("preference_loss", preferred, other)
    return ops.softplus(-(preferred - other))


def _nan(like: Any) -> Any:
    return ops.cast(np.nan, like.dtype)


def _require_same_shape(who: str, y: Any, f: Any) -> None:
    """Broadcasting (N,) against (N, 1) would silently make N**2 samples."""
    fits = len(y.shape) == len(f.shape) and all(
        None in (a, b) or a == b for a, b in zip(tuple(y.shape), tuple(f.shape), strict=True)
    )
    if not fits:
        raise ValueError(f"{who} needs two tensors of one shape. Received: {tuple(y.shape)} and {tuple(f.shape)}")


def _class_weights(who: str, y: Any, f: Any) -> Any:
    """One-hot rows (..., C) of classes (...), or the distributions as they are; NaN rows for labels without meaning."""
    y = ops.convert_to_tensor(y)
    if len(f.shape) == 0 or f.shape[-1] is None or f.shape[-1] < 2:
        raise ValueError(
            f"{who} needs scores of at least 2 classes on the last axis. Received: f.shape={tuple(f.shape)}"
        )
    classes = f.shape[-1]
    if len(y.shape) == len(f.shape):
        p = as_floating(y, f.dtype)
        _require_same_shape(who, p, f)
        off = ops.abs(ops.sum(p, axis=-1, keepdims=True) - 1)
        valid = ops.all(p >= 0, axis=-1, keepdims=True) & (off <= sum_tolerance(f.dtype))
        return ops.where(valid, p, _nan(f))
    require_rank(who, y.shape, len(f.shape) - 1)
    _require_countable(who, y, classes)
    dtype = keras.backend.standardize_dtype(y.dtype)
    if dtype in ("bool", "int8", "uint8", "int16", "uint16"):
        dtype = "int32"  # the other way round, class 256 would become class 0
    same = ops.expand_dims(ops.cast(y, dtype), -1) == ops.cast(ops.arange(classes), dtype)  # (..., C)
    exists = ops.any(same, axis=-1, keepdims=True)  # 1.5 is no class either
    return ops.where(exists, ops.cast(same, f.dtype), _nan(f))


def _require_countable(who: str, y: Any, classes: int) -> None:
    """A class in bfloat16 beyond 256 would have been rounded to another class before it came here."""
    largest = {"float16": 2**11, "bfloat16": 2**8, "float32": 2**24}
    dtype = keras.backend.standardize_dtype(y.dtype)
    if classes - 1 > largest.get(dtype, classes):
        raise ValueError(f"{who} cannot tell {classes} classes apart in {dtype}. Received: y.dtype={dtype}")
