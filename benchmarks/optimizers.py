"""One step of each optimizer on 10 M parameters in 4 weights, against the stock Keras optimizer nearest to it.

Nearest is the one of the same formula, and where Keras has none, one with as many slots (numbers kept for each
parameter): SGD with Nesterov's momentum for the averaged momentum, Adam for two squares of the window and for
delta-bar-delta. Nesterov looks ahead before the gradient, and is timed in a whole training step of a network too.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

from benchmarks.harness import Contest, main, require_close

SHAPES = [(2500, 1000)] * 4
LIMITS = {1: 1.1, 2: 1.1}
BATCH = 32


def contests() -> Iterator[Contest]:
    """The same weights and gradients for both sides."""
    import keras

    from keras_course import optimizers as own

    stock, rate = keras.optimizers, 0.01
    same = [
        ("gradient descent", own.GradientDescent(rate), stock.SGD(rate)),
        ("momentum", own.Momentum(rate), stock.SGD(rate, momentum=0.9)),
        ("Nesterov", own.Nesterov(rate), stock.SGD(rate, momentum=0.9, nesterov=True)),
        ("AdaGrad", own.AdaGrad(rate, delta=0.1, form="inside-root"), stock.Adagrad(rate, 0.1)),
        ("RMSProp", own.RMSProp(rate, delta=1e-7), stock.RMSprop(rate, epsilon=1e-7)),
        ("Adam", own.Adam(rate, delta=1e-12), stock.Adam(rate, epsilon=1e-12)),
    ]
    near = [
        ("averaged momentum", own.AveragedMomentum(rate), stock.SGD(rate, momentum=0.9, nesterov=True), LIMITS),
        ("windowed AdaGrad, 2 squares", own.WindowedAdaGrad(rate, window=1), stock.Adam(rate), LIMITS),
        ("windowed AdaGrad, 11 squares", own.WindowedAdaGrad(rate, window=10), stock.Adam(rate), None),
        ("delta-bar-delta", own.DeltaBarDelta(rate, full_batch=True), stock.Adam(rate), LIMITS),
        ("delta-bar-delta", own.DeltaBarDelta(rate, full_batch=True), stock.Adadelta(rate), None),
    ]
    for name, ours, peer in same:
        yield steps(name, ours, peer, LIMITS, agrees=True)
    yield training(own.Nesterov(rate), stock.SGD(rate, momentum=0.9, nesterov=True))
    for name, ours, peer, limits in near:
        yield steps(name, ours, peer, limits, agrees=False)


def steps(name: str, ours: Any, peer: Any, limits: dict[int, float] | None, agrees: bool) -> Contest:
    """The optimizers' own work, as graphs."""
    import keras
    import numpy as np
    import tensorflow as tf

    draws = np.random.Generator(np.random.Philox(0))
    gradients = [tf.constant(draws.normal(size=shape), tf.float32) for shape in SHAPES]

    def step_of(optimizer: Any) -> Any:
        weights = [keras.Variable(np.ones(shape, "float32")) for shape in SHAPES]
        optimizer.build(weights)

        def step() -> None:
            if hasattr(optimizer, "look_ahead"):
                optimizer.look_ahead(weights)
            optimizer.apply(gradients, weights)

        graph = tf.function(step, autograph=False)

        def run() -> Any:
            graph()
            return optimizer, weights

        return run

    title = f"{name}, a step on {sum(a * b for a, b in SHAPES) / 1e6:.0f} M parameters, peer {type(peer).__name__}: ms"
    return Contest(
        title, step_of(ours), step_of(peer), f"keras {keras.__version__}, {type(peer).__name__}", xla=False,
        limits=limits, agree=same_weights if agrees else None, choices=f"{slots(ours)} slots against {slots(peer)}",
    )  # fmt: skip


def slots(optimizer: Any) -> int:
    """Tensors like the weights that a built optimizer keeps for each of them."""
    like = [variable for variable in optimizer.variables if tuple(variable.shape) in SHAPES]
    return len(like) // len(SHAPES)


def same_weights(ours: Any, peers: Any) -> str:
    """Both stand at the same point; the stock Nesterov keeps theta + alpha v in the weights, ours theta."""
    for i, (own, other) in enumerate(zip(ours[1], peers[1], strict=True)):
        value = own.numpy()
        if hasattr(ours[0], "look_ahead"):
            value = value + ours[0].momentum * ours[0].velocities[i].numpy()
        require_close(f"weights after {type(ours[0]).__name__}", value, other.numpy(), 1e-5)
    return "weights within 1e-5"


def training(ours: Any, peer: Any) -> Contest:
    """A whole training step: forward and backward pass, optimizer, metrics."""
    import keras
    import numpy as np
    import tensorflow as tf

    from keras_course.core.model import Model

    class Network(Model):
        def __init__(self, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.stack = [
                keras.layers.Dense(after, activation="tanh", use_bias=False)
                for after in (SHAPES[0][0], SHAPES[0][1]) * (len(SHAPES) // 2)
            ]

        def call(self, inputs: Any) -> Any:
            for layer in self.stack:
                inputs = layer(inputs)
            return inputs

    draws = np.random.Generator(np.random.Philox(0))
    x = tf.constant(draws.normal(size=(BATCH, SHAPES[0][1])), tf.float32)

    def step_of(optimizer: Any) -> Any:
        network = Network()
        network(x)
        network.compile(optimizer, "mse", jit_compile=False)
        optimizer.build(network.trainable_variables)
        graph = tf.function(lambda: network.train_step((x, x)), autograph=False)

        def run() -> Any:
            return float(graph()["loss"])

        return run

    return Contest(
        f"Nesterov, a training step of a network of 10 M parameters, batch {BATCH}, peer SGD: ms", step_of(ours),
        step_of(peer), f"keras {keras.__version__}, SGD(nesterov=True)", xla=False, limits=LIMITS,
    )  # fmt: skip


if __name__ == "__main__":
    sys.exit(main("benchmarks.optimizers", contests))
