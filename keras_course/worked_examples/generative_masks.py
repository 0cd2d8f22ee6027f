"""Worked examples of the chapters on generative models: masks of an autoencoder that knows an order.

Each function takes a golden's inputs and returns its outputs, through the public API.
"""

from __future__ import annotations

from typing import Any

from keras import ops

from keras_course.core.backend import compiled
from keras_course.ops.autoregressive_masks import connections, order_degrees

__all__ = ["masks_by_degree"]


def masks_by_degree(order: Any, hidden: Any) -> dict[str, Any]:
    """Which unit hears which, and the paths that are left from each input to each output. Source: R."""
    degrees = compiled(order_degrees)(ops.convert_to_tensor(order))
    layers = [degrees, *(ops.convert_to_tensor(each, dtype="int32") for each in hidden)]
    masks = [compiled(connections)(*pair) for pair in zip(layers[:-1], layers[1:], strict=True)]
    masks.append(compiled(connections)(layers[-1], degrees, strict=True))
    masks = [ops.cast(mask, "int32") for mask in masks]
    paths = masks[0]
    for mask in masks[1:]:
        paths = ops.matmul(paths, mask)
    return {"degrees": degrees, **{f"mask_{level}": mask for level, mask in enumerate(masks)}, "paths": paths}
