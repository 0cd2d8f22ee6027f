"""Kernel and bias of a layer as Keras describes them: three parts each, kept, made into weights, told in the config.

    attributes   use_bias, kernel_initializer, kernel_regularizer, kernel_constraint, the same three of the bias
    weights      kernel; bias, or None with use_bias=False

Layers write these arguments in their own signature, in the order that their users know, and hand them on to here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras

__all__ = ["KERNEL_AND_BIAS", "add_kernel_and_bias", "keep_kernel_and_bias", "told_kernel_and_bias"]

KINDS: Mapping[str, Any] = {
    "initializer": keras.initializers,
    "regularizer": keras.regularizers,
    "constraint": keras.constraints,
}
KERNEL_AND_BIAS = tuple(f"{weight}_{kind}" for kind in KINDS for weight in ("kernel", "bias"))


def keep_kernel_and_bias(layer: keras.layers.Layer, use_bias: bool, **parts: Any) -> None:
    """Sets `use_bias` and the six parts as attributes of the layer, names and configs turned into objects.

    Args:
        layer: Keras layer whose constructor is at work.
        use_bias: bool.
        **parts: kernel_initializer, bias_initializer, kernel_regularizer and so on, all of `KERNEL_AND_BIAS`.

    Raises:
        TypeError: if a part is missing, or one came that is none.
        ValueError: for a name that Keras does not know.

    Example:
        >>> layer = keras.layers.Layer()
        >>> keep_kernel_and_bias(layer, True, **{**dict.fromkeys(KERNEL_AND_BIAS), "bias_initializer": "ones"})
        >>> type(layer.bias_initializer).__name__, layer.kernel_regularizer
        ('Ones', None)
    """
    if set(parts) != set(KERNEL_AND_BIAS):
        raise TypeError(f"A kernel and its bias have the parts {KERNEL_AND_BIAS}. Received: {tuple(parts)}")
    layer.use_bias = bool(use_bias)
    for name, part in parts.items():
        setattr(layer, name, KINDS[name.rpartition("_")[2]].get(part))


def add_kernel_and_bias(layer: keras.layers.Layer, kernel_shape: tuple[int, ...], bias_shape: tuple[int, ...]) -> None:
    """Makes the weights `kernel` and `bias` as the layer's attributes say; without `use_bias` the bias is None.

    Args:
        layer: Keras layer whose `build` is at work.
        kernel_shape: tuple of ints.
        bias_shape: tuple of ints.
    """
    layer.kernel, layer.bias = _weight(layer, "kernel", kernel_shape), None
    if layer.use_bias:
        layer.bias = _weight(layer, "bias", bias_shape)


def told_kernel_and_bias(layer: keras.layers.Layer) -> dict[str, Any]:
    """What the layer's config says of them and of its penalty on the output.

    Args:
        layer: Keras layer.

    Returns:
        {"use_bias": bool, "kernel_initializer": config, ..., "activity_regularizer": config}.
    """
    return {
        "use_bias": layer.use_bias,
        **{name: KINDS[name.rpartition("_")[2]].serialize(getattr(layer, name)) for name in KERNEL_AND_BIAS},
        "activity_regularizer": keras.regularizers.serialize(layer.activity_regularizer),
    }


def _weight(layer: keras.layers.Layer, name: str, shape: tuple[int, ...]) -> Any:
    parts = {kind: getattr(layer, f"{name}_{kind}") for kind in KINDS}
    return layer.add_weight(name=name, shape=shape, **parts)
