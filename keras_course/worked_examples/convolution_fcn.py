"""Worked examples of structured outputs, the networks: any size of image, an answer at every place."""

from __future__ import annotations

from math import prod
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from keras_course.core.backend import arithmetic, compiled
from keras_course.layers.convolution import Convolution2D
from keras_course.layers.pooling import MaxPooling
from keras_course.models.vision.convolutional_trunk import ConvolutionalTrunk
from keras_course.models.vision.dense_evaluation import convolutionalize
from keras_course.models.vision.fcn import FCN

__all__ = ["classifier_at_every_window", "fcn_logits", "fcn_parameters"]


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


def _plain(numbers: Any) -> list[int]:
    return [int(number) for number in ops.convert_to_numpy(numbers)]
