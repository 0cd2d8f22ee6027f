"""Two classifiers of the same classes, each for its own kind of input, kept close by a penalty.

    J~ = J_A(w_A) + J_B(w_B) + strength |w_A - w_B|**2

Strength 0 trains two models that do not know each other; as it grows they become one, shared by both kinds of input.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from keras_course.core.model import Endpoint, Model
from keras_course.core.seeds import derive_seed
from keras_course.core.serial import register
from keras_course.core.shapes import require_features, require_positive_int, require_rank
from keras_course.ops.penalties import tying_penalty
from keras_course.regularizers.strength import require_strength

__all__ = ["TiedPair"]


@register("TiedPair")
class TiedPair(Model):
    """Two multilayer perceptrons of one shape, A and B, with tied parameters; `call` returns logits.

    J~ = J_A + J_B + strength sum over all parameters (w_A - w_B)**2

    One column of the input says whose example it is. Both models start from the same weights, so that hidden unit i of
    A and hidden unit i of B can stand for the same feature: a distance between weights says nothing otherwise. Biases
    are tied too. The penalty is part of the loss that `fit` and `evaluate` report.

    Args:
        features: int, number of inputs, without the column that names the model.
        units: sequence of ints, widths of all layers in order, the output layer last.
        strength: float >= 0, factor of the penalty.
        activation: of the hidden layers, as Keras takes it.
        seed: int, root of the initial weights.
        **kwargs: as keras.Model.

    Input shape:
        (B, features + 1); the last column is 0 for an example of A, 1 for one of B (the border is at 1/2).

    Output shape:
        (B, units[-1]), logits of the model whose example it is.

    Raises:
        ValueError: for no layers, widths below 1, a negative strength, or a shape that does not fit.

    Example:
        >>> pair = TiedPair(2, (3,), strength=0.5)
        >>> float(pair.distance())
        0.0
        >>> _ = pair.second[0].bias.assign([1.0, 0.0, 2.0])
        >>> _ = pair(ops.ones((1, 3)))
        >>> float(pair.distance()), float(pair.losses[0])
        (5.0, 2.5)

    Source: C 6.10.
    """

    def __init__(
        self,
        features: int,
        units: Sequence[int],
        strength: float = 0.01,
        activation: Any = "relu",
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed=seed, **kwargs)
        require_positive_int("TiedPair", features=features)
        if isinstance(units, int | str) or len(tuple(units)) == 0:
            raise ValueError(f"TiedPair needs a sequence of layer widths, output last. Received: units={units!r}")
        for width in units:
            require_positive_int("TiedPair", units=width)
        require_strength("TiedPair", strength=strength)
        self.features = features
        self.units = tuple(units)
        self.strength = strength
        self.activation = keras.activations.get(activation)
        self.first, self.second = self._chain("first"), self._chain("second")
        self.build((None, features + 1))

    def _chain(self, name: str) -> list[Any]:
        return [
            keras.layers.Dense(
                width,
                activation=self.activation if level < len(self.units) else None,
                # Not derived from the name: A and B start from the same weights.
                kernel_initializer=keras.initializers.GlorotUniform(seed=derive_seed(self.seed, "dense", level)),
                dtype=self.dtype_policy,
                name=f"{name}_{level}",
            )
            for level, width in enumerate(self.units, start=1)
        ]

    def build(self, input_shape: Any) -> None:
        self._require_input(input_shape)
        for chain in (self.first, self.second):
            width = self.features
            for layer in chain:
                if not layer.built:
                    layer.build((None, width))
                width = layer.units
        self.built = True

    def call(self, inputs: Any) -> Any:
        self._require_input(inputs.shape)
        self.add_loss(self.strength * ops.cast(self.distance(), "float32"))
        x, whose = inputs[:, :-1], inputs[:, -1:]  # (B, D), (B, 1)
        return ops.where(whose > 0.5, _through(self.second, x), _through(self.first, x))  # (B, classes)

    def distance(self) -> Any:
        """|w_A - w_B|**2 over all parameters, a scalar tensor."""
        ones = [variable for layer in self.first for variable in layer.trainable_variables]
        others = [variable for layer in self.second for variable in layer.trainable_variables]
        return tying_penalty(ones, others)

    def probabilities(self, x: Any) -> Any:
        """p(y | x) by the model whose example it is.

        Args:
            x: tensor or array (B, features + 1).

        Returns:
            Tensor (B, classes).
        """
        return ops.softmax(self(x, training=False), axis=-1)

    def endpoints(self) -> dict[str, Endpoint]:
        """`serving_default` probabilities (B, classes) and `logits`."""
        points = keras.InputSpec(shape=(None, self.features + 1), dtype=self.input_dtype, name="x")
        return {
            "serving_default": (self.probabilities, [points]),
            "logits": (lambda x: self(x, training=False), [points]),
        }

    def _require_input(self, shape: Any) -> None:
        require_rank("TiedPair", shape, 2)
        require_features("TiedPair", shape, self.features + 1)

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        return (input_shape[0], self.units[-1])

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "features": self.features,
            "units": list(self.units),
            "strength": self.strength,
            "activation": keras.activations.serialize(self.activation),
        }


def _through(chain: Sequence[Any], h: Any) -> Any:
    for layer in chain:
        h = layer(h)
    return h
