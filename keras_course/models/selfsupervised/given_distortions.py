"""Distortions as an argument: `Augmentation` layers, applied in order with uniform numbers that the model draws.

    distorted(x, u) = layer_L(... layer_1(x, u_1) ..., u_L)     u = [u_1 ... u_L], `draws` numbers each, a row an image

The layers' own seeds and counts are not used: the same numbers give the same images, wherever and whenever.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from keras_course.layers.sub_networks import restored

__all__ = ["distorted", "distortions_of", "numbers_an_image"]


def distortions_of(who: str, given: Any) -> list[Any]:
    """The layers: one, or a list of them, as they came or as `keras.saving.serialize_keras_object` writes them.

    Args:
        who: name of the model, for messages.
        given: layer with `draws(shape)` and a call layer(x, uniforms), or a list of such layers, not empty.

    Raises:
        ValueError: for anything else.

    Example:
        >>> from keras_course.layers import RandomShift
        >>> len(distortions_of("Mine", RandomShift(1.0)))
        1
    """
    layers = [restored(layer) for layer in (given if isinstance(given, list | tuple) else [given])]
    if not layers or not all(callable(getattr(layer, "draws", None)) for layer in layers):
        raise ValueError(f"{who} needs an Augmentation layer, or a list of them. Received: augmentation={given!r}")
    return layers


def numbers_an_image(layers: Sequence[Any], shape: tuple[int, ...]) -> int:
    """How many uniform numbers all layers together need for one x of that shape."""
    return sum(layer.draws((None, *shape)) for layer in layers)


def distorted(layers: Sequence[Any], x: Any, uniforms: Any) -> Any:
    """x after all layers, each with the next of the uniform numbers.

    Args:
        layers: as `distortions_of` returns them.
        x: tensor (B, ...).
        uniforms: tensor (B, U) in [0, 1).
    """
    seen = 0
    for layer in layers:
        count = layer.draws((None, *x.shape[1:]))
        x = layer(x, uniforms[:, seen : seen + count])
        seen += count
    return x
