"""A dense layer some of whose connections are cut, by the degrees of its inputs and units."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

from keras_course.core.serial import register
from keras_course.core.shapes import require_features
from keras_course.ops.autoregressive_masks import connections

__all__ = ["MaskedDense"]


@register("MaskedDense")
class MaskedDense(keras.layers.Layer):
    """Dense units that see only inputs of a lower, or at most their own, degree.

    y = activation(x (W * M) + b),   M_ij = 1 if m(i) <= m(j) (strict: <), else 0

    Degrees may come as a bank of K sets, a row each: `which` then says whose masks cut W in this call. The kernel's
    numbers under the masks are weights all the same; their gradients are 0 wherever no set in use connects them.

    Args:
        input_degrees: ints (I,), or (K, I).
        output_degrees: ints (U,), or (K, U); U is the number of units.
        strict: bool, whether equal degrees are cut too: so into the outputs of a network.
        activation: as keras.layers.Dense.
        use_bias: bool.
        kernel_initializer, bias_initializer, kernel_regularizer: as keras.layers.Dense.
        **kwargs: as keras.layers.Layer.

    Input shape:
        (..., I); with a vector of sets as `which`, (len(which) or 1, B, I).

    Output shape:
        (..., U).

    Raises:
        ValueError: for degrees of other shapes, or inputs of another width.

    Example:
        >>> layer = MaskedDense([1, 2], [1, 1, 2], kernel_initializer="ones")
        >>> layer(ops.convert_to_tensor([[1.0, 10.0]])).numpy().tolist()
        [[1.0, 1.0, 11.0]]

    Source: R; Germain et al. 2015.
    """

    def __init__(
        self,
        input_degrees: Any,
        output_degrees: Any,
        strict: bool = False,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.input_degrees, self.output_degrees = _degrees(input_degrees), _degrees(output_degrees)
        if self.input_degrees.shape[:-1] != self.output_degrees.shape[:-1] or 0 in self.input_degrees.shape:
            raise ValueError(
                "MaskedDense needs degrees (I,) and (U,), or banks (K, I) and (K, U). Received: shapes "
                f"{self.input_degrees.shape} and {self.output_degrees.shape}"
            )
        self.units, self.strict, self.use_bias = self.output_degrees.shape[-1], bool(strict), bool(use_bias)
        self.activation = keras.activations.get(activation)
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.bias_initializer = keras.initializers.get(bias_initializer)
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)

    def build(self, input_shape: Any) -> None:
        features = self.input_degrees.shape[-1]
        require_features("MaskedDense", input_shape, features)
        self.kernel = self.add_weight(
            name="kernel", shape=(features, self.units), initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
        )  # fmt: skip
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(name="bias", shape=(self.units,), initializer=self.bias_initializer)
        self.built = True

    def call(self, inputs: Any, which: Any = None) -> Any:
        return self.respond(inputs, self.masked_kernel(which))

    def masked_kernel(self, which: Any = None) -> Any:
        """W * M, (I, U), of mask set `which` (None: the first); of several, (S,): (S, I, U)."""
        pair = []
        for degrees in (self.input_degrees, self.output_degrees):
            if degrees.ndim == 2:
                degrees = degrees[0] if which is None else ops.take(ops.convert_to_tensor(degrees), which, axis=0)
            pair.append(degrees)
        kernel = ops.convert_to_tensor(self.kernel)
        return kernel * ops.cast(connections(*pair, strict=self.strict), kernel.dtype)

    def respond(self, inputs: Any, kernel: Any, added: Any = None) -> Any:
        """activation(inputs kernel + b + added), for a kernel that is masked already."""
        z = ops.matmul(inputs, kernel)
        if self.bias is not None:
            z = ops.add(z, self.bias)
        return self.activation(z if added is None else z + added)

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        return (*input_shape[:-1], self.units)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "input_degrees": self.input_degrees.tolist(),
            "output_degrees": self.output_degrees.tolist(),
            "strict": self.strict,
            "activation": keras.activations.serialize(self.activation),
            "use_bias": self.use_bias,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "bias_initializer": keras.initializers.serialize(self.bias_initializer),
            "kernel_regularizer": keras.regularizers.serialize(self.kernel_regularizer),
        }


def _degrees(value: Any) -> np.ndarray:
    found = np.asarray(value)
    if found.ndim not in (1, 2) or not np.issubdtype(found.dtype, np.integer):
        raise ValueError(f"MaskedDense needs integer degrees of rank 1 or 2. Received: {value!r}")
    return found.astype("int32")
