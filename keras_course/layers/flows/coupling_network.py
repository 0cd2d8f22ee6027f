"""The network of a coupling: any function of the kept part; nothing of it is inverted or differentiated for log det.

    parameters = last(network([kept, condition]))

Dense layers for vectors, convolutions that keep the image's size for images, or a network of yours; then one linear
layer to the numbers that the coupling asks for.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from keras_course.core.seeds import derive_seed
from keras_course.core.serial import register
from keras_course.core.shapes import require_positive_int, require_rank
from keras_course.layers.convolution import Convolution2D

__all__ = ["CouplingNetwork"]


@register("CouplingNetwork")
class CouplingNetwork(keras.layers.Layer):
    """Hidden layers of the kept part, and of a condition beside it, under a linear layer that starts small.

    Args:
        outputs: int, parameters at each place.
        units: ints, widths of the hidden layers (filters, for images); () for parameters linear in the kept part.
        activation: of the hidden layers.
        network: a Keras layer or model (B, ...) -> (B, ..., F) to take instead of the hidden layers, or None. It
            keeps height and width of images.
        kernel_size: int, of the convolutions.
        start_scale: float >= 0, the last kernel's initial scale, 1 for the usual one. Small, so that a flow starts
            near the identity.
        seed: int, root of the initial weights.
        **kwargs: as keras.layers.Layer.

    Input shape:
        (B, K) or (B, H, W, C); condition (B, N), repeated at every pixel of an image.

    Output shape:
        (B, outputs) or (B, H, W, outputs).

    Raises:
        ValueError: for sizes below 1, a negative scale, another rank, or a network of another output rank.

    Example:
        >>> layer = CouplingNetwork(4, units=(8,))
        >>> tuple(layer(ops.ones((2, 3)), ops.ones((2, 5))).shape)
        (2, 4)

    Source: R; Dinh et al. 2014.
    """

    def __init__(
        self,
        outputs: int,
        units: Any = (64, 64),
        activation: Any = "relu",
        network: Any = None,
        kernel_size: int = 3,
        start_scale: float = 0.01,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.units = (units,) if isinstance(units, int) else tuple(units)
        require_positive_int("CouplingNetwork", outputs=outputs, kernel_size=kernel_size)
        for width in self.units:
            require_positive_int("CouplingNetwork", units=width)
        if not start_scale >= 0:
            raise ValueError(f"CouplingNetwork needs start_scale >= 0. Received: start_scale={start_scale!r}")
        self.outputs, self.kernel_size, self.start_scale, self.seed = outputs, kernel_size, float(start_scale), seed
        self.activation = keras.activations.get(activation)
        self.network = network
        self.condition_size: int | None = None
        self.hidden: list[Any] = []
        self.last: Any = None

    def build(self, inputs_shape: Any, condition_shape: Any = None) -> None:
        require_rank("CouplingNetwork", inputs_shape, 2, 4)
        self.condition_size = None if condition_shape is None else condition_shape[-1]
        images = len(inputs_shape) == 4
        width = inputs_shape[-1] + (0 if condition_shape is None else condition_shape[-1])
        shape = (*inputs_shape[:-1], width)
        if self.network is not None:
            if not self.network.built:
                self.network.build(shape)
            shape = tuple(self.network.compute_output_shape(shape))
            if len(shape) != len(inputs_shape) or (images and shape[1:3] != tuple(inputs_shape[1:3])):
                raise ValueError(
                    f"CouplingNetwork needs a network that keeps all axes but the last. Received: a network from "
                    f"{(*inputs_shape[:-1], width)} to {shape}"
                )
        else:
            usual = keras.initializers.GlorotUniform
            for level, units in enumerate(self.units):
                start = usual(derive_seed(self.seed, "hidden", level))
                self.hidden.append(self._linear(images, units, start, self.activation, f"hidden{level}"))
                self.hidden[-1].build(shape)
                shape = (*shape[:-1], units)
        start = keras.initializers.VarianceScaling(
            self.start_scale**2, "fan_avg", "uniform", seed=derive_seed(self.seed, "last")
        ) if self.start_scale else "zeros"  # fmt: skip
        self.last = self._linear(images, self.outputs, start, None, "last")
        self.last.build(shape)
        self.built = True

    def _linear(self, images: bool, units: int, start: Any, activation: Any, name: str) -> Any:
        how = {"activation": activation, "kernel_initializer": start, "dtype": self.dtype_policy, "name": name}
        if images:
            return Convolution2D(units, self.kernel_size, padding="same", **how)  # Keras's fails on no rows
        return keras.layers.Dense(units, **how)

    def call(self, inputs: Any, condition: Any = None, training: Any = None) -> Any:
        came = None if condition is None else condition.shape[-1]
        if came != self.condition_size:
            raise ValueError(
                f"CouplingNetwork was built for a condition of {self.condition_size} numbers. Received: {came} numbers"
            )
        features = inputs
        if condition is not None:
            condition = ops.cast(condition, inputs.dtype)
            if len(inputs.shape) == 4:
                places = (*ops.shape(inputs)[:-1], condition.shape[-1])
                condition = ops.broadcast_to(condition[:, None, None, :], places)
            features = ops.concatenate([inputs, condition], axis=-1)
        if self.network is not None:
            features = self.network(features, training=training)
        for layer in self.hidden:
            features = layer(features)
        return self.last(features)

    def compute_output_shape(self, inputs_shape: Any, condition_shape: Any = None) -> tuple[int | None, ...]:
        return (*inputs_shape[:-1], self.outputs)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "outputs": self.outputs,
            "units": list(self.units),
            "activation": keras.activations.serialize(self.activation),
            "network": None if self.network is None else keras.saving.serialize_keras_object(self.network),
            "kernel_size": self.kernel_size,
            "start_scale": self.start_scale,
            "seed": self.seed,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> CouplingNetwork:
        network = config.pop("network", None)
        return cls(**config, network=network and keras.saving.deserialize_keras_object(network))
