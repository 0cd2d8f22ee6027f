"""Weights with which a transposed convolution starts as bilinear interpolation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from keras_course.core.serial import register
from keras_course.core.shapes import require_rank
from keras_course.ops.transposed_convolution import bilinear_weights

__all__ = ["Bilinear"]


@register("Bilinear")
class Bilinear(keras.initializers.Initializer):
    """A product of two tents, each channel into itself.

        K[a, b, c, c'] = w(a) w(b) [c = c'],   w(a) = 1 - |a - centre| / factor

    A transposed convolution of stride f, padding "same" and a kernel of 2 f (2 f - 1 for odd f) then enlarges f times,
    as bilinear resizing does, up to the f // 2 samples next to the border, where zeros come in.

    Args:
        none: what it is called with is the shape (height, width, C, C) and a dtype, as every Keras initializer.

    Raises:
        ValueError: for a shape that is not (height, width, C, C).

    Example:
        >>> kernel = Bilinear()((4, 4, 2, 2))
        >>> float(kernel[1, 1, 0, 0]), float(kernel[1, 1, 0, 1])
        (0.5625, 0.0)

    Source: Long, Shelhamer and Darrell 2015.
    """

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Any:
        require_rank("Bilinear", shape, 4)
        height, width, out, given = shape
        if out != given:
            raise ValueError(f"Bilinear needs as many channels out as in. Received: shape={tuple(shape)}")
        tent = np.outer(bilinear_weights(height), bilinear_weights(width))  # (height, width)
        return keras.ops.convert_to_tensor(tent[..., None, None] * np.eye(out), dtype=dtype or keras.config.floatx())

    def get_config(self) -> dict[str, Any]:
        return {}
