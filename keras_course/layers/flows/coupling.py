"""Coupling layers: a part of x passes unchanged and tells how the rest moves.

kept, moved = parts of x;   parameters = network(kept, condition)
AdditiveCoupling   z = (kept, moved + t)                log det = 0            (NICE)
AffineCoupling     z = (kept, moved exp(s) + t)         log det = sum s        (Real NVP; printed as NICE)
inverse            x = (kept, (moved - t) exp(-s))      at the price of `forward`
"""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from keras_course.core.serial import register
from keras_course.layers.flows.coupling_network import CouplingNetwork
from keras_course.layers.flows.flow_layer import FlowLayer
from keras_course.layers.flows.partition import Partition, checked_mask
from keras_course.ops.flows import (
    additive_coupling,
    additive_coupling_inverse,
    affine_coupling,
    affine_coupling_inverse,
    bounded_log_scale,
)

__all__ = ["AdditiveCoupling", "AffineCoupling"]


class Coupling(FlowLayer):
    """What the two couplings share: mask and network."""

    event_ranks = (1, 3)
    parameters_a_place = 1

    def __init__(
        self,
        mask: Any = "halves",
        flip: bool = False,
        units: Any = (64, 64),
        activation: Any = "relu",
        network: Any = None,
        kernel_size: int = 3,
        start_scale: float = 0.01,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.mask, self.flip = checked_mask(type(self).__name__, mask), bool(flip)
        self.units = (units,) if isinstance(units, int) else tuple(units)
        self.activation = keras.activations.get(activation)
        self.given_network = network
        self.kernel_size, self.start_scale, self.seed = kernel_size, float(start_scale), seed
        self.partition: Partition | None = None
        self.network: CouplingNetwork | None = None

    def build(self, inputs_shape: Any, condition_shape: Any = None) -> None:
        super().build(inputs_shape)
        self.partition = Partition(self.mask, self.flip, self.event_shape)
        self.network = CouplingNetwork(
            self.parameters_a_place * self.partition.moved_size, self.units, self.activation, self.given_network,
            self.kernel_size, self.start_scale, self.seed, dtype=self.dtype_policy, name="network",
        )  # fmt: skip
        self.network.build((None, *self.partition.kept_shape), condition_shape)
        self.built = True

    def get_config(self) -> dict[str, Any]:
        network = self.given_network
        return {
            **super().get_config(),
            "mask": self.mask,
            "flip": self.flip,
            "units": list(self.units),
            "activation": keras.activations.serialize(self.activation),
            "network": None if network is None else keras.saving.serialize_keras_object(network),
            "kernel_size": self.kernel_size,
            "start_scale": self.start_scale,
            "seed": self.seed,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Coupling:
        network = config.pop("network", None)
        return cls(**config, network=network and keras.saving.deserialize_keras_object(network))


@register("AdditiveCoupling")
class AdditiveCoupling(Coupling):
    """The coupling of NICE: what moves is shifted, and no volume changes.

        z = (kept, moved + t(kept, condition)),   log det = 0

    Args:
        mask: "halves" (of the last axis: units or channels), "alternating" (places of the last axis), "checkerboard"
            (pixels), or an array of 0 and 1 that fits one x, 1 where it is kept.
        flip: bool, whether kept and moved part change places; alternate it from layer to layer.
        units: ints, widths of the network's hidden layers (filters of convolutions, for images).
        activation: of the hidden layers.
        network: a Keras layer or model instead of the hidden layers, see `CouplingNetwork`.
        kernel_size: int, of the convolutions.
        start_scale: float >= 0, how far from the identity the layer starts.
        seed: int, root of the initial weights; give each layer of a flow its own.
        **kwargs: as keras.layers.Layer.

    Input shape:
        (B, D) or (B, H, W, C); condition (B, N).

    Output shape:
        That of the input, and (B,).

    Raises:
        ValueError: for a mask that does not fit, or leaves nothing to keep or to move; wrong ranks or sizes.

    Example:
        >>> layer = AdditiveCoupling(units=(8,), start_scale=1.0)
        >>> x = ops.array([[1.0, 2.0, 3.0, 4.0]])
        >>> z, log_det = layer(x)
        >>> [round(float(v), 5) for v in layer.inverse(z)[0]], float(log_det[0])
        ([1.0, 2.0, 3.0, 4.0], 0.0)

    Source: R; Dinh et al. 2014.
    """

    def forward(self, x: Any, condition: Any = None, training: Any = False) -> tuple[Any, Any]:
        kept, moved = self.partition.split(ops.cast(x, self.compute_dtype))
        moved, log_det = additive_coupling(moved, self.network(kept, condition, training=training), self.partition.mask)
        return self.partition.merge(kept, moved), log_det

    def inverse(self, z: Any, condition: Any = None) -> Any:
        kept, moved = self.partition.split(ops.cast(z, self.compute_dtype))
        shift = self.network(kept, condition, training=False)
        return self.partition.merge(kept, additive_coupling_inverse(moved, shift, self.partition.mask))


@register("AffineCoupling")
class AffineCoupling(Coupling):
    """The coupling of Real NVP: what moves is scaled and shifted.

        raw, t = network(kept, condition),   s = bound tanh(raw / bound)
        z = (kept, moved exp(s) + t),        log det = sum s

    The notes print this coupling as NICE, without a bound. One number of a data set that lies far out then makes exp(s)
    overflow; what cannot be scaled in one layer is scaled in several.

    Args:
        mask, flip, units, activation, network, kernel_size, start_scale, seed: as `AdditiveCoupling`.
        log_scale_bound: float > 0, greatest |s|, or None for s = raw.
        **kwargs: as keras.layers.Layer.

    Input shape:
        (B, D) or (B, H, W, C); condition (B, N).

    Output shape:
        That of the input, and (B,).

    Raises:
        ValueError: as `AdditiveCoupling`, and for a bound that is not positive.

    Example:
        >>> layer = AffineCoupling(units=(8,), start_scale=1.0)
        >>> x = ops.array([[1.0, 2.0, 3.0, 4.0]])
        >>> z, log_det = layer(x)
        >>> [round(float(v), 5) for v in layer.inverse(z)[0]], tuple(log_det.shape)
        ([1.0, 2.0, 3.0, 4.0], (1,))

    Source: R; Dinh et al. 2016.
    """

    parameters_a_place = 2

    def __init__(
        self,
        mask: Any = "halves",
        flip: bool = False,
        units: Any = (64, 64),
        activation: Any = "relu",
        network: Any = None,
        log_scale_bound: float | None = 2.0,
        kernel_size: int = 3,
        start_scale: float = 0.01,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(mask, flip, units, activation, network, kernel_size, start_scale, seed, **kwargs)
        if log_scale_bound is not None and not log_scale_bound > 0:
            raise ValueError(
                f"AffineCoupling needs a positive log_scale_bound, or None. Received: "
                f"log_scale_bound={log_scale_bound!r}"
            )
        self.log_scale_bound = None if log_scale_bound is None else float(log_scale_bound)

    def log_scale_and_shift(self, kept: Any, condition: Any = None, training: Any = False) -> tuple[Any, Any]:
        """s and t at the moved places, as functions of the kept part.

        Args:
            kept: tensor (B, *partition.kept_shape).
            condition: tensor (B, N), or None.
            training: bool.
        """
        parameters = self.network(kept, condition, training=training)
        size = self.partition.moved_size
        return bounded_log_scale(parameters[..., :size], self.log_scale_bound), parameters[..., size:]

    def forward(self, x: Any, condition: Any = None, training: Any = False) -> tuple[Any, Any]:
        kept, moved = self.partition.split(ops.cast(x, self.compute_dtype))
        s, t = self.log_scale_and_shift(kept, condition, training)
        moved, log_det = affine_coupling(moved, s, t, self.partition.mask)
        return self.partition.merge(kept, moved), log_det

    def inverse(self, z: Any, condition: Any = None) -> Any:
        kept, moved = self.partition.split(ops.cast(z, self.compute_dtype))
        s, t = self.log_scale_and_shift(kept, condition)
        return self.partition.merge(kept, affine_coupling_inverse(moved, s, t, self.partition.mask))

    def saturation(self, x: Any, condition: Any = None) -> Any:
        """Share of moved numbers whose |s| is beyond 0.99 of the bound, scalar; 0 without a bound."""
        if self.log_scale_bound is None:
            return ops.zeros((), self.compute_dtype)
        kept, _ = self.partition.split(ops.cast(x, self.compute_dtype))
        s, _ = self.log_scale_and_shift(kept, condition)
        at_bound = ops.cast(ops.abs(s) > 0.99 * self.log_scale_bound, self.compute_dtype)
        if self.partition.mask is None:
            return ops.mean(at_bound)
        moved = 1.0 - ops.broadcast_to(ops.cast(self.partition.mask, s.dtype), ops.shape(s))
        return ops.sum(moved * at_bound) / ops.sum(moved)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "log_scale_bound": self.log_scale_bound}
