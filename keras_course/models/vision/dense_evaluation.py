"""A classifier of whole images as one convolution: its answer for every window of a larger image, in one pass.

    flatten, then a dense layer:   z_u = sum_{a, b, c} W[(a w + b) C + c, u] h[a, b, c] + b_u
    the same as a convolution:     z_u(i, j) = sum_{a, b, c} K[a, b, c, u] h[i + a, j + b, c] + b_u
    K is W in the shape (h, w, C, U)

Behind it every dense layer is a convolution of 1 x 1. On an image of the classifier's own size the result is one place;
on a larger one place (i, j) is the classifier's answer for the window that starts at pixel (s i, s j), s the product of
its strides; pixels that the classifier itself leaves over at its lower and right border may lie outside. What windows
share is computed once, so all of them cost little more than a few.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import keras

from keras_course.core.shapes import normalize_tuple
from keras_course.layers.convolution import Convolution2D
from keras_course.layers.pooling import AveragePooling, MaxPooling

__all__ = ["convolutionalize"]

_WINDOWED = (
    Convolution2D, MaxPooling, AveragePooling,
    keras.layers.Conv2D, keras.layers.MaxPooling2D, keras.layers.AveragePooling2D,
)  # fmt: skip
_POINTWISE = (
    keras.layers.Activation, keras.layers.Dropout, keras.layers.ELU, keras.layers.LeakyReLU, keras.layers.ReLU,
)  # fmt: skip


def convolutionalize(layers: Iterable[Any], input_shape: Any) -> keras.Sequential:
    """Turns a chain of layers that ends in dense ones into convolutions, weights and all.

    network(image)[b, i, j] = classifier(image[b, s i : s i + h, s j : s j + w])

    Args:
        layers: built layers in the order of their calls (`keras.Sequential(...).layers`, `LeNet(...).layers`):
            convolutions and poolings with padding "valid", activations, dropout, batch normalisation, one Flatten,
            dense layers. What pads is refused: at the border of a window inside the image there are pixels, no zeros.
        input_shape: (h, w, C) of the classifier's own images.

    Returns:
        keras.Sequential from images (B, H, W, C) of any size H >= h, W >= w to (B, rows, columns, units). Its weights
        are copies.

    Raises:
        ValueError: for a layer of another kind, with padding or not built; or no Flatten followed by a Dense.

    Example:
        >>> digit = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Flatten(), keras.layers.Dense(10)])
        >>> tuple(convolutionalize(digit.layers, (8, 8, 1))(keras.ops.zeros((1, 20, 9, 1))).shape)
        (1, 13, 2, 10)

    Source: C 8.1.5, S 9.2; Sermanet et al. 2014; Long, Shelhamer and Darrell 2015.
    """
    shape: tuple[Any, ...] = (None, *normalize_tuple("convolutionalize", input_shape, 3, "input_shape"))
    made: list[Any] = []
    weights: list[list[Any]] = []
    flat = dense = False
    for layer in layers:
        if isinstance(layer, keras.layers.InputLayer):
            continue
        _require_convertible(layer, flat, dense)
        if isinstance(layer, keras.layers.Flatten):
            flat = True
        elif isinstance(layer, keras.layers.Dense):
            made.append(_as_convolution(layer, shape[1:3]))
            kernel, *bias = layer.get_weights()
            weights.append([kernel.reshape(*shape[1:], layer.units), *bias])
            dense, shape = True, (None, 1, 1, layer.units)
        else:
            made.append(type(layer).from_config(layer.get_config()))
            weights.append(layer.get_weights())
            shape = shape if dense else layer.compute_output_shape(shape)
    if not dense:
        raise ValueError(f"convolutionalize needs a Flatten and a Dense. Received: {[one.name for one in made]}")
    network = keras.Sequential([keras.Input((None, None, input_shape[-1])), *made])
    for layer, values in zip(made, weights, strict=True):
        layer.set_weights(values)
    return network


def _require_convertible(layer: Any, flat: bool, dense: bool) -> None:
    which = f"{type(layer).__name__} {layer.name!r}"
    if not layer.built:
        raise ValueError(f"convolutionalize needs layers that were built. Received: {which}, not built")
    if isinstance(layer, keras.layers.Dense):
        fine, wanted = flat, "a Flatten before the first dense layer"
    elif isinstance(layer, keras.layers.Flatten):
        fine, wanted = not flat, "one Flatten"
    elif isinstance(layer, keras.layers.BatchNormalization):
        fine, wanted = dense or not flat, "batch normalisation of maps or behind a dense layer"
    elif isinstance(layer, _WINDOWED):
        fine, wanted = not flat and layer.padding == "valid", "convolutions and poolings with padding='valid'"
    else:
        fine, wanted = isinstance(layer, _POINTWISE), "convolutions, poolings, activations, a Flatten and dense layers"
    if getattr(layer, "data_format", "channels_last") != "channels_last":
        fine, wanted = False, "channels last"
    if not fine:
        raise ValueError(f"convolutionalize takes {wanted}. Received: {which}")


def _as_convolution(layer: Any, size: tuple[int, ...]) -> Convolution2D:
    return Convolution2D(
        layer.units, size, activation=layer.activation, use_bias=layer.use_bias, dtype=layer.dtype_policy,
        name=layer.name,
    )  # fmt: skip
