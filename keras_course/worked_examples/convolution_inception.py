"""Worked examples of local response normalization and of one inception module.

Each function takes a golden's inputs and returns its outputs, through the public API.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
from keras import ops

from keras_course.core.backend import arithmetic, compiled
from keras_course.layers.inception import InceptionModule
from keras_course.layers.local_response_normalization import LocalResponseNormalization

__all__ = ["inception_cost", "inception_maps", "local_response"]


def local_response(x: Any, size: int, bias: float, alpha: float, beta: float) -> dict[str, Any]:
    """Feature maps damped by their neighbours; a row is one pixel. Source: S 9.2, column A-LRN."""
    return {"y": compiled(LocalResponseNormalization(size, bias, alpha, beta))(x)}


@arithmetic
def inception_cost(height: int, width: int, maps: int, filters: Any, reductions: Any) -> dict[str, Any]:
    """What the 1 x 1 convolutions save: weights, and products for one image. Source: R GoogLeNet."""

    answers = {}
    modules = {"naive": InceptionModule(_ints(filters)), "reduced": InceptionModule(_ints(filters), _ints(reductions))}
    for name, module in modules.items():
        module.build((None, height, width, maps))
        kernels = [layer.kernel for path in module.paths for layer in path if layer.weights]
        answers[f"{name}_parameters"] = module.count_params()
        answers[f"{name}_products"] = sum(height * width * prod(kernel.shape) for kernel in kernels)
        answers[f"{name}_maps"] = module.compute_output_shape((None, height, width, maps))[-1]
    return answers


def inception_maps(height: int, width: int, maps: int, filters: Any, reductions: Any) -> dict[str, Any]:
    """The whole module with weights and image given by a formula, so that anyone can repeat it. Source: R GoogLeNet.

    Kernels and biases of c1, r3, c3, r5, c5, p in this order are tensors k = 0, 1, 2, ...
    entry j (C order) of tensor k:  ((7 j + 3 k) mod 17 - 8) / 16;    image entry j:  ((5 j) mod 13) / 8
    No reductions is the naive module.
    """
    module = InceptionModule(_ints(filters), _ints(reductions) or None)
    module.build((None, height, width, maps))
    order = (module.conv1, module.reduce3, module.conv3, module.reduce5, module.conv5, module.project)
    for number, layer in enumerate(order):
        if layer is not None:
            tensors = zip((2 * number, 2 * number + 1), layer.weights, strict=True)
            layer.set_weights([_formula(k, tuple(weight.shape)) for k, weight in tensors])
    image = ((5 * np.arange(height * width * maps)) % 13 / 8.0).reshape(1, height, width, maps)
    return {"y": compiled(module)(ops.convert_to_tensor(image, dtype=module.compute_dtype))[0]}


def _ints(values: Any) -> tuple[int, ...]:
    return tuple(int(value) for value in ops.convert_to_numpy(values))


def _formula(k: int, shape: tuple[int, ...]) -> np.ndarray:
    return (((7 * np.arange(prod(shape)) + 3 * k) % 17 - 8) / 16.0).reshape(shape)
