"""Weights to and from keras.applications, for the networks that both have.

    from_keras_application(model, stock)   stock's numbers into our layers; a stock network without its top leaves our
                                           head as it is, so a pretrained trunk meets a new number of classes
    to_keras_application(model)            a stock network with our numbers

A network takes part with two methods: `keras_layers()` -> {name of a stock layer: our layer} and
`keras_application()` -> the stock network for the same images and classes. Our logits are the stock network's with
`classifier_activation=None`.
"""

from __future__ import annotations

from typing import Any

import keras

from keras_course.models.vision.image_classifier import ImageClassifier

__all__ = ["from_keras_application", "to_keras_application"]


def from_keras_application(model: ImageClassifier, stock: keras.Model) -> ImageClassifier:
    """Copies the weights of a network of keras.applications into ours.

    Args:
        model: a network with `keras_layers`, for instance VGG("D").
        stock: the network of keras.applications, with or without its top.

    Returns:
        The model, which holds the new weights.

    Raises:
        ValueError: if the model has no counterpart, or a layer of its trunk none in `stock`, or shapes differ; nothing
            is copied then.

    Example:
        >>> from keras_course.models.vision.vgg import VGG
        >>> ours = VGG("D", (32, 32, 3), classes=2, width=0.02)
        >>> from_keras_application(ours, keras.Sequential())
        Traceback (most recent call last):
            ...
        ValueError: VGG needs the layer 'block1_conv1' of keras.applications. Received: layers=[]

    Source: Keras documentation, keras.applications.
    """
    named = {layer.name: layer for layer in stock.layers}
    headless = {id(layer) for layer in model.head}
    pairs = []
    for name, ours in _keras_layers(model).items():
        if name in named:
            pairs.append((named[name], ours))
        elif id(ours) not in headless:
            raise ValueError(
                f"{type(model).__name__} needs the layer {name!r} of keras.applications. "
                f"Received: layers={[layer.name for layer in stock.layers][:8]}"
            )
    _copy(pairs)
    return model


def to_keras_application(model: ImageClassifier) -> keras.Model:
    """A network of keras.applications that answers as ours does; its output is our logits.

    Args:
        model: a network with `keras_application`, for instance VGG("E"), at width 1.

    Returns:
        keras.Model.

    Raises:
        ValueError: if keras.applications has no such network.

    Example:
        >>> from keras_course.models.vision.vgg import VGG
        >>> to_keras_application(VGG("A", (32, 32, 3), classes=2, width=0.02))
        Traceback (most recent call last):
            ...
        ValueError: keras.applications has VGG D and E (VGG16, VGG19) at width 1 only. Received: configuration='A', ...

    Source: Keras documentation, keras.applications.
    """
    pairs = _keras_layers(model)
    stock = model.keras_application()  # type: ignore[attr-defined]
    _copy([(ours, stock.get_layer(name)) for name, ours in pairs.items()])
    return stock


def _keras_layers(model: Any) -> dict[str, keras.layers.Layer]:
    if not hasattr(model, "keras_layers"):
        raise ValueError(f"keras.applications has no counterpart of {type(model).__name__}. Received: model={model}")
    return dict(model.keras_layers())


def _copy(pairs: list[tuple[keras.layers.Layer, keras.layers.Layer]]) -> None:
    """The first layer's weights into the second, all or nothing."""
    for source, target in pairs:
        have, want = ([tuple(weight.shape) for weight in layer.weights] for layer in (source, target))
        if have != want:
            raise ValueError(f"Layer {target.name!r} needs weights of shapes {want}. Received: {have}")
    for source, target in pairs:
        target.set_weights(source.get_weights())
