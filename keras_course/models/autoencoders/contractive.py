"""The contractive autoencoder: a code that hardly moves when the input does, but where reconstruction needs it to.

    J = mean_i L(x_i, g(f(x_i))) + strength |df/dx (x_i)|_F^2

The norm is exact. For dense encoders it comes from the kernels and the slopes of the activations, and the Jacobian is
not formed; a given encoder is differentiated row by row, code unit by code unit.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf
from keras import ops

from keras_course.core.model import Endpoint
from keras_course.core.serial import register
from keras_course.models.autoencoders.autoencoder import Autoencoder
from keras_course.ops.code_penalties import squared_jacobian_norm

__all__ = ["ContractiveAutoencoder"]


@register("ContractiveAutoencoder")
class ContractiveAutoencoder(Autoencoder):
    """An autoencoder that pays for the squared slopes of its code.

    J = mean_i L(x_i, g(f(x_i))) + strength |df/dx (x_i)|_F^2

    Without tied weights the penalty can be dodged: a small encoder and a large decoder. Tie them, as the paper does.

    Endpoints: those of `Autoencoder`, and contraction (x): |df/dx|_F^2.

    Args:
        shape, code, units: as `Autoencoder`.
        strength: float >= 0, lambda.
        code_activation: of the code; a rectifier's slope is 1 or 0, which leaves sum of |W_j|^2 over the units at work.
        **kwargs: as `Autoencoder`.

    Input shape:
        (B, *shape).

    Output shape:
        (B, *shape), the reconstruction.

    Raises:
        ValueError: as `Autoencoder`, and for a negative strength.

    Example:
        >>> model = ContractiveAutoencoder(4, code=3, tied=True)
        >>> tuple(model.contraction(ops.ones((5, 4))).shape)
        (5,)

    Source: C 16.6, R; Rifai et al. 2011.
    """

    def __init__(
        self,
        shape: Any,
        code: int,
        units: Any = (),
        strength: float = 0.1,
        code_activation: Any = "sigmoid",
        **kwargs: Any,
    ) -> None:
        if not 0 <= strength < float("inf"):
            raise ValueError(f"ContractiveAutoencoder needs a finite strength >= 0. Received: strength={strength!r}")
        super().__init__(shape, code, units, code_activation=code_activation, **kwargs)
        self.strength = float(strength)

    def contraction(self, x: Any) -> Any:
        """|df/dx|_F^2 at each row of x (B, *shape), (B,)."""
        x = self._checked(x)
        if self.coder is None:
            return self._by_differentiation(x)
        h, slopes = ops.reshape(x, (ops.shape(x)[0], -1)), []
        for kernel, bias, activation in zip(
            self.coder.kernels, self.coder.biases, self.coder.activations, strict=False
        ):
            a = ops.matmul(h, kernel) + bias
            h, slope = _with_slope(activation, a)
            slopes.append(slope)
        return squared_jacobian_norm([ops.convert_to_tensor(kernel) for kernel in self.coder.kernels], slopes)

    def _by_differentiation(self, x: Any) -> Any:
        """One pass backwards a code unit; rows of a batch do not meet in an encoder without batch normalisation."""
        total = ops.zeros((ops.shape(x)[0],), x.dtype)
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(x)
            units = tf.unstack(self.encoder(x, training=False), axis=1)
            sums = [tf.reduce_sum(unit) for unit in units]
        for one in sums:
            slope = tape.gradient(one, x, unconnected_gradients="zero")
            total = total + ops.sum(ops.reshape(ops.square(slope), (ops.shape(x)[0], -1)), axis=-1)
        return total

    def penalties(self, seen: Any, code: Any, training: bool) -> Any:
        return self.strength * self.contraction(seen)

    def endpoints(self) -> dict[str, Endpoint]:
        found = super().endpoints()
        return {**found, "contraction": (self.contraction, found["encode"][1])}

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "strength": self.strength}


def _with_slope(activation: Any, a: Any) -> tuple[Any, Any]:
    """phi(a) and phi'(a), for functions that take each number by itself."""
    h, name = activation(a), getattr(activation, "__name__", "")
    if name == "sigmoid":
        return h, h * (1 - h)
    if name == "tanh":
        return h, 1 - h * h
    if name == "linear":
        return h, ops.ones_like(a)
    if name == "relu":
        return h, ops.cast(a > 0, a.dtype)
    with tf.GradientTape() as tape:
        tape.watch(a)
        h = activation(a)
    return h, tape.gradient(h, a)
