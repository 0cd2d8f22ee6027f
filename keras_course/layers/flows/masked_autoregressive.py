"""The flow of a masked network: each number scaled and shifted by what those before it say.

s, t = network(v)                  s_d, t_d functions of the numbers before d in the order
v -> (v - t(v)) exp(-s(v))         one pass; log det = -sum s
its inverse                        D passes, number after number: v_d = w_d exp(s_d) + t_d

fast="density"   x is v: MAF, densities in one pass, samples in D
fast="sampling"  z is v: IAF, samples in one pass, densities of given x in D
"""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from keras_course.core.loops import scan
from keras_course.core.serial import register
from keras_course.core.shapes import require_one_of
from keras_course.layers.autoregressive import MaskedMLP
from keras_course.layers.flows.flow_layer import FlowLayer
from keras_course.ops.autoregressive_flow import autoregressive_affine, autoregressive_affine_step
from keras_course.ops.flows import bounded_log_scale

__all__ = ["MaskedAutoregressive"]


@register("MaskedAutoregressive")
class MaskedAutoregressive(FlowLayer):
    """A triangular map: number d moves by the numbers before it, read off a masked network.

        raw, t = network(v, condition),   s = bound tanh(raw / bound)
        z = (x - t(x)) exp(-s(x)),        log det = -sum s(x)         fast="density": masked autoregressive flow
        x = (z - t(z)) exp(-s(z)),        log det = +sum s(z)         fast="sampling": its inverse

    tfp's MaskedAutoregressiveFlow with the same weights generates what this layer encodes. The slow direction is a loop
    of D passes; gradients go through it.

    Args:
        units: ints, widths of the network's hidden layers.
        order: "forward", "backward", "random", or the numbers, first to last; turn it round from layer to layer.
        fast: "density" or "sampling", which direction takes one pass.
        direct: bool, direct connections past the hidden layers.
        activation: of the hidden layers.
        log_scale_bound: float > 0, greatest |s|, or None for s = raw.
        start_scale: float >= 0, the last kernel's initial scale; 0 starts at the identity.
        seed: int, root of the initial weights (and of a random order); give each layer of a flow its own.
        **kwargs: as keras.layers.Layer.

    Input shape:
        (B, D); condition (B, N).

    Output shape:
        (B, D), and (B,).

    Raises:
        ValueError: for wrong ranks or sizes, an impossible order, a bound that is not positive.

    Example:
        >>> layer = MaskedAutoregressive(units=(8,), start_scale=1.0)
        >>> x = ops.array([[1.0, 2.0, 3.0]])
        >>> z, log_det = layer(x)
        >>> [round(float(v), 5) for v in layer.inverse(z)[0]], tuple(log_det.shape)
        ([1.0, 2.0, 3.0], (1,))

    Source: R; Papamakarios et al. 2017, Kingma et al. 2016.
    """

    event_ranks = (1,)

    def __init__(
        self,
        units: Any = (64, 64),
        order: Any = "forward",
        fast: str = "density",
        direct: bool = False,
        activation: Any = "relu",
        log_scale_bound: float | None = 2.0,
        start_scale: float = 0.01,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        require_one_of("MaskedAutoregressive", ("density", "sampling"), fast=fast)
        if log_scale_bound is not None and not log_scale_bound > 0:
            raise ValueError(
                "MaskedAutoregressive needs a positive log_scale_bound, or None. Received: "
                f"log_scale_bound={log_scale_bound!r}"
            )
        if not start_scale >= 0:
            raise ValueError(f"MaskedAutoregressive needs start_scale >= 0. Received: start_scale={start_scale!r}")
        self.units = (units,) if isinstance(units, int) else tuple(units)
        self.order = order if isinstance(order, str) else [int(place) for place in order]
        self.fast, self.direct, self.seed, self.start_scale = fast, bool(direct), seed, float(start_scale)
        self.log_scale_bound = None if log_scale_bound is None else float(log_scale_bound)
        self.activation = keras.activations.get(activation)
        self.network: MaskedMLP | None = None

    def build(self, inputs_shape: Any, condition_shape: Any = None) -> None:
        super().build(inputs_shape)
        spread = self.start_scale**2
        self.network = MaskedMLP(
            self.event_shape[0], 2, self.units, condition=0 if condition_shape is None else condition_shape[-1],
            order=self.order, direct=self.direct, activation=self.activation,
            output_kernel_initializer=keras.initializers.VarianceScaling(spread, "fan_avg", "uniform") if spread
            else "zeros", seed=self.seed,
            dtype=self.dtype_policy, name="network",
        )  # fmt: skip
        self.network.build()

    def log_scale_and_shift(self, v: Any, condition: Any = None, kernels: Any = None) -> tuple[Any, Any]:
        """s and t, (B, D) each, of all numbers from those before them.

        Args:
            v: tensor (B, D).
            condition: tensor (B, N), or None.
            kernels: `network.masked_kernels()`, where many calls share them; None cuts them here.
        """
        kernels = self.network.masked_kernels() if kernels is None else kernels
        condition = None if self.network.condition == 0 else condition
        raw, shift = ops.split(self.network.respond(v, kernels, condition), 2, axis=-1)
        return bounded_log_scale(raw, self.log_scale_bound), shift

    def one_pass(self, v: Any, condition: Any = None) -> tuple[Any, Any]:
        """((v - t(v)) exp(-s(v)), -sum s(v))."""
        v = ops.cast(v, self.compute_dtype)
        return autoregressive_affine(v, *self.log_scale_and_shift(v, condition))

    def number_by_number(self, w: Any, condition: Any = None) -> Any:
        """The v with (v - t(v)) exp(-s(v)) = w: D passes."""
        w = ops.cast(w, self.compute_dtype)
        kernels, degrees = self.network.masked_kernels(), ops.convert_to_tensor(self.network.input_degrees[0])

        def step(state: list[Any], now: list[Any]) -> tuple[list[Any], list[Any]]:
            (v,), (place,) = state, now
            s, t = self.log_scale_and_shift(v, condition, kernels)
            return [ops.where(degrees == place, autoregressive_affine_step(w, s, t), v)], []

        places = ops.arange(1, self.event_shape[0] + 1, dtype="int32")
        (v,), _, _ = scan(step, [ops.zeros_like(w)], [places], [], length=self.event_shape[0])
        return v

    def forward(self, x: Any, condition: Any = None, training: Any = False) -> tuple[Any, Any]:
        if self.fast == "density":
            return self.one_pass(x, condition)
        z = self.number_by_number(x, condition)
        return z, -self.one_pass(z, condition)[1]

    def inverse(self, z: Any, condition: Any = None) -> Any:
        return self.number_by_number(z, condition) if self.fast == "density" else self.one_pass(z, condition)[0]

    def saturation(self, x: Any, condition: Any = None) -> Any:
        """Share of the |s| beyond 0.99 of the bound, scalar; 0 without a bound."""
        if self.log_scale_bound is None:
            return ops.zeros((), self.compute_dtype)
        v = ops.cast(x, self.compute_dtype) if self.fast == "density" else self.number_by_number(x, condition)
        s, _ = self.log_scale_and_shift(v, condition)
        return ops.mean(ops.cast(ops.abs(s) > 0.99 * self.log_scale_bound, self.compute_dtype))

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "units": list(self.units),
            "order": self.order,
            "fast": self.fast,
            "direct": self.direct,
            "activation": keras.activations.serialize(self.activation),
            "log_scale_bound": self.log_scale_bound,
            "start_scale": self.start_scale,
            "seed": self.seed,
        }
