"""What each layer of a flow does to some data: finite or not, at the bound of its scales or not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from keras import ops

from keras_course.layers.flows.flow_layer import FlowLayer

__all__ = ["FlowReading", "flow_readings", "leaves_of"]


class FlowReading(NamedTuple):
    """One layer's answer.

    Args:
        name: path of names, "chain/coupling3".
        finite: whether all codes and log-determinants are finite.
        least, greatest: of log_det over the rows, nats.
        saturated: share of scales beyond 0.99 of their bound; 0 for layers without one.
    """

    name: str
    finite: bool
    least: float
    greatest: float
    saturated: float


def leaves_of(layer: FlowLayer, path: str = "") -> Iterator[tuple[str, FlowLayer]]:
    """Every flow layer that holds no others, with its path, first in `forward` first."""
    here = f"{path}/{layer.name}" if path else layer.name
    if not layer.parts():
        yield here, layer
    for part in layer.parts():
        yield from leaves_of(part, here)


def flow_readings(layer: FlowLayer, x: Any, condition: Any = None) -> list[FlowReading]:
    """Runs some data through a flow and notes what each layer makes of it.

    Args:
        layer: `FlowLayer`, built.
        x: tensor (B, *event_shape).
        condition: tensor (B, N), or None.

    Returns:
        One `FlowReading` a layer without parts, in the order of `forward`.

    Example:
        >>> from keras_course.layers.flows import ActNorm, FlowChain
        >>> chain = FlowChain([ActNorm(name="scale")], name="flow")
        >>> _ = chain(ops.ones((2, 3)))
        >>> flow_readings(chain, ops.ones((2, 3)))
        [FlowReading(name='flow/scale', finite=True, least=0.0, greatest=0.0, saturated=0.0)]

    Source: R.
    """
    readings: list[FlowReading] = []
    _run(layer, x, condition, "", readings)
    return readings


def _run(layer: FlowLayer, x: Any, condition: Any, path: str, readings: list[FlowReading]) -> Any:
    here = f"{path}/{layer.name}" if path else layer.name
    if not layer.parts():
        z, log_det = layer.forward(x, condition)
        codes, values = ops.convert_to_numpy(z), ops.convert_to_numpy(log_det)
        saturation = layer.saturation(x, condition) if hasattr(layer, "saturation") else 0.0
        finite = bool(np.isfinite(codes).all() and np.isfinite(values).all())
        readings.append(FlowReading(here, finite, float(values.min()), float(values.max()), float(saturation)))
        return z
    x = layer.entering(x)
    for part in layer.parts():
        x = _run(part, x, condition, here, readings)
    return x
