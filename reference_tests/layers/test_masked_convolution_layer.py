"""The masked convolution against Keras's own under the mask, and what it refuses."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_course.layers.masked_convolution import MaskedConvolution2D
from keras_course.ops.masked_convolution import convolution_mask

DRAWS = np.random.Generator(np.random.Philox(1))


@pytest.mark.parametrize("stack", ["raster", "vertical"])
@pytest.mark.parametrize("mask", ["A", "B"])
def test_it_is_keras_convolution_under_the_mask(mask, stack):
    image = DRAWS.normal(size=(2, 4, 5, 2)).astype("float32")
    ours = MaskedConvolution2D(4, (5, 3), mask, colours=2, stack=stack, activation="tanh", bias_initializer="ones")
    theirs = keras.layers.Conv2D(4, (5, 3), padding="same", activation="tanh", bias_initializer="ones")
    ours(image), theirs(image)
    kernel = DRAWS.normal(size=(5, 3, 2, 4))
    ours.kernel.assign(kernel[:3])
    theirs.kernel.assign(kernel * convolution_mask((5, 3), 2, 4, mask, 2, stack))
    np.testing.assert_allclose(ours(image), theirs(image), rtol=1e-4, atol=1e-5)


def test_masked_weights_get_no_gradient():
    import tensorflow as tf

    layer = MaskedConvolution2D(2, 3, "A", colours=2)
    with tf.GradientTape() as tape:
        loss = ops.sum(layer(ops.ones((1, 4, 4, 2))))
    slopes = np.asarray(tape.gradient(loss, layer.kernel.value))
    np.testing.assert_array_equal(slopes != 0, layer.kernel_mask != 0)


def test_bad_arguments_are_refused_with_what_came():
    with pytest.raises(ValueError, match="odd sizes.*kernel_size=\\(2, 2\\)"):
        MaskedConvolution2D(2, 2)
    with pytest.raises(ValueError, match="'A', 'B' as mask. Received: mask='a'"):
        MaskedConvolution2D(2, 3, "a")
    with pytest.raises(ValueError, match="one channel a colour.*outputs=2"):
        MaskedConvolution2D(2, 3, colours=3)
    with pytest.raises(ValueError, match="at least 3. Received: input_shape=\\(None, 4, 4, 2\\)"):
        MaskedConvolution2D(3, 3, colours=3).build((None, 4, 4, 2))
