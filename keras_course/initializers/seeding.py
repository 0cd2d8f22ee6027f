"""One initializer for every layer of a block, each with a seed of its own."""

from __future__ import annotations

from typing import Any

import keras

from keras_course.core.seeds import derive_seed

__all__ = ["seeded"]


def seeded(initializer: Any, root: int | None, *path: object) -> Any:
    """A copy of an initializer whose draws depend on (root, path) alone.

    seed = derive_seed(root, *path)

    A block that hands one seeded initializer to two layers would start them with the same numbers.

    Args:
        initializer: anything keras.initializers.get takes.
        root: int, the block's seed; None leaves the initializer as it is (Keras's global seed).
        *path: names that say which layer of the block.

    Returns:
        keras.initializers.Initializer; the same one if it draws nothing.

    Example:
        >>> seeded("glorot_uniform", 1, "conv", "kernel").get_config()["seed"] == derive_seed(1, "conv", "kernel")
        True
        >>> seeded("zeros", 1, "conv", "bias").get_config()
        {}
    """
    initializer = keras.initializers.get(initializer)
    config = initializer.get_config() if hasattr(initializer, "get_config") else {}
    if root is None or "seed" not in config:
        return initializer
    return type(initializer).from_config({**config, "seed": derive_seed(root, *path)})
