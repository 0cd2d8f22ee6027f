"""The noise that bounds are measured with, and how many draws of it a caller may ask for."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from keras_course.core.seeds import normal_noise
from keras_course.core.shapes import require_positive_int

__all__ = ["balanced_noise", "checked_draws"]


def balanced_noise(count: int, width: int, seed: Any, dtype: Any) -> Any:
    """Standard normal numbers in antithetic pairs e, -e, so that their mean is 0 for an even count.

    Args:
        count: int >= 1, K; the last of an odd number has no partner.
        width: int >= 1, D.
        seed: integer tensor (2,).
        dtype: "float32" or "float64".

    Returns:
        Tensor (K, D): the pairs' first halves, then their second.

    Example:
        >>> noise = balanced_noise(6, 2, [0, 1], "float32")
        >>> bool(tf.reduce_all(noise[:3] == -noise[3:]))
        True
    """
    half = normal_noise(((count + 1) // 2, width), seed, dtype)
    return tf.concat([half, -half], axis=0)[:count]


def checked_draws(n: Any, who: str = "log_prob_importance_weighted") -> Any:
    """n, a number of draws.

    Raises:
        ValueError: for a number n < 1. A served tensor n < 1 is an InvalidArgumentError.
    """
    if not tf.is_tensor(n):
        require_positive_int(who, n=n)
        return n
    positive = tf.debugging.assert_positive(n, f"{who} needs n >= 1 draws")
    with tf.control_dependencies([positive] if positive is not None else []):
        return tf.identity(n)
