"""What every invertible layer offers, and its view as a tfp bijector of the same weights.

    z, log_det = layer.forward(x, condition)        log_det = log |det dz/dx|, (B,)
    x          = layer.inverse(z, condition)
    bijector   = layer.as_bijector(condition)       bijector.inverse(x) = z, bijector.forward(z) = x

The convention that bites: `forward` reads data, x -> z, as in training. A tfp bijector generates, z -> x, so that
`tfd.TransformedDistribution(base, layer.as_bijector())` is the density of x.
"""

from __future__ import annotations

import importlib
from typing import Any

import keras
from keras import ops

__all__ = ["FlowLayer"]


class FlowLayer(keras.layers.Layer):
    """Base of the layers of a normalizing flow: a subclass writes `forward` and `inverse`.

        layer(x, condition) = layer.forward(x, condition) = (z, log_det)

    Layers compute in their variable dtype, at least float32, under mixed precision too: a log-determinant is a sum of
    many small numbers. `condition` is a tensor (B, C), the same rows for `forward` and `inverse`; layers that use none
    ignore it. `forward` and `inverse` need a built layer; a call builds it.

    A subclass that changes shapes overrides `compute_output_shape`; one with a start of its own writes
    `start_at(x, condition)`; one with sub-layers lists them in `parts()`.

    Args:
        **kwargs: as keras.layers.Layer.

    Attributes:
        event_shape: tuple of ints, the shape of one x, once built.

    Example:
        >>> class Doubling(FlowLayer):
        ...     def forward(self, x, condition=None, training=False):
        ...         return 2.0 * x, ops.full(ops.shape(x)[:1], x.shape[-1] * 0.6931472)
        ...     def inverse(self, z, condition=None):
        ...         return z / 2.0
        >>> z, log_det = Doubling()(ops.ones((1, 3)))
        >>> ops.convert_to_numpy(z).tolist(), round(float(log_det[0]), 4)
        ([[2.0, 2.0, 2.0]], 2.0794)

    Source: R; Rezende and Mohamed 2015.
    """

    event_ranks: tuple[int, ...] = (1, 2, 3)  # that this layer takes

    def __init__(self, **kwargs: Any) -> None:
        policy = keras.dtype_policies.get(kwargs.pop("dtype", None) or keras.config.dtype_policy())
        wide = policy.variable_dtype if policy.variable_dtype in ("float32", "float64") else "float32"
        super().__init__(dtype=wide, **kwargs)
        self.event_shape: tuple[int, ...] | None = None

    def build(self, inputs_shape: Any, condition_shape: Any = None) -> None:
        """Subclasses call this first, then make what they hold for `self.event_shape`."""
        event = tuple(inputs_shape)[1:]
        if len(event) not in self.event_ranks or any(size is None for size in event):
            wanted = " or ".join(str(rank + 1) for rank in self.event_ranks)
            raise ValueError(
                f"{type(self).__name__} expects an input of rank {wanted} with known sizes but the batch's. "
                f"Received: shape={tuple(inputs_shape)}"
            )
        self.event_shape = event
        self.built = True

    def call(self, inputs: Any, condition: Any = None, training: Any = None) -> Any:
        return self.forward(inputs, condition, training)

    def forward(self, x: Any, condition: Any = None, training: Any = False) -> tuple[Any, Any]:
        """From data to codes.

        Args:
            x: tensor (B, *event_shape).
            condition: tensor (B, C), or None.
            training: bool, passed on to networks.

        Returns:
            Tuple (z, log_det): tensor (B, ...), and log |det dz/dx| in nats, (B,).
        """
        raise TypeError(f"{type(self).__name__} has no forward(x, condition, training).")

    def inverse(self, z: Any, condition: Any = None) -> Any:
        """From codes to data, in inference mode.

        Args:
            z: tensor (B, ...), as `forward` returns it.
            condition: tensor (B, C), or None.

        Returns:
            Tensor (B, *event_shape).
        """
        raise TypeError(f"{type(self).__name__} has no inverse(z, condition).")

    def parts(self) -> tuple[FlowLayer, ...]:
        """The flow layers in this one, first in `forward` first; none for a single map."""
        return ()

    def entering(self, x: Any) -> Any:
        """What the first of the `parts` reads, of x; the others read what the one before wrote."""
        return x

    @property
    def code_shape(self) -> tuple[int, ...]:
        """The shape of one z."""
        if self.event_shape is None:
            raise ValueError(f"{type(self).__name__} {self.name!r} must be built first: call it on data.")
        return tuple(self.compute_output_shape((None, *self.event_shape))[0][1:])

    def as_bijector(self, condition: Any = None, name: str | None = None) -> Any:
        """A `tfp.bijectors.Bijector` that computes with this layer's weights, whatever they are at the time.

            bijector.forward(z) = inverse(z),   bijector.inverse(x) = z,
            bijector.inverse_log_det_jacobian(x) = log_det

        Hold the layer, and make the view where it is used: Keras does not track what only a tfp object reaches.

        Args:
            condition: tensor (C,), or one whose leading axes are those of x; or None. Calls of the bijector may
                bring one instead: `bijector.inverse(x, condition=c)`.
            name: str, of the bijector.

        Raises:
            ValueError: if the layer is not built.
        """
        view = importlib.import_module("keras_course.distributions.flow_bijector")  # by name: layers need no TensorFlow
        return view.flow_bijector(self, condition, name)

    def compute_output_shape(self, inputs_shape: Any, condition_shape: Any = None) -> Any:
        return tuple(inputs_shape), (inputs_shape[0],)

    def no_change(self, x: Any) -> Any:
        """The log_det of a map that keeps volumes: zeros (B,)."""
        return ops.zeros(ops.shape(x)[:1], dtype=self.compute_dtype)
