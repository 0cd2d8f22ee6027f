"""One of K classes, from unnormalised log-probabilities.

P(y = i | x) = softmax(z)_i = exp(z_i) / sum_j exp(z_j),   parameters = (z_0 ... z_{K-1})
-log P(y = i | x) = logsumexp(z) - z_i
"""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar

import numpy as np
from keras import ops

from keras_course.core.shapes import require_positive_int
from keras_course.distributions.families.family import Family, tfp_distributions
from keras_course.distributions.families.table import register_family


@register_family("categorical")
@dataclasses.dataclass(frozen=True)
class Categorical(Family):
    """A class index 0 ... K-1; labels that are no index below K have log-probability -inf, under XLA too.

        log P(y = i | x) = z_i - log sum_j exp(z_j)

    Classes have no order and no unit, so there is no mean, standard deviation or quantile: use `mode` or
    `probabilities`.

    Args:
        event_size: int >= 1, number of classes K. One label is a scalar: event_shape is ().

    Raises:
        ValueError: if event_size < 1.

    Example:
        >>> Categorical(event_size=10).event_shape
        ()

    Source: C 4.3.
    """

    event_size: int = 2
    undefined: ClassVar[frozenset[str]] = frozenset({"mean", "stddev", "quantile"})

    def __post_init__(self) -> None:
        require_positive_int("Categorical", event_size=self.event_size)

    @property
    def parameter_size(self) -> int:
        return self.event_size

    @property
    def event_shape(self) -> tuple[int, ...]:
        return ()

    def distribution(self, parameters: Any) -> Any:
        """tfd.Categorical(logits): batch (...), event (), draws int32."""
        return tfp_distributions().Categorical(logits=self.checked(parameters))

    def probabilities(self, parameters: Any) -> Any:
        """softmax(parameters), tensor (..., K)."""
        return ops.softmax(self.checked(parameters), axis=-1)

    @property
    def uniforms(self) -> int:
        return self.event_size

    def from_uniforms(self, parameters: Any, uniform: Any) -> Any:
        gumbel = -ops.log(-ops.log(uniform))  # the greatest of z_i + gumbel_i is class i with probability softmax(z)_i
        return ops.argmax(ops.cast(parameters, uniform.dtype) + gumbel, axis=-1)

    def parameters_of(self, labels: Any) -> Any:
        counts = np.bincount(np.reshape(labels, -1).astype("int64"), minlength=self.event_size) + 0.5
        return np.log(counts / counts.sum())

    def in_support(self, labels: Any) -> Any:
        return ops.logical_and(ops.logical_and(labels >= 0, labels < self.event_size), labels == ops.floor(labels))

    def event_of(self, labels: Any) -> Any:
        return ops.cast(labels, "int32")
