"""Independent counts, from the logarithm of their rates.

P(y_d = k | x) = rate_d**k exp(-rate_d) / k!,   rate_d = exp(parameters_d)
-log P(y | x) = sum_d exp(s_d) - y_d s_d + log y_d!
"""

from __future__ import annotations

import dataclasses
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_course.core.shapes import require_positive_int
from keras_course.distributions.families.family import Family, tfp_distributions
from keras_course.distributions.families.table import register_family
from keras_course.distributions.inversion import smallest_integer


@register_family("poisson")
@dataclasses.dataclass(frozen=True)
class Poisson(Family):
    """D independent Poisson counts; negative or fractional labels have log-probability -inf.

        log P(y | x) = sum_d y_d s_d - exp(s_d) - log y_d!

    A rate beyond the range of the dtype (s > 88 in float32) is infinite, and so is the loss.

    Args:
        event_size: int >= 1, D.

    Raises:
        ValueError: if event_size < 1.

    Example:
        >>> Poisson().parameter_size
        1

    Source: C 4.3.1.
    """

    event_size: int = 1

    def __post_init__(self) -> None:
        require_positive_int("Poisson", event_size=self.event_size)

    @property
    def parameter_size(self) -> int:
        return self.event_size

    def distribution(self, parameters: Any) -> Any:
        """tfd.Independent(tfd.Poisson(log_rate)): batch (...), event (D,), draws in the parameters' dtype."""
        tfd = tfp_distributions()
        return tfd.Independent(tfd.Poisson(log_rate=self.checked(parameters)), reinterpreted_batch_ndims=1)

    def in_support(self, labels: Any) -> Any:
        return ops.logical_and(labels >= 0, labels == ops.floor(labels))

    @property
    def uniforms(self) -> int:
        return self.event_size

    def from_uniforms(self, parameters: Any, uniform: Any) -> Any:
        below_one = 1 - (2.0**-24 if keras.backend.standardize_dtype(parameters.dtype) == "float32" else 2.0**-53)
        return self.marginal_quantile(parameters, ops.minimum(ops.cast(uniform, parameters.dtype), below_one))

    def parameters_of(self, labels: Any) -> Any:
        labels = np.reshape(labels, (-1, self.event_size)).astype("float64")
        return np.log((labels.sum(axis=0) + 0.5) / len(labels))

    def marginal_cdf(self, parameters: Any, value: Any) -> Any:
        return tfp_distributions().Poisson(log_rate=self.checked(parameters)).cdf(value)

    def marginal_quantile(self, parameters: Any, q: Any) -> Any:
        rate = ops.exp(self.checked(parameters))
        # P(y >= rate + t) <= exp(-t**2 / (2 (rate + t / 3))), below 1e-26 for this t whatever the rate.
        bound = ops.floor(rate + 12 * ops.sqrt(rate) + 40)
        value = smallest_integer(lambda count: self.marginal_cdf(parameters, count) >= q, bound, q)
        return ops.where(q < 1, value, ops.full_like(value, float("inf")))
