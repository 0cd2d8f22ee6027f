"""As many draws as were asked for, of networks that may not be able to make none.

TensorFlow's convolutions fail on batches of no rows where oneDNN computes them (TF_ENABLE_ONEDNN_OPTS=1): their maps
then have the channels of the input. So one draw is made and left out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from keras_course.core.shapes import checked_count

__all__ = ["asked_draws"]


def asked_draws(who: str, n: Any, draw: Callable[[Any], Any]) -> Any:
    """n draws, none among them.

    Args:
        who: name of the method that was asked, first word of the message.
        n: int >= 0, or a scalar integer tensor.
        draw: function of a count m >= 1, int or scalar integer tensor, that returns a tensor (m, ...), or several.

    Returns:
        The first n rows of what `draw` returns.

    Raises:
        ValueError: for no count, as `core.shapes.checked_count`.

    Example:
        >>> asked_draws("Mine.sample", 0, lambda m: tf.zeros((m, 3))).shape
        TensorShape([0, 3])
    """
    n = checked_count(who, n=n)
    some = max(n, 1) if isinstance(n, int) else tf.maximum(n, 1)
    return tf.nest.map_structure(lambda drawn: drawn[:n], draw(some))
