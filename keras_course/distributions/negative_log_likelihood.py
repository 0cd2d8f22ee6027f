"""The loss that every output distribution shares.

    L(y, omega) = -log p(y; omega),   J(theta) = -E_{(x, y) ~ data} log p_model(y | x; theta)

For a unit-variance normal this is half the squared error plus a constant, for a Bernoulli the logistic loss, for a
categorical the softmax loss.
"""

from __future__ import annotations

from typing import Any

import keras

from keras_course.core.serial import register
from keras_course.distributions.families import get_family


@register("NegativeLogLikelihood")
class NegativeLogLikelihood(keras.losses.Loss):
    """-log p(y | x) in nats, one number a sample, of the distribution whose parameters the model returns.

        L = -log p(y; parameters)

    Labels outside the support (a class index >= K, a negative or fractional count, a Bernoulli label that is neither
    0 nor 1) cost +inf, eagerly, in graphs and under XLA: never a silent number. Keras hands labels to losses as
    floats, so class indices and counts are exact up to 2**24 in float32.

    Args:
        family: a `DistributionOutput`, a `Family`, or a family's name.
        event_size, components, component_family: as in `DistributionOutput`, for a family given by name.
        reduction: as keras.losses.Loss; "sum_over_batch_size" is the mean over samples.
        name: str.
        dtype: dtype to compute in, at least float32; None takes that of the head if one is given, else Keras's
            floatx.

    Input shape: labels (B, ..., D), or (B, ...) if D = 1; class indices (B, ...) or (B, ..., 1).
    Parameters (B, ..., P).

    Raises:
        ValueError: if labels and parameters do not fit together; nothing is broadcast.

    Example:
        >>> loss = NegativeLogLikelihood("bernoulli")
        >>> round(float(loss([[1.0]], [[0.0]])), 6)  # log 2
        0.693147
        >>> float(NegativeLogLikelihood("categorical", 3)([3], [[0.0, 0.0, 0.0]]))
        inf

    Source: C 4.3; C 4.3.1.
    """

    def __init__(
        self,
        family: Any,
        event_size: int | None = None,
        components: int | None = None,
        component_family: Any = None,
        reduction: str | None = "sum_over_batch_size",
        name: str = "negative_log_likelihood",
        dtype: Any = None,
    ) -> None:
        if dtype is None and isinstance(family, keras.layers.Layer):
            dtype = family.dtype_policy.variable_dtype
        policy = keras.dtype_policies.get(dtype or keras.config.floatx())
        wide = policy.compute_dtype if policy.compute_dtype in ("float32", "float64") else "float32"
        super().__init__(name=name, reduction=reduction, dtype=wide)
        self.family = get_family(family, event_size, components=components, component_family=component_family)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        return -self.family.log_prob(y_pred, y_true)  # (B, ...)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "family": keras.saving.serialize_keras_object(self.family),
            "dtype": self.dtype,
        }
