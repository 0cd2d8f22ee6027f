"""Random numbers for kernels: pure functions of a seed, the same numbers eagerly, in a graph and under XLA.

The numbers are those of `core.seeds.uniform_noise` and `normal_noise`, in the shape of the state that they move.

`tfp.mcmc.sample_chain` splits its seed with TensorFlow's own choice of generator, which is another one under XLA: one
step agrees between the modes, a whole chain repeats within a mode.

A compiled loop that draws as it goes spends half its time on it: XLA makes the random bits of a small draw four times
over. Drawn before the loop, for all its steps, they cost a quarter. Row t of the `*_ahead` functions is for step t, and
a longer draw begins like a shorter one.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf
import tensorflow_probability as tfp

from keras_course.core.seeds import normal_noise, seed_pair, uniform_noise

__all__ = [
    "draw_indices",
    "draw_indices_ahead",
    "draw_normal",
    "draw_normal_ahead",
    "draw_uniform",
    "draw_uniform_ahead",
    "split_seed",
]


def split_seed(seed: Any, count: int) -> list[Any]:
    """Independent seeds from one.

    Args:
        seed: int, int32 tensor (2,), or None for a fresh one.
        count: int, how many.

    Returns:
        List of int32 tensors (2,).

    Example:
        >>> [each.shape.as_list() for each in split_seed(7, 3)]
        [[2], [2], [2]]
    """
    pair = tfp.random.sanitize_seed(None) if seed is None else seed_pair(seed)
    return tf.unstack(_integers(pair, [count, 2]), num=count)


def draw_uniform(seed: Any, like: Any) -> Any:
    """Uniform numbers strictly between 0 and 1, in the shape and dtype of a tensor."""
    return tf.cast(uniform_noise(_shape(like), seed, _working_dtype(like)), like.dtype)


def draw_normal(seed: Any, like: Any) -> Any:
    """Standard normal numbers in the shape and dtype of a tensor."""
    return tf.cast(normal_noise(_shape(like), seed, _working_dtype(like)), like.dtype)


def draw_uniform_ahead(seed: Any, like: Any, count: int) -> Any:
    """Uniform numbers strictly between 0 and 1 for `count` steps: tensor (count, ...) in the dtype of `like` (...)."""
    return tf.cast(uniform_noise(_rows(like, count), seed, _working_dtype(like)), like.dtype)


def draw_normal_ahead(seed: Any, like: Any, count: int) -> Any:
    """Standard normal numbers for `count` steps: tensor (count, ...) in the dtype of `like` (...).

    They are normal quantiles of uniform numbers: XLA turns those into vector instructions, and the sines and cosines of
    `draw_normal` into calls of a library, twice as slow. Float32 is good to 2e-5 there, to 6e-7 elsewhere.
    """
    return tf.cast(tf.math.ndtri(uniform_noise(_rows(like, count), seed, _working_dtype(like))), like.dtype)


def draw_indices(seed: Any, count: int, below: int) -> Any:
    """`count` integers in [0, below), drawn with replacement: int32 tensor (count,)."""
    return tf.random.stateless_uniform([count], seed, 0, below, tf.int32, alg="philox")


def draw_indices_ahead(seed: Any, count: int, below: int, steps: int) -> Any:
    """`count` integers in [0, below) for each of `steps` steps, drawn with replacement: int32 tensor (steps, count)."""
    return tf.random.stateless_uniform([steps, count], seed, 0, below, tf.int32, alg="philox")


def _integers(seed: Any, shape: Any) -> Any:
    return tf.random.stateless_uniform(shape, seed, None, None, tf.int32, alg="philox")


def _working_dtype(like: Any) -> Any:
    return "float64" if like.dtype == tf.float64 else "float32"


def _rows(like: Any, count: int) -> Any:
    shape = _shape(like)
    return [count, *shape] if isinstance(shape, list) else tf.concat([[count], shape], 0)


def _shape(like: Any) -> Any:
    return like.shape.as_list() if like.shape.is_fully_defined() else tf.shape(like)
