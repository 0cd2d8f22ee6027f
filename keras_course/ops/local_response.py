"""Local response normalization: a unit is damped where its neighbours among the feature maps are strong.

    y[c] = x[c] / (bias + alpha sum_{|j - c| <= r} x[j]**2)**beta,    size = 2 r + 1 maps, those that exist

AlexNet's constants: size 5, bias (k) 2, alpha 1e-4, beta 0.75.

Convention that bites: alpha multiplies the SUM of squares, as printed in the papers and as in
tf.nn.local_response_normalization (depth_radius = r). Caffe and PyTorch multiply the mean: their alpha is alpha * size.
"""

from __future__ import annotations

from numbers import Integral
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_course.ops.floating import as_floating

__all__ = ["local_response_normalization", "require_response_constants"]


def local_response_normalization(
    x: Any, size: int = 5, bias: float = 2.0, alpha: float = 1e-4, beta: float = 0.75, axis: int = -1
) -> Any:
    """Divides each entry by a power of the energy of its neighbours along one axis.

    y[c] = x[c] / (bias + alpha sum_{|j - c| <= (size - 1)/2} x[j]**2)**beta

    At the border the sum has fewer terms. Squares are taken in float32 at least.

    Args:
        x: tensor, any shape with at least one axis; feature maps (B, H, W, C).
        size: odd int >= 1, number of neighbouring maps in the sum, the map itself in the middle.
        bias: float > 0, k in the paper.
        alpha: float >= 0, factor on the sum of squares.
        beta: float >= 0, exponent.
        axis: int, the axis of the feature maps.

    Returns:
        Tensor like x.

    Raises:
        ValueError: for an even size, or a constant out of its range.

    Example:
        >>> y = local_response_normalization([[1.0, 1.0, 1.0]], size=3, bias=1.0, alpha=1.0, beta=1.0)
        >>> [round(v, 4) for v in ops.convert_to_numpy(y)[0].tolist()]
        [0.3333, 0.25, 0.3333]

    Source: S 9.2; Krizhevsky, Sutskever, Hinton 2012, section 3.3.
    """
    require_response_constants("local_response_normalization", size, bias, alpha, beta)
    x = as_floating(x)
    wide = ops.moveaxis(ops.cast(x, keras.backend.result_type(x.dtype, "float32")), axis, -1)  # (..., C)
    # A product with a band of ones, as TensorFlow's own kernel has it: five shifted copies cost seven times as much.
    place = ops.arange(ops.shape(wide)[-1])
    band = ops.cast(ops.abs(place[:, None] - place[None, :]) <= size // 2, wide.dtype)  # (C, C)
    largest = np.finfo(keras.backend.standardize_dtype(wide.dtype)).max
    energy = ops.minimum(ops.square(wide), largest) @ band  # infinity times zero would reach every map
    damped = wide * ops.exp(-beta * ops.log(bias + alpha * energy))  # several times faster than a power
    return ops.cast(ops.moveaxis(damped, -1, axis), x.dtype)


def require_response_constants(who: str, size: Any, bias: float, alpha: float, beta: float) -> None:
    """Refuses an even window and constants that could divide by zero.

    Raises:
        ValueError: with the value that came.
    """
    whole = isinstance(size, Integral) and not isinstance(size, bool)
    if not whole or size < 1 or size % 2 == 0:
        raise ValueError(f"{who} needs an odd size of at least 1, its own map in the middle. Received: size={size!r}")
    if not 0 < bias < float("inf"):
        raise ValueError(f"{who} needs a finite bias > 0. Received: bias={bias}")
    for name, value in (("alpha", alpha), ("beta", beta)):
        if not 0 <= value < float("inf"):
            raise ValueError(f"{who} needs a finite {name} >= 0. Received: {name}={value}")
