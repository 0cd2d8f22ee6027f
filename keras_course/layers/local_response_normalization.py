"""Local response normalization as a layer: AlexNet's, and that of VGG A-LRN and GoogLeNet."""

from __future__ import annotations

from typing import Any

import keras

from keras_course.core.serial import register
from keras_course.ops.local_response import local_response_normalization, require_response_constants

__all__ = ["LocalResponseNormalization"]


@register("LocalResponseNormalization")
class LocalResponseNormalization(keras.layers.Layer):
    """Damps a unit whose neighbours among the feature maps are strong. No weights.

    y[c] = x[c] / (bias + alpha sum_{|j - c| <= (size - 1)/2} x[j]**2)**beta

    The defaults are AlexNet's constants. alpha multiplies the sum of squares, as in the paper and in
    tf.nn.local_response_normalization; the alpha of Caffe and PyTorch multiplies their mean and is `size` times larger.

    Args:
        size: odd int >= 1, number n of neighbouring maps, the map itself in the middle.
        bias: float > 0, k in the paper.
        alpha: float >= 0, factor on the sum of squares.
        beta: float >= 0, exponent.
        axis: int, the axis of the feature maps (-1: channels last).
        **kwargs: as keras.layers.Layer.

    Input shape:
        (batch, ..., maps), at least rank 2.

    Output shape:
        That of the input.

    Raises:
        ValueError: for an even size, a constant out of its range, or an axis that is not one of the feature maps.

    Example:
        >>> layer = LocalResponseNormalization(size=3, bias=1.0, alpha=1.0, beta=0.5)
        >>> y = keras.ops.convert_to_numpy(layer(keras.ops.array([[0.0, 3.0, 0.0, 2.0]])))  # 3 / sqrt(10), 2 / sqrt(5)
        >>> [round(float(value) ** 2, 4) for value in y[0]]
        [0.0, 0.9, 0.0, 0.8]

    Source: S 9.2; Krizhevsky, Sutskever, Hinton 2012, section 3.3.
    """

    def __init__(
        self,
        size: int = 5,
        bias: float = 2.0,
        alpha: float = 1e-4,
        beta: float = 0.75,
        axis: int = -1,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        require_response_constants("LocalResponseNormalization", size, bias, alpha, beta)
        if isinstance(axis, bool) or not isinstance(axis, int) or axis == 0:
            raise ValueError(f"LocalResponseNormalization needs an axis other than the batch's. Received: axis={axis}")
        self.size, self.axis = int(size), axis
        self.bias, self.alpha, self.beta = float(bias), float(alpha), float(beta)
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        self.compute_output_shape(input_shape)
        self.built = True

    def call(self, inputs: Any) -> Any:
        return local_response_normalization(inputs, self.size, self.bias, self.alpha, self.beta, self.axis)

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        rank = len(input_shape)
        if rank < 2 or not -rank < self.axis < rank:
            raise ValueError(
                "LocalResponseNormalization expects an input of rank 2 or more whose axis of maps exists and is not "
                f"the batch axis. Received: input_shape={tuple(input_shape)}, axis={self.axis}"
            )
        return tuple(input_shape)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "size": self.size,
            "bias": self.bias,
            "alpha": self.alpha,
            "beta": self.beta,
            "axis": self.axis,
        }
