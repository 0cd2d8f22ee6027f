"""What a family of distributions is: how a vector of parameters becomes p(y | x).

    p(y | x) = p(y; omega(x)),   omega(x) = parameters, one vector of `parameter_size` numbers a sample

A family is a small frozen dataclass: the sizes, the formulas that carry real numbers into the parameters' domain
(softplus for scales, log-space for rates and probabilities), and the TFP object built from them. It holds no weights,
so it can be compared, hashed, saved in a config and shared by a layer, a loss and a server.

The convention that bites: the TFP object is built anew on every call. A distribution built once over a variable would
keep the variable's first value for ever.
"""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar

import keras
from keras import ops

from keras_course.core.backend import require_tensorflow
from keras_course.core.seeds import seed_pair, uniform_noise
from keras_course.core.shapes import checked_count


def tfp_distributions() -> Any:
    """`tfp.distributions`, imported on first use: TFP takes seconds, and loading a classifier shall not pay for it."""
    require_tensorflow("keras_course.distributions")
    import tensorflow_probability as tfp

    return tfp.distributions


def widened(tensor: Any) -> Any:
    """The tensor in at least float32: densities lose all meaning in 8 or 11 bits of significand."""
    tensor = ops.convert_to_tensor(tensor)
    wide = keras.backend.standardize_dtype(tensor.dtype) in ("float32", "float64")
    return tensor if wide else ops.cast(tensor, "float32")


def as_dtype(value: Any, dtype: Any) -> Any:
    """A tensor of this dtype; plain numbers get there directly, not rounded to Keras's floatx on the way."""
    return ops.cast(value, dtype) if ops.is_tensor(value) else ops.convert_to_tensor(value, dtype=dtype)


@dataclasses.dataclass(frozen=True)
class Family:
    """Base of all families. A subclass writes `parameter_size`, `distribution` and what else it knows in closed form.

        log p(y; omega) = distribution(omega).log_prob(y) inside the support,   -inf outside of it

    Subclass it as a frozen dataclass of plain numbers, strings and other families, put `@register_family("name")` on
    it (see `families.table`), and every head, loss and model of this package takes it.

    Shapes: parameters (..., P) with P = parameter_size; labels (..., *event_shape).

    Source: C 4.3.1.
    """

    continuous: ClassVar[bool] = False
    undefined: ClassVar[frozenset[str]] = frozenset()
    # A point of the support: stands in for labels outside it, so that no gradient is NaN before the -inf is put in.
    support_point: ClassVar[float] = 0.0

    @property
    def label_unit(self) -> float:
        """What a network that reads labels should divide them by, for numbers of about 1."""
        return 1.0

    def _unwritten(self, method: str) -> TypeError:
        return TypeError(f"{type(self).__name__} does not define {method}, which is needed here; see Family")

    @property
    def parameter_size(self) -> int:
        """P, how many real numbers parametrise one p(y | x)."""
        raise self._unwritten("parameter_size")

    @property
    def event_shape(self) -> tuple[int, ...]:
        """Shape of one label y: (D,), or () for a class index."""
        return (self.event_size,)  # type: ignore[attr-defined, no-any-return]

    def distribution(self, parameters: Any) -> Any:
        """The TFP distribution.

        Args:
            parameters: floating tensor (..., P), any real values.

        Returns:
            tfp.distributions.Distribution, batch_shape (...), event_shape `self.event_shape`.
        """
        raise self._unwritten("distribution")

    def in_support(self, labels: Any) -> Any:
        """Which entries of the labels can occur at all: boolean tensor like `labels`. Default: every number."""
        return ops.ones_like(labels, dtype="bool")

    @property
    def uniforms(self) -> int | None:
        """How many uniform numbers make one draw through `from_uniforms`; None leaves sampling to the TFP object."""
        return None

    def event_of(self, labels: Any) -> Any:
        """Floating labels as the TFP object takes them; class indices become integers here."""
        return labels

    def log_prob(self, parameters: Any, labels: Any) -> Any:
        """log p(y | x), -inf where y lies outside the support.

        Args:
            parameters: floating tensor (..., P).
            labels: tensor (..., *event_shape) of any number type; for event_shape (1,) the last axis may be missing,
                for event_shape () a last axis of size 1 may be there.

        Returns:
            Tensor (...), nats. NaN if the label is NaN and the support is all numbers.

        Raises:
            ValueError: if the shapes do not fit.
        """
        parameters = self.checked(parameters)
        labels = self.matched(parameters, labels)
        inside = self.in_support(labels)
        point = ops.where(inside, labels, ops.full_like(labels, self.support_point))
        log_prob = self.log_prob_inside(parameters, point)  # (...)
        if self.event_shape:
            inside = ops.all(inside, axis=-1)
        return ops.where(inside, log_prob, ops.full_like(log_prob, -float("inf")))

    def log_prob_inside(self, parameters: Any, labels: Any) -> Any:
        """log p(y | x) of labels that lie in the support, (...)."""
        return self.distribution(parameters).log_prob(self.event_of(labels))

    def mean(self, parameters: Any) -> Any:
        """E[y | x], tensor (..., D)."""
        self.require_defined("mean")
        return self.distribution(self.checked(parameters)).mean()

    def mode(self, parameters: Any) -> Any:
        """The most probable y (or the y of highest density), tensor (..., *event_shape)."""
        self.require_defined("mode")
        return self.distribution(self.checked(parameters)).mode()

    def stddev(self, parameters: Any) -> Any:
        """sqrt(Var[y_d | x]) of each coordinate, tensor (..., D)."""
        self.require_defined("stddev")
        return self.distribution(self.checked(parameters)).stddev()

    def narrowest_scale(self, parameters: Any) -> Any:
        """The least standard deviation that bounds the density of each coordinate, (..., D): for what watches it.

        That of a coordinate given the others where they depend on each other, of a mixture's narrowest component.
        """
        return self.stddev(parameters)

    def sample(self, parameters: Any, seed: Any, n: Any = None) -> Any:
        """Draws from p(y | x): a pure function of parameters and seed, the same eagerly, in graphs and under XLA.

        Args:
            parameters: floating tensor (..., P).
            seed: int, or integer tensor (2,) as `core.model.Model.step_seed` returns.
            n: None for one draw of shape (..., *event_shape); an int >= 0 (or scalar integer tensor) for
                (n, ..., *event_shape).

        Returns:
            Tensor of draws.

        Raises:
            ValueError: for no such n; for a tensor in a graph an InvalidArgumentError, where it runs.
        """
        pair, draws = seed_pair(seed), self.draws_shape(n)
        parameters = self.checked(parameters)
        if self.uniforms is None:
            return self.distribution(parameters).sample(draws, seed=pair)
        shape = (*draws, *ops.shape(parameters)[:-1], self.uniforms)
        return self.from_uniforms(parameters, uniform_noise(shape, pair, "float64"))

    def draws_shape(self, n: Any) -> tuple[Any, ...]:
        """The leading axes of n draws: (n,), or () for None."""
        return () if n is None else (checked_count(f"{self.name}.sample", n=n),)

    def from_uniforms(self, parameters: Any, uniform: Any) -> Any:
        """A draw made of `uniforms` numbers uniform in (0, 1), float64 (..., uniforms)."""
        raise self._unwritten("from_uniforms")

    def quantile(self, parameters: Any, q: Any) -> Any:
        """The q-quantile of each coordinate: the smallest v with P(y_d <= v | x) >= q.

        Args:
            parameters: floating tensor (..., P).
            q: number, array or tensor in [0, 1], any shape. Outside it: ValueError for plain numbers, NaN for tensors.

        Returns:
            Tensor (*q.shape, ..., D).

        Raises:
            ValueError: if the family has no quantiles, or a plain number q is outside [0, 1].
        """
        self.require_defined("quantile")
        if isinstance(q, int | float) and not 0 <= q <= 1:
            raise ValueError(f"{self.name}.quantile needs q in [0, 1]. Received: q={q}")
        parameters = self.checked(parameters)
        q = as_dtype(q, parameters.dtype)
        rows = ops.reshape(q, (*ops.shape(q), *(1,) * len(parameters.shape)))  # (*q.shape, 1 ... 1)
        value = self.marginal_quantile(parameters, ops.clip(rows, 0, 1))
        return ops.where(ops.logical_and(rows >= 0, rows <= 1), value, ops.full_like(value, float("nan")))

    def marginal_quantile(self, parameters: Any, q: Any) -> Any:
        """Quantile formula; q in [0, 1] broadcasts against (..., D)."""
        raise self._unwritten("marginal_quantile")

    def marginal_cdf(self, parameters: Any, value: Any) -> Any:
        """P(y_d <= value_d | x) of each coordinate; value broadcasts against (..., D)."""
        raise self._unwritten("marginal_cdf")

    @property
    def name(self) -> str:
        """Class name, as error messages say it."""
        return type(self).__name__

    def defines(self, statistic: str) -> bool:
        """Whether "mean", "mode", "stddev" or "quantile" exists for this family."""
        return statistic not in self.undefined

    def require_defined(self, statistic: str) -> None:
        """Raises ValueError if the family has no such statistic."""
        if not self.defines(statistic):
            raise ValueError(f"The {self.name} family defines no {statistic}. Received: family={self!r}")

    def checked(self, parameters: Any) -> Any:
        """Parameters in at least float32, their last axis held against `parameter_size`."""
        parameters = widened(parameters)
        if len(parameters.shape) < 1 or parameters.shape[-1] != self.parameter_size:
            raise ValueError(
                f"The {self.name} family needs parameters of shape (..., {self.parameter_size}). "
                f"Received: parameters.shape={tuple(parameters.shape)}"
            )
        return parameters

    def matched(self, parameters: Any, labels: Any) -> Any:
        """Labels in the parameters' dtype and shape (..., *event_shape); ValueError instead of silent broadcasting."""
        labels = as_dtype(labels, parameters.dtype)
        batch = tuple(parameters.shape[:-1])
        wanted = batch + self.event_shape
        shape = tuple(labels.shape)
        if self.event_shape == (1,) and len(shape) == len(batch):
            labels = ops.expand_dims(labels, -1)
        elif self.event_shape == () and len(shape) == len(batch) + 1 and shape[-1] == 1:
            labels = ops.squeeze(labels, -1)
        fits = len(labels.shape) == len(wanted) and all(
            want is None or got is None or want == got for want, got in zip(wanted, labels.shape, strict=True)
        )
        if not fits:
            raise ValueError(
                f"The {self.name} family needs labels of shape {wanted}. "
                f"Received: labels.shape={shape}, parameters.shape={tuple(parameters.shape)}"
            )
        return labels

    def parameters_of(self, labels: Any) -> Any:
        """The parameters of the distribution that labels have when nothing is known of x: where a head may start.

        Args:
            labels: array (N, *event_shape), N >= 1.

        Returns:
            NumPy array (P,).
        """
        raise self._unwritten("parameters_of")

    def get_config(self) -> dict[str, Any]:
        """The dataclass fields; a family among them is serialised in place."""
        fields = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        return {
            name: keras.saving.serialize_keras_object(value) if isinstance(value, Family) else value
            for name, value in fields.items()
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Family:
        return cls(
            **{
                name: keras.saving.deserialize_keras_object(value) if isinstance(value, dict) else value
                for name, value in config.items()
            }
        )
