"""LeNet-5 on 28 x 28 images: an epoch of `fit` against the same network made of Keras's own layers.

Same first weights, same images in the same order, momentum, 32 steps of 128. What differs is Convolution2D and
AveragePooling of this package and the training step of `core.model.Model`.
"""

from __future__ import annotations

import sys
from typing import Any

from benchmarks.harness import Contest, main, require_close
from benchmarks.lenet import BATCH, MOMENTUM, RATE, SIDE, STEPS


def contest() -> Contest:
    """Random images and labels; every run starts from the same weights, at rest."""
    import keras
    import numpy as np

    from keras_course.models.vision import LeNet

    draws = np.random.Generator(np.random.Philox(0))
    images = draws.normal(size=(BATCH * STEPS, SIDE, SIDE, 1)).astype("float32")
    labels = draws.integers(10, size=BATCH * STEPS)
    layers = keras.layers
    ours = LeNet(input_shape=(SIDE, SIDE, 1), seed=0)
    theirs = keras.Sequential(
        [
            keras.Input((SIDE, SIDE, 1)),
            layers.Conv2D(6, 5, activation="tanh"),
            layers.AveragePooling2D(2),
            layers.Conv2D(16, 5, activation="tanh"),
            layers.AveragePooling2D(2),
            layers.Flatten(),
            layers.Dense(120, "tanh"),
            layers.Dense(84, "tanh"),
            layers.Dense(10),
        ]
    )
    start = ours.get_weights()

    def fit(model: Any) -> Any:
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        # XLA's convolutions bypass oneDNN, whose are faster here.
        model.compile(keras.optimizers.SGD(RATE, MOMENTUM), loss, jit_compile=False, steps_per_execution=STEPS)

        def run() -> Any:
            model.set_weights(start)
            for variable in model.optimizer.variables:
                if variable.path.split("/")[-1] != "learning_rate":
                    variable.assign(np.zeros(variable.shape))
            history = model.fit(images, labels, batch_size=BATCH, shuffle=False, verbose=0)
            return history.history["loss"][-1], model.get_weights()[-2]

        return run

    def agree(ours: Any, peers: Any) -> str:
        require_close("mean losses of the epoch", ours[0], peers[0], 1e-5)
        require_close("last weights", ours[1], peers[1], 1e-4)
        return "loss of the epoch within 1e-5, weights of the last layer within 1e-4"

    title = f"LeNet, {STEPS} steps of {BATCH}, {SIDE} x {SIDE}, float32: ms a step, {STEPS} a fit"
    choices = f"SGD with momentum {MOMENTUM}, steps_per_execution {STEPS}"
    limits = {1: 1.05, 2: 1.05}
    peer = f"keras {keras.__version__} layers"
    return Contest(
        title, fit(ours), fit(theirs), peer, xla=False, work=STEPS, limits=limits, agree=agree, choices=choices
    )


if __name__ == "__main__":
    sys.exit(main("benchmarks.lenet_layers", contest))
