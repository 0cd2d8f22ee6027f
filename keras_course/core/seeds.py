"""Seeds that repeat: pure functions of names and counters, no hidden state.

    derive_seed(root, *path)         = first 31 bits of sha256("root/path/...")
    stateless_seed(root, salt, step) = [derive_seed(root, salt), step]

Keras draws initial weights from a stream, so that one unrelated layer built earlier changes all later ones, and its
SeedGenerator is saved by no format. A seed derived from the layer's own path and the step count has neither fault:
the same layer starts the same in every model, and a resumed run draws what the uninterrupted one would have drawn.
"""

from __future__ import annotations

import hashlib
from typing import Any


def derive_seed(root: int, *path: object) -> int:
    """A 31-bit seed for one named part, independent of build order.

    Args:
        root: int, the run's or model's seed.
        *path: names or numbers that say which part ("encoder", "dense", 0, "kernel").

    Returns:
        Python int in [0, 2**31).

    Example:
        >>> derive_seed(0, "conv1", "kernel") == derive_seed(0, "conv1", "kernel")
        True
        >>> derive_seed(0, "conv1", "kernel") == derive_seed(1, "conv1", "kernel")
        False
    """
    text = "/".join([str(int(root)), *(str(part) for part in path)])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big") >> 1


def stateless_seed(root: int, salt: str, step: Any) -> Any:
    """The seed pair that stateless random functions take.

    Args:
        root: int, the model's seed.
        salt: str, which draw this is, so that two draws of one step differ.
        step: int or integer tensor, usually `optimizer.iterations`.

    Returns:
        int32 tensor (2,).
    """
    from keras import ops

    first = ops.convert_to_tensor(derive_seed(root, salt), dtype="int32")
    return ops.stack([first, ops.cast(step, "int32")])
