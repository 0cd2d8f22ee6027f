"""Sinusoidal positions: a sequence model without recurrence learns from them where each token stands."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from keras_course.core.shapes import require_positive_int, require_rank

__all__ = ["positional_encoding"]


def positional_encoding(positions: Any, depth: int, base: float = 10000.0) -> Any:
    """Sines and cosines of falling frequency, one row a position.

    P[k, 2i]     = sin(k / base**(2i/depth))
    P[k, 2i + 1] = cos(k / base**(2i/depth))

    The same i serves a sine and a cosine column; an odd depth ends on a sine. A shift of all positions by m rotates
    each pair by m / base**(2i/depth), so relative position is a linear function of the encoding.

    Args:
        positions: tensor (T,), positions k, need not start at 0 nor be whole. Integers are cast to Keras's float type.
        depth: int >= 1, width D of the encoding.
        base: float > 1, called n in the notes.

    Returns:
        Tensor (T, D), values in [-1, 1], dtype of the positions.

    Raises:
        ValueError: if depth < 1, base <= 1 or positions are not of rank 1.

    Example:
        >>> positions = ops.arange(2, dtype="float64")
        >>> ops.convert_to_numpy(positional_encoding(positions, depth=4, base=100.0)).round(2).tolist()
        [[0.0, 1.0, 0.0, 1.0], [0.84, 0.54, 0.1, 1.0]]

    Source: C 14.3; Vaswani et al. 2017.
    """
    require_positive_int("positional_encoding", depth=depth)
    if not base > 1:
        raise ValueError(f"positional_encoding needs base > 1. Received: base={base}")
    positions = ops.convert_to_tensor(positions)
    require_rank("positional_encoding", positions.shape, 1)
    if not keras.backend.is_float_dtype(positions.dtype):
        positions = ops.cast(positions, keras.config.floatx())
    # Wavelengths are known before any tensor: Python's float64 keeps base**(2i/D) exact to the last bit of any dtype.
    wavelength = ops.convert_to_tensor([float(base) ** (2 * (j // 2) / depth) for j in range(depth)], positions.dtype)
    angle = positions[:, None] / wavelength  # (T, D)
    is_sine = ops.arange(depth) % 2 == 0  # (D,)
    return ops.where(is_sine, ops.sin(angle), ops.cos(angle))
