"""Where Markov chains of binary units start, and the seeds of their sweeps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf
from keras import ops

__all__ = ["fair_coins", "gibbs_seeds"]


def fair_coins(seed: int) -> Callable[..., Any]:
    """An initializer of 0 and 1 with equal chances, a function of the seed and the shape alone.

    Example:
        >>> float(ops.mean(fair_coins(0)((100, 100)))) < 0.55
        True

    Source: C 18.3.
    """

    def draw(shape: Any, dtype: Any = None) -> Any:
        bits = np.random.Generator(np.random.Philox(key=seed)).integers(0, 2, size=tuple(shape))
        return ops.convert_to_tensor(bits, dtype=dtype or "float32")

    return draw


def gibbs_seeds(seed: Any, steps: int) -> list[Any]:
    """A stateless seed a sweep, from the seed (2,) of the training step."""
    return tf.unstack(tf.random.split(seed, steps, alg="philox"))
