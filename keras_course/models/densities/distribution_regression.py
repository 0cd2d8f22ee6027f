"""Any network under a distribution output: heteroscedastic regression, count regression, mixture density networks.

h = network(x),   omega = W h + b,   p(y | x) = family(omega)
J(theta) = -(1 / N) sum_i log p(y_i | x_i; theta)
"""

from __future__ import annotations

import math
from typing import Any

import keras
from keras import ops

from keras_course.core.model import Endpoint, Model
from keras_course.core.seeds import derive_seed, uniform_noise
from keras_course.core.serial import register
from keras_course.core.shapes import normalize_tuple, require_positive_int
from keras_course.distributions import DistributionOutput, NegativeLogLikelihood
from keras_course.ops.dropout import drop_units, dropout_mask


@register("DistributionRegression")
class DistributionRegression(Model):
    """A network with a distribution for its output; a mixture density network in one line.

        omega(x) = head(network(x)),   loss = -log p(y; omega(x))

    Calling it (and `predict`) returns the parameters omega; `mean`, `stddev`, `mode`, `quantile`, `sample` and
    `log_prob` take x. `compile` without a loss takes the negative log-likelihood of the head.

    Endpoints: serving_default (mean; for categorical the mode), parameters, log_prob (x, y), sample (x, seed: one draw
    a row, repeat rows for more), and what the family defines of mode, stddev and quantile (x, q: leading axis q).

    Args:
        features: int, width of x; or a tuple, the shape of one x.
        units: int or tuple of ints, widths of the hidden layers of the network; () for a linear model.
        family, event_size, components, component_family, minimum_scale: as `DistributionOutput`.
        activation: of the hidden layers.
        weight_decay: float >= 0, L2 penalty weight_decay |W|^2 on the kernels of hidden layers and head.
        dropout: float in [0, 1), after each hidden layer.
        network: a Keras layer or model to take instead of hidden layers; `units`, `activation`, `dropout` are then
            not used, and weight_decay falls on the head alone.
        seed: int, root of the initial weights and of dropout.
        **kwargs: as keras.Model.

    Raises:
        ValueError: for sizes below 1, an unknown family, or a penalty below 0.

    Example:
        >>> model = DistributionRegression(features=10, units=(32,), family="mixture", components=3)
        >>> x = ops.ones((4, 10))
        >>> tuple(model.mean(x).shape), tuple(model.quantile(x, [0.05, 0.95]).shape)
        ((4, 1), (2, 4, 1))

    Source: C 4.3.1; Bishop 1994.
    """

    def __init__(
        self,
        features: Any,
        units: Any = (32,),
        family: Any = "normal",
        event_size: int | None = None,
        components: int | None = None,
        component_family: Any = None,
        minimum_scale: float | None = None,
        activation: Any = "tanh",
        weight_decay: float = 0.0,
        dropout: float = 0.0,
        network: Any = None,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed=seed, **kwargs)
        self.input_shape_of_one = normalize_tuple(
            "DistributionRegression", features, 1 if isinstance(features, int) else len(tuple(features)), "features"
        )
        self.units = (units,) if isinstance(units, int) else tuple(units)
        for width in self.units:
            require_positive_int("DistributionRegression", units=width)
        if not weight_decay >= 0:
            raise ValueError(f"DistributionRegression needs weight_decay >= 0. Received: weight_decay={weight_decay}")
        if not 0 <= dropout < 1:
            raise ValueError(f"DistributionRegression needs dropout in [0, 1). Received: dropout={dropout}")
        self.activation = keras.activations.get(activation)
        self.weight_decay = float(weight_decay)
        self.dropout = float(dropout)
        self.network = network
        widths = self.units if network is None else ()
        self.hidden = [self._hidden_layer(number, width) for number, width in enumerate(widths)]
        self.head = DistributionOutput(
            family,
            event_size,
            components=components,
            component_family=component_family,
            minimum_scale=minimum_scale,
            kernel_initializer=self._initializer("head"),
            kernel_regularizer=self._penalty(),
            dtype=self.dtype_policy,
            name="head",
        )
        self.build((None, *self.input_shape_of_one))

    def _initializer(self, path: str) -> Any:
        return keras.initializers.GlorotUniform(seed=derive_seed(self.seed, path, "kernel"))

    def _penalty(self) -> Any:
        return keras.regularizers.L2(self.weight_decay) if self.weight_decay else None

    def _hidden_layer(self, number: int, width: int) -> Any:
        return keras.layers.Dense(
            width,
            self.activation,
            kernel_initializer=self._initializer(f"hidden{number}"),
            kernel_regularizer=self._penalty(),
            dtype=self.dtype_policy,
            name=f"hidden{number}",
        )

    @property
    def family(self) -> Any:
        """The head's `Family`."""
        return self.head.family

    def build(self, input_shape: Any) -> None:
        hidden = self.features_of(keras.KerasTensor(input_shape, dtype=self.compute_dtype))  # builds any network
        self.head.build(hidden.shape)
        self.built = True

    def call(self, inputs: Any, training: Any = None) -> Any:
        return self.head(self.features_of(inputs, training))  # (B, P)

    def features_of(self, inputs: Any, training: Any = None) -> Any:
        """What the head sees: the output (B, H) of the network."""
        if self.network is not None:
            return self.network(inputs, training=training)
        hidden = ops.reshape(inputs, (-1, math.prod(self.input_shape_of_one)))
        for number, layer in enumerate(self.hidden):
            hidden = layer(hidden)
            if training and self.dropout:
                hidden = self._thinned(hidden, f"dropout{number}")
        return hidden

    def _thinned(self, hidden: Any, salt: str) -> Any:
        """Units under this step's mask: that of the step and of the row's place in the batch of all replicas."""
        rows = ops.shape(hidden)[0]
        first, total = self.share_of_batch(rows)
        uniforms = uniform_noise((total, hidden.shape[1]), self.step_seed(salt))[first : first + rows]  # (B, H)
        return drop_units(hidden, dropout_mask(uniforms, self.dropout), self.dropout)

    def compile(self, optimizer: Any = "adam", loss: Any = None, **kwargs: Any) -> None:
        super().compile(optimizer=optimizer, loss=NegativeLogLikelihood(self.head) if loss is None else loss, **kwargs)

    def start_at(self, labels: Any) -> None:
        """Sets the head's bias so that, where the network says nothing, p(y | x) is the labels' own distribution.

        Mixture components start on equal shares of the labels, sorted by their first coordinate.

        Args:
            labels: array (N, *event_shape).
        """
        self.head.start_at(labels)

    def parameters(self, x: Any) -> Any:
        """omega(x) in inference mode, (B, P)."""
        return self(x, training=False)

    def distribution(self, x: Any) -> Any:
        """p(y | x) as a TFP distribution, batch (B,)."""
        return self.head.distribution(self.parameters(x))

    def mean(self, x: Any) -> Any:
        """E[y | x], (B, D)."""
        return self.head.mean(self.parameters(x))

    def mode(self, x: Any) -> Any:
        """Most probable y, (B, *event_shape)."""
        return self.head.mode(self.parameters(x))

    def stddev(self, x: Any) -> Any:
        """Standard deviation of each coordinate of y given x, (B, D)."""
        return self.head.stddev(self.parameters(x))

    def quantile(self, x: Any, q: Any) -> Any:
        """q-quantile of each coordinate of y given x, (*q.shape, B, D)."""
        return self.head.quantile(self.parameters(x), q)

    def sample(self, x: Any, seed: Any, n: Any = None) -> Any:
        """Draws of y given x, (B, *event_shape), or (n, B, *event_shape), n >= 0; seed an int or an int tensor (2,)."""
        return self.head.sample(self.parameters(x), seed, n)

    def log_prob(self, x: Any, y: Any) -> Any:
        """log p(y | x) in nats, (B,)."""
        return self.head.log_prob(self.parameters(x), y)

    def endpoints(self) -> dict[str, Endpoint]:
        x = keras.InputSpec(shape=(None, *self.input_shape_of_one), dtype=self.input_dtype, name="x")
        label_dtype = self.head.dtype if self.family.event_shape else "int32"
        y = keras.InputSpec(shape=(None, *self.family.event_shape), dtype=label_dtype, name="y")
        seed = keras.InputSpec(shape=(2,), dtype="int32", name="seed")
        q = keras.InputSpec(shape=(None,), dtype=self.head.dtype, name="q")
        served: dict[str, Endpoint] = {
            "serving_default": (self.mean if self.family.defines("mean") else self.mode, [x]),
            "parameters": (self.parameters, [x]),
            "log_prob": (self.log_prob, [x, y]),
            "sample": (self.sample, [x, seed]),
        }
        for name, function, specs in (
            ("mode", self.mode, [x]),
            ("stddev", self.stddev, [x]),
            ("quantile", self.quantile, [x, q]),
        ):
            if self.family.defines(name):
                served[name] = (function, specs)
        return served

    def get_config(self) -> dict[str, Any]:
        network = None if self.network is None else keras.saving.serialize_keras_object(self.network)
        return {
            **super().get_config(),
            "features": list(self.input_shape_of_one),
            "units": list(self.units),
            "family": keras.saving.serialize_keras_object(self.family),
            "activation": keras.activations.serialize(self.activation),
            "weight_decay": self.weight_decay,
            "dropout": self.dropout,
            "network": network,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> DistributionRegression:
        network = config.pop("network", None)
        if network is not None:
            network = keras.saving.deserialize_keras_object(network)
        return cls(network=network, **config)
