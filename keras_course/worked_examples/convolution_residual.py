"""Worked examples of residual and dense networks: tables of sizes and parameters, blocks and small networks by formula.

Tensor number t of a network, in the order of the forward pass (a shortcut after the branch beside it), has the entries
u = ((7 j + 3 t) mod 17 - 8) / 8, j in C order: kernels of convolutions are u / 2, the dense layer's u / 4, gamma is
1 + u / 4, every beta, bias and moving mean u / 4, the moving variance 1 + u / 2. Images are ((5 j) mod 13) / 12.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import count
from math import prod
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from keras_course.core.backend import arithmetic, compiled
from keras_course.layers.convolution import Convolution2D
from keras_course.layers.dense_block import DenseBlock, TransitionLayer
from keras_course.layers.residual_block import BottleneckBlock, ResidualBlock
from keras_course.models.vision.densenet import DenseNet
from keras_course.models.vision.resnet import ResNet

__all__ = [
    "bottleneck_block_output",
    "densenet_table",
    "residual_block_output",
    "resnet_table",
    "small_densenet_logits",
    "small_resnet_logits",
]


@arithmetic
def resnet_table(
    height: int, width: int, channels: int, classes: int, form: str, depth: int, shortcut: str, use_bias: bool
) -> dict[str, Any]:
    """What every stage gives and learns; projections are no layers of their own. Source: R (Residual Networks)."""
    shape = (height, width, channels)
    return _counts(_symbolic(ResNet, depth, shape, classes, form=form, shortcut=shortcut, use_bias=use_bias))


@arithmetic
def densenet_table(height: int, width: int, channels: int, classes: int, depth: int) -> dict[str, Any]:
    """What every stage gives and learns, and the table's column of sizes. Source: R (Dense Convolutional Networks)."""
    model = _symbolic(DenseNet, depth, (height, width, channels), classes)
    sizes = []
    for stage, shapes in _shapes(model).items():
        if stage.startswith("transition"):  # the table has two rows for it, before and behind the pooling
            sizes.append(sizes[-1])
        sizes += [list(shape[1:3]) for name, shape in shapes.items() if not name.startswith(("pad", "bn", "relu"))]
    blocks = [layer.depth for layer in model.trunk if isinstance(layer, DenseBlock)]
    return {**_counts(model), "output_size": sizes, "blocks": blocks}


@lru_cache(maxsize=1)
def _symbolic(network: Any, *arguments: Any, **more: Any) -> Any:
    """A network whose variables are symbols of a graph: nothing is allocated. Kept for the next dtype."""
    with tf.Graph().as_default():
        return network(*arguments, kernel_initializer="zeros", **more)


def _shapes(model: Any) -> dict[str, dict[str, tuple[Any, ...]]]:
    """{stage: {layer: shape behind it}}."""
    shape: tuple[Any, ...] = (None, *model.image_shape)
    found: dict[str, dict[str, tuple[Any, ...]]] = {}
    for stage, layers in model.stages.items():
        found[stage] = {}
        for layer in layers:
            shape = layer.compute_output_shape(shape)
            found[stage][layer.name] = shape
    return found


def _counts(model: Any) -> dict[str, Any]:
    parts = (*model.stages.values(), model.head)
    learned = [sum(_numbers(layer.trainable_variables) for layer in layers) for layers in parts]
    layers = [layer for layer in model._flatten_layers() if isinstance(layer, Convolution2D | keras.layers.Dense)]
    return {
        "sizes": [list(shape) for shape in model.stage_shapes().values()],
        "learned": learned,
        "trainable": sum(learned),
        "statistics": _numbers(model.non_trainable_variables),
        "parameters": model.count_params(),
        "layers": sum(not layer.name.startswith("shortcut") for layer in layers),
    }


def _numbers(variables: Any) -> int:
    return sum(prod(variable.shape) for variable in variables)


def residual_block_output(
    height: int, width: int, channels: int, filters: int, strides: int, shortcut: str
) -> dict[str, Any]:
    """One block of two 3 x 3 convolutions. Source: R (Residual Networks)."""
    block = ResidualBlock(filters, strides, shortcut)
    return {"maps": _maps(block, height, width, channels)}


def bottleneck_block_output(
    height: int, width: int, channels: int, filters: int, strides: int, strided: str, shortcut: str
) -> dict[str, Any]:
    """One bottleneck; where its stride is decides which pixels it sees. Source: R (Residual Networks)."""
    block = BottleneckBlock(filters, strides, strided, shortcut=shortcut)
    return {"maps": _maps(block, height, width, channels)}


def small_resnet_logits(
    height: int, width: int, channels: int, classes: int, depth: int, filters: int, shortcut: str
) -> dict[str, Any]:
    """The form for small images, a few maps wide. Source: R (Residual Networks)."""
    shape = (height, width, channels)
    model = ResNet(depth, shape, classes, "cifar", width=filters / 16, shortcut=shortcut)
    order: list[Any] = [model.conv1, model.bn1]
    for block in model.trunk:
        order += _of_block(block) if isinstance(block, ResidualBlock) else []
    _fill([*order, model.predictions])
    return {"logits": compiled(model)(_image(*shape, dtype=model.compute_dtype))[0]}


def small_densenet_logits(
    height: int, width: int, channels: int, classes: int, blocks: Any, growth_rate: int
) -> dict[str, Any]:
    """Dense blocks for small images, a few maps wide. Source: R (Dense Convolutional Networks)."""
    shape = (height, width, channels)
    model = DenseNet(None, shape, classes, [int(count) for count in blocks], growth_rate, small_stem=True)
    order: list[Any] = []
    for layer in (*model.trunk, model.predictions):
        if isinstance(layer, DenseBlock):
            for pair in zip(layer.normalizations, layer.convolutions, strict=True):
                order += pair
        else:
            order += [layer.bn, layer.convolution] if isinstance(layer, TransitionLayer) else [layer]
    _fill(order)
    return {"logits": compiled(model)(_image(*shape, dtype=model.compute_dtype))[0]}


def _maps(block: Any, height: int, width: int, channels: int) -> Any:
    image = _image(height, width, channels, dtype=block.compute_dtype)
    block.build(image.shape)
    _fill(_of_block(block))
    return compiled(block)(image)[0]


def _of_block(block: Any) -> list[Any]:
    """Its layers that have weights, in the order of the formula."""
    order: list[Any] = []
    for pair in zip(block.convolutions, block.normalizations, strict=True):
        order += pair
    return order if block.projection is None else [*order, block.projection, block.projection_normalization]


def _image(height: int, width: int, channels: int, dtype: Any) -> Any:
    size = height * width * channels
    return ops.convert_to_tensor((5 * np.arange(size) % 13 / 12).reshape(1, height, width, channels), dtype=dtype)


def _fill(layers: Any) -> None:
    """Gives every weight its number by the formula of this page."""
    offset = {"gamma": (1, 1 / 4), "moving_variance": (1, 1 / 2)}
    steep = {4: 1 / 2}  # kernels of convolutions
    numbers = count()
    for layer in layers:
        for variable in layer.variables:
            j, t = np.arange(prod(variable.shape)).reshape(variable.shape), next(numbers)
            base, factor = offset.get(variable.name, (0, steep.get(len(variable.shape), 1 / 4)))
            variable.assign(base + factor * ((7 * j + 3 * t) % 17 - 8) / 8)
