"""One step of each optimizer on 10 M parameters in 4 weights, against the stock Keras optimizer of the same formula.

Gradient descent, momentum, AdaGrad, RMSProp and Adam, one after the other, as graphs. Nesterov is not among them: it
moves the weights to the interim point and back, which its stock namesake, a reformulation, does not, and takes about
1.6 times as long.
"""

from __future__ import annotations

import sys

from benchmarks.harness import Contest, main

SHAPES = [(2500, 1000)] * 4


def contest() -> Contest:
    """The same weights and gradients for both sides."""
    import keras
    import numpy as np
    import tensorflow as tf

    from keras_course.optimizers import AdaGrad, Adam, GradientDescent, Momentum, RMSProp

    draws = np.random.Generator(np.random.Philox(0))
    gradients = [tf.constant(draws.normal(size=shape), tf.float32) for shape in SHAPES]

    def steps(optimizers):
        def step_of(optimizer):
            weights = [keras.Variable(np.ones(shape, "float32")) for shape in SHAPES]
            optimizer.build(weights)
            return tf.function(lambda: optimizer.apply(gradients, weights), autograph=False)

        functions = [step_of(optimizer) for optimizer in optimizers]

        def run():
            for function in functions:
                function()

        return run

    stock = keras.optimizers
    ours = [GradientDescent(0.01), Momentum(0.01), AdaGrad(0.01, form="inside-root"), RMSProp(0.01), Adam(0.01)]
    theirs = [
        stock.SGD(0.01),
        stock.SGD(0.01, momentum=0.9),
        stock.Adagrad(0.01),
        stock.RMSprop(0.01),
        stock.Adam(0.01),
    ]
    title = f"One step of {len(ours)} optimizers on {sum(a * b for a, b in SHAPES) / 1e6:.0f} M parameters: ms a step"
    name = f"keras {keras.__version__} optimizers"
    return Contest(title, steps(ours), steps(theirs), name, xla=False, work=len(ours), limits={1: 1.1, 2: 1.1})


if __name__ == "__main__":
    sys.exit(main("benchmarks.optimizers", contest))
