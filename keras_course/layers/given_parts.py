"""What a config says of networks that came as arguments, several of them.

    given as plain data (widths, stages, None)    the same data
    given as a layer or model                     as Keras serialises it, when the config is asked for

Asked for later, not when the layer came: while a file is read, Keras marks what several configs share, and a config
written then would differ from the one that was saved.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras

from keras_course.layers.sub_networks import told

__all__ = ["plain_parts", "told_parts"]

BROUGHT = "a layer"


def plain_parts(**parts: Any) -> dict[str, Any]:
    """What to remember of each argument: its plain data, or that it was a layer.

    Example:
        >>> plain_parts(trunk=((4,), (6,)), decoder=None)
        {'trunk': [(4,), (6,)], 'decoder': None}
    """
    return {
        name: BROUGHT if isinstance(part, keras.layers.Layer) else None if part is None else told(part)
        for name, part in parts.items()
    }


def told_parts(model: Any, given: Mapping[str, Any]) -> dict[str, Any]:
    """What the config says of each; layers are attributes of the model under their argument's name."""
    return {
        name: keras.saving.serialize_keras_object(getattr(model, name)) if plain == BROUGHT else plain
        for name, plain in given.items()
    }
