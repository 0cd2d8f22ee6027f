"""Pooling layers that take their rank from the input: sequences, images or volumes.

    max pooling      y[b, i, c] = max_{0 <= a < k} x[b, i s + a, c]
    average pooling  y[b, i, c] = mean_{0 <= a < k} x[b, i s + a, c]

    global           y[b, c]    = max_i x[b, i, c]

Equal to keras.layers.MaxPooling1D/2D/3D and AveragePooling1D/2D/3D. No weights.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import keras
from keras import ops

from keras_course.core.serial import register
from keras_course.core.shapes import normalize_tuple, require_one_of, require_rank
from keras_course.ops.convolution import output_size
from keras_course.ops.pooling import POOL_PADDINGS, average_pool, max_pool

__all__ = ["AveragePooling", "GlobalMaxPooling", "MaxPooling"]


class _Pooling(keras.layers.Layer):
    """What the two layers with windows share; `_pool` is the operation."""

    _pool: ClassVar[Callable[..., Any]]

    def __init__(
        self,
        pool_size: Any = 2,
        strides: Any = None,
        padding: str = "valid",
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        who = type(self).__name__
        self.pool_size = _size(who, pool_size, "pool_size")
        self.strides = self.pool_size if strides is None else _size(who, strides, "strides")
        require_one_of(who, POOL_PADDINGS, padding=padding)
        self.padding = padding
        self.data_format = keras.config.image_data_format() if data_format is None else data_format
        require_one_of(who, ("channels_last", "channels_first"), data_format=self.data_format)

    def build(self, input_shape: Any) -> None:
        self.compute_output_shape(input_shape)
        self.built = True

    def call(self, inputs: Any) -> Any:
        if self.data_format == "channels_last":
            return self._pool(inputs, self.pool_size, self.strides, self.padding)
        outputs = self._pool(ops.moveaxis(inputs, 1, -1), self.pool_size, self.strides, self.padding)
        return ops.moveaxis(outputs, -1, 1)

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        who = type(self).__name__
        require_rank(who, input_shape, 3, 4, 5)
        rank = len(input_shape) - 2
        first = self.data_format == "channels_first"
        spatial = input_shape[2:] if first else input_shape[1:-1]
        sizes = tuple(
            output_size(n, k, s, padding=self.padding)
            for n, k, s in zip(
                spatial,
                normalize_tuple(who, self.pool_size, rank, "pool_size"),
                normalize_tuple(who, self.strides, rank, "strides"),
                strict=True,
            )
        )
        if 0 in sizes:
            raise ValueError(
                f"{who} needs an input at least as large as its window of {self.pool_size}. "
                f"Received: input_shape={tuple(input_shape)}"
            )
        batch, channels = input_shape[0], input_shape[1 if first else -1]
        return (batch, channels, *sizes) if first else (batch, *sizes, channels)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "pool_size": self.pool_size,
            "strides": self.strides,
            "padding": self.padding,
            "data_format": self.data_format,
        }


@register("MaxPooling")
class MaxPooling(_Pooling):
    """The maximum of each window.

    y[b, i, c] = max_{0 <= a < k} x[b, i s + a, c]

    Args:
        pool_size: int, or one int a spatial axis, window k.
        strides: int, or one int a spatial axis; None means pool_size. Smaller than pool_size: the windows overlap.
        padding: "valid" drops what does not fill a window, "same" keeps ceil(n / s) windows and cuts those that
            leave the input.
        data_format: "channels_last", "channels_first", or None for Keras's setting.
        **kwargs: as keras.layers.Layer.

    Input shape:
        (batch, *spatial, channels), one to three spatial axes, sizes may be unknown.

    Output shape:
        (batch, *output, channels).

    Raises:
        ValueError: for a bad argument, a rank outside 3 to 5, or a window larger than the input.

    Example:
        >>> tuple(MaxPooling(2)(ops.ones((1, 8, 8, 3))).shape)
        (1, 4, 4, 3)
        >>> tuple(MaxPooling(3, strides=2)(ops.ones((1, 9, 2))).shape)
        (1, 4, 2)

    Source: C 8.1.8, S 9.2.
    """

    _pool = staticmethod(max_pool)


@register("AveragePooling")
class AveragePooling(_Pooling):
    """The mean of each window, called subsampling in LeNet's time.

    y[b, i, c] = mean_{0 <= a < k} x[b, i s + a, c]

    Args:
        pool_size: int, or one int a spatial axis, window k.
        strides: int, or one int a spatial axis; None means pool_size. Smaller than pool_size: the windows overlap.
        padding: "valid", or "same": the divisor counts only samples inside the input.
        data_format: "channels_last", "channels_first", or None for Keras's setting.
        **kwargs: as keras.layers.Layer.

    Input shape:
        (batch, *spatial, channels), one to three spatial axes, sizes may be unknown.

    Output shape:
        (batch, *output, channels).

    Raises:
        ValueError: for a bad argument, a rank outside 3 to 5, or a window larger than the input.

    Example:
        >>> tuple(AveragePooling(2, padding="same")(ops.ones((1, 7, 7, 3))).shape)
        (1, 4, 4, 3)

    Source: C 8.1.8, S 9.2.
    """

    _pool = staticmethod(average_pool)


@register("GlobalMaxPooling")
class GlobalMaxPooling(keras.layers.Layer):
    """The maximum over all places, one number a channel: images of any size become rows of one width.

    y[b, c] = max_i x[b, i, c]

    Unlike Keras's layers it takes a batch without rows, as `predict` on no image brings it.

    Args:
        **kwargs: as keras.layers.Layer.

    Input shape:
        (batch, *spatial, channels), one to three spatial axes, sizes may be unknown.

    Output shape:
        (batch, channels).

    Raises:
        ValueError: for a rank outside 3 to 5.

    Example:
        >>> GlobalMaxPooling()(ops.reshape(ops.arange(8.0), (1, 2, 2, 2))).numpy().tolist()
        [[6.0, 7.0]]

    Source: C 8.1.8.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)

    def build(self, input_shape: Any) -> None:
        require_rank(type(self).__name__, input_shape, 3, 4, 5)
        self.built = True

    def call(self, inputs: Any) -> Any:
        places = tuple(range(1, len(inputs.shape) - 1))
        return ops.max(inputs, axis=places, initial=-float("inf"))

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        return (input_shape[0], input_shape[-1])

    def get_config(self) -> dict[str, Any]:
        return super().get_config()


def _size(who: str, value: Any, name: str) -> int | tuple[int, ...]:
    """One integer for any rank, or one an axis; whether their number fits is known only with the input."""
    sizes = normalize_tuple(who, value, len(value) if isinstance(value, list | tuple) else 1, name)
    return sizes if isinstance(value, list | tuple) else sizes[0]
