"""Worked examples of structured outputs: back to the size of the image, a class for each pixel, any size of image."""

from __future__ import annotations

from math import prod
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_course.core.backend import arithmetic, compiled
from keras_course.initializers.bilinear import Bilinear
from keras_course.layers.convolution import Convolution2D
from keras_course.layers.pooling import MaxPooling
from keras_course.layers.transposed_convolution import TransposedConvolution2D
from keras_course.metrics.mean_iou import MeanIoU
from keras_course.models.vision.convolutional_trunk import ConvolutionalTrunk
from keras_course.models.vision.dense_evaluation import convolutionalize
from keras_course.models.vision.fcn import FCN

__all__ = [
    "bilinear_upsampling",
    "classifier_at_every_window",
    "fcn_logits",
    "fcn_parameters",
    "label_map_overlap",
    "transposed_convolution",
]


def transposed_convolution(
    maps: Any, kernel: Any, image: Any, stride_down: int, stride_right: int, padding: str
) -> dict[str, Any]:
    """What a convolution's transpose does to feature maps, and <K x, y> = <x, K' y>. Source: C 8.1.12.

    Args:
        maps: (H, W, F), y.
        kernel: (height, width, C, F), of both.
        image: x, of the size that the transpose gives.
    """
    strides = (stride_down, stride_right)
    size, (channels, filters) = tuple(kernel.shape[:2]), kernel.shape[2:]
    forth = Convolution2D(filters, size, strides, padding, use_bias=False)
    back = TransposedConvolution2D(channels, size, strides, padding, use_bias=False)
    forth.build((None, *image.shape))
    back.build((None, *maps.shape))
    for layer in (forth, back):
        layer.set_weights([ops.convert_to_numpy(kernel)])
    spread = compiled(back)(maps[None])[0]
    return {
        "spread": spread,
        "products": ops.stack([ops.sum(compiled(forth)(image[None])[0] * maps), ops.sum(image * spread)]),
    }


def bilinear_upsampling(image: Any, factor: int) -> dict[str, Any]:
    """A transposed convolution with a tent for its kernel: linear interpolation, zeros outside. Source: C 8.1.12."""
    layer = TransposedConvolution2D(
        1, 2 * factor - factor % 2, factor, "same", use_bias=False, kernel_initializer=Bilinear()
    )
    return {"enlarged": compiled(layer)(image[None, ..., None])[0, ..., 0]}


def classifier_at_every_window(
    image: Any, kernel: Any, bias: Any, hidden: Any, hidden_bias: Any, output: Any, output_bias: Any
) -> dict[str, Any]:
    """Convolution, pooling and two dense layers, slid over a larger image in one pass. Source: C 8.1.5, S 9.2.

    Args:
        image: (H, W), larger than what the classifier was made for: a convolution, a 2 x 2 pool, and as many numbers as
            `hidden` has rows.
        kernel, bias: (k, k), (1,) of the convolution.
        hidden, hidden_bias: (inputs, units), (units,) of the first dense layer, a tanh layer.
        output, output_bias: (units, classes), (classes,).
    """
    side = round(float(np.sqrt(hidden.shape[0])))
    own = 2 * side + kernel.shape[0] - 1  # pixels a side of the classifier's own images
    classifier = keras.Sequential(
        [
            keras.Input((own, own, 1)),
            Convolution2D(1, tuple(kernel.shape), activation="relu"),
            MaxPooling(2),
            keras.layers.Flatten(),
            keras.layers.Dense(hidden.shape[1], "tanh"),
            keras.layers.Dense(output.shape[1]),
        ]
    )
    weights = (kernel[..., None, None], bias, hidden, hidden_bias, output, output_bias)
    classifier.set_weights([ops.convert_to_numpy(weight) for weight in weights])
    network = convolutionalize(classifier.layers, (own, own, 1))
    return {"scores": compiled(network)(image[None, ..., None])[0]}


@arithmetic
def fcn_parameters(
    filters: Any, convolutions: Any, head: Any, head_kernel: int, channels: int, classes: int, skips: int
) -> dict[str, Any]:
    """Weights of an FCN, part by part; nothing is allocated. Source: C 8.1.12."""
    import tensorflow as tf

    widths, counts, units = (_plain(numbers) for numbers in (filters, convolutions, head))
    with tf.Graph().as_default():
        trunk = ConvolutionalTrunk(widths, counts, units, head_kernel)
        model = FCN((None, None, channels), classes, trunk, skips)
        return {
            "trunk": trunk.count_params(),
            "scores": [layer.count_params() for layer in model.score_layers],
            "upsampling": [layer.count_params() for layer in model.upsampling],
            "finest_stride": model.strides[model.levels[-1]],
            "total": model.count_params(),
        }


def fcn_logits(height: int, width: int, channels: int, classes: int, filters: Any, skips: int) -> dict[str, Any]:
    """Every pixel's scores for weights and an image given by a formula, sides that the stride does not divide.

    weight tensor k, entry j (C order):  ((7 j + 3 k) mod 17 - 8) / 64;    image entry j:  ((5 j) mod 13) / 12

    Source: C 8.1.5, 8.1.12.
    """
    model = FCN((None, None, channels), classes, ConvolutionalTrunk(_plain(filters), 1), skips)
    weights = []
    for k, weight in enumerate(model.weights):
        j = np.arange(prod(weight.shape), dtype="int64").reshape(weight.shape)
        weights.append(((7 * j + 3 * k) % 17 - 8) / 64.0)
    model.set_weights(weights)
    image = ((5 * np.arange(height * width * channels)) % 13 / 12.0).reshape(1, height, width, channels)
    return {"logits": compiled(model)(ops.convert_to_tensor(image, dtype=model.compute_dtype))[0]}


def label_map_overlap(truth: Any, guess: Any, classes: int, ignored: int) -> dict[str, Any]:
    """Two label maps, some of whose pixels nobody labelled. Source: C 8.1.12."""
    metric = MeanIoU(classes, ignored=ignored)
    weighted = MeanIoU(classes, ignored=ignored, average="weighted")

    def counted(state: Any, truth: Any, guess: Any) -> tuple[Any, Any, Any]:
        for row in range(truth.shape[0]):  # a row at a time: the counts are what is kept
            state = metric.stateless_update_state(state, truth[row : row + 1], guess[row : row + 1])
        return state, metric.stateless_result(state), weighted.stateless_result(state)

    counts, mean, frequency_weighted = compiled(counted)([one.value for one in metric.variables], truth, guess)
    for variable, count in zip(metric.variables, counts, strict=True):
        variable.assign(count)
    return {
        "mean_iou": mean,
        "frequency_weighted_iou": frequency_weighted,
        "pixel_accuracy": metric.pixel_accuracy(),
        "occurring": counts[0] + counts[2],
    }


def _plain(numbers: Any) -> list[int]:
    return [int(number) for number in ops.convert_to_numpy(numbers)]
