"""Weights uniform on an interval that weighs inputs against outputs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras

from keras_course.core.serial import register
from keras_course.ops.initial_scale import fans, normalized_limit

__all__ = ["NormalizedInitialization"]


@register("NormalizedInitialization")
class NormalizedInitialization(keras.initializers.Initializer):
    """U(-sqrt(6/(m + n)), sqrt(6/(m + n))) for m inputs and n outputs.

        W_ij ~ U(-sqrt(6/(m + n)), sqrt(6/(m + n))),   variance 2 / (m + n)

    A compromise between activations of equal variance in every layer (1/m) and gradients of equal variance (1/n).
    The same as keras.initializers.GlorotUniform, Keras's own default.

    Args:
        seed: int, keras.random.SeedGenerator, or None. The same int gives the same weights at every call.

    Raises:
        ValueError: for a scalar, or a shape with a size below 1.

    Example:
        >>> weights = NormalizedInitialization(seed=1)((16, 8))
        >>> bool(keras.ops.max(keras.ops.abs(weights)) <= 0.5)
        True

    Source: C 7.4; Glorot and Bengio 2010.
    """

    def __init__(self, seed: Any = None) -> None:
        self.seed = keras.saving.deserialize_keras_object(seed) if isinstance(seed, dict) else seed

    def limit(self, shape: Sequence[int]) -> float:
        """Half-width of the interval for a kernel of this shape."""
        return normalized_limit(*fans(shape))

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Any:
        limit = self.limit(shape)
        return keras.random.uniform(shape, -limit, limit, dtype=dtype, seed=self.seed)

    def get_config(self) -> dict[str, Any]:
        return {"seed": keras.saving.serialize_keras_object(self.seed)}
