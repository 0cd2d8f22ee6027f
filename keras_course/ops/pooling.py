"""Pooling: a window of nearby outputs replaced by one summary statistic.

    max pooling      y(i) = max_{0 <= a < k} x(i s + a)
    average pooling  y(i) = 1/|W_i| sum_{a in W_i} x(i s + a)

k pool size, s stride. s = k tiles the axis, s < k overlaps. Each channel is pooled alone. Under "same" padding windows
that leave the input are cut: nothing padded enters the maximum, and the average divides by the samples that exist.
Both are separable, which serves volumes: TensorFlow's own 3-D kernels know neither float64 nor float16.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
from keras import ops

from keras_course.core.shapes import normalize_tuple, require_one_of, require_rank
from keras_course.ops.floating import as_floating

__all__ = ["POOL_PADDINGS", "average_pool", "max_pool"]

POOL_PADDINGS = ("valid", "same")


def max_pool(inputs: Any, pool_size: Any, strides: Any = None, padding: str = "valid") -> Any:
    """The maximum of each window: which feature is there, no matter where exactly.

    y[b, i, c] = max_{0 <= a < k} x[b, i s + a, c]

    Args:
        inputs: tensor (B, *spatial, C), one to three spatial axes.
        pool_size: int or one int a spatial axis, window k.
        strides: int or one int a spatial axis; None means pool_size (no overlap).
        padding: "valid" drops what does not fill a window, "same" keeps ceil(n / s) windows.

    Returns:
        Tensor (B, *output, C), inputs' dtype.

    Raises:
        ValueError: for a wrong rank, a bad size, stride or padding, or a window larger than the input.

    Example:
        >>> x = ops.reshape(ops.convert_to_tensor([1.0, 3.0, 2.0, 5.0]), (1, 4, 1))
        >>> ops.convert_to_numpy(max_pool(x, 2))[0, :, 0].tolist()
        [3.0, 5.0]
        >>> ops.convert_to_numpy(max_pool(x, 2, strides=1))[0, :, 0].tolist()
        [3.0, 3.0, 5.0]

    Source: C 8.1.8, S 9.2.
    """
    inputs = ops.convert_to_tensor(inputs)
    if keras.backend.is_float_dtype(inputs.dtype):
        return _pool("max_pool", ops.max_pool, inputs, pool_size, strides, padding)
    largest = _pool("max_pool", ops.max_pool, ops.cast(inputs, "float64"), pool_size, strides, padding)
    return ops.cast(largest, inputs.dtype)  # backends pool integers in some ranks only; float64 holds them to 2**53


def average_pool(inputs: Any, pool_size: Any, strides: Any = None, padding: str = "valid") -> Any:
    """The mean of each window: S 9.2 calls it subsampling.

    y[b, i, c] = 1/|W_i| sum_{a in W_i} x[b, i s + a, c]

    Args:
        inputs: tensor (B, *spatial, C), one to three spatial axes; integers are averaged in Keras's float type.
        pool_size: int or one int a spatial axis, window k.
        strides: int or one int a spatial axis; None means pool_size (no overlap).
        padding: "valid" or "same"; the divisor counts only samples inside the input.

    Returns:
        Tensor (B, *output, C), inputs' floating dtype.

    Raises:
        ValueError: as `max_pool`.

    Example:
        >>> x = ops.reshape(ops.convert_to_tensor([1.0, 3.0, 2.0, 5.0]), (1, 4, 1))
        >>> ops.convert_to_numpy(average_pool(x, 2))[0, :, 0].tolist()
        [2.0, 3.5]

    Source: C 8.1.8, S 9.2.
    """
    return _pool("average_pool", ops.average_pool, as_floating(inputs), pool_size, strides, padding)


def _pool(who: str, pool: Callable[..., Any], inputs: Any, pool_size: Any, strides: Any, padding: str) -> Any:
    require_rank(who, inputs.shape, 3, 4, 5)
    rank = len(inputs.shape) - 2
    size = normalize_tuple(who, pool_size, rank, "pool_size")
    step = size if strides is None else normalize_tuple(who, strides, rank, "strides")
    require_one_of(who, POOL_PADDINGS, padding=padding)
    for n, k in zip(inputs.shape[1:-1], size, strict=True):
        if padding == "valid" and n is not None and n < k:
            raise ValueError(
                f"{who} needs at least {k} samples for a window of {k}. Received: inputs.shape={tuple(inputs.shape)}"
            )
    if rank < 3:
        return pool(inputs, size, step, padding, data_format="channels_last")

    def images(maps: Any, window: tuple[int, ...], steps: tuple[int, ...]) -> Any:
        return pool(maps, window, steps, padding, data_format="channels_last")

    _, depth, height, width, channels = ops.shape(inputs)
    planes = images(ops.reshape(inputs, (-1, height, width, channels)), size[1:], step[1:])  # (B D, H', W', C)
    _, height, width, _ = ops.shape(planes)
    columns = ops.reshape(planes, (-1, depth, height * width, channels))  # (B, D, H' W', C)
    columns = images(columns, (size[0], 1), (step[0], 1))  # (B, D', H' W', C)
    return ops.reshape(columns, (-1, ops.shape(columns)[1], height, width, channels))
