"""The layer that adds sinusoidal positions to a sequence of vectors."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from keras_course.core.serial import register
from keras_course.core.shapes import require_positive_int, require_rank
from keras_course.ops.positional import positional_encoding

__all__ = ["PositionalEncoding"]


@register("PositionalEncoding")
class PositionalEncoding(keras.layers.Layer):
    """Adds to each vector of a sequence the encoding of its position.

    y[b, k, 2i]     = x[b, k, 2i]     + sin(k / base**(2i/D))
    y[b, k, 2i + 1] = x[b, k, 2i + 1] + cos(k / base**(2i/D))

    No weights, so any length serves, also in an exported model. The table is computed in float32 at least (float64
    under a float64 policy) and only then cast to the compute dtype: bfloat16 cannot count beyond 256.

    Args:
        base: float > 1, called n in the notes; the longest wavelength is nearly 2 pi base.
        **kwargs: as keras.layers.Layer.

    Input shape:
        (batch, length, D), D known and at least 1, even or odd. A mask passes through.

    Output shape:
        As the input.

    Raises:
        ValueError: if base <= 1, or the input has not rank 3 or has no depth.

    Example:
        >>> table = PositionalEncoding(base=100.0, dtype="float64")(ops.zeros((1, 2, 4)))[0]
        >>> ops.convert_to_numpy(table).round(2).tolist()
        [[0.0, 1.0, 0.0, 1.0], [0.84, 0.54, 0.1, 1.0]]

    Source: C 14.3; Vaswani et al. 2017.
    """

    def __init__(self, base: float = 10000.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if isinstance(base, bool) or not isinstance(base, int | float) or not base > 1:
            raise ValueError(f"PositionalEncoding needs base > 1. Received: base={base!r}")
        self.base = base
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        require_rank("PositionalEncoding", input_shape, 3)
        require_positive_int("PositionalEncoding", depth=input_shape[-1])
        self.built = True

    def call(self, inputs: Any) -> Any:
        length = ops.shape(inputs)[1]
        dtype = "float64" if self.compute_dtype == "float64" else "float32"
        table = positional_encoding(ops.arange(length, dtype=dtype), inputs.shape[-1], self.base)  # (T, D)
        return inputs + ops.cast(table, self.compute_dtype)  # (B, T, D)

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        require_rank("PositionalEncoding", input_shape, 3)
        return tuple(input_shape)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "base": self.base}
