"""Locally connected layers beside Keras 2's own, weight for weight and file for file."""

import inspect
import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_course.layers import Convolution2D, LocallyConnected1D, LocallyConnected2D

keras2 = pytest.importorskip("tf_keras")

OURS = {1: LocallyConnected1D, 2: LocallyConnected2D}
KERAS2 = {1: keras2.layers.LocallyConnected1D, 2: keras2.layers.LocallyConnected2D}
CASES = [
    case
    for case in itertools.product((1, 2), (1, 2, 3), ("channels_last", "channels_first"), ("valid", "same"))
    if case[1:4:2] != (1, "same")
]


def images(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def pair(rank, shape, **arguments):
    """Ours and Keras 2's layer with the same weights."""
    ours, theirs = OURS[rank](**arguments), KERAS2[rank](**arguments)
    ours.build(shape)
    theirs.build(shape)
    ours.set_weights(theirs.get_weights())
    return ours, theirs


@pytest.mark.parametrize("rank", [1, 2])
def test_the_arguments_are_those_of_keras_2_in_its_order_with_its_defaults(rank):
    ours = inspect.signature(OURS[rank]).parameters.values()
    theirs = list(inspect.signature(KERAS2[rank]).parameters.values())
    assert [p.name for p in ours] == [p.name for p in theirs]
    for own, other in zip(ours, theirs, strict=True):
        same = own.default == other.default or (own.name, own.default, other.default) == ("strides", 1, (1, 1))
        assert same, own.name


@pytest.mark.parametrize(("rank", "implementation", "data_format", "padding"), CASES)
def test_weights_outputs_and_gradients_are_those_of_keras_2(rank, implementation, data_format, padding):
    for size, strides in [(2, 1), (3, 2), ((3, 2)[:rank], (2, 1)[:rank])]:
        x = images(2, *(6, 5)[:rank], 2)
        x = np.ascontiguousarray(np.moveaxis(x, -1, 1)) if data_format == "channels_first" else x
        ours, theirs = pair(
            rank, x.shape, filters=3, kernel_size=size, strides=strides, padding=padding, data_format=data_format,
            activation="tanh", bias_initializer="random_normal", implementation=implementation,
        )  # fmt: skip
        assert [w.shape for w in ours.get_weights()] == [w.shape for w in theirs.get_weights()]
        assert ours.compute_output_shape(x.shape) == tuple(theirs.compute_output_shape(x.shape))
        found = []
        for layer, weights in ((ours, [w.value for w in ours.weights]), (theirs, theirs.weights)):
            constant = tf.constant(x)
            with tf.GradientTape() as tape:
                tape.watch(constant)
                y = layer(constant)
                target = tf.reduce_sum(y**2 * (1 + tf.reshape(tf.range(tf.size(y), dtype="float32"), y.shape) / 50))
            found.append([y, *tape.gradient(target, [constant, *weights])])
        for own, other in zip(*found, strict=True):
            own, other = tf.convert_to_tensor(own), tf.convert_to_tensor(other)
            np.testing.assert_allclose(own, other, atol=2e-6 * max(1.0, float(tf.reduce_max(tf.abs(other)))))


@pytest.mark.parametrize("implementation", [1, 2, 3])
def test_training_with_penalties_and_constraints_takes_the_steps_of_keras_2(implementation):
    x, y = images(12, 5, 4, 2), images(12, 4, 3, 2, seed=1)
    arguments = {
        "filters": 2, "kernel_size": 2, "kernel_regularizer": "l2", "bias_regularizer": "l1",
        "activity_regularizer": "l2", "kernel_constraint": "non_neg", "implementation": implementation,
    }  # fmt: skip
    layers = pair(2, x.shape, **arguments)
    ended = []
    for framework, layer in zip((keras, keras2), layers, strict=True):
        model = framework.Sequential([framework.layers.InputLayer(x.shape[1:]), layer])
        model.compile(framework.optimizers.SGD(0.1), "mse", **({"jit_compile": False} if framework is keras else {}))
        history = model.fit(x, y, batch_size=12, epochs=3, shuffle=False, verbose=0)
        ended.append([np.array(history.history["loss"]), *layer.get_weights()])
    for own, other in zip(*ended, strict=True):
        np.testing.assert_allclose(own, other, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("implementation", [1, 2, 3])
def test_files_of_keras_2_load(tmp_path, implementation):
    x = images(3, 5, 4, 2)
    first = {"activation": "relu", "implementation": implementation}
    old = keras2.Sequential(
        [
            keras2.layers.LocallyConnected2D(3, 2, input_shape=(5, 4, 2), **first),
            keras2.layers.Reshape((12, 3)),
            keras2.layers.LocallyConnected1D(2, 3, strides=2, bias_initializer="ones"),
            keras2.layers.Flatten(),
            keras2.layers.Dense(2),
        ]
    )  # fmt: skip
    old.compile("sgd", "mse")
    wanted = old(x)
    old.save(tmp_path / "whole.h5")
    old.save_weights(tmp_path / "old.h5")
    old.save_weights(tmp_path / "new.weights.h5")

    def moved_over():
        return keras.Sequential(
            [
                keras.Input((5, 4, 2)),
                LocallyConnected2D(3, 2, **first),
                keras.layers.Reshape((12, 3)),
                LocallyConnected1D(2, 3, strides=2),
                keras.layers.Flatten(),
                keras.layers.Dense(2),
            ]
        )

    for name in ("old.h5", "new.weights.h5"):
        model = moved_over()
        model.load_weights(tmp_path / name)
        np.testing.assert_allclose(model(x), wanted, atol=1e-6)
    names = {"LocallyConnected1D": LocallyConnected1D, "LocallyConnected2D": LocallyConnected2D}
    whole = keras.saving.load_model(tmp_path / "whole.h5", custom_objects=names, compile=False)
    assert isinstance(whole.layers[0], LocallyConnected2D) and whole.layers[0].implementation == implementation
    np.testing.assert_allclose(whole(x), wanted, atol=1e-6)


def test_old_code_moves_over_with_its_first_layer_as_it_stands():
    with pytest.warns(UserWarning, match="input_shape"):  # Keras 3's own advice
        model = keras.Sequential([LocallyConnected2D(4, (3, 3), (2, 2), "VALID", input_shape=(7, 7, 1))])
    assert model.output_shape == (None, 3, 3, 4)


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_one_kernel_in_three_shapes(data_format):
    shape = (None, 5, 4, 2) if data_format == "channels_last" else (None, 2, 5, 4)
    layers = [
        LocallyConnected2D(3, 2, data_format=data_format, use_bias=False, implementation=i) for i in (1, 2, 3)
    ]  # fmt: skip
    weights = images(4, 3, 2, 2, 2, 3)  # output, kernel size, channels, filters
    for layer in layers:
        layer.build(shape)
        flat = np.full(layer.kernel.shape, 9.0, "float32").reshape(-1)  # what no window reads does not matter
        flat[layer._layout.places().reshape(-1)] = weights.reshape(-1)
        layer.set_weights([flat.reshape(layer.kernel.shape)])
        np.testing.assert_array_equal(layer.unshared_kernel(), weights)
    x = images(2, *shape[1:])
    for layer in layers[1:]:
        np.testing.assert_array_equal(layer(x), layers[0](x))
    assert layers[2].count_params() == layers[0].count_params() < layers[1].count_params()


def test_with_one_kernel_everywhere_it_is_convolution():
    x = images(2, 7, 6, 2)
    shared, unshared = Convolution2D(3, 3, 2, activation="relu"), LocallyConnected2D(3, 3, 2, activation="relu")
    shared.build(x.shape)
    unshared.build(x.shape)
    kernel, bias = shared.get_weights()[0], images(3)
    shared.set_weights([kernel, bias])
    unshared.set_weights(
        [np.broadcast_to(kernel.reshape(1, -1, 3), unshared.kernel.shape), np.broadcast_to(bias, unshared.bias.shape)]
    )
    np.testing.assert_allclose(unshared(x), shared(x), atol=1e-6)


def test_what_belongs_to_a_place_is_learned_there_and_not_by_a_convolution():
    x = images(64, 6, 1)
    y = x * np.array([1.0, -1.0, 1.0, -1.0, 1.0, -1.0])[:, None]  # the sign depends on the place
    losses = {}
    for layer in (LocallyConnected1D(1, 1), keras.layers.Conv1D(1, 1)):
        model = keras.Sequential([keras.Input((6, 1)), layer])
        model.compile(keras.optimizers.Adam(0.1), "mse", jit_compile=False, steps_per_execution=80)
        model.fit(np.tile(x, (80, 1, 1)), np.tile(y, (80, 1, 1)), batch_size=64, verbose=0)
        losses[type(layer)] = model.evaluate(x, y, verbose=0)
    assert losses[LocallyConnected1D] < 0.01 < 0.5 < losses[keras.layers.Conv1D]


def test_config_round_trip_keeps_every_argument():
    layer = LocallyConnected2D(
        5, (3, 2), (2, 1), "same", "channels_first", "relu", False, keras.initializers.HeNormal(seed=3),
        kernel_regularizer=keras.regularizers.L2(0.1), activity_regularizer=keras.regularizers.L1(0.01),
        kernel_constraint=keras.constraints.NonNeg(), implementation=3, name="portrait",
    )  # fmt: skip
    config = layer.get_config()
    assert LocallyConnected2D.from_config(config).get_config() == config


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"filters": 0, "kernel_size": 3}, "filters=0"),
        ({"filters": 2, "kernel_size": (3, 3, 3)}, r"kernel_size=\(3, 3, 3\)"),
        ({"filters": 2, "kernel_size": 3, "padding": "zero"}, "padding='zero'"),
        ({"filters": 2, "kernel_size": 3, "padding": "same"}, "needs implementation=2 or 3"),
        ({"filters": 2, "kernel_size": 3, "implementation": 4}, "implementation=4"),
        ({"filters": 2, "kernel_size": 3, "data_format": "NHWC"}, "data_format='NHWC'"),
    ],
)
def test_wrong_arguments_are_refused_with_the_value_that_came(arguments, message):
    with pytest.raises(ValueError, match=message):
        LocallyConnected2D(**arguments)


def test_wrong_shapes_are_refused_with_the_shape_that_came():
    with pytest.raises(ValueError, match=r"rank 4. Received: shape=\(2, 8, 8\)"):
        LocallyConnected2D(2, 3)(images(2, 8, 8))
    with pytest.raises(ValueError, match=r"every size but the batch's. Received: input_shape=\(None, None, 8, 1\)"):
        LocallyConnected2D(2, 3)(keras.Input((None, 8, 1)))
    with pytest.raises(ValueError, match=r"larger input.*Received: input_shape=\(1, 4, 8, 1\)"):
        LocallyConnected2D(2, 5)(images(1, 4, 8, 1))
    layer = LocallyConnected1D(2, 3)
    layer(images(1, 8, 1))
    with pytest.raises(ValueError):
        layer(images(1, 9, 1))


def test_gradients_repeat_bit_for_bit():
    x = tf.constant(images(32, 12, 12, 4))
    layer = LocallyConnected2D(8, 3)
    layer.build(x.shape)

    @tf.function(autograph=False)
    def slopes():
        with tf.GradientTape() as tape:
            tape.watch(x)
            target = tf.reduce_sum(tf.square(layer(x)))
        return tape.gradient(target, [x, layer.kernel.value])

    first = slopes()
    for _ in range(10):
        for once, again in zip(first, slopes(), strict=True):
            np.testing.assert_array_equal(once, again)
