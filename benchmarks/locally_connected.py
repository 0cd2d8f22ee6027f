"""LocallyConnected2D forwards and backwards, against Keras 2's layer of this name (package tf_keras), float32.

    IMPLEMENTATION=2 python -m benchmarks.locally_connected     (1 where nothing is said)

The same weights on both sides, stored in the shape of that implementation. Keras 2 computes differently in each: 1 cuts
a window a place, 2 multiplies with the full masked matrix, 3 with a sparse one. Ours always gathers the windows and
multiplies in one batched product.
"""

from __future__ import annotations

import os
import sys
from typing import Any

from benchmarks.harness import Contest, main, require_close

# (input, filters, kernel size, stride)
SIZES = [((32, 28, 28, 1), 16, 5, 1), ((64, 10, 10, 8), 16, 3, 1), ((128, 8, 8, 8), 16, 3, 2)]


def contest() -> Contest:
    """Random inputs, Glorot weights."""
    import numpy as np

    from benchmarks.layers import forwards_and_backwards
    from keras_course.layers import LocallyConnected2D

    implementation = int(os.environ.get("IMPLEMENTATION", "1"))
    try:
        import tf_keras
    except ImportError:
        peer_layer, name = None, "tf_keras"
    else:
        peer_layer, name = tf_keras.layers.LocallyConnected2D, f"tf_keras {tf_keras.__version__}"

    draws = np.random.Generator(np.random.Philox(0))
    ours, theirs = [], []
    for shape, filters, size, stride in SIZES:
        inputs = draws.normal(size=shape).astype("float32")
        mine = LocallyConnected2D(filters, size, stride, implementation=implementation)
        mine.build(shape)
        ours.append(forwards_and_backwards(mine, inputs, mine.trainable_variables))
        if peer_layer is not None:
            peers = peer_layer(filters, size, stride, implementation=implementation)
            peers.build(shape)
            peers.set_weights(mine.get_weights())
            theirs.append(forwards_and_backwards(peers, inputs, peers.trainable_variables))

    def agree(ours: Any, peers: Any) -> str:
        for one, other in zip(ours, peers, strict=True):
            for a, b in zip(one, other, strict=True):
                require_close("output or gradient", a, b, 1e-5)
        return "outputs and gradients within 1e-5"

    return Contest(
        f"Locally connected layers, implementation {implementation}, forwards and backwards: ms a layer",
        lambda: [step() for step in ours], (lambda: [step() for step in theirs]) if theirs else None, name,
        xla=False, work=len(SIZES), limits={1: 1.0, 2: 1.0}, agree=agree,
    )  # fmt: skip


if __name__ == "__main__":
    sys.exit(main("benchmarks.locally_connected", contest))
