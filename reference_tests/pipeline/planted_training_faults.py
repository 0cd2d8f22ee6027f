"""Models with one planted fault each, on real digits, and the healthy model they come from."""

import keras
import numpy as np
import tensorflow as tf

from keras_course.datasets import Split, load

LOSS = {"from_logits": True}


def digits():
    """300 digits as flat rows."""
    train = load("digits-flat").train
    return Split(train.x[:300], train.y[:300])


def network(activation="relu", hidden=(32, 32), rate=3e-3, optimizer=keras.optimizers.Adam, inputs=(), **options):
    """A small network of dense layers, compiled."""
    keras.utils.set_random_seed(0)
    layers = [keras.layers.Dense(units, activation, name=f"hidden{i}", **options) for i, units in enumerate(hidden)]
    model = keras.Sequential([keras.Input((64,)), *inputs, *layers, keras.layers.Dense(10, name="scores")])
    model.compile(optimizer(rate), keras.losses.SparseCategoricalCrossentropy(**LOSS), metrics=["accuracy"])
    return model


def scaled(model, factor, layer="hidden0"):
    kernel = model.get_layer(layer).kernel
    kernel.assign(kernel * factor)
    return model


@keras.saving.register_keras_serializable(package="planted")
class TurnedGradient(keras.layers.Layer):
    """The identity, with the sign of its gradient turned."""

    def call(self, inputs):
        return 2 * tf.stop_gradient(inputs) - inputs


@keras.saving.register_keras_serializable(package="planted")
class Detached(keras.layers.Layer):
    """The identity, through which no gradient passes."""

    def call(self, inputs):
        return tf.stop_gradient(inputs)


def with_layer(middle):
    keras.utils.set_random_seed(0)
    model = keras.Sequential([
        keras.Input((64,)), keras.layers.Dense(32, "relu", name="hidden0"), middle,
        keras.layers.Dense(32, "relu", name="hidden1"), keras.layers.Dense(10, name="scores"),
    ])  # fmt: skip
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(**LOSS), metrics=["accuracy"])
    return model


def frozen():
    model = network()
    model.get_layer("hidden1").trainable = False
    model.compile(keras.optimizers.Adam(3e-3), keras.losses.SparseCategoricalCrossentropy(**LOSS))
    return model


def large():
    model = network(hidden=(32,) * 6)
    for index in range(6):
        scaled(model, 4.0, f"hidden{index}")
    return model


def shuffled(split):
    return Split(split.x, np.random.default_rng(0).permutation(split.y))


def same(split):
    return split


FAULTS = {  # fault: (model, change of the data, part of the place that must be named)
    "labels unrelated": (network, shuffled, ""),
    "inputs unscaled": (network, lambda split: Split(split.x * 255, split.y), ""),
    "inputs constant": (network, lambda split: Split(split.x * 0 + 1, split.y), ""),
    "dead units": (lambda: network(bias_initializer=keras.initializers.Constant(-30.0)), same, "hidden0"),
    "saturated units": (lambda: scaled(network("sigmoid"), 100.0), same, "hidden0"),
    "copied units": (lambda: network(kernel_initializer=keras.initializers.Constant(0.01)), same, "hidden0"),
    "vanishing gradient": (lambda: network("sigmoid", hidden=(16,) * 9), same, "hidden0"),
    "exploding gradient": (large, same, ""),
    "wrong gradient": (lambda: with_layer(TurnedGradient()), same, "hidden0"),
    "frozen layer": (frozen, same, "hidden1"),
    "learning rate too high": (lambda: network(rate=0.3), same, ""),
    "learning rate too low": (lambda: network(rate=3e-6), same, ""),
    "tiny set not fitted": (lambda: with_layer(keras.layers.Rescaling(0.0)), same, ""),
}
