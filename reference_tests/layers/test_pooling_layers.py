"""Pooling layers beside Keras's own."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_course.layers.pooling import AveragePooling, GlobalMaxPooling, MaxPooling

THEIRS = {
    (MaxPooling, 1): keras.layers.MaxPooling1D, (AveragePooling, 1): keras.layers.AveragePooling1D,
    (MaxPooling, 2): keras.layers.MaxPooling2D, (AveragePooling, 2): keras.layers.AveragePooling2D,
    (MaxPooling, 3): keras.layers.MaxPooling3D, (AveragePooling, 3): keras.layers.AveragePooling3D,
}  # fmt: skip


def images(*shape):
    return np.random.default_rng(0).normal(size=shape).astype("float32")


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize(("ours", "rank"), list(THEIRS), ids=str)
def test_pooling_is_keras_pooling_of_the_inputs_rank(ours, rank, padding):
    x = images(2, *(7, 6, 5)[:rank], 3)
    for size, strides in ((2, None), (3, 2), (3, 1)):
        layer, theirs = ours(size, strides, padding), THEIRS[ours, rank](size, strides, padding)
        np.testing.assert_allclose(layer(x), theirs(x), atol=1e-6)
        assert layer.compute_output_shape(x.shape) == tuple(theirs.compute_output_shape(x.shape))


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_the_global_maximum_is_that_of_keras_and_takes_a_batch_without_rows(rank):
    x = images(2, *(7, 6, 5)[:rank], 3)
    theirs = (keras.layers.GlobalMaxPooling1D, keras.layers.GlobalMaxPooling2D, keras.layers.GlobalMaxPooling3D)
    np.testing.assert_array_equal(GlobalMaxPooling()(x), theirs[rank - 1]()(x))
    assert GlobalMaxPooling()(x[:0]).shape == (0, 3)
    with pytest.raises(ValueError, match=r"rank 3 or 4 or 5. Received: shape=\(2, 3\)"):
        GlobalMaxPooling()(images(2, 3))


def test_one_layer_may_have_a_size_for_each_axis():
    x = images(1, 8, 6, 2)
    np.testing.assert_array_equal(MaxPooling((4, 2))(x), keras.layers.MaxPooling2D((4, 2))(x))
    with pytest.raises(ValueError, match=r"pool_size=\(4, 2\)"):
        MaxPooling((4, 2))(images(1, 8, 2))


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_channels_first_is_channels_last_transposed(rank):
    x = images(2, *(6, 5, 4)[:rank], 3)
    first = AveragePooling(2, data_format="channels_first")(np.moveaxis(x, -1, 1))
    np.testing.assert_array_equal(np.moveaxis(ops.convert_to_numpy(first), 1, -1), AveragePooling(2)(x))


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_unknown_sizes_are_served(rank):
    inputs = keras.Input((*(None,) * rank, 2))
    outputs = MaxPooling(3, strides=2)(inputs)
    assert outputs.shape == (None, *(None,) * rank, 2)
    model = keras.Model(inputs, outputs)
    assert model(images(2, *(7,) * rank, 2)).shape == (2, *(3,) * rank, 2)


@pytest.mark.parametrize("layer", [MaxPooling, AveragePooling])
def test_config_round_trip_and_mixed_precision(layer):
    config = layer((2, 3), strides=1, padding="same", data_format="channels_first", name="s2").get_config()
    assert layer.from_config(config).get_config() == config
    y = layer(2, dtype="mixed_bfloat16")(images(1, 4, 4, 1))
    assert keras.backend.standardize_dtype(y.dtype) == "bfloat16"


def test_wrong_arguments_and_shapes_are_refused():
    with pytest.raises(ValueError, match="pool_size=0"):
        MaxPooling(0)
    with pytest.raises(ValueError, match="strides='two'"):
        MaxPooling(2, strides="two")
    with pytest.raises(ValueError, match="padding='zero'"):
        AveragePooling(2, padding="zero")
    with pytest.raises(ValueError, match=r"shape=\(2, 3\)"):
        AveragePooling(2)(images(2, 3))
    with pytest.raises(ValueError, match=r"input_shape=\(1, 4, 9, 1\)"):
        MaxPooling(5)(images(1, 4, 9, 1))
