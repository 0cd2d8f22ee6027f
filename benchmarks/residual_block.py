"""Training steps of a residual block, 3 x 3 twice with a projection, against the same from Keras's own layers.

Same weights, same images, momentum; `fit` on both sides, so that what differs is the layers: Convolution2D and
BatchNormalization of this package against Conv2D, ZeroPadding2D and BatchNormalization of Keras.
"""

from __future__ import annotations

import sys
from typing import Any

from benchmarks.harness import Contest, main, require_close

SIDE, CHANNELS, FILTERS, BATCH, STEPS = 16, 32, 64, 32, 8
NORMALIZATION = {"momentum": 0.9, "epsilon": 1.001e-5}


def contest() -> Contest:
    """Random images and targets; every run starts from the same weights, at rest."""
    import keras
    import numpy as np

    from keras_course.layers import ResidualBlock

    draws = np.random.Generator(np.random.Philox(0))
    x = draws.normal(size=(BATCH * STEPS, SIDE, SIDE, CHANNELS)).astype("float32")
    y = draws.normal(size=(BATCH * STEPS, SIDE // 2, SIDE // 2, FILTERS)).astype("float32")

    block = ResidualBlock(FILTERS, strides=2, normalization=NORMALIZATION, seed=0)
    ours = keras.Sequential([keras.Input(x.shape[1:]), block])
    inputs = keras.Input(x.shape[1:])
    theirs = keras.Model(inputs, _stock(keras.layers, inputs))
    order = [block.convolutions[0], block.normalizations[0], block.convolutions[1], block.projection]
    order += [block.normalizations[1], block.projection_normalization]
    pairs = list(zip(order, (layer for layer in theirs.layers if layer.weights), strict=True))
    start = [layer.get_weights() for layer, _ in pairs]

    def fit(model: Any, side: int) -> Any:
        # XLA's convolutions bypass oneDNN, whose are faster here.
        model.compile(keras.optimizers.SGD(0.01, 0.9), "mse", jit_compile=False, steps_per_execution=STEPS)

        def run() -> Any:
            for pair, weights in zip(pairs, start, strict=True):
                pair[side].set_weights(weights)
            for variable in model.optimizer.variables:
                if variable.path.split("/")[-1] != "learning_rate":
                    variable.assign(np.zeros(variable.shape))
            model.fit(x, y, batch_size=BATCH, shuffle=False, verbose=0)
            return [weight for pair in pairs for weight in pair[side].get_weights()]

        return run

    def agree(ours: Any, peers: Any) -> str:
        for index, (mine, other) in enumerate(zip(ours, peers, strict=True)):
            require_close(f"weight {index}", mine, other, 1e-4)
        return "every weight within 1e-4 of its scale"

    title = (
        f"Residual block of {FILTERS} maps with a projection, {SIDE} x {SIDE} x {CHANNELS}, {STEPS} steps of {BATCH}, "
        "float32: ms a step"
    )
    choices = f"SGD with momentum, steps_per_execution {STEPS}"
    return Contest(
        title, fit(ours, 0), fit(theirs, 1), f"keras {keras.__version__} layers", xla=False, work=STEPS,
        limits={1: 1.05, 2: 1.05}, agree=agree, choices=choices,
    )  # fmt: skip


def _stock(layers: Any, x: Any) -> Any:
    y = layers.Conv2D(FILTERS, 3, 2, use_bias=False)(layers.ZeroPadding2D(1)(x))
    y = layers.ReLU()(layers.BatchNormalization(**NORMALIZATION)(y))
    y = layers.BatchNormalization(**NORMALIZATION)(layers.Conv2D(FILTERS, 3, padding="same", use_bias=False)(y))
    around = layers.BatchNormalization(**NORMALIZATION)(layers.Conv2D(FILTERS, 1, 2, use_bias=False)(x))
    return layers.ReLU()(layers.Add()([y, around]))


if __name__ == "__main__":
    sys.exit(main("benchmarks.residual_block", contest))
