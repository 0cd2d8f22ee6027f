"""Answers in bits, of which only some are asked for.

    loss(y, o)   = mean over asked bits of log(1 + e^o) - y o
    errors(y, o) = share of asked bits with y != [o > 0]

A label is 0 or 1 where a bit is asked for, anything else where it is not: while a sequence is read in, and where a
short one was filled up.
"""

from __future__ import annotations

from typing import Any

from keras import ops

from keras_course.ops.floating import as_floating

__all__ = ["asked_bits_loss", "wrong_and_asked_bits"]


def asked_bits_loss(labels: Any, logits: Any) -> Any:
    """The mean logistic loss of each row's asked bits, in nats a bit.

    l = mean_{asked} softplus(o) - y o

    Args:
        labels: tensor (B, ...), 0, 1, or another number where nothing is asked.
        logits: tensor (B, ...), o.

    Returns:
        Tensor (B,); 0 for a row of which nothing is asked.

    Example:
        >>> import numpy as np
        >>> round(float(asked_bits_loss([[1, 0, 2]], np.array([[0.0, 0.0, 9.0]]))[0]), 6)
        0.693147

    Source: S 9.5; Graves et al. 2014.
    """
    logits = as_floating(logits)
    asked, y = _asked(labels, logits)
    axes = tuple(range(1, len(logits.shape)))
    loss = ops.sum(asked * (ops.softplus(logits) - y * logits), axis=axes)
    return loss / ops.maximum(ops.sum(asked, axis=axes), 1)


def wrong_and_asked_bits(labels: Any, logits: Any) -> tuple[Any, Any]:
    """How many bits of each row are wrong, and how many were asked for: two tensors (B,).

    A bit is said to be 1 where its logit is above 0.

    Args:
        labels, logits: as `asked_bits_loss`.

    Example:
        >>> import numpy as np
        >>> wrong, asked = wrong_and_asked_bits([[1, 0, 2]], np.array([[3.0, 1.0, 9.0]]))
        >>> float(wrong[0]), float(asked[0])
        (1.0, 2.0)

    Source: S 9.5; Graves et al. 2014.
    """
    logits = as_floating(logits)
    asked, y = _asked(labels, logits)
    axes = tuple(range(1, len(logits.shape)))
    wrong = asked * ops.abs(y - ops.cast(logits > 0, logits.dtype))
    return ops.sum(wrong, axis=axes), ops.sum(asked, axis=axes)


def _asked(labels: Any, logits: Any) -> tuple[Any, Any]:
    """1 where a bit is asked for, and the bit itself, 0 elsewhere."""
    if tuple(labels.shape if hasattr(labels, "shape") else ops.shape(labels)) != tuple(logits.shape):
        labels = ops.convert_to_tensor(labels)
        if len(labels.shape) != len(logits.shape):
            raise ValueError(
                f"Asked bits need labels and logits of one shape. Received: {labels.shape} and {logits.shape}"
            )
    labels = ops.cast(labels, logits.dtype)
    one = ops.cast(labels == 1, logits.dtype)
    return ops.maximum(one, ops.cast(labels == 0, logits.dtype)), one
