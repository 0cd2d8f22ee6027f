"""Weights uniform on an interval that shrinks with the number of inputs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras

from keras_course.core.serial import register
from keras_course.ops.initial_scale import fans, uniform_fan_in_limit

__all__ = ["UniformFanIn"]


@register("UniformFanIn")
class UniformFanIn(keras.initializers.Initializer):
    """U(-1/sqrt(m), 1/sqrt(m)) for m inputs.

        W_ij ~ U(-1/sqrt(m), 1/sqrt(m)),   variance 1 / (3 m)

    Inputs of variance 1 then make nets of variance 1/3, whatever the width. The same as
    keras.initializers.VarianceScaling(1/3, "fan_in", "uniform"). Random draws break the symmetry between units: two
    units that start equal stay equal. Biases usually start at constants.

    Args:
        seed: int, keras.random.SeedGenerator, or None. The same int gives the same weights at every call.

    Raises:
        ValueError: for a scalar, or a shape with a size below 1.

    Example:
        >>> weights = UniformFanIn(seed=1)((16, 3))
        >>> bool(keras.ops.max(keras.ops.abs(weights)) <= 0.25)
        True

    Source: C 7.4.
    """

    def __init__(self, seed: Any = None) -> None:
        self.seed = keras.saving.deserialize_keras_object(seed) if isinstance(seed, dict) else seed

    def limit(self, shape: Sequence[int]) -> float:
        """Half-width of the interval for a kernel of this shape."""
        return uniform_fan_in_limit(fans(shape)[0])

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Any:
        limit = self.limit(shape)
        return keras.random.uniform(shape, -limit, limit, dtype=dtype, seed=self.seed)

    def get_config(self) -> dict[str, Any]:
        return {"seed": keras.saving.serialize_keras_object(self.seed)}
