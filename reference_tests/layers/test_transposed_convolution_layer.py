"""TransposedConvolution2D beside Keras's Conv2DTranspose."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_course.initializers.bilinear import Bilinear
from keras_course.layers.transposed_convolution import TransposedConvolution2D


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize(("size", "strides"), [(3, 1), (4, 2), ((2, 5), (3, 2)), (1, 2)])
def test_it_is_keras_transposed_convolution_weight_for_weight(padding, size, strides):
    x = np.random.default_rng(0).normal(size=(2, 4, 3, 2)).astype("float32")
    ours = TransposedConvolution2D(3, size, strides, padding, activation="tanh", bias_initializer="ones")
    theirs = keras.layers.Conv2DTranspose(3, size, strides, padding, activation="tanh")
    theirs.build(x.shape)
    ours.build(x.shape)
    assert [(w.name, w.shape) for w in ours.weights] == [(w.name, w.shape) for w in theirs.weights]
    theirs.set_weights(ours.get_weights())
    gradients = []
    for layer in (ours, theirs):
        with tf.GradientTape() as tape:
            y = layer(x)
            target = tf.reduce_sum(tf.square(y))
        gradients.append([y, *tape.gradient(target, [w.value for w in layer.trainable_weights])])
    for a, b in zip(*gradients, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-5)
    assert ours.compute_output_shape(x.shape) == tuple(theirs.compute_output_shape(x.shape)) == gradients[0][0].shape


def test_unknown_sizes_are_served_and_stay_unknown():
    inputs = keras.Input((None, None, 2))
    outputs = TransposedConvolution2D(3, 4, 2, "same")(inputs)
    assert outputs.shape == (None, None, None, 3)
    model = keras.Model(inputs, outputs)
    assert model.predict(np.ones((1, 5, 3, 2), "float32"), verbose=0).shape == (1, 10, 6, 3)
    assert tuple(model(np.ones((0, 5, 3, 2), "float32")).shape) == (0, 10, 6, 3)


def test_a_constant_stays_constant_under_a_bilinear_start():
    layer = TransposedConvolution2D(2, 8, 4, "same", use_bias=False, kernel_initializer=Bilinear())
    y = np.asarray(layer(np.full((1, 5, 5, 2), 3.0, "float32")))
    np.testing.assert_allclose(y[:, 2:-2, 2:-2], 3.0, rtol=1e-6)
    assert y[0, 0, 0, 0] < 3.0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"filters": 0}, "filters=0"),
        ({"kernel_size": (2, 2, 2)}, "kernel_size"),
        ({"strides": -1}, "strides=-1"),
        ({"padding": "replicate"}, "padding='replicate'"),
    ],
)
def test_wrong_arguments_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        TransposedConvolution2D(**{"filters": 2, "kernel_size": 2, **arguments})
    with pytest.raises(ValueError, match=r"rank 4. Received: shape=\(2, 3\)"):
        TransposedConvolution2D(1, 2).build((2, 3))
    with pytest.raises(ValueError, match=r"number of channels. Received: input_shape=\(None, 4, 4, None\)"):
        TransposedConvolution2D(1, 2).build((None, 4, 4, None))
