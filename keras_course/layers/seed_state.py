"""Saves the state of a layer's random draws with its weights, so that a restored model draws on where it stopped.

A `keras.random.SeedGenerator` counts its draws: seed of the n-th draw = (seed, n), stateless from there on. Keras
tracks that state and writes it into no file. A layer that draws calls these two from `save_own_variables` and
`load_own_variables`; .keras and .weights.h5 files (BackupAndRestore's too) then hold it, and a resumed run repeats the
uninterrupted one draw by draw. Files without it (those of Keras's own Dropout) load as well. tf.train.Checkpoint does
not ask layers and still leaves it out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import keras

__all__ = ["load_with_seed_state", "save_seed_state"]

STATE = "seed_generator_state"


def save_seed_state(generator: keras.random.SeedGenerator, store: Any) -> None:
    """Puts the state into a layer's store, beside its variables.

    Args:
        generator: the layer's.
        store: what `save_own_variables` was given.
    """
    store[STATE] = generator.state


def load_with_seed_state(
    generator: keras.random.SeedGenerator, store: Mapping[str, Any], load: Callable[[Any], None]
) -> None:
    """Restores the state, and passes everything else on.

    Args:
        generator: the layer's.
        store: what `load_own_variables` was given.
        load: `super().load_own_variables`.
    """
    if STATE in store.keys():
        generator.state.assign(store[STATE])
    load({key: store[key] for key in store.keys() if key != STATE})
