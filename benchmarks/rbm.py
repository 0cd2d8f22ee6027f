"""A restricted Boltzmann machine: an epoch of 784 visible, 256 hidden units, batches of 100, against scikit-learn.

CHAINS=data         contrastive divergence: one sweep from the data (the default)
CHAINS=persistent   a hundred chains that go on, as scikit-learn's (which knows nothing else)
"""

from __future__ import annotations

import os
import sys
from typing import Any

from benchmarks.harness import Contest, main

EXAMPLES, SIDE, UNITS, BATCH, RATE = 6_000, 28, 256, 100, 0.05


def pictures() -> Any:
    """Black-and-white digits of 28 x 28 pixels: the bundled ones, three times as large, shifted by up to two pixels."""
    import numpy as np

    from keras_course import datasets

    small = (datasets.load("digits-flat").train.x >= 0.5).reshape(-1, 8, 8)
    draws = np.random.Generator(np.random.Philox(0))
    x = np.zeros((EXAMPLES, SIDE, SIDE), "float32")
    for image, chosen, (top, left) in zip(
        x, draws.integers(len(small), size=EXAMPLES), draws.integers(5, size=(EXAMPLES, 2)), strict=True
    ):
        image[top : top + 24, left : left + 24] = np.kron(small[chosen], np.ones((3, 3)))
    return x.reshape(EXAMPLES, -1)


def contest() -> Contest:
    """Both start at random weights of deviation 0.01 and go once through the data."""
    import keras
    import numpy as np

    from keras_course.models.energy.rbm import RBM

    x = pictures()
    persistent = os.environ.get("CHAINS", "data") == "persistent"
    model = RBM(SIDE * SIDE, UNITS, chains=BATCH if persistent else None)
    model.compile(keras.optimizers.SGD(RATE), jit_compile=True, steps_per_execution=EXAMPLES // BATCH)
    start = [keras.ops.convert_to_numpy(weight).copy() for weight in model.weights]

    def ours() -> Any:
        for weight, value in zip(model.weights, start, strict=True):
            weight.assign(value)
        model.fit(x, batch_size=BATCH, epochs=1, verbose=0, shuffle=False)
        return [np.array(keras.ops.convert_to_numpy(weight)) for weight in model.trainable_variables]

    try:
        import sklearn
        from sklearn.neural_network import BernoulliRBM
    except ImportError:
        peer, name = None, "scikit-learn"
    else:
        name = f"scikit-learn {sklearn.__version__} BernoulliRBM"

        def peer() -> Any:
            other = BernoulliRBM(UNITS, learning_rate=RATE, batch_size=BATCH, n_iter=1, random_state=0).fit(x)
            return [other.components_.T, other.intercept_visible_, other.intercept_hidden_]

    def agree(ours: Any, peers: Any) -> str:
        """The draws differ, so do the weights: ours must reconstruct the data as well as theirs."""

        def error(weights: Any) -> float:
            kernel, b, c = weights
            h = 1 / (1 + np.exp(-(x @ kernel + c)))
            return float(np.mean((x - 1 / (1 + np.exp(-(h @ kernel.T + b)))) ** 2))

        mine, other = error(ours), error(peers)
        if mine > 1.1 * other or peers[0].dtype != np.float32:
            raise ValueError(f"ours should reconstruct as well, in float32. Received: errors {mine}, {other}")
        return f"squared error of reconstruction after the epoch {mine:.4f}, {other:.4f}"

    kind = "persistent chains" if persistent else "contrastive divergence"
    title = f"RBM, {kind}, {SIDE * SIDE} x {UNITS}, batches of {BATCH}, float32: ms a step, {EXAMPLES // BATCH} a fit"
    return Contest(
        title, ours, peer, name, xla=True, work=EXAMPLES // BATCH, limits={1: 0.75, 2: 0.75}, agree=agree,
        choices="all steps of the epoch in one call",
    )  # fmt: skip


if __name__ == "__main__":
    sys.exit(main("benchmarks.rbm", contest))
