"""A Gaussian vector with any covariance, through its Cholesky factor.

    p(y | x) = N(y; loc, L L'),   L lower triangular with a positive diagonal
    parameters = (loc_1 ... loc_D, t_1 ... t_{D(D+1)/2}),   L = fill_triangular(t), then
    L_dd = minimum_scale + softplus(t_dd + scale_offset)

Every real parameter vector gives a valid covariance, and no matrix is ever factorised or inverted while training.
`fill_triangular` is TFP's: for D = 3 it puts t = (1 ... 6) as [[4, 0, 0], [6, 5, 0], [3, 2, 1]].
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


@register_family("full_covariance_gaussian")
@dataclasses.dataclass(frozen=True)
class FullCovarianceGaussian(Family):
    """N(loc, L L') with the Cholesky factor L from D (D + 1) / 2 parameters.

        log p(y | x) = -|L^-1 (y - loc)|**2 / 2 - sum_d log L_dd - D log(2 pi) / 2

    Layout and defaults are those of `tfp.layers.MultivariateNormalTriL`, so its parameters give the same density here.
    An L_dd near minimum_scale beside entries of L in the thousands squares beyond float32: the loss is then +inf,
    its gradient no number; a minimum_scale fit for the labels' unit prevents it. Statistics and quantiles are those
    of each coordinate: y_d ~ N(loc_d, (L L')_dd).

    Args:
        event_size: int >= 1, D.
        minimum_scale: float >= 0, least L_dd, in units of the label.
        scale_offset: float, added before softplus.

    Raises:
        ValueError: for arguments out of range.

    Example:
        >>> FullCovarianceGaussian(event_size=3).parameter_size
        9

    Source: C 4.3.1.
    """

    event_size: int = 1
    minimum_scale: float = 1e-5
    scale_offset: float = 0.0
    continuous: ClassVar[bool] = True

    def __post_init__(self) -> None:
        require_positive_int("FullCovarianceGaussian", event_size=self.event_size)
        check_scale_arguments("FullCovarianceGaussian", self.minimum_scale, self.scale_offset)

    @property
    def parameter_size(self) -> int:
        return self.event_size + self.event_size * (self.event_size + 1) // 2

    def location_and_factor(self, parameters: Any) -> tuple[Any, Any]:
        """loc (..., D) and Cholesky factor L (..., D, D)."""
        import tensorflow_probability as tfp

        parameters = self.checked(parameters)
        location = parameters[..., : self.event_size]
        raw = tfp.math.fill_triangular(parameters[..., self.event_size :])  # (..., D, D)
        on_diagonal = ops.eye(self.event_size, dtype="bool")
        return location, ops.where(on_diagonal, positive_scale(raw, self.minimum_scale, self.scale_offset), raw)

    def distribution(self, parameters: Any) -> Any:
        """tfd.MultivariateNormalTriL: batch (...), event (D,)."""
        return tfp_distributions().MultivariateNormalTriL(*self.location_and_factor(parameters))

    def location_and_precision(self, parameters: Any) -> tuple[Any, Any]:
        """loc (..., D) and inverse covariance L^-T L^-1 (..., D, D), for the mode of a mixture."""
        import tensorflow as tf

        location, factor = self.location_and_factor(parameters)
        identity = ops.broadcast_to(ops.eye(self.event_size, dtype=factor.dtype), ops.shape(factor))
        inverse = tf.linalg.triangular_solve(factor, identity)
        return location, tf.linalg.matmul(inverse, inverse, transpose_a=True)

    def narrowest_scale(self, parameters: Any) -> Any:
        """Deviation of each coordinate given all others, (..., D): 1 / sqrt P_dd of the precision P."""
        precision = self.location_and_precision(parameters)[1]
        return ops.rsqrt(ops.diagonal(precision, axis1=-2, axis2=-1))

    @property
    def uniforms(self) -> int:
        return self.event_size

    def from_uniforms(self, parameters: Any, uniform: Any) -> Any:
        location, factor = self.location_and_factor(parameters)
        return location + ops.einsum("...de,...e->...d", factor, ops.cast(standard_normal(uniform), factor.dtype))

    def parameters_from(self, location: Any, scale_tril: Any) -> Any:
        """The parameters (..., P) that give this loc (..., D) and Cholesky factor (..., D, D)."""
        import tensorflow_probability as tfp

        factor = ops.convert_to_tensor(scale_tril)
        on_diagonal = ops.eye(self.event_size, dtype="bool")
        safe = ops.where(on_diagonal, factor, ops.full_like(factor, 1.0 + self.minimum_scale))
        raw = ops.where(on_diagonal, raw_scale(safe, self.minimum_scale, self.scale_offset), factor)
        return ops.concatenate([ops.convert_to_tensor(location), tfp.math.fill_triangular_inverse(raw)], axis=-1)

    def parameters_of(self, labels: Any) -> Any:
        labels = np.reshape(labels, (-1, self.event_size)).astype("float64")
        covariance = np.cov(labels, rowvar=False, bias=True).reshape(self.event_size, self.event_size)
        factor = np.linalg.cholesky(covariance + (self.minimum_scale + 1e-3) ** 2 * np.eye(self.event_size))
        return ops.convert_to_numpy(self.parameters_from(labels.mean(axis=0), factor))

    def _marginals(self, parameters: Any) -> Any:
        location, factor = self.location_and_factor(parameters)
        return tfp_distributions().Normal(location, ops.sqrt(ops.sum(ops.square(factor), axis=-1)))

    def marginal_quantile(self, parameters: Any, q: Any) -> Any:
        return self._marginals(parameters).quantile(q)

    def marginal_cdf(self, parameters: Any, value: Any) -> Any:
        return self._marginals(parameters).cdf(value)
