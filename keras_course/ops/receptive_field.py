"""Which input samples reach a unit behind a stack of convolutions and poolings.

    r_0 = 1, j_0 = 1;    r_l = r_{l-1} + d_l (k_l - 1) j_{l-1},    j_l = s_l j_{l-1}

r_l receptive field, j_l jump: how many input samples lie between two neighbours of layer l. k kernel, s stride, d
dilation (distance between two taps, 1 = none). Pooling counts as a convolution of its window. Each axis is reckoned for
itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from keras_course.core.shapes import normalize_tuple, require_positive_int

__all__ = ["layer_spans", "receptive_field", "receptive_window"]


def receptive_field(layers: Iterable[tuple[int, ...]]) -> int:
    """How many input samples along one axis one unit behind the stack sees.

    r_L = 1 + sum_l d_l (k_l - 1) s_1 ... s_{l-1}

    r grows with every layer although each is sparse: that is how deep units see the whole image.

    Args:
        layers: (kernel,), (kernel, stride) or (kernel, stride, dilation) for each layer, first layer first.

    Returns:
        Int at least 1.

    Raises:
        ValueError: for anything but positive integers.

    Example:
        >>> receptive_field([(3,), (3,)]), receptive_field([(5,), (2, 2), (5,), (2, 2)])
        (5, 16)

    Source: C 8.1.2.
    """
    field, jump = 1, 1
    for layer in layers:
        kernel, stride, dilation = (*layer, 1, 1)[:3]
        require_positive_int("receptive_field", kernel=kernel, stride=stride, dilation=dilation)
        field += dilation * (kernel - 1) * jump
        jump *= stride
    return field


def receptive_window(layers: Iterable[tuple[int, ...]], unit: int) -> tuple[int, int]:
    """First and last input sample that one unit sees; outside the image where it sees padding.

    first_{l-1} = s_l first_l - p_l,   last_{l-1} = s_l last_l - p_l + d_l (k_l - 1)

    Args:
        layers: (kernel, stride, dilation, padding in front) for each layer, first layer first; what is left out is
            1, 1, 0. "zero" and "replicate" pad d (k - 1) // 2 in front, "valid" nothing.
        unit: index of the unit along the axis of the last layer.

    Returns:
        (first, last), last - first + 1 = `receptive_field(layers)`.

    Raises:
        ValueError: for anything but positive integers, and a padding or a unit below 0.

    Example:
        >>> receptive_window([(5,), (2, 2), (5,), (2, 2)], unit=1)
        (4, 19)
        >>> receptive_window([(3, 1, 1, 1), (3, 1, 1, 1)], unit=0)
        (-2, 2)

    Source: C 8.1.2.
    """
    stack = []
    for layer in layers:
        kernel, stride, dilation = (*layer, 1, 1)[:3]
        front = layer[3] if len(layer) > 3 else 0
        require_positive_int("receptive_window", kernel=kernel, stride=stride, dilation=dilation)
        stack.append((kernel, stride, dilation, front))
    if unit < 0 or any(front < 0 for *_, front in stack):
        raise ValueError(f"receptive_window needs a unit and paddings of at least 0. Received: {unit=}, layers={stack}")
    first = last = int(unit)
    for kernel, stride, dilation, front in reversed(stack):
        first, last = stride * first - front, stride * last - front + dilation * (kernel - 1)
    return first, last


def layer_spans(layers: Iterable[Any], axis: int = 0) -> list[tuple[int, int, int]]:
    """What `receptive_field` needs of Keras layers: (kernel, stride, dilation) of each along one spatial axis.

    r_L = receptive_field(layer_spans(layers))

    Args:
        layers: convolutions, poolings and locally connected layers, the course's or Keras's own, first layer first.
        axis: spatial axis, 0 for the first (height, time).

    Returns:
        List of (kernel, stride, dilation).

    Raises:
        ValueError: for a layer that has neither a kernel_size nor a pool_size (one that joins whole maps, as Flatten
            and Dense do, sees everything).

    Example:
        >>> import keras
        >>> layer_spans([keras.layers.Conv2D(8, 5, strides=2), keras.layers.MaxPooling2D(2)])
        [(5, 2, 1), (2, 2, 1)]

    Source: C 8.1.2.
    """
    spans = []
    for layer in layers:
        size = getattr(layer, "kernel_size", None) or getattr(layer, "pool_size", None)
        if size is None:
            raise ValueError(
                f"layer_spans takes layers with a kernel_size or a pool_size; others act on single samples (leave them "
                f"out) or on all of them. Received: layer={getattr(layer, 'name', layer)!r}"
            )
        strides, dilation = getattr(layer, "strides", None) or size, getattr(layer, "dilation_rate", 1)
        spans.append((_along(size, axis), _along(strides, axis), _along(dilation, axis)))
    return spans


def _along(value: Any, axis: int) -> int:
    """An argument that is one int for all axes, or one an axis."""
    if isinstance(value, int):
        return value
    return normalize_tuple("layer_spans", value, len(tuple(value)), "size")[axis]
