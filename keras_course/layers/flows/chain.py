"""Flows of flows: one after the other, and the multi-scale form that lets half of the numbers go early."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import keras
from keras import ops

from keras_course.core.serial import register
from keras_course.layers.flows.flow_layer import FlowLayer
from keras_course.layers.flows.partition import Partition

__all__ = ["FactorOut", "FlowChain"]


@register("FlowChain")
class FlowChain(FlowLayer):
    """One flow layer after the other, itself a flow layer.

        z = f_L(... f_2(f_1(x))),   log det = sum_l log det_l

    Args:
        flows: `FlowLayer`s or their configs (this layer's dtype, where they name none), the first reads x.
        **kwargs: as keras.layers.Layer.

    Input shape:
        (B, ...); condition (B, N), given to every layer.

    Output shape:
        That of the last layer, and (B,).

    Raises:
        ValueError: for no flows, or something else among them.

    Example:
        >>> from keras_course.layers.flows import ActNorm, Permutation
        >>> chain = FlowChain([ActNorm(), Permutation("reversed")])
        >>> z, log_det = chain(ops.array([[1.0, 2.0]]))
        >>> ops.convert_to_numpy(z).tolist(), float(log_det[0])
        ([[2.0, 1.0]], 0.0)

    Source: R; Rezende and Mohamed 2015.
    """

    def __init__(self, flows: Iterable[FlowLayer], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.flows = [_made(flow, self.dtype_policy.name) if isinstance(flow, dict) else flow for flow in flows]
        if not self.flows or not all(isinstance(flow, FlowLayer) for flow in self.flows):
            raise ValueError(f"FlowChain needs one or more flow layers. Received: flows={self.flows!r}")

    def build(self, inputs_shape: Any, condition_shape: Any = None) -> None:
        super().build(inputs_shape)
        shape = tuple(inputs_shape)
        for flow in self.flows:
            if not flow.built:
                flow.build(shape, condition_shape)
            shape = tuple(flow.compute_output_shape(shape)[0])

    def parts(self) -> tuple[FlowLayer, ...]:
        return tuple(self.flows)

    def forward(self, x: Any, condition: Any = None, training: Any = False) -> tuple[Any, Any]:
        z, total = self.flows[0].forward(x, condition, training)
        for flow in self.flows[1:]:
            z, log_det = flow.forward(z, condition, training)
            total = total + log_det
        return z, total

    def inverse(self, z: Any, condition: Any = None) -> Any:
        for flow in reversed(self.flows):
            z = flow.inverse(z, condition)
        return z

    def start_at(self, x: Any, condition: Any = None) -> None:
        """Lets each layer that has a data-dependent start take it, at what the layers before make of x.

        Args:
            x: tensor (B, *event_shape).
            condition: tensor (B, N), or None.
        """
        for flow in self.flows:
            if hasattr(flow, "start_at"):
                flow.start_at(x, condition)
            x, _ = flow.forward(x, condition)

    def compute_output_shape(self, inputs_shape: Any, condition_shape: Any = None) -> Any:
        shape = tuple(inputs_shape)
        for flow in self.flows:
            shape = tuple(flow.compute_output_shape(shape)[0])
        return shape, (shape[0],)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "flows": keras.saving.serialize_keras_object(self.flows)}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> FlowChain:
        return cls(keras.saving.deserialize_keras_object(config.pop("flows")), **config)


@register("FactorOut")
class FactorOut(FlowLayer):
    """The first half of the channels is a code already; only the rest goes on.

        a, b = halves of x's last axis,   c, log det = inner(b),   z = [vec(a), vec(c)]

    Nested in each other, these make the multi-scale form: what leaves early is coarse detail that no later layer has
    to carry. The base density judges all codes alike.

    Args:
        flows: `FlowLayer`s or their configs, for the half that goes on.
        **kwargs: as keras.layers.Layer.

    Input shape:
        (B, ..., C), C >= 2; condition (B, N).

    Output shape:
        (B, D), D the numbers of one x, and (B,).

    Raises:
        ValueError: for no flows, or a single channel.

    Example:
        >>> from keras_course.layers.flows import Squeeze
        >>> z, _ = FactorOut([Squeeze()])(ops.ones((3, 2, 2, 4)))
        >>> tuple(z.shape)
        (3, 16)

    Source: R; Dinh et al. 2016.
    """

    event_ranks = (1, 3)

    def __init__(self, flows: Iterable[FlowLayer], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.inner = FlowChain(flows, dtype=self.dtype_policy, name="inner")
        self.partition: Partition | None = None

    def build(self, inputs_shape: Any, condition_shape: Any = None) -> None:
        super().build(inputs_shape)
        self.partition = Partition("halves", False, self.event_shape)
        if not self.inner.built:
            self.inner.build((None, *self._rest_shape(self.event_shape)), condition_shape)

    @staticmethod
    def _rest_shape(event_shape: tuple[int, ...]) -> tuple[int, ...]:
        return (*event_shape[:-1], event_shape[-1] // 2)

    def parts(self) -> tuple[FlowLayer, ...]:
        return (self.inner,)

    def entering(self, x: Any) -> Any:
        return self.partition.split(ops.cast(x, self.compute_dtype))[1]

    def forward(self, x: Any, condition: Any = None, training: Any = False) -> tuple[Any, Any]:
        done, rest = self.partition.split(ops.cast(x, self.compute_dtype))
        code, log_det = self.inner.forward(rest, condition, training)
        flat = [ops.reshape(part, (-1, math.prod(part.shape[1:]))) for part in (done, code)]
        return ops.concatenate(flat, axis=-1), log_det

    def inverse(self, z: Any, condition: Any = None) -> Any:
        z = ops.cast(z, self.compute_dtype)
        cut = math.prod(self.partition.kept_shape)
        done = ops.reshape(z[:, :cut], (-1, *self.partition.kept_shape))
        code = ops.reshape(z[:, cut:], (-1, *self.inner.code_shape))
        return self.partition.merge(done, self.inner.inverse(code, condition))

    def start_at(self, x: Any, condition: Any = None) -> None:
        """As `FlowChain.start_at`, for the half that goes on."""
        self.inner.start_at(self.entering(x), condition)

    def compute_output_shape(self, inputs_shape: Any, condition_shape: Any = None) -> Any:
        return (inputs_shape[0], math.prod(inputs_shape[1:])), (inputs_shape[0],)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "flows": keras.saving.serialize_keras_object(self.inner.flows)}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> FactorOut:
        return cls(keras.saving.deserialize_keras_object(config.pop("flows")), **config)


def _made(config: dict[str, Any], dtype: str) -> Any:
    """A layer of its config."""
    return keras.saving.deserialize_keras_object({**config, "config": {"dtype": dtype, **config["config"]}})
