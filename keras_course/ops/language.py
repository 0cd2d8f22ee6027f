"""Language models: how many bits a text takes. What comes next is drawn by `ops.decoding`.

    bits(c_1 ... c_T) = -sum_t log2 p(c_t | c_1 ... c_(t-1))

A model that knows nothing takes log2(V) bits a symbol of V.
"""

from __future__ import annotations

import math
from typing import Any

from keras_course.ops.losses import softmax_loss

__all__ = ["bits_of_symbols"]


def bits_of_symbols(logits: Any, symbols: Any) -> Any:
    """What each symbol takes under a code made for the model's distribution.

    bits_t = -log2 softmax(logits_t)[c_t]

    Base 2; the loss of training is the same in nats, log(2) times as much.

    Args:
        logits: tensor (..., V), unnormalised log-probabilities.
        symbols: integer tensor (...), 0 <= c < V.

    Returns:
        Tensor (...).

    Example:
        >>> [round(float(bits), 4) for bits in bits_of_symbols([[0.0] * 8], [5])]
        [3.0]

    Source: C 4.1, R; Shannon 1951.
    """
    return softmax_loss(symbols, logits) / math.log(2.0)
