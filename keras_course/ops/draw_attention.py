"""Looking at, and drawing into, a square window of an image through grids of Gaussian filters: the attention of DRAW.

    F_X[i, a] = exp(-(a - mu_X[i])^2 / (2 sigma^2)) / sum_a' exp(-(a' - mu_X[i])^2 / (2 sigma^2))     N x W
    mu_X[i]   = g_X + (i - N/2 - 1/2) delta,   i = 1 ... N;   F_Y, N x H, likewise
    read(x)   = gamma F_Y x F_X^T                                                                     N x N
    write(w)  = F_Y^T w F_X / gamma                                                                   H x W

Conventions that bite. Pixels are counted from 1, so the centre of W pixels is (W + 1) / 2. sigma^2, delta and gamma
come as logarithms. write is no inverse of read: the rows of F sum to 1, its columns do not. One window has one stride
and one sigma for both axes.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from keras import ops

from keras_course.core.shapes import require_features, require_positive_int
from keras_course.ops.floating import as_floating

__all__ = ["Window", "filterbank", "read_window", "require_filters", "window_of", "write_window"]

LARGEST_LOGARITHM = 10.0  # e^10 pixels are beyond any image; e^-10 of one is beyond what differs


class Window(NamedTuple):
    """Where N x N filters lie. Each a tensor (...), in pixels but for the last.

    Args:
        x, y: centre of the grid, columns and rows counted from 1.
        stride: distance of neighbouring filters, delta.
        scale: standard deviation of each filter, sigma.
        intensity: gamma.
    """

    x: Any
    y: Any
    stride: Any
    scale: Any
    intensity: Any


def window_of(parameters: Any, height: int, width: int, size: int) -> Window:
    """The window that five real numbers (a, b, log sigma^2, log d, log gamma) mean.

        g_X = (W + 1) / 2 (a + 1),   g_Y = (H + 1) / 2 (b + 1),   delta = (max(H, W) - 1) / (N - 1) d

    Zeros are the whole image: its centre, filters from edge to edge of the longer side, sigma = gamma = 1. Logarithms
    beyond +-10 count as +-10, so that nothing overflows.

    Args:
        parameters: tensor (..., 5).
        height, width: ints >= 1, H and W.
        size: int >= 2, N.

    Returns:
        `Window` of tensors (...).

    Raises:
        ValueError: for another last axis, or sizes out of range.

    Example:
        >>> window = window_of([0.0, 0.0, 0.0, 0.0, 0.0], height=5, width=9, size=5)
        >>> [float(each) for each in window]
        [5.0, 3.0, 2.0, 1.0, 1.0]

    Source: C 19.4; Gregor et al. 2015, equations 21 to 24.
    """
    require_positive_int("window_of", height=height, width=width)
    require_filters(size)
    parameters = as_floating(parameters)
    require_features("window_of", parameters.shape, 5)
    logarithms = ops.clip(parameters[..., 2:], -LARGEST_LOGARITHM, LARGEST_LOGARITHM)
    return Window(
        x=(width + 1) / 2 * (parameters[..., 0] + 1),
        y=(height + 1) / 2 * (parameters[..., 1] + 1),
        stride=(max(height, width) - 1) / (size - 1) * ops.exp(logarithms[..., 1]),
        scale=ops.exp(logarithms[..., 0] / 2),
        intensity=ops.exp(logarithms[..., 2]),
    )


def filterbank(centre: Any, stride: Any, scale: Any, size: int, length: int) -> Any:
    """N Gaussian filters along one axis of an image.

        F[i, a] = softmax_a(-(a - mu[i])^2 / (2 sigma^2)),   mu[i] = g + (i - N/2 - 1/2) delta

    As a softmax a filter far outside of the image looks at its nearest edge; the quotient as printed is 0 / 0 there.

    Args:
        centre, stride, scale: tensors (...), g, delta and sigma > 0 in pixels.
        size: int >= 2, N.
        length: int >= 1, pixels of the axis.

    Returns:
        Tensor (..., N, length), >= 0, rows sum to 1.

    Raises:
        ValueError: for sizes out of range.

    Example:
        >>> filters = filterbank(2.0, 1.0, 0.01, size=3, length=3)  # each on a pixel of its own
        >>> filters.numpy().tolist()
        [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]

    Source: C 19.4; Gregor et al. 2015, equations 19, 20, 25 and 26.
    """
    require_filters(size)
    require_positive_int("filterbank", length=length)
    centre = as_floating(centre)
    stride, scale = as_floating(stride, centre.dtype), as_floating(scale, centre.dtype)
    steps = ops.arange(1, size + 1, dtype=centre.dtype) - (size + 1) / 2  # (N,)
    means = centre[..., None] + steps * stride[..., None]  # (..., N)
    pixels = ops.arange(1, length + 1, dtype=centre.dtype)  # (length,)
    away = (pixels - means[..., None]) / scale[..., None, None]  # (..., N, length)
    return ops.softmax(-ops.square(away) / 2, axis=-1)


def read_window(image: Any, window: Window, size: int) -> Any:
    """What the filters see of an image.

    read = gamma F_Y x F_X^T

    Args:
        image: tensor (..., H, W).
        window: `Window` of tensors (...).
        size: int >= 2, N.

    Returns:
        Tensor (..., N, N).

    Raises:
        ValueError: for a size out of range.

    Example:
        >>> image = ops.reshape(ops.arange(9.0), (3, 3))
        >>> sharp = Window(x=2.0, y=2.0, stride=2.0, scale=0.01, intensity=10.0)
        >>> read_window(image, sharp, size=2).numpy().tolist()  # filters at 1 and 3, times 10
        [[0.0, 20.0], [60.0, 80.0]]

    Source: C 19.4; Gregor et al. 2015, equation 27.
    """
    image = as_floating(image)
    filters_y, filters_x = _filters(window, size, image.shape[-2], image.shape[-1])
    seen = ops.matmul(ops.matmul(filters_y, image), ops.swapaxes(filters_x, -1, -2))
    return as_floating(window.intensity, seen.dtype)[..., None, None] * seen


def write_window(patch: Any, window: Window, height: int, width: int) -> Any:
    """What the filters add to a canvas.

    write = F_Y^T w F_X / gamma

    Args:
        patch: tensor (..., N, N), w.
        window: `Window` of tensors (...).
        height, width: ints, of the canvas.

    Returns:
        Tensor (..., height, width), of sum(w) / gamma: filters spread ink and lose none.

    Raises:
        ValueError: for a size out of range.

    Example:
        >>> sharp = Window(x=2.0, y=2.0, stride=2.0, scale=0.01, intensity=0.5)
        >>> drawn = write_window([[1.0, 2.0], [3.0, 4.0]], sharp, height=3, width=3)
        >>> float(ops.sum(drawn))
        20.0

    Source: C 19.4; Gregor et al. 2015, equation 29.
    """
    patch = as_floating(patch)
    filters_y, filters_x = _filters(window, patch.shape[-1], height, width)
    drawn = ops.matmul(ops.matmul(ops.swapaxes(filters_y, -1, -2), patch), filters_x)
    return drawn / as_floating(window.intensity, drawn.dtype)[..., None, None]


def _filters(window: Window, size: int, height: int, width: int) -> tuple[Any, Any]:
    """F_Y (..., N, H) and F_X (..., N, W)."""
    return (
        filterbank(window.y, window.stride, window.scale, size, height),
        filterbank(window.x, window.stride, window.scale, size, width),
    )


def require_filters(size: Any) -> None:
    """Refuses a number of filters a side that is no int >= 2."""
    if isinstance(size, bool) or not isinstance(size, int) or size < 2:
        raise ValueError(f"A window needs size >= 2 filters a side. Received: size={size!r}")
