"""Where Markov chains of binary units start, their seeds, the noise that decides them, and what waits for whom.

    u[n, j] = (a[n, j] + r[j]) / 2^16,   a: 16 bits of each number,   r = (7 bits + 1/2) / 2^7 of each column

Convention that bites. Every u is uniform on the same 2^23 points as `core.seeds.uniform_noise`, at half the price, and
numbers of one row are independent. Two rows share the low bits of a column: decisions u < p in them have a covariance
of at most 2^-34, because the low bits decide only where the first sixteen do not. For decisions alone: do not make
other distributions of these numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from keras import ops

from keras_course.core.loops import after
from keras_course.core.seeds import uniform_noise

__all__ = ["decision_noise", "fair_coins", "gibbs_seeds", "one_of", "rows_of", "there_after"]

ALIGNED = 32  # numbers of 16 bits in 64 bytes


def fair_coins(seed: int) -> Callable[..., Any]:
    """An initializer of 0 and 1 with equal chances, a function of the seed and the shape alone.

    Example:
        >>> float(ops.mean(fair_coins(0)((100, 100)))) < 0.55
        True

    Source: C 18.3.
    """

    def draw(shape: Any, dtype: Any = None) -> Any:
        bits = np.random.Generator(np.random.Philox(key=seed)).integers(0, 2, size=tuple(shape))
        return ops.convert_to_tensor(bits, dtype=dtype or "float32")

    return draw


def gibbs_seeds(seed: Any, steps: int) -> list[Any]:
    """A stateless seed a sweep, from the seed (2,) of the training step."""
    return tf.unstack(tf.random.split(seed, steps, alg="philox"))


def decision_noise(rows: Any, widths: tuple[int, ...], seed: Any, dtype: str = "float32") -> tuple[Any, ...]:
    """Uniform numbers to hold probabilities against, a matrix a layer.

    Args:
        rows: int or scalar integer tensor N.
        widths: ints, units of each layer.
        seed: integer tensor (2,).
        dtype: "float32", or "float64", whose 52 bits are all a number's own.

    Returns:
        Tuple of tensors (N, width), strictly inside (0, 1).

    Example:
        >>> hidden, visible = decision_noise(2, (3, 5), [0, 1])
        >>> tuple(hidden.shape), tuple(visible.shape)
        ((2, 3), (2, 5))

    Source: Salmon et al. 2011.
    """
    columns = sum(widths)
    if dtype == "float64":
        flat, low = uniform_noise((rows * columns,), seed, dtype), None
    else:
        aligned = -(-columns // ALIGNED) * ALIGNED  # so that a slice behind it needs no copy
        words = tf.random.stateless_uniform(
            ((aligned + rows * columns + 1) // 2,), seed, None, None, tf.uint32, alg="philox"
        )
        bits = tf.reshape(tf.bitcast(words, tf.uint16), (-1,))
        shared = tf.bitwise.right_shift(bits[:columns], tf.constant(9, tf.uint16))
        low, flat = (tf.cast(shared, dtype) + 0.5) / 128, bits[aligned:]  # (columns,)
    found, first = [], 0
    for width in widths:
        own = tf.reshape(flat[rows * first : rows * (first + width)], (rows, width))
        found.append(own if low is None else (tf.cast(own, dtype) + low[first : first + width]) * 2.0**-16)
        first += width
    return tuple(found)


def one_of(chances: Any, uniforms: Any) -> Any:
    """Zeros and a one at the class that a uniform number decides.

    Args:
        chances: tensor (B, K), rows that sum to 1.
        uniforms: tensor (B,) in (0, 1).

    Returns:
        Tensor (B, K).

    Example:
        >>> one_of(tf.constant([[0.25, 0.5, 0.25]]), tf.constant([0.8])).numpy().tolist()
        [[0.0, 0.0, 1.0]]
    """
    below = ops.cumsum(chances, axis=-1)[:, :-1]  # (B, K - 1)
    chosen = ops.sum(ops.cast(uniforms[:, None] >= below, "int32"), axis=-1)
    return ops.one_hot(chosen, chances.shape[-1], dtype=chances.dtype)


def rows_of(noise: tuple[Any, ...], start: Any, rows: Any, total: Any) -> tuple[Any, ...]:
    """This replica's rows of the whole batch's noise; nothing is copied where there is one replica.

    Args:
        noise: tensors (total, ...).
        start: scalar, as `core.model.Model.share_of_batch` gives it.
        rows: scalar, rows of this replica.
        total: scalar, `rows` itself where there is one replica.
    """
    return noise if rows is total else tuple(each[start : start + rows] for each in noise)


def there_after(first: Sequence[Any], tensors: Sequence[Any]) -> list[Any]:
    """The same tensors, made when the first are.

    For losses in phases that read weights which only the other phase moves: TensorFlow's graph optimizer lets such a
    read come after the update, once in ten to fifty steps.
    """
    with after(first):
        return [tf.identity(each) for each in tensors]
