"""Worked examples of batch normalization: in training, afterwards, and the pass between the two.

Each function takes a golden's inputs and returns its outputs, through the public API.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Any

from keras import ops

from keras_course.core.backend import compiled, jacobian
from keras_course.layers.batch_normalization import BatchNormalization
from keras_course.ops.normalization import batch_moments, merge_moments, standardize

__all__ = [
    "batch_normalization_as_printed",
    "batch_normalization_gradient",
    "moments_of_uneven_batches",
    "moving_averages",
]


def batch_normalization_as_printed(x: Any) -> dict[str, Any]:
    """Mean subtracted, divided by the standard deviation, of this mini-batch. Source: C 7.7."""
    layer = BatchNormalization(center=False, scale=False, epsilon=0.0, momentum=0.0)
    layer.build(x.shape)

    def run(x: Any) -> Any:
        y, (mean, variance) = layer.stateless_call([], layer.non_trainable_variables, x, training=True)
        return {"y": y, "mean": mean, "deviation": ops.sqrt(variance)}

    result: dict[str, Any] = compiled(run)(x)
    return result


def batch_normalization_gradient(x: Any, gamma: Any, beta: Any, epsilon: float, slope: Any) -> dict[str, Any]:
    """Backpropagation through the batch's mean and variance. Source: C 7.7."""

    def normalized(x: Any) -> Any:
        _, mean, variance = batch_moments(x)
        return standardize(x, mean, variance, gamma, beta, epsilon)

    def run(x: Any) -> Any:
        return {"y": normalized(x), "gradient": jacobian(lambda x: ops.sum(slope * normalized(x)), x)}

    result: dict[str, Any] = compiled(run)(x)
    return result


def moving_averages(first: Any, second: Any, momentum: float, epsilon: float, x: Any) -> dict[str, Any]:
    """Two mini-batches in training, then inference. Source: C 7.7."""
    layer = BatchNormalization(momentum=momentum, epsilon=epsilon)
    layer.build(x.shape)
    weights = [ops.convert_to_tensor(variable) for variable in layer.trainable_variables]

    def run(first: Any, second: Any, x: Any) -> Any:
        state = layer.non_trainable_variables
        for batch in (first, second):
            _, state = layer.stateless_call(weights, state, batch, training=True)
        y, _ = layer.stateless_call(weights, state, x, training=False)
        return {"mean": state[0], "variance": state[1], "y": y}

    result: dict[str, Any] = compiled(run)(first, second, x)
    return result


def moments_of_uneven_batches(x: Any, sizes: Sequence[int]) -> dict[str, Any]:
    """The whole set from its batches, and what averaging the batches' variances gives. Source: C 7.7."""
    sizes = [int(size) for size in sizes]
    ends = [sum(sizes[: index + 1]) for index in range(len(sizes))]

    def run(x: Any) -> Any:
        parts = [batch_moments(x[end - size : end]) for size, end in zip(sizes, ends, strict=True)]
        _, mean, variance = reduce(merge_moments, parts)
        naive = ops.mean(ops.stack([part[2] for part in parts]), axis=0)
        return {"mean": mean, "variance": variance, "mean_of_variances": naive}

    result: dict[str, Any] = compiled(run)(x)
    return result
