"""Worked examples of PixelCNN as a model, which needs TensorFlow.

Each function takes a golden's inputs and returns its outputs, through the public API.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from keras import ops

from keras_course.core.backend import compiled
from keras_course.models.generative.pixel_cnn import PixelCNN

__all__ = ["pixel_likelihood"]


def pixel_likelihood(x: Any, gated: bool, filters: int, blocks: int) -> dict[str, Any]:
    """Black-and-white pixels of three colours: the logits of each, and log p(x). Source: R.

    Weight tensor k, entry j (C order): ((7 j + 3 k) mod 17 - 8) / 16. The tensors in the order of the forward pass:
    vertical, horizontal, link and mix of every gated layer, or the first convolution and down, spread and up of every
    residual block; then the two layers of the head. A kernel before its bias.
    """
    model = PixelCNN(
        x.shape[1:], filters=filters, blocks=blocks, gated=gated, first_kernel=3, dtype=ops.convert_to_tensor(x).dtype
    )
    stack = model.stack
    layers = [stack.first] if not gated else []
    for n in range(blocks + gated):
        parts = ("vertical", "horizontal", "link", "mix") if gated else ("down", "spread", "up")
        layers += [getattr(stack, part)[n] for part in parts]
    weights = [weight for layer in (*layers, model.between, model.ahead) for weight in layer.weights]
    for k, weight in enumerate(weights):
        j = np.arange(math.prod(weight.shape)).reshape(weight.shape)
        weight.assign(((7 * j + 3 * k) % 17 - 8) / 16.0)
    return {"logits": compiled(model)(x)[..., 0], "log_prob": compiled(model.log_prob)(x)}
