"""Convolution layers beside Keras's own, and what Keras's do not have."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from keras_course.layers.convolution import Convolution1D, Convolution2D, Convolution3D
from keras_course.ops.convolution import convolve, cross_correlate

OURS = {1: Convolution1D, 2: Convolution2D, 3: Convolution3D}
KERAS = {1: keras.layers.Conv1D, 2: keras.layers.Conv2D, 3: keras.layers.Conv3D}


def images(*shape, seed=0, dtype="float32"):
    return np.random.default_rng(seed).normal(size=shape).astype(dtype)


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"padding": "same"},
        {"strides": 2},
        {"strides": 2, "padding": "same"},
        {"dilation_rate": 2, "padding": "same"},
    ],
    ids=str,
)
def test_without_flip_it_is_keras_convolution_weight_for_weight(rank, settings):
    x = images(2, *(8, 7, 6)[:rank], 3)
    arguments = {"filters": 4, "kernel_size": 3, "activation": "tanh", "kernel_initializer": "he_normal", **settings}
    ours, theirs = OURS[rank](**arguments), KERAS[rank](**arguments)
    theirs.build(x.shape)
    ours.build(x.shape)
    assert [(w.name, w.shape) for w in ours.weights] == [(w.name, w.shape) for w in theirs.weights]
    ours.set_weights(theirs.get_weights())
    gradients = []
    for layer in (ours, theirs):
        with tf.GradientTape() as tape:
            y = layer(x)
            target = tf.reduce_sum(tf.square(y))
        gradients.append([y, *tape.gradient(target, [w.value for w in layer.trainable_weights])])
    for a, b in zip(*gradients, strict=True):
        np.testing.assert_array_equal(a, b)
    assert ours.compute_output_shape(x.shape) == theirs.compute_output_shape(x.shape) == tuple(gradients[0][0].shape)


def test_zero_is_same_at_stride_one_and_not_above():
    x = images(1, 6, 6, 1)
    layers = {
        (padding, strides): Convolution2D(1, 3, strides, padding, kernel_initializer="ones")
        for padding in ("zero", "same")
        for strides in (1, 2)
    }
    maps = {key: ops.convert_to_numpy(layer(x)) for key, layer in layers.items()}
    np.testing.assert_array_equal(maps["zero", 1], maps["same", 1])
    assert maps["zero", 2].shape == maps["same", 2].shape == (1, 3, 3, 1)
    assert np.abs(maps["zero", 2] - maps["same", 2]).max() > 0.1


@pytest.mark.parametrize("padding", ["valid", "zero", "replicate"])
@pytest.mark.parametrize("flip", [False, True])
def test_one_channel_and_filter_is_the_operation_on_the_plain_image(padding, flip):
    x = images(1, 7, 6, 1)
    layer = Convolution2D(1, (3, 2), padding=padding, flip=flip, dilation_rate=2, strides=2)
    y = layer(x)
    operation = convolve if flip else cross_correlate
    wanted = operation(x[0, ..., 0], layer.kernel[..., 0, 0], 2, 2, padding)
    np.testing.assert_allclose(y[0, ..., 0], wanted, atol=1e-6)


@pytest.mark.parametrize("padding", ["valid", "zero", "replicate", "same"])
def test_unknown_sizes_are_served_and_stay_unknown(padding):
    inputs = keras.Input((None, None, 2))
    outputs = Convolution2D(3, 3, strides=2, padding=padding)(inputs)
    assert outputs.shape == (None, None, None, 3)
    model = keras.Model(inputs, outputs)
    for side in (5, 8):
        assert (
            model(images(1, side, side, 2)).shape[1:3] == ((side - 1) // 2,) * 2
            if padding == "valid"
            else ((side + 1) // 2,) * 2
        )


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_channels_first_is_channels_last_transposed(rank):
    x = images(2, *(6, 5, 4)[:rank], 3)
    last = OURS[rank](4, 3, padding="replicate", data_format="channels_last")
    first = OURS[rank](4, 3, padding="replicate", data_format="channels_first")
    last.build(x.shape)
    turned = np.moveaxis(x, -1, 1)
    first.build(turned.shape)
    first.set_weights(last.get_weights())
    y = ops.convert_to_numpy(first(turned))
    np.testing.assert_array_equal(y, np.moveaxis(ops.convert_to_numpy(last(x)), -1, 1))
    assert first.compute_output_shape(turned.shape) == y.shape


def test_config_round_trip_keeps_every_argument():
    layer = Convolution2D(
        5,
        (3, 2),
        (2, 1),
        "replicate",
        dilation_rate=(1, 3),
        flip=True,
        activation="relu",
        use_bias=False,
        kernel_initializer=keras.initializers.HeNormal(seed=3),
        kernel_regularizer=keras.regularizers.L2(0.1),
        activity_regularizer=keras.regularizers.L1(0.01),
        kernel_constraint=keras.constraints.NonNeg(),
        data_format="channels_first",
        name="edges",
    )
    config = layer.get_config()
    again = Convolution2D.from_config(config)
    assert again.get_config() == config
    assert again.flip and again.padding == "replicate" and again.kernel_regularizer.l2 == pytest.approx(0.1)


def test_a_saved_model_with_flip_and_replicate_answers_the_same(tmp_path):
    x = images(2, 9, 9, 1)
    model = keras.Sequential([keras.Input((9, 9, 1)), Convolution2D(3, 3, padding="replicate", flip=True)])
    model.save(tmp_path / "model.keras")
    np.testing.assert_array_equal(keras.saving.load_model(tmp_path / "model.keras")(x), model(x))


def test_mixed_bfloat16_computes_in_bfloat16_and_keeps_float32_weights():
    layer = Convolution2D(3, 3, padding="replicate", flip=True, dtype="mixed_bfloat16")
    y = layer(images(1, 5, 5, 2))
    assert keras.backend.standardize_dtype(y.dtype) == "bfloat16"
    assert layer.kernel.dtype == "float32"


def test_float64_layers_compute_in_float64():
    x = images(1, 5, 5, 2, dtype="float64")
    layer = Convolution2D(1, 3, dtype="float64", use_bias=False)
    y = ops.convert_to_numpy(layer(x))
    wanted = sum(ops.convert_to_numpy(cross_correlate(x[0, ..., c], layer.kernel[..., c, 0])) for c in range(2))
    np.testing.assert_allclose(y[0, ..., 0], wanted, atol=1e-14)


def test_one_fit_step_lowers_the_loss_under_xla_too():
    x, y = images(16, 6, 6, 1), images(16, 1, seed=1)
    for jit in (False, True):
        model = keras.Sequential(
            [keras.Input((6, 6, 1)), Convolution2D(4, 3, padding="replicate", flip=True), keras.layers.Flatten(),
             keras.layers.Dense(1)]
        )  # fmt: skip
        model.compile(keras.optimizers.SGD(0.01), "mse", jit_compile=jit)
        before = model.evaluate(x, y, verbose=0)
        model.fit(x, y, batch_size=16, verbose=0)
        assert model.evaluate(x, y, verbose=0) < before


def test_regularizers_and_constraints_act():
    layer = Convolution1D(2, 3, kernel_regularizer="l2", bias_constraint="non_neg", kernel_initializer="ones")
    layer(images(1, 5, 1))
    assert float(layer.losses[0]) == pytest.approx(0.01 * 6)
    assert layer.bias.constraint is not None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"filters": 0, "kernel_size": 3}, "filters=0"),
        ({"filters": 2, "kernel_size": (3, 3, 3)}, r"kernel_size=\(3, 3, 3\)"),
        ({"filters": 2, "kernel_size": 3, "strides": 0}, "strides=0"),
        ({"filters": 2, "kernel_size": 3, "padding": "reflect"}, "padding='reflect'"),
        ({"filters": 2, "kernel_size": 3, "data_format": "NHWC"}, "data_format='NHWC'"),
        ({"filters": 2, "kernel_size": 3, "padding": "same", "strides": 2, "dilation_rate": 2}, "not both"),
    ],
)
def test_wrong_arguments_are_refused_with_the_value_that_came(arguments, message):
    with pytest.raises(ValueError, match=message):
        Convolution2D(**arguments)


def test_wrong_shapes_are_refused_with_the_shape_that_came():
    with pytest.raises(ValueError, match=r"rank 4. Received: shape=\(2, 8, 8\)"):
        Convolution2D(2, 3)(images(2, 8, 8))
    with pytest.raises(ValueError, match="known number of channels"):
        Convolution2D(2, 3)(keras.Input((8, 8, None)))
    with pytest.raises(ValueError, match="image is smaller|larger image"):
        Convolution2D(2, 5)(images(1, 4, 8, 1))
    layer = Convolution2D(2, 3)
    layer(images(1, 8, 8, 3))
    with pytest.raises(ValueError):
        layer(images(1, 8, 8, 1))
