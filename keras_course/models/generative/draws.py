"""The noise that bounds are measured with."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from keras_course.core.seeds import normal_noise

__all__ = ["balanced_noise"]


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
