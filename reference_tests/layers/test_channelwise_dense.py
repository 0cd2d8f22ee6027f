"""ChannelwiseDense: a Dense layer for each feature map, and nothing between maps."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_course.layers import ChannelwiseDense

X = np.random.default_rng(2).normal(size=(3, 2, 4, 5)).astype("float32")


def test_every_channel_is_stock_dense_over_its_own_places():
    layer = ChannelwiseDense("tanh", bias_initializer=keras.initializers.RandomNormal(seed=1), seed=0)
    output = np.asarray(layer(X))
    for channel in range(5):
        dense = keras.layers.Dense(8, "tanh")
        dense.build((None, 8))
        dense.set_weights([layer.kernel[channel], layer.bias[channel]])
        assert np.allclose(output[..., channel].reshape(3, 8), dense(X[..., channel].reshape(3, 8)), atol=1e-6)


def test_maps_do_not_see_each_other_and_places_all_do():
    layer, x = ChannelwiseDense(seed=0), tf.constant(X[:1])
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = layer(x)
    slopes = np.asarray(tape.jacobian(y, x))[0, :, :, :, 0].reshape(8, 5, 8, 5)
    for to in range(5):
        for come in range(5):
            block = slopes[:, to, :, come]
            assert np.all(block != 0) if to == come else not np.any(block)


def test_m_maps_of_n_places_have_m_times_n_squared_weights_and_not_m_squared():
    layer = ChannelwiseDense()
    layer.build((None, 2, 4, 5))
    assert layer.count_params() == 5 * (8**2 + 8)


def test_the_start_has_the_variance_of_glorot_for_one_map_whatever_their_number():
    layer = ChannelwiseDense(seed=3)
    layer.build((None, 4, 4, 64))
    assert np.var(layer.kernel) == pytest.approx(1 / 16, rel=0.05)


def test_axes_of_unknown_size_and_flat_inputs_are_refused():
    with pytest.raises(ValueError, match=r"every axis but the batch. Received: shape=\(None, None, 4, 5\)"):
        ChannelwiseDense().build((None, None, 4, 5))
    with pytest.raises(ValueError, match="rank 3 or 4 or 5"):
        ChannelwiseDense().build((None, 4))
