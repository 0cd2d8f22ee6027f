"""Grey values as what they are: one of K levels a pixel, in order.

    P(y_d = k | x) = softmax(z_d)_k                                                    categorical: K logits a pixel
                   = sigma((k + 1/2 - loc_d) / s_d) - sigma((k - 1/2 - loc_d) / s_d)   logistic, in bins of width 1

The bins of levels 0 and K-1 reach to infinity, so that both sum to 1 over k = 0 ... K-1. Labels are the levels, whole
numbers 0 ... K-1, and not grey values in [0, 1]: only so is log P the log-probability of an image, and bits a pixel are
-log P / (D log 2). Densities of grey values (a Gaussian on [0, 1]) compare with nothing here.
"""

from __future__ import annotations

import dataclasses
import math
from typing import Any, ClassVar

import numpy as np
from keras import ops

from keras_course.core.shapes import require_positive_int
from keras_course.distributions.families.family import Family, tfp_distributions
from keras_course.distributions.families.scale import check_scale_arguments, positive_scale, raw_scale
from keras_course.distributions.families.table import register_family


class Levels(Family):
    """D independent pixels with K levels each; a subclass writes `log_masses`, and `parameter_size`.

    Mean, standard deviation, quantiles and draws are made of the K masses of every pixel: (..., D, K) numbers.
    """

    event_size: int
    levels: int

    @property
    def label_unit(self) -> float:
        return max(self.levels - 1, 1)

    def log_masses(self, parameters: Any) -> Any:
        """log P(y_d = k | x) of every level, (..., D, K)."""
        raise self._unwritten("log_masses")

    def distribution(self, parameters: Any) -> Any:
        """tfd.Independent(tfd.Categorical): batch (...), event (D,), draws in the parameters' dtype."""
        tfd = tfp_distributions()
        log_masses = self.log_masses(self.checked(parameters))
        levels = tfd.Categorical(logits=log_masses, dtype=log_masses.dtype)
        return tfd.Independent(levels, reinterpreted_batch_ndims=1)

    def in_support(self, labels: Any) -> Any:
        return ops.logical_and(ops.logical_and(labels >= 0, labels < self.levels), labels == ops.floor(labels))

    def masses(self, parameters: Any) -> Any:
        """P(y_d = k | x) of every level, (..., D, K)."""
        return ops.exp(self.log_masses(self.checked(parameters)))

    def _moment(self, values: Any, parameters: Any) -> Any:
        return ops.sum(self.masses(parameters) * values, axis=-1)

    def _ladder(self, like: Any) -> Any:
        return ops.arange(self.levels, dtype=like.dtype)

    def mean(self, parameters: Any) -> Any:
        parameters = self.checked(parameters)
        return self._moment(self._ladder(parameters), parameters)

    def stddev(self, parameters: Any) -> Any:
        parameters = self.checked(parameters)
        away = self._ladder(parameters) - ops.expand_dims(self.mean(parameters), -1)  # (..., D, K)
        return ops.sqrt(self._moment(ops.square(away), parameters))

    def mode(self, parameters: Any) -> Any:
        parameters = self.checked(parameters)
        return ops.cast(ops.argmax(self.log_masses(parameters), axis=-1), parameters.dtype)

    @property
    def uniforms(self) -> int:
        return self.event_size

    def from_uniforms(self, parameters: Any, uniform: Any) -> Any:
        return self.marginal_quantile(parameters, uniform)

    def marginal_quantile(self, parameters: Any, q: Any) -> Any:
        parameters = self.checked(parameters)
        below = ops.cumsum(self.masses(parameters), axis=-1)[..., :-1]  # P(y_d <= k), k = 0 ... K-2
        q = ops.expand_dims(q, -1)
        return ops.sum(ops.cast(q > ops.cast(below, q.dtype), parameters.dtype), axis=-1)

    def marginal_cdf(self, parameters: Any, value: Any) -> Any:
        parameters = self.checked(parameters)
        value = ops.expand_dims(ops.cast(value, parameters.dtype), -1)
        return self._moment(ops.cast(self._ladder(parameters) <= value, parameters.dtype), parameters)


@register_family("categorical_levels")
@dataclasses.dataclass(frozen=True)
class CategoricalLevels(Levels):
    """K free logits for every pixel: any distribution over the levels, and nothing learned of one level from the next.

        log P(y | x) = sum_d z_{d, y_d} - log sum_k exp(z_{d, k})

    Args:
        event_size: int >= 1, D.
        levels: int >= 1, K.

    Raises:
        ValueError: for numbers below 1.

    Example:
        >>> family = CategoricalLevels(event_size=2, levels=3)
        >>> family.parameter_size, round(float(family.log_prob([0.0] * 6, [0, 2])), 4)  # -2 log 3
        (6, -2.1972)

    Source: C 19.4.
    """

    event_size: int = 1
    levels: int = 256

    def __post_init__(self) -> None:
        require_positive_int("CategoricalLevels", event_size=self.event_size, levels=self.levels)

    @property
    def parameter_size(self) -> int:
        return self.event_size * self.levels

    def log_masses(self, parameters: Any) -> Any:
        logits = ops.reshape(parameters, (*ops.shape(parameters)[:-1], self.event_size, self.levels))
        return ops.log_softmax(logits, axis=-1)

    def log_prob_inside(self, parameters: Any, labels: Any) -> Any:
        index = ops.expand_dims(ops.cast(labels, "int32"), -1)
        chosen = ops.take_along_axis(self.log_masses(parameters), index, axis=-1)  # (..., D, 1)
        return ops.sum(chosen, axis=(-2, -1))

    def parameters_of(self, labels: Any) -> Any:
        labels = np.reshape(labels, (-1, self.event_size)).astype("int64")
        counts = (labels[..., None] == np.arange(self.levels)).sum(axis=0) + 0.5
        return np.log(counts / counts.sum(axis=-1, keepdims=True)).reshape(-1)


@register_family("discretized_logistic")
@dataclasses.dataclass(frozen=True)
class DiscretizedLogistic(Levels):
    """A logistic bell over the levels of every pixel, or M of them, weighted: neighbours share what is learned.

        log P_m(y_d = k) = -softplus(-a) - softplus(b) + log(1 - exp(-1/s)),   a = (k + 1/2 - loc) / s,   b = a - 1/s
        P(y_d = k | x)   = sum_m softmax(w_d)_m P_m(y_d = k)

    No difference of two sigmoids, which is 0 in the tails: each is a sum of logarithms. Level 0 has the first term
    alone, level K-1 the second.

    Parameters are in units of half the range, about the middle level: loc = (K - 1) / 2 (1 + r) and s = (K - 1) / 2
    (minimum_scale + softplus(t)), so that networks of any K start alike.

        parameters = (r_1 ... r_D, t_1 ... t_D);   M > 1: (w, r, t), each D M, the M of one pixel together

    Args:
        event_size: int >= 1, D.
        levels: int >= 1, K.
        components: int >= 1, bells a pixel.
        minimum_scale: float > 0, in units of half the range: below 1 / K a pixel is all but certain.

    Raises:
        ValueError: for arguments out of range.

    Example:
        >>> family = DiscretizedLogistic(event_size=1, levels=3)
        >>> masses = family.masses([[0.0, 0.0]])
        >>> tuple(masses.shape), round(float(ops.sum(masses)), 6), float(family.mean([[0.0, 0.0]])[0, 0])
        ((1, 1, 3), 1.0, 1.0)

    Source: C 19.4; Kingma et al. 2016; Salimans et al. 2017.
    """

    event_size: int = 1
    levels: int = 256
    components: int = 1
    minimum_scale: float = 1e-3
    undefined: ClassVar[frozenset[str]] = frozenset()

    def __post_init__(self) -> None:
        require_positive_int(
            "DiscretizedLogistic", event_size=self.event_size, levels=self.levels, components=self.components
        )
        check_scale_arguments("DiscretizedLogistic", self.minimum_scale, 0.0)
        if self.minimum_scale == 0:
            raise ValueError("DiscretizedLogistic needs minimum_scale > 0. Received: minimum_scale=0")

    @property
    def parameter_size(self) -> int:
        return self.event_size * (2 if self.components == 1 else 3 * self.components)

    @property
    def _half_range(self) -> float:
        return max(self.levels - 1, 1) / 2

    def log_weights_location_and_scale(self, parameters: Any) -> tuple[Any, Any, Any]:
        """log w, loc and s, each (..., D, M), the latter two in levels."""
        parts = ops.split(self.checked(parameters), 2 if self.components == 1 else 3, axis=-1)
        shape = (*ops.shape(parts[0])[:-1], self.event_size, self.components)
        *logits, location, raw = (ops.reshape(part, shape) for part in parts)
        log_weights = ops.log_softmax(logits[0], axis=-1) if logits else ops.zeros_like(location)
        scale = self._half_range * positive_scale(raw, self.minimum_scale, 0.0)
        return log_weights, self._half_range * (1 + location), scale

    def _log_mass(self, parameters: Any, level: Any) -> Any:
        """log P(y_d = level), (..., D) for level (..., D); a further axis of levels at the end is kept: (..., D, K)."""
        log_weights, location, scale = self.log_weights_location_and_scale(parameters)  # (..., D, M)
        if len(level.shape) == len(location.shape):  # (..., D, K)
            log_weights, location, scale = (ops.expand_dims(each, -2) for each in (log_weights, location, scale))
        level = ops.expand_dims(level, -1)
        upper, lower = (level + 0.5 - location) / scale, (level - 0.5 - location) / scale
        below_upper = -ops.softplus(-upper)  # log P(y <= level) of a bell without a right end
        above_lower = -ops.softplus(lower)
        width = ops.log(-ops.expm1(-1 / scale))
        zero = ops.zeros_like(below_upper)
        first, last = level <= 0, level >= self.levels - 1
        each = ops.where(last, zero, below_upper) + ops.where(first, zero, above_lower)
        each = each + ops.where(ops.logical_or(first, last), zero, width)
        return ops.logsumexp(log_weights + each, axis=-1)

    def log_masses(self, parameters: Any) -> Any:
        ladder = self._ladder(parameters)
        lead = len(parameters.shape)  # batch axes and that of pixels
        return self._log_mass(parameters, ops.reshape(ladder, (*[1] * lead, self.levels)))

    def log_prob_inside(self, parameters: Any, labels: Any) -> Any:
        return ops.sum(self._log_mass(parameters, labels), axis=-1)

    def parameters_from(self, location: Any, scale: Any, logits: Any = None) -> Any:
        """The parameters (..., P) of these loc and s, in levels, and w, each (..., D, M) with M = components.

        s > (K - 1) / 2 minimum_scale; logits None are equal weights.
        """
        location, scale = ops.convert_to_tensor(location), ops.convert_to_tensor(scale)
        parts = [location / self._half_range - 1, raw_scale(scale / self._half_range, self.minimum_scale, 0.0)]
        if self.components > 1:
            parts.insert(0, ops.zeros_like(location) if logits is None else ops.convert_to_tensor(logits))
        flat = (*ops.shape(location)[:-2], self.event_size * self.components)
        return ops.concatenate([ops.reshape(part, flat) for part in parts], axis=-1)

    def parameters_of(self, labels: Any) -> Any:
        labels = np.reshape(labels, (-1, self.event_size)).astype("float64")
        if self.components == 1:
            return self._likeliest(labels)
        ranks = (np.arange(self.components) + 0.5) / self.components
        location = np.quantile(labels, ranks, axis=0).T  # (D, M)
        spread = labels.std(axis=0)[:, None] * math.sqrt(3) / math.pi / self.components
        least = self._half_range * (self.minimum_scale + 1e-2)
        spread = np.broadcast_to(np.maximum(spread, least), location.shape)
        return ops.convert_to_numpy(self.parameters_from(location, spread))

    def _likeliest(self, labels: Any) -> Any:
        """The one bell a pixel of greatest likelihood, by three grids, each finer and about the best of the last.

        No moments: those of a bell are not those of its levels where much lies at the ends.
        """
        counts = (labels[..., None] == np.arange(self.levels)).sum(axis=0)  # (D, K)
        one = dataclasses.replace(self, event_size=1)
        best, reach = np.tile([0.0, -1.0], (self.event_size, 1)), np.array([3.0, 5.0])
        offsets = np.stack(np.meshgrid(*[np.linspace(-1, 1, 21)] * 2), axis=-1).reshape(-1, 2)
        for _ in range(3):
            for pixel in range(self.event_size):
                grid = best[pixel] + offsets * reach
                likelihood = ops.convert_to_numpy(one.log_masses(ops.convert_to_tensor(grid)))[:, 0] @ counts[pixel]
                best[pixel] = grid[likelihood.argmax()]
            reach = reach / 8
        return best.T.reshape(-1)
