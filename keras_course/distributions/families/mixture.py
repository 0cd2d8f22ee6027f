"""Mixtures: several components of one continuous family, weighted by a softmax.

p(y | x) = sum_m w_m p_m(y; omega_m),   w = softmax(z)
parameters = (z_1 ... z_M, omega_1 ... omega_M),   each omega_m of the component's own layout
log p(y | x) = logsumexp_m(log w_m + log p_m(y))
"""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar

import keras
import numpy as np
from keras import ops

from keras_course.core.shapes import require_positive_int
from keras_course.distributions.families.family import Family, tfp_distributions
from keras_course.distributions.families.normal import Normal
from keras_course.distributions.families.table import get_family, register_family
from keras_course.distributions.inversion import invert_cdf

# The fixed point gains a constant factor a step: tens of steps as a rule, more where two modes are about to merge.
_MODE_STEPS = 500


@register_family("mixture")
@dataclasses.dataclass(frozen=True)
class Mixture(Family):
    """M components of one continuous family: the output of a mixture density network.

        p(y | x) = sum_m softmax(z)_m p_m(y; omega_m)
        E[y] = sum_m w_m mu_m,   Var[y] = sum_m w_m (sigma_m**2 + (mu_m - E[y])**2)

    Layout is that of `tfp.layers.MixtureSameFamily` (and MixtureNormal). Quantiles are those of each coordinate, by
    bisection between the least and the greatest component quantile. The mode of Gaussian components is the highest
    point reached from the component means by x <- (sum_m r_m P_m)^-1 sum_m r_m P_m mu_m (r responsibilities, P
    precisions), along which the density never falls.

    Args:
        components: int >= 1, M.
        component: `Family`, continuous and no mixture itself. Its event_size is the mixture's.

    Raises:
        ValueError: for a component family that is discrete or a mixture, or components < 1.

    Example:
        >>> Mixture(components=3, component=Normal(event_size=2)).parameter_size
        15

    Source: C 4.3.1; Bishop 1994.
    """

    components: int = 2
    component: Family = Normal()
    continuous: ClassVar[bool] = True

    def __post_init__(self) -> None:
        require_positive_int("Mixture", components=self.components)
        simple = isinstance(self.component, Family) and not isinstance(self.component, Mixture)
        if not simple or not self.component.continuous:
            raise ValueError(f"Mixture needs a continuous component family. Received: component={self.component!r}")

    @classmethod
    def by_name(
        cls, event_size: int = 1, components: int = 2, component_family: Any = "normal", **options: Any
    ) -> Mixture:
        """What `DistributionOutput("mixture", event_size, components=..., component_family=...)` makes."""
        size = event_size if isinstance(component_family, str) else None
        component = get_family(component_family, size, **options)
        if component.event_size != event_size:  # type: ignore[attr-defined]
            raise ValueError(f"The component family has its own event_size. Received: {component!r}, {event_size=}")
        return cls(components, component)

    @property
    def event_size(self) -> int:
        return self.component.event_size  # type: ignore[attr-defined, no-any-return]

    @property
    def event_shape(self) -> tuple[int, ...]:
        return self.component.event_shape

    @property
    def parameter_size(self) -> int:
        return self.components * (1 + self.component.parameter_size)

    def defines(self, statistic: str) -> bool:
        if statistic == "mode":
            return hasattr(self.component, "location_and_precision")
        return self.component.defines(statistic)

    def logits_and_components(self, parameters: Any) -> tuple[Any, Any]:
        """Logits z (..., M) and component parameters (..., M, P / M - 1)."""
        parameters = self.checked(parameters)
        logits = parameters[..., : self.components]
        batch = ops.shape(parameters)[:-1]
        rest = ops.reshape(parameters[..., self.components :], (*batch, self.components, self.component.parameter_size))
        return logits, rest

    def distribution(self, parameters: Any) -> Any:
        """tfd.MixtureSameFamily: batch (...), event (D,)."""
        tfd = tfp_distributions()
        logits, rest = self.logits_and_components(parameters)
        return tfd.MixtureSameFamily(tfd.Categorical(logits=logits), self.component.distribution(rest))

    def in_support(self, labels: Any) -> Any:
        return self.component.in_support(labels)

    @property
    def uniforms(self) -> int | None:
        inner = self.component.uniforms
        return None if inner is None else self.components + inner

    def from_uniforms(self, parameters: Any, uniform: Any) -> Any:
        logits, rest = self.logits_and_components(parameters)
        gumbel = -ops.log(-ops.log(uniform[..., : self.components]))
        drawn = ops.argmax(ops.cast(logits, uniform.dtype) + gumbel, axis=-1)  # (...,)
        chosen = ops.expand_dims(ops.one_hot(drawn, self.components, dtype=rest.dtype), -1)  # (..., M, 1)
        return self.component.from_uniforms(ops.sum(chosen * rest, axis=-2), uniform[..., self.components :])

    def parameters_from(self, logits: Any, components: Any) -> Any:
        """The parameters (..., P) of these logits (..., M) and component parameters (..., M, P / M - 1)."""
        components = ops.convert_to_tensor(components)
        flat = ops.reshape(components, (*ops.shape(components)[:-2], self.components * self.component.parameter_size))
        return ops.concatenate([ops.convert_to_tensor(logits), flat], axis=-1)

    def parameters_of(self, labels: Any) -> Any:
        labels = np.reshape(labels, (-1, self.event_size)).astype("float64")
        parts = np.array_split(labels[np.argsort(labels[:, 0], kind="stable")], self.components)
        parts = [part if len(part) else labels for part in parts]
        logits = np.zeros(self.components)
        return np.concatenate([logits, *(self.component.parameters_of(part) for part in parts)])

    def marginal_cdf(self, parameters: Any, value: Any) -> Any:
        logits, rest = self.logits_and_components(parameters)
        weight = ops.expand_dims(ops.softmax(logits, axis=-1), -1)  # (..., M, 1)
        return ops.sum(weight * self.component.marginal_cdf(rest, ops.expand_dims(value, -2)), axis=-2)

    def marginal_density(self, parameters: Any, value: Any) -> Any:
        """p(y_d = value_d | x) of each coordinate: slope of `marginal_cdf`."""
        import tensorflow as tf

        value = ops.convert_to_tensor(value)
        with tf.GradientTape() as tape:
            tape.watch(value)
            total = ops.sum(self.marginal_cdf(parameters, value))
        return tape.gradient(total, value)

    def marginal_quantile(self, parameters: Any, q: Any) -> Any:
        _, rest = self.logits_and_components(parameters)
        each = self.component.marginal_quantile(rest, ops.expand_dims(q, -2))  # (*q, ..., M, D)
        return invert_cdf(
            lambda value: self.marginal_cdf(parameters, value),
            lambda value: self.marginal_density(parameters, value),
            q,
            ops.min(each, axis=-2),
            ops.max(each, axis=-2),
        )

    def narrowest_scale(self, parameters: Any) -> Any:
        """That of the components with a weight above a hundredth of 1 / M, (..., D)."""
        logits, rest = self.logits_and_components(parameters)
        scale = self.component.narrowest_scale(rest)  # (..., M, D)
        idle = ops.expand_dims(ops.softmax(logits, axis=-1) < 0.01 / self.components, -1)  # (..., M, 1)
        return ops.min(ops.where(idle, ops.full_like(scale, float("inf")), scale), axis=-2)

    def mode(self, parameters: Any) -> Any:
        import tensorflow as tf

        self.require_defined("mode")
        logits, rest = self.logits_and_components(parameters)
        location, precision = self.component.location_and_precision(rest)  # type: ignore[attr-defined]
        weighted = ops.einsum("...mde,...me->...md", precision, location)  # P_m mu_m
        log_weight = ops.log_softmax(logits, axis=-1)  # (..., M)
        component = self.component.distribution(ops.expand_dims(rest, -3))  # batch (..., 1, M): all starts, all m

        def joint(points: Any) -> Any:  # log w_m + log p_m(points_s), (..., S, M)
            return ops.expand_dims(log_weight, -2) + component.log_prob(ops.expand_dims(points, -2))

        def climb(points: Any, _: Any) -> tuple[Any, Any]:
            responsibility = ops.softmax(joint(points), axis=-1)  # (..., S, M)
            curvature = ops.einsum("...sm,...mde->...sde", responsibility, precision)
            pull = ops.einsum("...sm,...md->...sd", responsibility, weighted)
            factor = tf.linalg.cholesky(curvature)
            moved = ops.squeeze(tf.linalg.cholesky_solve(factor, ops.expand_dims(pull, -1)), -1)
            return moved, ops.any(ops.abs(moved - points) > tolerance * (1 + ops.abs(moved)))

        tolerance = 1e-6 if keras.backend.standardize_dtype(location.dtype) == "float32" else 1e-13
        points, _ = ops.while_loop(  # (..., S, D), S = M starts
            lambda _, moving: moving, climb, (location, ops.convert_to_tensor(True)), maximum_iterations=_MODE_STEPS
        )
        height = ops.logsumexp(joint(points), axis=-1)  # (..., S)
        best = ops.one_hot(ops.argmax(height, axis=-1), self.components, dtype=points.dtype)
        return ops.sum(ops.expand_dims(best, -1) * points, axis=-2)
