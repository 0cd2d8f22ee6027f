"""Worked examples of convolutional networks, layer by layer.

Each function takes a golden's inputs and returns its outputs, through the public API.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
from keras import ops

from keras_course.core.backend import arithmetic, compiled
from keras_course.models.vision.lenet import LeNet

__all__ = ["lenet_logits", "lenet_sizes"]

_PADDING = {"valid": "valid", "same": "zero"}  # one pixel in, one pixel out: LeNet's first layer is not strided


@arithmetic
def lenet_sizes(height: int, width: int, channels: int, classes: int, first_padding: str) -> dict[str, Any]:
    """Every stage's shape and every layer's weights. Source: S 9.2 LeNet for OCR."""
    model = LeNet((height, width, channels), classes, padding=(_PADDING[first_padding], "valid"))
    shape: tuple[int | None, ...] = (None, height, width, channels)
    stages: dict[str, Any] = {}
    for layer in (model.conv1, model.pool1, model.conv2, model.pool2):
        shape = layer.compute_output_shape(shape)
        stages[layer.name] = list(shape[1:])
    layers = (model.conv1, model.conv2, model.dense1, model.dense2, model.dense3)
    return {
        **stages,
        "flat": prod(stages["pool2"]),
        "parameters": [layer.count_params() for layer in layers],
        "total": model.count_params(),
    }


def lenet_logits(
    height: int, width: int, channels: int, classes: int, first_padding: str, activation: str, pooling: str
) -> dict[str, Any]:
    """The whole network with weights and image given by a formula, so that anyone can repeat it. Source: S 9.2.

    weight tensor k, entry j (C order):  ((7 j + 3 k) mod 17 - 8) / 2**shift[k];    image entry j:  ((5 j) mod 13) / 12
    """
    shape = (height, width, channels)
    model = LeNet(shape, classes, pooling=pooling, activation=activation, padding=(_PADDING[first_padding], "valid"))
    shift = (5, 6, 7, 6, 8, 6, 6, 6, 5, 6)
    weights = []
    for k, weight in enumerate(model.weights):
        j = np.arange(prod(weight.shape), dtype="int64").reshape(weight.shape)
        weights.append(((7 * j + 3 * k) % 17 - 8) / 2.0 ** shift[k])
    model.set_weights(weights)
    image = ((5 * np.arange(prod(shape))) % 13 / 12.0).reshape(1, *shape)
    return {"logits": compiled(model)(ops.convert_to_tensor(image, dtype=model.compute_dtype))}
