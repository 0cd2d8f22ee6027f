"""Random numbers for kernels: pure functions of a seed, the same numbers eagerly, in a graph and under XLA.

    uniform  u = (bits + 1/2) / 2^k                                     in (0, 1), k = 23 or 52
    normal   sqrt(-2 log u_1) cos(2 pi u_2), sqrt(-2 log u_1) sin(2 pi u_2)     (Box and Muller)

TensorFlow's random integers from the Philox generator agree bit for bit between the modes; its uniform and normal
numbers do not, and with XLA's own choice of generator they take some thirty times longer on a CPU. So the integers
are drawn, and the rest is written out here.

`tfp.mcmc.sample_chain` splits its seed with TensorFlow's own choice of generator, which is another one under XLA: one
step agrees between the modes, a whole chain repeats within a mode.
"""

from __future__ import annotations

import math
from typing import Any

import tensorflow as tf
import tensorflow_probability as tfp

__all__ = ["draw_indices", "draw_normal", "draw_uniform", "seed_pair", "split_seed"]


def seed_pair(seed: Any) -> Any:
    """A seed as an int32 tensor (2,).

    Args:
        seed: int, pair of ints, int32 tensor (2,), or None for a fresh one.

    Example:
        >>> seed_pair(7).numpy().tolist()
        [0, 7]
    """
    if isinstance(seed, int) and not isinstance(seed, bool):
        return tf.constant([seed >> 31 & 0x7FFFFFFF, seed & 0x7FFFFFFF], tf.int32)
    return tfp.random.sanitize_seed(seed)


def split_seed(seed: Any, count: int) -> list[Any]:
    """Independent seeds from one.

    Args:
        seed: as `seed_pair` takes.
        count: int, how many.

    Returns:
        List of int32 tensors (2,).

    Example:
        >>> [each.shape.as_list() for each in split_seed(7, 3)]
        [[2], [2], [2]]
    """
    return tf.unstack(_integers(seed_pair(seed), [count, 2], tf.int32), num=count)


def draw_uniform(seed: Any, like: Any) -> Any:
    """Uniform numbers strictly between 0 and 1, in the shape and dtype of a tensor."""
    return tf.cast(_uniform(seed, _shape(like), _working_dtype(like)), like.dtype)


def draw_normal(seed: Any, like: Any) -> Any:
    """Standard normal numbers in the shape and dtype of a tensor."""
    shape, dtype = _shape(like), _working_dtype(like)
    size = math.prod(shape) if isinstance(shape, list) else tf.size(like)
    uniform = _uniform(seed, [2, (size + 1) // 2], dtype)
    radius, angle = tf.sqrt(-2.0 * tf.math.log(uniform[0])), (2.0 * math.pi) * uniform[1]
    both = tf.concat([radius * tf.cos(angle), radius * tf.sin(angle)], 0)
    return tf.cast(tf.reshape(both[:size], shape), like.dtype)


def draw_indices(seed: Any, count: int, below: int) -> Any:
    """`count` integers in [0, below), drawn with replacement: int32 tensor (count,)."""
    return tf.random.stateless_uniform([count], seed, 0, below, tf.int32, alg="philox")


def _integers(seed: Any, shape: Any, dtype: Any) -> Any:
    return tf.random.stateless_uniform(shape, seed, None, None, dtype, alg="philox")


def _uniform(seed: Any, shape: Any, dtype: Any) -> Any:
    if dtype == tf.float64:
        high = tf.bitwise.right_shift(_integers(seed, shape, tf.uint64), tf.constant(12, tf.uint64))  # 52 bits
        return (tf.cast(tf.cast(high, tf.int64), dtype) + 0.5) * 2.0**-52
    high = tf.bitwise.right_shift(_integers(seed, shape, tf.uint32), tf.constant(9, tf.uint32))  # 23 bits
    return (tf.cast(tf.cast(high, tf.int32), dtype) + 0.5) * 2.0**-23


def _working_dtype(like: Any) -> Any:
    return tf.float64 if like.dtype == tf.float64 else tf.float32


def _shape(like: Any) -> Any:
    return like.shape.as_list() if like.shape.is_fully_defined() else tf.shape(like)
