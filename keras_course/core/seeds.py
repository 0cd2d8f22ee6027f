"""Seeds and noise that repeat: pure functions of names and counters, no hidden state.

    derive_seed(root, *path)         = first 31 bits of sha256("root/path/...")
    stateless_seed(root, salt, step) = [derive_seed(root, salt), step]
    uniform_noise                    = (bits + 1/2) / 2^k,   k = 23 or 52 random bits      strictly inside (0, 1)
    normal_noise                     = sqrt(-2 log u_1) cos(2 pi u_2),  sqrt(-2 log u_1) sin(2 pi u_2)

Keras draws initial weights from a stream, so that one unrelated layer built earlier changes all later ones, and its
SeedGenerator is saved by no format. A seed derived from the layer's own path and the step count has neither fault:
the same layer starts the same in every model, and a resumed run draws what the uninterrupted one would have drawn.

TensorFlow's stateless integers agree bit for bit between eager code, graphs, XLA and a SavedModel when the Philox
generator is named; its uniform and normal numbers, made from those integers by other code in each mode, do not. So the
integers are drawn and the rest is written out.
"""

from __future__ import annotations

import hashlib
import math
from numbers import Integral
from typing import Any


def derive_seed(root: int, *path: object) -> int:
    """A 31-bit seed for one named part, independent of build order.

    Args:
        root: int, the run's or model's seed.
        *path: names or numbers that say which part ("encoder", "dense", 0, "kernel").

    Returns:
        Python int in [0, 2**31).

    Example:
        >>> derive_seed(0, "conv1", "kernel") == derive_seed(0, "conv1", "kernel")
        True
        >>> derive_seed(0, "conv1", "kernel") == derive_seed(1, "conv1", "kernel")
        False
    """
    text = "/".join([str(int(root)), *(str(part) for part in path)])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big") >> 1


def stateless_seed(root: int, salt: str, step: Any) -> Any:
    """The seed pair that stateless random functions take.

    Args:
        root: int, the model's seed.
        salt: str, which draw this is, so that two draws of one step differ.
        step: int or integer tensor, usually `optimizer.iterations`.

    Returns:
        int32 tensor (2,).
    """
    from keras import ops

    first = ops.convert_to_tensor(derive_seed(root, salt), dtype="int32")
    return ops.stack([first, ops.cast(step, "int32")])


def seed_pair(seed: Any) -> Any:
    """What stateless random functions take: an int s as [bits of s above the lowest 31, lowest 31], a pair as it is.

    Args:
        seed: int, or integer tensor (2,).

    Returns:
        int32 tensor (2,); [0, s] for 0 <= s < 2**31.

    Raises:
        ValueError: for anything else.

    Example:
        >>> seed_pair(3).numpy().tolist(), seed_pair(2**31 + 3).numpy().tolist()
        ([0, 3], [1, 3])
    """
    from keras import ops

    if isinstance(seed, Integral) and not isinstance(seed, bool):
        return ops.convert_to_tensor([int(seed) >> 31 & 0x7FFFFFFF, int(seed) & 0x7FFFFFFF], dtype="int32")
    if not isinstance(seed, list | tuple) and not hasattr(seed, "shape"):
        raise ValueError(f"A seed is an int or a pair of them. Received: seed={seed!r}")
    given = seed if hasattr(seed, "shape") else ops.convert_to_tensor(seed)
    if "int" not in str(given.dtype) or tuple(given.shape) not in ((2,), (None,)):
        raise ValueError(f"A seed is an int or a pair of them. Received: seed={seed!r}")
    return ops.cast(given, "int32")


def fold_in(seed: Any, index: Any) -> Any:
    """A seed of its own for each of many draws, so that those of one seed never meet those of the next.

    fold_in(seed, index) = [bits of seed, index]

    Args:
        seed: integer tensor (2,).
        index: int or scalar integer tensor, which draw.

    Returns:
        int32 tensor (2,).

    Example:
        >>> first, second = fold_in([0, 1], 1), fold_in([0, 2], 0)
        >>> bool((first == second).numpy().all())
        False
    """
    import tensorflow as tf

    bits = tf.random.stateless_uniform((), seed, None, None, tf.int32, alg="philox")
    return tf.stack([bits, tf.cast(index, "int32")])


def uniform_noise(shape: Any, seed: Any, dtype: Any = "float32") -> Any:
    """Uniform numbers strictly between 0 and 1.

    Args:
        shape: ints and scalar integer tensors, or an integer tensor.
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
        shape: ints and scalar integer tensors, or an integer tensor.
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

    known = isinstance(shape, list | tuple) and all(isinstance(length, int) for length in shape)
    size = math.prod(shape) if known else tf.reduce_prod(tf.stack(shape))
    uniform = uniform_noise((2, (size + 1) // 2), seed, dtype)
    radius, angle = tf.sqrt(-2.0 * tf.math.log(uniform[0])), (2.0 * math.pi) * uniform[1]
    pair = tf.concat([radius * tf.cos(angle), radius * tf.sin(angle)], axis=0)
    return tf.reshape(pair[:size], shape)
