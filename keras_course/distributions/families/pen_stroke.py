"""Where a pen goes next and whether it leaves the paper: a mixture of bivariate Gaussians beside a Bernoulli variable.

p(dx, dy, up) = [sum_m pi_m N((dx, dy); mu_m, sigma_m, rho_m)] e^up (1 - e)^(1 - up)
parameters = (z, logits_1 ... logits_M, mu (M, 2), r (M, 2), c_1 ... c_M),   1 + 6 M of them
e = sigma(z),  pi = softmax(logits),  sigma = minimum_scale + softplus(r + scale_offset),  rho = 0.999 tanh(c)

Graves has e = 1 / (1 + exp(z)), so that z means the opposite there, and sigma = exp(r), which a wild r overflows.
"""

from __future__ import annotations

import dataclasses
import math
from typing import Any, ClassVar, NamedTuple

import numpy as np
from keras import ops

from keras_course.core.seeds import seed_pair, uniform_noise
from keras_course.core.shapes import require_positive_int
from keras_course.distributions.families.family import Family, tfp_distributions
from keras_course.distributions.families.scale import check_scale_arguments, positive_scale, raw_scale, standard_normal
from keras_course.distributions.families.table import register_family
from keras_course.ops.handwriting import bivariate_mixture_log_density, sharpened

__all__ = ["PenStroke", "StrokeParts"]

MOST_CORRELATED = 0.999


class StrokeParts(NamedTuple):
    """The parameters by name.

    Args:
        up_logit: tensor (...,).
        logits: tensor (..., M).
        mean, scale: tensors (..., M, 2).
        correlation: tensor (..., M).
    """

    up_logit: Any
    logits: Any
    mean: Any
    scale: Any
    correlation: Any


@register_family("pen_stroke")
@dataclasses.dataclass(frozen=True)
class PenStroke(Family):
    """p(dx, dy, up): offsets from a mixture of correlated Gaussians, and a pen that leaves the paper or not.

        log p = logsumexp_m(log pi_m + log N((dx, dy); mu_m, sigma_m, rho_m)) - softplus((1 - 2 up) z)

    A label whose last entry is neither 0 nor 1 has log-probability -inf. Mode and quantiles are not defined.

    Args:
        components: int >= 1, M.
        minimum_scale: float >= 0, least sigma, in units of the offsets.
        scale_offset: float, added before softplus.

    Raises:
        ValueError: for arguments out of range.

    Example:
        >>> PenStroke(components=20).parameter_size
        121

    Source: B; Graves 2013.
    """

    components: int = 20
    minimum_scale: float = 1e-3
    scale_offset: float = 0.0
    continuous: ClassVar[bool] = False  # in one coordinate of three
    undefined: ClassVar[frozenset[str]] = frozenset({"mode", "quantile"})

    def __post_init__(self) -> None:
        require_positive_int("PenStroke", components=self.components)
        check_scale_arguments("PenStroke", self.minimum_scale, self.scale_offset)

    @classmethod
    def by_name(cls, event_size: int = 3, **options: Any) -> PenStroke:
        """What `DistributionOutput("pen_stroke", components=...)` makes."""
        if event_size != 3:
            raise ValueError(f"PenStroke has events (dx, dy, up) of size 3. Received: event_size={event_size}")
        return cls(**options)

    @property
    def event_size(self) -> int:
        return 3

    @property
    def parameter_size(self) -> int:
        return 1 + 6 * self.components

    def parts(self, parameters: Any) -> StrokeParts:
        """The parameters by name, scales and correlations in their domain."""
        parameters = self.checked(parameters)
        m, batch = self.components, tuple(ops.shape(parameters)[:-1])
        pairs = ops.reshape(parameters[..., 1 + m : 1 + 5 * m], (*batch, 2, m, 2))
        return StrokeParts(
            parameters[..., 0],
            parameters[..., 1 : 1 + m],
            pairs[..., 0, :, :],
            positive_scale(pairs[..., 1, :, :], self.minimum_scale, self.scale_offset),
            MOST_CORRELATED * ops.tanh(parameters[..., 1 + 5 * m :]),
        )

    def parameters_from(self, parts: StrokeParts) -> Any:
        """The parameters (..., 1 + 6 M) of these parts; scales above minimum_scale, |correlations| below 0.999."""
        up_logit, logits, mean, scale, correlation = (ops.convert_to_tensor(each) for each in parts)
        raw = raw_scale(scale, self.minimum_scale, self.scale_offset)
        flat = (*tuple(ops.shape(logits)[:-1]), 2 * self.components)
        return ops.concatenate(
            [
                up_logit[..., None], logits, ops.reshape(mean, flat), ops.reshape(raw, flat),
                ops.arctanh(correlation / MOST_CORRELATED),
            ],
            axis=-1,
        )  # fmt: skip

    def distribution(self, parameters: Any, bias: Any = 0.0) -> Any:
        """tfd.Blockwise of a MixtureSameFamily of MultivariateNormalTriL and a Bernoulli: batch (...), event (3,).

        Args:
            parameters: floating tensor (..., P).
            bias: b >= 0 of `ops.handwriting.sharpened`; Graves leaves the pen unbiased, so it is here.
        """
        tfd = tfp_distributions()
        up_logit, logits, mean, scale, rho = self.parts(parameters)
        logits, scale = sharpened(logits, scale, bias)
        first, second = scale[..., 0], scale[..., 1]
        below, rest = rho * second, ops.sqrt((1 - rho) * (1 + rho)) * second
        rows = [ops.stack([first, ops.zeros_like(first)], -1), ops.stack([below, rest], -1)]
        gaussians = tfd.MultivariateNormalTriL(mean, ops.stack(rows, -2))
        pen = tfd.Independent(tfd.Bernoulli(logits=up_logit[..., None], dtype=logits.dtype), 1)
        return tfd.Blockwise([tfd.MixtureSameFamily(tfd.Categorical(logits=logits), gaussians), pen])

    def in_support(self, labels: Any) -> Any:
        moved = ops.ones_like(labels[..., :2], dtype="bool")
        pen = labels[..., 2:]
        return ops.concatenate([moved, ops.logical_or(pen == 0, pen == 1)], axis=-1)

    def log_prob(self, parameters: Any, labels: Any) -> Any:
        parameters = self.checked(parameters)
        labels = self.matched(parameters, labels)
        z, logits, mean, scale, rho = self.parts(parameters)
        moved = bivariate_mixture_log_density(labels[..., :2], logits, mean, scale, rho)
        pen = labels[..., 2]
        found = moved - ops.softplus((1 - 2 * pen) * z)
        return ops.where(ops.logical_or(pen == 0, pen == 1), found, ops.full_like(found, -float("inf")))

    def mean(self, parameters: Any) -> Any:
        z, logits, mean, *_ = self.parts(parameters)
        pi = ops.expand_dims(ops.softmax(logits, axis=-1), -1)
        return ops.concatenate([ops.sum(pi * mean, axis=-2), ops.sigmoid(z)[..., None]], axis=-1)

    def stddev(self, parameters: Any) -> Any:
        z, logits, mean, scale, _ = self.parts(parameters)
        pi = ops.expand_dims(ops.softmax(logits, axis=-1), -1)
        centre = ops.sum(pi * mean, axis=-2, keepdims=True)
        variance = ops.sum(pi * (ops.square(scale) + ops.square(mean - centre)), axis=-2)
        pen = ops.sigmoid(z) * ops.sigmoid(-z)
        return ops.sqrt(ops.concatenate([variance, pen[..., None]], axis=-1))

    @property
    def uniforms(self) -> int:
        return self.components + 3

    def from_uniforms(self, parameters: Any, uniform: Any, bias: Any = 0.0) -> Any:
        z, logits, mean, scale, rho = self.parts(parameters)
        logits, scale = sharpened(logits, scale, bias)
        m = self.components
        gumbel = -ops.log(-ops.log(uniform[..., :m]))
        drawn = ops.argmax(ops.cast(logits, uniform.dtype) + gumbel, axis=-1)  # (...,)
        chosen = ops.one_hot(drawn, m, dtype=mean.dtype)  # (..., M)
        mean, scale = (ops.sum(chosen[..., None] * each, axis=-2) for each in (mean, scale))  # (..., 2)
        rho = ops.sum(chosen * rho, axis=-1)
        normal = ops.cast(standard_normal(uniform[..., m : m + 2]), mean.dtype)
        second = rho * normal[..., 0] + ops.sqrt((1 - rho) * (1 + rho)) * normal[..., 1]
        moved = mean + scale * ops.stack([normal[..., 0], second], axis=-1)
        up = ops.cast(uniform[..., m + 2] < ops.sigmoid(ops.cast(z, uniform.dtype)), mean.dtype)
        return ops.concatenate([moved, up[..., None]], axis=-1)

    def sample(self, parameters: Any, seed: Any, n: Any = None, bias: Any = 0.0) -> Any:
        """Draws, (..., 3) or (n, ..., 3): as `Family.sample`, sharper with a bias b > 0."""
        pair, draws = seed_pair(seed), self.draws_shape(n)
        parameters = self.checked(parameters)
        shape = (*draws, *ops.shape(parameters)[:-1], self.uniforms)
        return self.from_uniforms(parameters, uniform_noise(shape, pair, "float64"), bias)

    def parameters_of(self, labels: Any) -> Any:
        labels = np.reshape(labels, (-1, 3)).astype("float64")
        ups = labels[:, 2].sum() + 0.5  # half a label of each kind keeps the logit finite
        parts = np.array_split(labels[np.argsort(labels[:, 0], kind="stable"), :2], self.components)
        parts = [part if len(part) > 1 else labels[:, :2] for part in parts]
        scale = np.array([part.std(axis=0) for part in parts]) + self.minimum_scale + 1e-3
        centred = [part - part.mean(axis=0) for part in parts]
        covariance = np.array([(part[:, 0] * part[:, 1]).mean() for part in centred])
        rho = np.clip(covariance / scale.prod(axis=1), -0.99, 0.99)
        found = StrokeParts(
            np.asarray(math.log(ups) - math.log(len(labels) + 1 - ups)), np.zeros(self.components),
            np.array([part.mean(axis=0) for part in parts]), scale, rho,
        )  # fmt: skip
        return ops.convert_to_numpy(self.parameters_from(found))
