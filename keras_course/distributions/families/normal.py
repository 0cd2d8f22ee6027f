"""Independent normals: each coordinate of y has its own mean and standard deviation.

p(y | x) = prod_d exp(-z_d**2 / 2) / (scale_d sqrt(2 pi)),   z_d = (y_d - loc_d) / scale_d
parameters = (loc_1 ... loc_D, r_1 ... r_D),   scale_d = minimum_scale + softplus(r_d + scale_offset)
"""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar

import numpy as np
from keras import ops

from keras_course.core.shapes import require_positive_int
from keras_course.distributions.families.family import Family, tfp_distributions
from keras_course.distributions.families.scale import check_scale_arguments, positive_scale, raw_scale, standard_normal
from keras_course.distributions.families.table import register_family


@register_family("normal")
@dataclasses.dataclass(frozen=True)
class Normal(Family):
    """D independent normals; for D = 1 the Gaussian output of heteroscedastic regression.

        log p(y | x) = sum_d -((y_d - loc_d) / scale_d)**2 / 2 - log scale_d - log(2 pi) / 2

    Layout and softplus are those of `tfp.layers.IndependentNormal` (which has no minimum_scale).

    Args:
        event_size: int >= 1, D.
        minimum_scale: float >= 0, in units of the label.
        scale_offset: float, added before softplus.

    Raises:
        ValueError: for arguments out of range.

    Example:
        >>> Normal(event_size=2).parameter_size
        4

    Source: C 4.3; C 3.1.
    """

    event_size: int = 1
    minimum_scale: float = 1e-5
    scale_offset: float = 0.0
    continuous: ClassVar[bool] = True

    def __post_init__(self) -> None:
        require_positive_int("Normal", event_size=self.event_size)
        check_scale_arguments("Normal", self.minimum_scale, self.scale_offset)

    @property
    def parameter_size(self) -> int:
        return 2 * self.event_size

    def location_and_scale(self, parameters: Any) -> tuple[Any, Any]:
        """loc and scale, each (..., D)."""
        location, raw = ops.split(self.checked(parameters), 2, axis=-1)
        return location, positive_scale(raw, self.minimum_scale, self.scale_offset)

    def distribution(self, parameters: Any) -> Any:
        """tfd.Independent(tfd.Normal): batch (...), event (D,)."""
        tfd = tfp_distributions()
        location, scale = self.location_and_scale(parameters)
        return tfd.Independent(tfd.Normal(location, scale), reinterpreted_batch_ndims=1)

    def location_and_precision(self, parameters: Any) -> tuple[Any, Any]:
        """loc (..., D) and inverse covariance (..., D, D), for the mode of a mixture."""
        location, scale = self.location_and_scale(parameters)
        identity = ops.eye(self.event_size, dtype=scale.dtype)
        return location, identity / ops.expand_dims(ops.square(scale), -1)

    @property
    def uniforms(self) -> int:
        return self.event_size

    def from_uniforms(self, parameters: Any, uniform: Any) -> Any:
        location, scale = self.location_and_scale(parameters)
        return location + scale * ops.cast(standard_normal(uniform), scale.dtype)

    def parameters_from(self, location: Any, scale: Any) -> Any:
        """The parameters (..., 2 D) that give this loc and scale, each (..., D); scale > minimum_scale."""
        return ops.concatenate(
            [ops.convert_to_tensor(location), raw_scale(scale, self.minimum_scale, self.scale_offset)], axis=-1
        )

    def parameters_of(self, labels: Any) -> Any:
        labels = np.reshape(labels, (-1, self.event_size)).astype("float64")
        spread = np.maximum(labels.std(axis=0), self.minimum_scale + 1e-3)
        return ops.convert_to_numpy(self.parameters_from(labels.mean(axis=0), spread))

    def marginal_quantile(self, parameters: Any, q: Any) -> Any:
        return tfp_distributions().Normal(*self.location_and_scale(parameters)).quantile(q)

    def marginal_cdf(self, parameters: Any, value: Any) -> Any:
        return tfp_distributions().Normal(*self.location_and_scale(parameters)).cdf(value)
