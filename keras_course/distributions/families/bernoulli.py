"""Independent yes-or-no variables, from their logits.

    P(y_d = 1 | x) = sigma(z_d),   parameters = (z_1 ... z_D)
    -log P(y | x) = sum_d softplus((1 - 2 y_d) z_d)

Never a probability: the logarithm of the likelihood undoes the exponential of the sigmoid, so no logit saturates it.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from keras import ops

from keras_course.core.shapes import require_positive_int
from keras_course.distributions.families.family import Family, tfp_distributions
from keras_course.distributions.families.table import register_family


@register_family("bernoulli")
@dataclasses.dataclass(frozen=True)
class Bernoulli(Family):
    """D independent Bernoulli variables with labels exactly 0 or 1; anything else has log-probability -inf.

        log P(y | x) = -sum_d softplus((1 - 2 y_d) z_d)

    The mode of a fair coin is 0; the q-quantile is 1 where q > P(y = 0), else 0.

    Args:
        event_size: int >= 1, D.

    Raises:
        ValueError: if event_size < 1.

    Example:
        >>> Bernoulli(event_size=5).parameter_size
        5

    Source: C 4.3.
    """

    event_size: int = 1

    def __post_init__(self) -> None:
        require_positive_int("Bernoulli", event_size=self.event_size)

    @property
    def parameter_size(self) -> int:
        return self.event_size

    def distribution(self, parameters: Any) -> Any:
        """tfd.Independent(tfd.Bernoulli(logits)): batch (...), event (D,), draws in the parameters' dtype."""
        tfd = tfp_distributions()
        logits = self.checked(parameters)
        return tfd.Independent(tfd.Bernoulli(logits=logits, dtype=logits.dtype), reinterpreted_batch_ndims=1)

    def in_support(self, labels: Any) -> Any:
        return ops.logical_or(labels == 0, labels == 1)

    @property
    def uniforms(self) -> int:
        return self.event_size

    def from_uniforms(self, parameters: Any, uniform: Any) -> Any:
        return ops.cast(uniform < ops.sigmoid(ops.cast(parameters, uniform.dtype)), parameters.dtype)

    def parameters_of(self, labels: Any) -> Any:
        labels = np.reshape(labels, (-1, self.event_size)).astype("float64")
        ones = labels.sum(axis=0) + 0.5  # half a label of each kind keeps the logit finite
        return np.log(ones) - np.log(len(labels) + 1 - ones)

    def marginal_quantile(self, parameters: Any, q: Any) -> Any:
        logits = self.checked(parameters)
        return ops.cast(q > ops.sigmoid(-logits), logits.dtype)
