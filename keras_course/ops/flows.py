"""Invertible maps with a Jacobian that is easy to read: coupling, masks, squeeze, ActNorm.

    x -> z,   log p(x) = log p_base(z) + log |det dz/dx|
    additive coupling (NICE)       z = x + (1 - b) t                      log det = 0
    affine coupling (Real NVP)     z = x exp((1 - b) s) + (1 - b) t       log det = sum of (1 - b) s
    ActNorm                        z = x exp(s) + t, one s and t a channel    log det = places * sum of s

b is 1 where x passes unchanged, and s and t are functions of b x alone: the Jacobian is triangular. Conventions that
bite. All of them map data to codes, x -> z, as the notes do; a tfp bijector generates, z -> x, and its log det has the
other sign. s is the logarithm of the scale. log det is a sum over everything but the batch axis.
"""

from __future__ import annotations

from typing import Any

from keras import ops

from keras_course.core.shapes import require_positive_int
from keras_course.ops.floating import as_floating

__all__ = [
    "actnorm",
    "actnorm_inverse",
    "actnorm_start",
    "additive_coupling",
    "additive_coupling_inverse",
    "affine_coupling",
    "affine_coupling_inverse",
    "alternating_mask",
    "bounded_log_scale",
    "checkerboard_mask",
    "halves_mask",
    "squeeze",
    "sum_over_event",
    "unsqueeze",
]


def alternating_mask(size: int, flip: bool = False) -> Any:
    """b = 1 0 1 0 ...; flipped 0 1 0 1 ...

    Args:
        size: int D >= 1.
        flip: bool, whether the first place is moved rather than kept.

    Returns:
        float32 tensor (D,).

    Raises:
        ValueError: for a size below 1.

    Example:
        >>> ops.convert_to_numpy(alternating_mask(5)).tolist()
        [1.0, 0.0, 1.0, 0.0, 1.0]

    Source: R; Dinh et al. 2014.
    """
    require_positive_int("alternating_mask", size=size)
    return ops.cast((ops.arange(size) + int(flip)) % 2 == 0, "float32")


def halves_mask(size: int, flip: bool = False) -> Any:
    """b = 1 on the first ceil(D/2) places; flipped, 0 there.

    Args:
        size: int D >= 1.
        flip: bool, whether the first half is moved rather than kept.

    Returns:
        float32 tensor (D,).

    Raises:
        ValueError: for a size below 1.

    Example:
        >>> ops.convert_to_numpy(halves_mask(5, flip=True)).tolist()
        [0.0, 0.0, 0.0, 1.0, 1.0]

    Source: R (the notes' x_{1:d/2}).
    """
    require_positive_int("halves_mask", size=size)
    return ops.cast((ops.arange(size) < (size + 1) // 2) != flip, "float32")


def checkerboard_mask(height: int, width: int, flip: bool = False) -> Any:
    """b[i, j] = 1 where i + j is even; flipped, where it is odd.

    Args:
        height, width: ints >= 1.
        flip: bool, whether the upper left pixel is moved rather than kept.

    Returns:
        float32 tensor (H, W, 1).

    Raises:
        ValueError: for sizes below 1.

    Example:
        >>> ops.convert_to_numpy(checkerboard_mask(2, 3))[:, :, 0].tolist()
        [[1.0, 0.0, 1.0], [0.0, 1.0, 0.0]]

    Source: R; Dinh et al. 2016.
    """
    require_positive_int("checkerboard_mask", height=height, width=width)
    places = ops.arange(height)[:, None] + ops.arange(width)[None, :] + int(flip)
    return ops.cast(places % 2 == 0, "float32")[:, :, None]


def sum_over_event(values: Any) -> Any:
    """(B, ...) -> (B,): the sum over all axes but the first."""
    return ops.sum(values, axis=tuple(range(1, len(values.shape)))) if len(values.shape) > 1 else values


def bounded_log_scale(raw: Any, bound: float | None) -> Any:
    """s = bound tanh(raw / bound): near 0 the raw value itself, and never beyond +-bound.

    exp(s) of an unbounded s overflows in float32 from 89 on, and long before that no inverse is worth its name.

    Args:
        raw: tensor.
        bound: float > 0, or None for s = raw, the notes' form.

    Returns:
        Tensor of raw's shape.

    Example:
        >>> [round(float(s), 4) for s in bounded_log_scale(ops.array([0.1, 100.0]), 2.0)]
        [0.0999, 2.0]

    Source: R; Dinh et al. 2016.
    """
    raw = as_floating(raw)
    return raw if bound is None else bound * ops.tanh(raw / bound)


def additive_coupling(x: Any, shift: Any, mask: Any = None) -> tuple[Any, Any]:
    """z = x + (1 - b) t; volume is preserved.

    Args:
        x: tensor (B, ...).
        shift: t, broadcasts to x; a function of b x.
        mask: b of 0 and 1, broadcasts to x; None where x is the moved part alone (b = 0).

    Returns:
        Tuple (z, log_det): tensor like x, and zeros (B,).

    Example:
        >>> z, log_det = additive_coupling([[1.0, 2.0]], [[9.0, 3.0]], mask=[1.0, 0.0])
        >>> ops.convert_to_numpy(z).tolist(), ops.convert_to_numpy(log_det).tolist()
        ([[1.0, 5.0]], [0.0])

    Source: R; Dinh et al. 2014.
    """
    x = as_floating(x)
    z = x + _moved(shift, mask, x.dtype)
    return z, sum_over_event(ops.zeros_like(z))


def additive_coupling_inverse(z: Any, shift: Any, mask: Any = None) -> Any:
    """x = z - (1 - b) t, with t of b z = b x.

    Args:
        z, shift, mask: as `additive_coupling`.

    Returns:
        Tensor like z.

    Example:
        >>> ops.convert_to_numpy(additive_coupling_inverse([[1.0, 5.0]], [[9.0, 3.0]], mask=[1.0, 0.0])).tolist()
        [[1.0, 2.0]]

    Source: R; Dinh et al. 2014.
    """
    z = as_floating(z)
    return z - _moved(shift, mask, z.dtype)


def affine_coupling(x: Any, log_scale: Any, shift: Any, mask: Any = None) -> tuple[Any, Any]:
    """z = x exp((1 - b) s) + (1 - b) t,   log det = sum of (1 - b) s.

    The same as b x + (1 - b) (x exp(s) + t). Its determinant needs no derivative of the networks behind s and t.

    Args:
        x: tensor (B, ...).
        log_scale: s, broadcasts to x; a function of b x.
        shift: t, likewise.
        mask: b of 0 and 1, broadcasts to x; None where x is the moved part alone (b = 0).

    Returns:
        Tuple (z, log_det): tensor like x, and (B,).

    Example:
        >>> z, log_det = affine_coupling([[1.0, 2.0]], [[9.0, 0.5]], [[9.0, 3.0]], mask=[1.0, 0.0])
        >>> [round(float(v), 4) for v in z[0]], float(log_det[0])
        ([1.0, 6.2974], 0.5)

    Source: R (printed there as NICE); Dinh et al. 2016.
    """
    x = as_floating(x)
    s = ops.broadcast_to(_moved(log_scale, mask, x.dtype), ops.shape(x))
    return x * ops.exp(s) + _moved(shift, mask, x.dtype), sum_over_event(s)


def affine_coupling_inverse(z: Any, log_scale: Any, shift: Any, mask: Any = None) -> Any:
    """x = (z - (1 - b) t) exp(-(1 - b) s), with s and t of b z = b x.

    Args:
        z, log_scale, shift, mask: as `affine_coupling`.

    Returns:
        Tensor like z.

    Example:
        >>> x = affine_coupling_inverse([[1.0, 6.297443]], [[9.0, 0.5]], [[9.0, 3.0]], mask=[1.0, 0.0])
        >>> [round(float(v), 4) for v in x[0]]
        [1.0, 2.0]

    Source: R; Dinh et al. 2016.
    """
    z = as_floating(z)
    return (z - _moved(shift, mask, z.dtype)) * ops.exp(-_moved(log_scale, mask, z.dtype))


def squeeze(x: Any, factor: int = 2) -> Any:
    """Space to channels: each block of factor x factor pixels becomes the channels of one.

    (B, H, W, C) -> (B, H/f, W/f, f f C); channel (i f + j) C + c is pixel (i, j) of the block, channel c. A
    permutation: log det = 0.

    Args:
        x: tensor (B, H, W, C).
        factor: int >= 1, divides H and W.

    Returns:
        Tensor.

    Raises:
        ValueError: for another rank, or sizes that factor does not divide.

    Example:
        >>> ops.convert_to_numpy(squeeze(ops.reshape(ops.arange(4.0), (1, 2, 2, 1)))).tolist()
        [[[[0.0, 1.0, 2.0, 3.0]]]]

    Source: R; Dinh et al. 2016.
    """
    require_positive_int("squeeze", factor=factor)
    x = ops.convert_to_tensor(x)
    if len(x.shape) != 4 or any(size is None or size % factor for size in x.shape[1:3]):
        raise ValueError(
            f"squeeze needs (B, H, W, C) with H and W multiples of {factor}. Received: x.shape={tuple(x.shape)}"
        )
    height, width, channels = x.shape[1:]
    blocks = ops.reshape(x, (-1, height // factor, factor, width // factor, factor, channels))
    rows = ops.transpose(blocks, (0, 1, 3, 2, 4, 5))  # (B, H/f, W/f, f, f, C)
    return ops.reshape(rows, (-1, height // factor, width // factor, factor * factor * channels))


def unsqueeze(z: Any, factor: int = 2) -> Any:
    """Channels to space: `squeeze` undone.

    Args:
        z: tensor (B, H, W, f f C).
        factor: int >= 1.

    Returns:
        Tensor (B, f H, f W, C).

    Raises:
        ValueError: for another rank, or channels that factor**2 does not divide.

    Example:
        >>> ops.convert_to_numpy(unsqueeze(ops.reshape(ops.arange(4.0), (1, 1, 1, 4))))[0, :, :, 0].tolist()
        [[0.0, 1.0], [2.0, 3.0]]

    Source: R; Dinh et al. 2016.
    """
    require_positive_int("unsqueeze", factor=factor)
    z = ops.convert_to_tensor(z)
    if len(z.shape) != 4 or z.shape[-1] % factor**2:
        raise ValueError(
            f"unsqueeze needs (B, H, W, C) with C a multiple of {factor**2}. Received: z.shape={tuple(z.shape)}"
        )
    height, width, channels = z.shape[1:]
    blocks = ops.reshape(z, (-1, height, width, factor, factor, channels // factor**2))
    rows = ops.transpose(blocks, (0, 1, 3, 2, 4, 5))  # (B, H, f, W, f, C)
    return ops.reshape(rows, (-1, factor * height, factor * width, channels // factor**2))


def actnorm(x: Any, log_scale: Any, shift: Any = None) -> tuple[Any, Any]:
    """z = x exp(s) + t, one s and t a channel;   log det = (number of places) * sum of s.

    Args:
        x: tensor (B, ..., C).
        log_scale: s, (C,).
        shift: t, (C,), or None for 0 (the scaling that ends NICE).

    Returns:
        Tuple (z, log_det): tensor like x, and (B,), the same in every row.

    Example:
        >>> z, log_det = actnorm(ops.ones((1, 2, 2, 1)), [0.5], [0.0])
        >>> float(log_det[0])
        2.0

    Source: R; Dinh et al. 2014, Kingma and Dhariwal 2018.
    """
    x = as_floating(x)
    s = as_floating(log_scale, x.dtype)
    z = x * ops.exp(s) if shift is None else x * ops.exp(s) + as_floating(shift, x.dtype)
    return z, sum_over_event(ops.broadcast_to(s, ops.shape(x)))


def actnorm_inverse(z: Any, log_scale: Any, shift: Any = None) -> Any:
    """x = (z - t) exp(-s).

    Args:
        z, log_scale, shift: as `actnorm`.

    Returns:
        Tensor like z.

    Example:
        >>> float(actnorm_inverse([[3.0]], [0.0], [1.0])[0, 0])
        2.0

    Source: R.
    """
    z = as_floating(z)
    z = z if shift is None else z - as_floating(shift, z.dtype)
    return z * ops.exp(-as_floating(log_scale, z.dtype))


def actnorm_start(x: Any, epsilon: float = 1e-6) -> tuple[Any, Any]:
    """The s and t after which a batch has mean 0 and variance 1 in every channel.

    s = -log sqrt(variance + epsilon),   t = -mean exp(s);   the variance is the biased one, over batch and places

    Args:
        x: tensor (B, ..., C), B >= 1.
        epsilon: float >= 0; with 0 a constant channel has an infinite scale.

    Returns:
        Tuple (s, t), (C,) each.

    Example:
        >>> s, t = actnorm_start([[1.0], [5.0]], epsilon=0.0)
        >>> round(float(ops.exp(s)[0]), 6), round(float(t[0]), 6)
        (0.5, -1.5)

    Source: R; Kingma and Dhariwal 2018.
    """
    x = as_floating(x)
    places = tuple(range(len(x.shape) - 1))
    mean = ops.mean(x, axis=places)
    variance = ops.mean(ops.square(x - mean), axis=places)
    s = -0.5 * ops.log(variance + epsilon)
    return s, -mean * ops.exp(s)


def _moved(parameter: Any, mask: Any, dtype: Any) -> Any:
    """(1 - b) times a parameter."""
    parameter = as_floating(parameter, dtype)
    return parameter if mask is None else (1.0 - as_floating(mask, dtype)) * parameter
