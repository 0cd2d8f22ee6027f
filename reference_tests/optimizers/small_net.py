"""A small network and data for the tests of optimizers."""

import keras
import numpy as np

from keras_course.core.model import Model

DRAWS = np.random.Generator(np.random.Philox(11))
X = DRAWS.normal(size=(48, 3)).astype("float32")
Y = (np.tanh(X @ DRAWS.normal(size=(3, 2))) + X[:, :2]).astype("float32")


class SmallNet(Model):
    """tanh layer and linear layer, the same weights every time; unbuilt until it sees data."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.hidden = keras.layers.Dense(4, "tanh", kernel_initializer=keras.initializers.GlorotUniform(seed=1))
        self.out = keras.layers.Dense(2, kernel_initializer=keras.initializers.GlorotUniform(seed=2))

    def call(self, inputs):
        return self.out(self.hidden(inputs))


def compiled_net(optimizer, **kwargs):
    """A new net under this optimizer, half the mean squared error."""
    net = SmallNet()
    net.compile(optimizer, loss="mse", **kwargs)
    return net


def largest_difference(one, other):
    """Between two lists of weights."""
    return max(float(np.abs(a - b).max()) for a, b in zip(one, other, strict=True))
