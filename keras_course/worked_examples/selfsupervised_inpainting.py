"""Worked examples of inpainting: holes, errors in them, and one step of a linear context encoder.

Each function takes a golden's inputs and returns its outputs, through the public API.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from keras_course.core.backend import compiled
from keras_course.models.selfsupervised.context_encoder import ContextEncoder
from keras_course.ops.inpainting import (
    central_block,
    masked_squared_error,
    random_blocks,
    random_regions,
    reconstruction_weights,
)

__all__ = ["context_encoder_step", "errors_in_holes", "holes_of_blocks", "holes_of_regions"]


def holes_of_blocks(uniforms: Any, height: int, width: int, side: int, overlap: int) -> dict[str, Any]:
    """A square in the middle, squares at random places, and the seen pixels around these. Source: R."""
    blocks = compiled(random_blocks)(uniforms, height, width, side)
    weights = compiled(reconstruction_weights)(blocks, overlap, 3.0)
    return {
        "centre": ops.cast(central_block(height, width, side), "int32")[0, ..., 0],
        "blocks": ops.cast(blocks, "int32")[..., 0],
        "bands": ops.cast(weights == 3.0, "int32")[..., 0],
    }


def holes_of_regions(uniforms: Any, share: float, sigma: float, radius: int) -> dict[str, Any]:
    """Where blurred noise is greatest: a hole of any shape and of exact size. Source: R."""
    masks = compiled(random_regions)(uniforms[..., None], share, sigma, radius)
    return {"masks": ops.cast(masks, "int32")[..., 0]}


def errors_in_holes(x: Any, y: Any, mask: Any, overlap: int, band: float) -> dict[str, Any]:
    """Squared errors in the hole and, with more weight, in the band around it. Source: R."""

    def errors(x: Any, y: Any, mask: Any) -> Any:
        mask = ops.cast(mask, y.dtype)[..., None]
        return masked_squared_error(x, y, reconstruction_weights(mask, overlap, band))

    return {"errors": compiled(errors)(x, y, mask)}


def context_encoder_step(
    x: Any, trunk: Any, decoder: Any, judge: Any, offset: float, side: int, fill: float, adversarial: float, rate: float
) -> dict[str, Any]:
    """One step of a linear trunk and decoder against a linear discriminator. Source: R."""
    dtype = keras.backend.standardize_dtype(trunk.dtype)

    def linear(kernel: Any, use_bias: bool = False) -> Any:
        return keras.layers.Dense(kernel.shape[1], use_bias=use_bias, dtype=dtype)

    layers = {"trunk": linear(trunk), "decoder": linear(decoder), "judge": linear(judge, use_bias=True)}
    model = ContextEncoder(
        x.shape[1:],
        keras.Sequential([keras.layers.Flatten(dtype=dtype), layers["trunk"]]),
        keras.Sequential([layers["decoder"], keras.layers.Reshape(x.shape[1:], dtype=dtype)]),
        keras.Sequential([keras.layers.Flatten(dtype=dtype), layers["judge"]]),
        side=side, fill=fill, adversarial=adversarial, dtype=dtype,
    )  # fmt: skip
    for name, kernel in (("trunk", trunk), ("decoder", decoder), ("judge", judge)):
        layers[name].kernel.assign(kernel)
    layers["judge"].bias.assign([offset])
    model.compile(keras.optimizers.SGD(rate), keras.optimizers.SGD(rate))

    def step(x: Any) -> dict[str, Any]:
        costs = model.costs(x, model(x, training=True))
        model.train_step((x,))
        return {
            **{name: costs[name] for name in ("reconstruction_error", "adversarial_loss", "discriminator_loss")},
            **{name: ops.convert_to_tensor(layer.kernel) + 0 for name, layer in layers.items()},
        }

    return compiled(step)(x)
