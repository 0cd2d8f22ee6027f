"""A Gaussian vector with a diagonal covariance, as one multivariate distribution.

    p(y | x) = N(y; loc, diag(scale**2))
    parameters = (loc_1 ... loc_D, r_1 ... r_D),   scale_d = minimum_scale + softplus(r_d + scale_offset)

The density is that of the normal family; the TFP object is another: a MultivariateNormalDiag knows `covariance()` and
its KL divergence to any other multivariate normal.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from keras_course.distributions.families.family import tfp_distributions
from keras_course.distributions.families.normal import Normal
from keras_course.distributions.families.table import register_family


@register_family("diagonal_gaussian")
@dataclasses.dataclass(frozen=True)
class DiagonalGaussian(Normal):
    """N(loc, diag(scale**2)) on vectors of D coordinates.

        log p(y | x) = sum_d -((y_d - loc_d) / scale_d)**2 / 2 - log scale_d - log(2 pi) / 2

    Args, statistics and quantiles (those of each coordinate) as `Normal`.

    Example:
        >>> DiagonalGaussian(event_size=3).event_shape
        (3,)

    Source: C 4.3.1.
    """

    def distribution(self, parameters: Any) -> Any:
        """tfd.MultivariateNormalDiag: batch (...), event (D,)."""
        location, scale = self.location_and_scale(parameters)
        return tfp_distributions().MultivariateNormalDiag(location, scale)
