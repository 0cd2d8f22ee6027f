"""A conditional distribution p(y | h) as one layer: a network of h under a distribution output.

    parameters(h) = W vec(network(h)) + b,   p(y | h) = family(parameters(h))

Generative models chain such layers: q(z | x) upwards, p(x | z) downwards.
"""

from __future__ import annotations

import math
from typing import Any

import keras
from keras import ops

from keras_course.core.seeds import derive_seed
from keras_course.core.serial import register
from keras_course.core.shapes import require_positive_int

__all__ = ["ConditionalNetwork"]


@register("ConditionalNetwork")
class ConditionalNetwork(keras.layers.Layer):
    """Dense layers, or a network of yours, and a `DistributionOutput` on top.

        h -> network -> vec -> head -> parameters of p(y | h)

    Args:
        given_shape: tuple of ints, the shape of one h.
        head: `DistributionOutput`; project=False where the network itself ends in the parameters.
        units: tuple of ints, widths of the dense layers; () for parameters that are linear in h.
        activation: of the dense layers.
        network: a Keras layer or model (N, *given_shape) -> (N, ...) to take instead of the dense layers, or None.
        seed: int, root of the dense layers' initial weights.
        **kwargs: as keras.layers.Layer.

    Input shape:
        (..., *given_shape): any number of axes in front, of draws and examples; the network sees one.

    Output shape:
        (..., P), in at least float32.

    Raises:
        ValueError: for widths below 1, or a network whose outputs have no known size.

    Example:
        >>> from keras_course.distributions import DistributionOutput
        >>> layer = ConditionalNetwork((2,), DistributionOutput("bernoulli", 4), units=(3,))
        >>> tuple(layer(ops.ones((5, 7, 2))).shape)
        (5, 7, 4)

    Source: R; C 19.4.
    """

    def __init__(
        self,
        given_shape: Any,
        head: Any,
        units: Any = (),
        activation: Any = "tanh",
        network: Any = None,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.given_shape = tuple(given_shape)
        self.units = tuple(units)
        self.activation = keras.activations.get(activation)
        self.network = network
        self.seed = seed
        for width in self.units:
            require_positive_int("ConditionalNetwork", units=width)
        self.hidden = [
            keras.layers.Dense(
                width,
                self.activation,
                kernel_initializer=keras.initializers.GlorotUniform(derive_seed(seed, f"hidden{number}")),
                dtype=self.dtype_policy,
                name=f"hidden{number}",
            )
            for number, width in enumerate(self.units if network is None else ())
        ]
        self.head = head

    def build(self, input_shape: Any = None) -> None:
        rows = keras.KerasTensor((None, *self.given_shape), dtype=self.compute_dtype)
        self.head.build(self._features(rows, False).shape)
        self.built = True

    def call(self, inputs: Any, training: Any = None) -> Any:
        lead = ops.shape(inputs)[: len(inputs.shape) - len(self.given_shape)]
        if len(lead) == 1:
            return self.head(self._features(inputs, training))  # (B, P)
        rows = ops.reshape(inputs, (-1, *self.given_shape))
        parameters = self.head(self._features(rows, training))
        return ops.reshape(parameters, (*lead, parameters.shape[-1]))  # (..., P)

    def _features(self, rows: Any, training: Any) -> Any:
        """What the head sees, (N, H)."""
        features = rows if self.network is None else self.network(rows, training=training)
        sizes = features.shape[1:]
        if any(size is None for size in sizes):
            raise ValueError(f"ConditionalNetwork needs a network of known output size. Received: {features.shape}")
        if len(sizes) != 1:
            features = ops.reshape(features, (-1, math.prod(sizes)))
        for layer in self.hidden:
            features = layer(features)
        return features

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        lead = len(input_shape) - len(self.given_shape)
        return (*input_shape[:lead], self.head.family.parameter_size)

    def get_config(self) -> dict[str, Any]:
        network = None if self.network is None else keras.saving.serialize_keras_object(self.network)
        return {
            **super().get_config(),
            "given_shape": list(self.given_shape),
            "head": keras.saving.serialize_keras_object(self.head),
            "units": list(self.units),
            "activation": keras.activations.serialize(self.activation),
            "network": network,
            "seed": self.seed,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> ConditionalNetwork:
        parts = {name: config.pop(name) for name in ("head", "network")}
        made = {name: part and keras.saving.deserialize_keras_object(part) for name, part in parts.items()}
        return cls(**config, **made)
