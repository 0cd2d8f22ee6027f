"""Worked example of batch normalization's second phase: the whole training set fixes the statistics.

Each function takes a golden's inputs and returns its outputs, through the public API.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from keras_course.callbacks.global_statistics import fix_global_statistics
from keras_course.core.backend import compiled
from keras_course.layers.batch_normalization import BatchNormalization

__all__ = ["statistics_layer_by_layer"]


def statistics_layer_by_layer(x: Any, first: Any, second: Any, epsilon: float) -> dict[str, Any]:
    """The final phase: all training data to the first hidden layer, then to the second. Source: C 7.7."""
    norms = [BatchNormalization(epsilon=epsilon) for _ in range(2)]
    dense = [keras.layers.Dense(kernel.shape[1], use_bias=False) for kernel in (first, second)]
    model = keras.Sequential(
        [keras.Input((x.shape[1],)), dense[0], norms[0], keras.layers.Activation("tanh"), dense[1], norms[1]]
    )
    for layer, kernel in zip(dense, (first, second), strict=True):
        layer.kernel.assign(kernel)
    fix_global_statistics(model, x, batch_size=3)
    statistics = [ops.convert_to_tensor(v) for norm in norms for v in (norm.moving_mean, norm.moving_variance)]
    names = ("first_mean", "first_variance", "second_mean", "second_variance")
    return {**dict(zip(names, statistics, strict=True)), "y": compiled(model)(x)}
