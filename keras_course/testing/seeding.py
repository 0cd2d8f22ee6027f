"""Seeds set anew, as often as checks make and train things.

`keras.utils.set_random_seed` also makes TensorFlow forget the kernels of all its operations, since those of random ones
(tf.random.normal, …) hold where their streams are. What follows then makes every kernel again, and optimizes every
graph again: a quarter of a check's time. Here the kernels stay as long as nothing of that kind was asked for; Keras's
own draws, and stateless ones, hold no such state.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras

__all__ = ["set_seeds"]

_streams: list[bool] = []  # empty before the first call, then whether random operations with a state were made


def set_seeds(seed: int) -> None:
    """`keras.utils.set_random_seed`, to the bit.

    Args:
        seed: int.
    """
    if keras.backend.backend() != "tensorflow" or not _watching() or _streams[0]:
        keras.utils.set_random_seed(seed)
        return
    with _kernels_kept():
        keras.utils.set_random_seed(seed)


def _watching() -> bool:
    """Whether it is known if kernels with a state were made; the first call begins to watch."""
    if _streams:
        return True
    try:
        from tensorflow.python.framework import random_seed
    except ImportError:  # moved by a later version
        return False
    ask: Any = random_seed.get_seed

    def noted(op_seed: Any) -> Any:
        _streams[0] = True
        return ask(op_seed)

    random_seed.get_seed = noted  # every operation with a stream asks it for its seeds
    _streams.append(False)
    return False


@contextmanager
def _kernels_kept() -> Iterator[None]:
    from tensorflow.python.eager import context

    here = context.context()

    def seeded(seed: Any) -> None:
        here._seed, here._rng = seed, random.Random(seed)

    here._set_global_seed = seeded
    try:
        yield
    finally:
        del here._set_global_seed
