"""The trunk of any network of the zoo as one that gives several feature maps.

h_l = layer_l(h_{l-1}),   h_0 = images;   result: h_l for every layer named in `after`, in order
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import keras

from keras_course.core.serial import register

__all__ = ["StageMaps"]


@register("StageMaps")
class StageMaps(keras.layers.Layer):
    """Feature maps behind chosen layers of a chain.

    (h_l for l in after),   h_l = layer_l(… layer_1(images))

    The layers are held, not copied: an FCN on them tunes the classifier they come from, unless they are frozen. Those
    behind the last named one are left out.

    Args:
        layers: Keras layers, called one after the other (`LeNet(...).trunk`, `keras.Sequential(...).layers`).
        after: names of some of them, in order; the maps behind these are given.
        **kwargs: as keras.layers.Layer.

    Input shape:
        (batch, height, width, channels).

    Output shape:
        List of (batch, height, width, channels), one a name.

    Raises:
        ValueError: for no names, names of no layer, or names out of order.

    Example:
        >>> stages = [keras.layers.MaxPooling2D(name="half"), keras.layers.MaxPooling2D(name="quarter")]
        >>> [tuple(maps.shape) for maps in StageMaps(stages, ["half", "quarter"])(keras.ops.ones((1, 8, 8, 3)))]
        [(1, 4, 4, 3), (1, 2, 2, 3)]

    Source: C 8.1.12; Long, Shelhamer and Darrell 2015.
    """

    def __init__(self, layers: Iterable[Any], after: Iterable[str], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        chain, names = list(layers), list(after)
        places = [place for place, layer in enumerate(chain) if layer.name in names]
        if not names or [chain[place].name for place in places] != names:
            raise ValueError(
                "StageMaps needs names of its layers, each once, in their order. "
                f"Received: after={names}, layers={[layer.name for layer in chain]}"
            )
        self.after = names
        self.chain = chain[: places[-1] + 1]

    def build(self, input_shape: Any) -> None:
        shape = tuple(input_shape)
        for layer in self.chain:
            if not layer.built:
                layer.build(shape)
            shape = layer.compute_output_shape(shape)
        self.built = True

    def call(self, images: Any) -> list[Any]:
        maps, found = images, []
        for layer in self.chain:
            maps = layer(maps)
            if layer.name in self.after:
                found.append(maps)
        return found

    def compute_output_shape(self, input_shape: Any) -> list[tuple[int | None, ...]]:
        shape, found = tuple(input_shape), []
        for layer in self.chain:
            shape = layer.compute_output_shape(shape)
            if layer.name in self.after:
                found.append(tuple(shape))
        return found

    def get_config(self) -> dict[str, Any]:
        layers = [keras.saving.serialize_keras_object(layer) for layer in self.chain]
        return {**super().get_config(), "layers": layers, "after": self.after}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> StageMaps:
        layers = [keras.saving.deserialize_keras_object(layer) for layer in config["layers"]]
        return cls(**{**config, "layers": layers})
