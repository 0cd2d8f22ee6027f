"""Noise on what a network is trained with: numbers that are shifted, labels that are changed.

    x + sigma n                                            inject_noise: inputs, hidden units, weights
    y with probability 1 - eps, else another class, each with eps/(k-1)      corrupt_labels

Random numbers are arguments, so that both are pure functions: the caller draws n normal and u uniform.
"""

from __future__ import annotations

import math
from typing import Any

import keras
from keras import ops

from keras_course.ops.floating import as_floating

__all__ = ["corrupt_labels", "inject_noise", "require_stddev"]


def inject_noise(x: Any, noise: Any, stddev: float) -> Any:
    """Adds scaled noise.

    y = x + sigma n

    For a linear model with squared error, E_n (w.(x + sigma n) - t)**2 = (w.x - t)**2 + sigma**2 |w|**2 for any noise
    of mean 0, variance 1 and independent entries: noise on inputs is weight decay.

    Args:
        x: tensor of any shape.
        noise: tensor that broadcasts against x, of mean 0 and variance 1.
        stddev: number sigma >= 0.

    Returns:
        Tensor like x.

    Raises:
        ValueError: if stddev is negative or not finite.

    Example:
        >>> ops.convert_to_numpy(inject_noise([1.0, 2.0], [1.0, -1.0], 0.5)).tolist()
        [1.5, 1.5]

    Source: C 6.4, S 9.3.
    """
    require_stddev("inject_noise", stddev)
    x = as_floating(x)
    return x + as_floating(stddev, x.dtype) * as_floating(noise, x.dtype)


def corrupt_labels(labels: Any, uniforms: Any, classes: int, epsilon: float) -> Any:
    """Replaces labels by other classes with a small probability.

    P(y' = y) = 1 - eps,   P(y' = j) = eps / (k - 1) for each j != y

    The cross-entropy with such labels is, in expectation, the cross-entropy with smoothed targets
    (`ops.label_smoothing.smooth_labels`): label smoothing is label noise without the noise.

    Args:
        labels: integer tensor of any shape, 0 <= y < k.
        uniforms: tensor of the same shape, uniform in [0, 1).
        classes: int k >= 2.
        epsilon: number in [0, 1].

    Returns:
        Tensor of the dtype of labels.

    Raises:
        ValueError: if there are fewer than 2 classes, or epsilon is out of range.

    Example:
        >>> ops.convert_to_numpy(corrupt_labels([0, 0, 0], [0.9, 0.05, 0.15], classes=3, epsilon=0.2)).tolist()
        [0, 1, 2]

    Source: C 6.4.
    """
    if isinstance(classes, bool) or not isinstance(classes, int) or classes < 2:
        raise ValueError(f"corrupt_labels needs at least 2 classes. Received: classes={classes!r}")
    if not 0 <= epsilon <= 1:
        raise ValueError(f"corrupt_labels needs epsilon in [0, 1]. Received: epsilon={epsilon}")
    labels, u = ops.convert_to_tensor(labels), as_floating(uniforms)
    dtype = keras.backend.standardize_dtype(labels.dtype)
    # u below eps is uniform on [0, eps): cut into k - 1 equal pieces, it also says by how many classes to move on.
    step = ops.floor(u / max(epsilon, 1e-30) * (classes - 1)) + 1
    step = ops.cast(ops.minimum(step, classes - 1), dtype)
    return ops.where(u < epsilon, (labels + step) % classes, labels)


def require_stddev(who: str, stddev: Any) -> None:
    """Refuses a standard deviation that is not a finite number of at least 0.

    Args:
        who: name of the caller, for the message.
        stddev: what came.

    Raises:
        ValueError: if it is out of range.
    """
    numeric = isinstance(stddev, int | float) and not isinstance(stddev, bool)
    if not numeric or not math.isfinite(stddev) or stddev < 0:
        raise ValueError(f"{who} needs a finite stddev of at least 0. Received: stddev={stddev!r}")
