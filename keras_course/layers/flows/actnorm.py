"""A scale and a shift a channel that start where a first batch says, and are trained from there on."""

from __future__ import annotations

from typing import Any

from keras import ops

from keras_course.core.serial import register
from keras_course.layers.flows.flow_layer import FlowLayer
from keras_course.ops.flows import actnorm, actnorm_inverse, actnorm_start

__all__ = ["ActNorm"]


@register("ActNorm")
class ActNorm(FlowLayer):
    """Activation normalisation: batch normalisation without the batch.

        z = x exp(s) + t,   log det = places * sum of s
        start: s = -log(standard deviation), t = -mean exp(s), of a first batch, a channel each

    The layer starts as the identity. `start_at(x)` sets s and t; a `NormalizingFlow` calls it once, in the first `fit`.
    That it has been called is a weight, `started`: saved, restored, and equal on every replica, so that no resumed run
    starts a second time. A flow that ends in ActNorm(center=False) ends as NICE does, in a diagonal scaling.

    Args:
        center: bool, whether there is a t.
        **kwargs: as keras.layers.Layer.

    Input shape:
        (B, ..., C).

    Output shape:
        That of the input, and (B,).

    Raises:
        ValueError: for another rank, or a start from a batch without rows.

    Example:
        >>> layer = ActNorm()
        >>> x = ops.array([[1.0], [5.0]])
        >>> layer.start_at(x)
        >>> z, log_det = layer(x)
        >>> [round(float(v), 4) for v in z[:, 0]], round(float(log_det[0]), 4)
        ([-1.0, 1.0], -0.6931)

    Source: R; Kingma and Dhariwal 2018; the diagonal scaling Dinh et al. 2014.
    """

    def __init__(self, center: bool = True, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.center = bool(center)

    def build(self, inputs_shape: Any, condition_shape: Any = None) -> None:
        super().build(inputs_shape)
        channels = (self.event_shape[-1],)
        self.log_scale = self.add_weight(shape=channels, initializer="zeros", name="log_scale")
        self.shift = self.add_weight(shape=channels, initializer="zeros", name="shift") if self.center else None
        self.started = self.add_weight(shape=(), initializer="zeros", dtype="int32", trainable=False, name="started")

    def start_at(self, x: Any, condition: Any = None) -> None:
        """Sets s and t so that this batch leaves with variance 1 in every channel, and with mean 0 if there is a t.

        Args:
            x: tensor or array (B, ..., C), B >= 1.
            condition: not used.

        Raises:
            ValueError: for a batch without rows.
        """
        x = ops.cast(x, self.compute_dtype)
        if x.shape[0] == 0:
            raise ValueError(f"ActNorm needs rows to start at. Received: x.shape={tuple(x.shape)}")
        if not self.built:
            self.build(x.shape)
        s, t = actnorm_start(x)
        self.log_scale.assign(s)
        if self.shift is not None:
            self.shift.assign(t)
        self.started.assign(1)

    def forward(self, x: Any, condition: Any = None, training: Any = False) -> tuple[Any, Any]:
        shift = None if self.shift is None else ops.convert_to_tensor(self.shift)
        return actnorm(ops.cast(x, self.compute_dtype), ops.convert_to_tensor(self.log_scale), shift)

    def inverse(self, z: Any, condition: Any = None) -> Any:
        shift = None if self.shift is None else ops.convert_to_tensor(self.shift)
        return actnorm_inverse(ops.cast(z, self.compute_dtype), ops.convert_to_tensor(self.log_scale), shift)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "center": self.center}
