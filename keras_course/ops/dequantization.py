"""Densities for pixels: noise that makes whole numbers real, the logit that makes (0, 1) the line, bits per dimension.

    k in {0 ... L-1},  u ~ U(0, 1):   y = (k + u) / L in (0, 1)
    log P(k) >= E_u log p(k + u) = E_u log p_y(y) - D log L
    logit:   p = alpha + (1 - 2 alpha) y,   v = log p - log(1 - p)
    bits per dimension = -log P(k) / (D log 2)

Conventions that bite. Pixels come as intensities k / (L - 1) in [0, 1], not as whole numbers. Without the noise a
density of whole numbers has no bound: a flow can put ever higher spikes on them.
"""

from __future__ import annotations

import math
from typing import Any

from keras import ops

from keras_course.ops.floating import as_floating
from keras_course.ops.flows import sum_over_event

__all__ = ["bits_per_dimension", "dequantised", "logit_transform", "logit_transform_inverse", "quantised"]


def dequantised(x: Any, noise: Any, levels: int) -> Any:
    """y = (k + u) / L with k = round((L - 1) x).

    Args:
        x: tensor of intensities k / (L - 1) in [0, 1].
        noise: u in (0, 1), broadcasts with x.
        levels: int L >= 2.

    Returns:
        Tensor in (0, 1).

    Raises:
        ValueError: for levels below 2.

    Example:
        >>> float(dequantised([[1.0]], 0.5, levels=2)[0, 0])
        0.75

    Source: R; Theis et al. 2016.
    """
    _require_levels("dequantised", levels)
    x = as_floating(x)
    return (ops.round(x * (levels - 1)) + as_floating(noise, x.dtype)) / levels


def quantised(y: Any, levels: int) -> Any:
    """x = k / (L - 1) with k = floor(L y), cut to 0 ... L - 1: `dequantised` undone.

    Args:
        y: tensor, in (0, 1) unless a model errs.
        levels: int L >= 2.

    Returns:
        Tensor of intensities in [0, 1].

    Raises:
        ValueError: for levels below 2.

    Example:
        >>> float(quantised([[0.75]], levels=2)[0, 0])
        1.0

    Source: R.
    """
    _require_levels("quantised", levels)
    y = as_floating(y)
    return ops.clip(ops.floor(y * levels), 0, levels - 1) / (levels - 1)


def logit_transform(y: Any, alpha: float = 0.05) -> tuple[Any, Any]:
    """v = logit(alpha + (1 - 2 alpha) y),   log dv/dy = log(1 - 2 alpha) - log p - log(1 - p).

    alpha keeps the slopes at the ends finite: 0 and 1 go to +-log((1 - alpha) / alpha).

    Args:
        y: tensor (B, ...) in [0, 1].
        alpha: float in (0, 1/2); 0 is allowed for y strictly inside.

    Returns:
        Tuple (v, log_det): tensor like y, and (B,).

    Raises:
        ValueError: for another alpha.

    Example:
        >>> v, log_det = logit_transform([[0.5]], alpha=0.0)
        >>> float(v[0, 0]), round(float(log_det[0]), 6)
        (0.0, 1.386294)

    Source: R; Dinh et al. 2016.
    """
    _require_alpha("logit_transform", alpha)
    p = alpha + (1.0 - 2.0 * alpha) * as_floating(y)
    log_p, log_rest = ops.log(p), ops.log1p(-p)
    return log_p - log_rest, sum_over_event(math.log(1.0 - 2.0 * alpha) - log_p - log_rest)


def logit_transform_inverse(v: Any, alpha: float = 0.05) -> Any:
    """y = (sigmoid(v) - alpha) / (1 - 2 alpha).

    Args:
        v: tensor.
        alpha: as `logit_transform`.

    Returns:
        Tensor; outside [0, 1] for |v| > log((1 - alpha) / alpha).

    Raises:
        ValueError: for another alpha.

    Example:
        >>> float(logit_transform_inverse([[0.0]])[0, 0])
        0.5

    Source: R.
    """
    _require_alpha("logit_transform_inverse", alpha)
    return (ops.sigmoid(as_floating(v)) - alpha) / (1.0 - 2.0 * alpha)


def bits_per_dimension(log_prob: Any, size: int, levels: int | None = None) -> Any:
    """-(log p - D log L) / (D log 2): what a coder needs for each number of x, in bits.

    Args:
        log_prob: tensor (B,), nats; of y in (0, 1) if levels are given.
        size: int D, numbers in one x.
        levels: int L >= 2, or None where log_prob is of x itself (or has D log L taken off already).

    Returns:
        Tensor (B,).

    Raises:
        ValueError: for levels below 2.

    Example:
        >>> round(float(bits_per_dimension(ops.zeros(1), size=3, levels=16)[0]), 6)  # uniform
        4.0

    Source: R; Theis et al. 2016.
    """
    log_prob = as_floating(log_prob)
    if levels is None:
        return -log_prob / (size * math.log(2.0))
    _require_levels("bits_per_dimension", levels)
    return math.log2(levels) - log_prob / (size * math.log(2.0))


def _require_levels(who: str, levels: Any) -> None:
    if isinstance(levels, bool) or not isinstance(levels, int) or levels < 2:
        raise ValueError(f"{who} needs an integer of at least 2 levels. Received: levels={levels!r}")


def _require_alpha(who: str, alpha: Any) -> None:
    if not 0.0 <= alpha < 0.5:
        raise ValueError(f"{who} needs alpha in [0, 1/2). Received: alpha={alpha!r}")
