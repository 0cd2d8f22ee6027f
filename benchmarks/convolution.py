"""Convolution1D, 2D and 3D forwards and backwards, against keras.layers.Conv1D, 2D and 3D, float32.

The same weights on both sides; each work unit is one layer: its output and the gradients of a square by the input, the
kernel and the bias, as a graph. Both stand on the same primitive, so that any ratio but 1 is what the wrapping costs.
"""

from __future__ import annotations

import sys
from typing import Any

from benchmarks.harness import Contest, main, require_close

# (input, filters, kernel size, padding): sound, images, a volume
SIZES = [((32, 512, 32), 64, 5, "same"), ((32, 28, 28, 16), 32, 5, "valid"), ((8, 16, 16, 16, 8), 16, 3, "same")]


def contest() -> Contest:
    """Random inputs, Glorot weights."""
    import keras
    import numpy as np

    from benchmarks.layers import forwards_and_backwards
    from keras_course.layers import Convolution1D, Convolution2D, Convolution3D

    draws = np.random.Generator(np.random.Philox(0))
    ours, theirs = [], []
    stock = (keras.layers.Conv1D, keras.layers.Conv2D, keras.layers.Conv3D)
    for own, other, (shape, filters, size, padding) in zip(
        (Convolution1D, Convolution2D, Convolution3D), stock, SIZES, strict=True
    ):
        inputs = draws.normal(size=shape).astype("float32")
        mine, peers = own(filters, size, padding=padding), other(filters, size, padding=padding)
        mine.build(shape)
        peers.build(shape)
        mine.set_weights(peers.get_weights())
        ours.append(forwards_and_backwards(mine, inputs, mine.trainable_variables))
        theirs.append(forwards_and_backwards(peers, inputs, peers.trainable_variables))

    def agree(ours: Any, peers: Any) -> str:
        for one, other in zip(ours, peers, strict=True):
            for a, b in zip(one, other, strict=True):
                require_close("output or gradient", a, b, 1e-5)
        return "outputs and gradients within 1e-5"

    return Contest(
        "Convolution of sequences, images and volumes, forwards and backwards, float32: ms a layer",
        lambda: [step() for step in ours], lambda: [step() for step in theirs], f"keras {keras.__version__} layers",
        xla=False, work=len(SIZES), limits={1: 1.05, 2: 1.05}, agree=agree,
    )  # fmt: skip


if __name__ == "__main__":
    sys.exit(main("benchmarks.convolution", contest))
