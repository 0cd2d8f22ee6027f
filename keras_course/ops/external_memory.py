"""How a network addresses, reads and writes a memory of N slots, differentiably.

    content      w_c(i) = softmax_i(beta cosine(k, M_i))                  which slot looks like the key
    interpolate  w_g    = g w_c + (1 - g) w_before                        or where the head was before
    shift        w_s(i) = sum_j w_g(j) s(i - j mod N)                     and some slots on, round the end
    sharpen      w(i)   = w_s(i)^gamma / sum_j w_s(j)^gamma               undo what the shift blurred
    write        M_i   <- M_i prod_a (1 - w_a(i) e_a) + sum_a w_a(i) v_a  erase, then add; all heads at once
    read         r_a    = sum_i w_a(i) M_i

Letters of shapes: B batch, A heads, N slots, M numbers a slot, S shifts. Addressing is computed in float32 where the
inputs have sixteen bits: squares of small memories underflow there.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

__all__ = [
    "SMALLEST_SQUARE",
    "content_weights",
    "interpolated_weights",
    "read_memory",
    "sharpened_weights",
    "shifted_weights",
    "write_memory",
]

SMALLEST_SQUARE = 1e-6  # added to squared lengths: vectors much shorter than 0.001 resemble nothing


def content_weights(memory: Any, keys: Any, strengths: Any) -> Any:
    """Weights of the slots by their likeness to a key.

    w(i) = softmax_i(beta K(k, M_i)),   K(u, v) = u.v / (sqrt(u.u + c) sqrt(v.v + c)),   c = 1e-6

    K is the cosine but for c, which makes an empty slot (zeros) resemble nothing: K = 0 with a finite gradient, where
    the cosine itself is 0/0.

    Args:
        memory: tensor (B, N, M).
        keys: tensor (B, A, M), k of each head.
        strengths: tensor (B, A), beta >= 0.

    Returns:
        Tensor (B, A, N), each row sums to 1.

    Example:
        >>> import numpy as np
        >>> memory, key = np.array([[[1.0, 0.0], [0.0, 1.0]]]), np.array([[[3.0, 0.0]]])
        >>> [round(float(w), 4) for w in content_weights(memory, key, np.array([[2.0]]))[0, 0]]
        [0.8808, 0.1192]

    Source: S 9.5; Graves et al. 2014, equations 5 and 6.
    """
    memory, keys, strengths = (_wide(each) for each in (memory, keys, strengths))
    products = ops.matmul(keys, ops.transpose(memory, (0, 2, 1)))  # (B, A, N)
    of_keys = ops.rsqrt(ops.sum(keys * keys, axis=-1) + SMALLEST_SQUARE)  # (B, A)
    of_slots = ops.rsqrt(ops.sum(memory * memory, axis=-1) + SMALLEST_SQUARE)  # (B, N)
    return ops.softmax((strengths * of_keys)[:, :, None] * products * of_slots[:, None, :], axis=-1)


def interpolated_weights(by_content: Any, before: Any, gates: Any) -> Any:
    """A mixture of where the content points and where the head was.

    w = g w_c + (1 - g) w_before

    Args:
        by_content: tensor (B, A, N).
        before: tensor (B, A, N), weights of the step before.
        gates: tensor (B, A), g in [0, 1]; 0 ignores the content.

    Returns:
        Tensor (B, A, N).

    Example:
        >>> import numpy as np
        >>> one, other = np.array([[[1.0, 0.0]]]), np.array([[[0.0, 1.0]]])
        >>> [float(w) for w in interpolated_weights(one, other, np.array([[0.25]]))[0, 0]]
        [0.25, 0.75]

    Source: S 9.5; Graves et al. 2014, equation 7.
    """
    gates = _wide(gates)[:, :, None]
    return gates * _wide(by_content) + (1 - gates) * _wide(before)


def shifted_weights(weights: Any, shifts: Any) -> Any:
    """Weights moved on along the slots, round the end: a circular convolution.

    w(i) = sum_o s(o) w_before(i - o mod N),   o = -(S - 1)/2 ... (S - 1)/2

    Column k of `shifts` moves by o = k - (S - 1)/2: the middle one stays, the last moves towards higher slots.

    Args:
        weights: tensor (B, A, N).
        shifts: tensor (B, A, S), S odd, a distribution over moves.

    Returns:
        Tensor (B, A, N).

    Raises:
        ValueError: for an even S.

    Example:
        >>> import numpy as np
        >>> on = np.array([[[0.0, 0.0, 1.0]]])
        >>> [float(w) for w in shifted_weights(np.array([[[0.0, 0.0, 1.0]]]), on)[0, 0]]
        [1.0, 0.0, 0.0]

    Source: S 9.5; Graves et al. 2014, equation 8.
    """
    weights, shifts = _wide(weights), _wide(shifts)
    count = shifts.shape[-1]
    if count % 2 == 0:
        raise ValueError(f"shifted_weights needs an odd number of shifts. Received: shifts of shape {shifts.shape}")
    middle = count // 2
    moved = [shifts[:, :, k : k + 1] * ops.roll(weights, k - middle, axis=-1) for k in range(count)]
    return sum(moved[1:], moved[0])


def sharpened_weights(weights: Any, powers: Any) -> Any:
    """Weights concentrated on their largest entries.

    w(i) = w_before(i)^gamma / sum_j w_before(j)^gamma  =  softmax_i(gamma log w_before(i))

    The second form is computed: 0^gamma has no gradient by gamma, and small powers underflow.

    Args:
        weights: tensor (B, A, N), w >= 0.
        powers: tensor (B, A), gamma >= 1.

    Returns:
        Tensor (B, A, N), each row sums to 1.

    Example:
        >>> import numpy as np
        >>> [round(float(w), 6) for w in sharpened_weights(np.array([[[0.25, 0.75]]]), np.array([[2.0]]))[0, 0]]
        [0.1, 0.9]

    Source: S 9.5; Graves et al. 2014, equation 9.
    """
    weights, powers = _wide(weights), _wide(powers)
    tiny = float(np.finfo(keras.backend.standardize_dtype(weights.dtype)).tiny)
    return ops.softmax(powers[:, :, None] * ops.log(ops.maximum(weights, tiny)), axis=-1)


def read_memory(memory: Any, weights: Any) -> Any:
    """What each head reads: r_a = sum_i w_a(i) M_i.

    Args:
        memory: tensor (B, N, M).
        weights: tensor (B, A, N).

    Returns:
        Tensor (B, A, M).

    Example:
        >>> import numpy as np
        >>> float(read_memory(np.array([[[2.0], [4.0]]]), np.array([[[0.5, 0.5]]]))[0, 0, 0])
        3.0

    Source: S 9.5; Graves et al. 2014, equation 2.
    """
    return ops.matmul(weights, memory)


def write_memory(memory: Any, weights: Any, erase: Any, add: Any) -> Any:
    """The memory after every head has erased and then added.

    M_i <- M_i prod_a (1 - w_a(i) e_a) + sum_a w_a(i) v_a

    All heads erase before any adds, so that their order does not matter. A slot is cleared only where both its weight
    and the erase vector are 1.

    Args:
        memory: tensor (B, N, M).
        weights: tensor (B, A, N).
        erase: tensor (B, A, M), e in [0, 1].
        add: tensor (B, A, M), v.

    Returns:
        Tensor (B, N, M).

    Example:
        >>> import numpy as np
        >>> memory, on_the_first = np.array([[[5.0], [7.0]]]), np.array([[[1.0, 0.0]]])
        >>> [float(slot) for slot in write_memory(memory, on_the_first, [[[1.0]]], [[[2.0]]])[0, :, 0]]
        [2.0, 7.0]

    Source: S 9.5; Graves et al. 2014, equations 3 and 4.
    """
    memory, weights = ops.convert_to_tensor(memory), ops.convert_to_tensor(weights)
    erase, add = ops.convert_to_tensor(erase, dtype=memory.dtype), ops.convert_to_tensor(add, dtype=memory.dtype)
    kept = memory
    for head in range(weights.shape[1]):
        kept = kept * (1 - weights[:, head, :, None] * erase[:, head, None, :])
    return kept + ops.matmul(ops.transpose(weights, (0, 2, 1)), add)


def _wide(x: Any) -> Any:
    """Tensors of at least 32 bits."""
    x = ops.convert_to_tensor(x)
    short = keras.backend.standardize_dtype(x.dtype) in ("float16", "bfloat16")
    return ops.cast(x, "float32") if short else x
