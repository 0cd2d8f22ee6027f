"""Noise that is the same eagerly, in a graph, under XLA and in a SavedModel: a pure function of a seed and a shape.

    uniform  u = (bits + 1/2) / 2^k,   k = 23 or 52 random bits          strictly inside (0, 1)
    normal   sqrt(-2 log u_1) cos(2 pi u_2),  sqrt(-2 log u_1) sin(2 pi u_2)    (Box and Muller 1958)

TensorFlow's stateless integers agree bit for bit between these modes when the Philox generator is named; its uniform
and normal numbers, made from those integers by other code in each mode, do not. So the integers are drawn and the rest
is written out.
"""

from __future__ import annotations

import math
from typing import Any

__all__ = ["normal_noise", "uniform_noise"]


def uniform_noise(shape: Any, seed: Any, dtype: Any = "float32") -> Any:
    """Uniform numbers strictly between 0 and 1.

    Args:
        shape: ints and scalar integer tensors.
        seed: integer tensor (2,), as `core.model.Model.step_seed` returns.
        dtype: "float32" or "float64".

    Returns:
        Tensor.

    Example:
        >>> bool((uniform_noise((2,), [0, 1]) == uniform_noise((2,), [0, 1])).numpy().all())
        True

    Source: Salmon et al. 2011.
    """
    import tensorflow as tf

    # (unsigned bits of one number, bits dropped, a signed type that holds the rest exactly)
    bits, dropped, signed = (tf.uint64, 12, tf.int64) if dtype == "float64" else (tf.uint32, 9, tf.int32)
    drawn = tf.random.stateless_uniform(shape, seed, None, None, bits, alg="philox")
    kept = tf.cast(tf.bitwise.right_shift(drawn, tf.constant(dropped, bits)), signed)
    return (tf.cast(kept, dtype) + 0.5) * 2.0 ** (dropped - 8 * bits.size)


def normal_noise(shape: Any, seed: Any, dtype: Any = "float32") -> Any:
    """Standard normal numbers.

    Args:
        shape: ints and scalar integer tensors.
        seed: integer tensor (2,).
        dtype: "float32" or "float64".

    Returns:
        Tensor.

    Example:
        >>> tuple(normal_noise((3, 2), [0, 1]).shape)
        (3, 2)

    Source: Box and Muller 1958.
    """
    import tensorflow as tf

    size = tf.reduce_prod(tf.stack(shape))
    uniform = uniform_noise((2, (size + 1) // 2), seed, dtype)
    radius, angle = tf.sqrt(-2.0 * tf.math.log(uniform[0])), (2.0 * math.pi) * uniform[1]
    pair = tf.concat([radius * tf.cos(angle), radius * tf.sin(angle)], axis=0)
    return tf.reshape(pair[:size], shape)
