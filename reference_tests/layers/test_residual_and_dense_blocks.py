"""Residual and dense blocks: what a shortcut carries, what a projection costs, what every layer sees."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from keras_course.layers import BottleneckBlock, DenseBlock, ResidualBlock, TransitionLayer

RNG = np.random.default_rng(0)


def array(tensor):
    return np.asarray(ops.convert_to_numpy(tensor))


def maps(*shape):
    return RNG.normal(size=shape).astype("float32")


def test_a_block_whose_last_gamma_is_zero_hands_its_input_on():
    x = np.abs(maps(2, 5, 4, 6))
    for block in (ResidualBlock(6, zero_gamma=True), BottleneckBlock(3, expansion=2, zero_gamma=True)):
        np.testing.assert_array_equal(array(block(x)), x)
        np.testing.assert_array_equal(array(block(x, training=True)), x)
    assert np.abs(array(ResidualBlock(6)(x)) - x).max() > 0.1


def test_the_gradient_through_a_block_is_that_of_the_branch_plus_the_one_of_the_shortcut():
    block = ResidualBlock(3, dtype="float64", seed=1)
    x = tf.constant(RNG.normal(size=(1, 3, 3, 3)) + 4.0)
    block.build(x.shape)
    block.normalizations[-1].gamma.assign([0.2] * 3)  # no sum is near the kink of the last relu
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        y, branch = block(x), block.residual(x)
    assert float(tf.reduce_min(y)) > 0
    whole, part = (array(tape.jacobian(value, x)).reshape(27, 27) for value in (y, branch))
    np.testing.assert_allclose(whole, part + np.eye(27), atol=1e-12)


def test_shortcut_a_takes_every_second_pixel_and_appends_zeros():
    block, x = ResidualBlock(5, strides=2, shortcut="A"), maps(1, 5, 4, 2)
    block.build(x.shape)
    identity = array(block.identity(ops.convert_to_tensor(x)))
    np.testing.assert_array_equal(identity[..., :2], x[:, ::2, ::2])
    np.testing.assert_array_equal(identity[..., 2:], np.zeros((1, 3, 2, 3)))


@pytest.mark.parametrize(
    ("shortcut", "strides", "channels", "projected"),
    [("A", 2, 4, False), ("B", 1, 8, False), ("B", 2, 8, True), ("B", 1, 4, True), ("C", 1, 8, True)],
)
def test_projections_stand_where_the_option_says(shortcut, strides, channels, projected):
    block = ResidualBlock(8, strides, shortcut)
    block.build((None, 6, 6, channels))
    branch = 9 * channels * 8 + 9 * 8 * 8 + 2 * 4 * 8
    assert block.count_params() == branch + projected * (channels * 8 + 4 * 8)


def test_a_strided_1x1_never_looks_at_three_pixels_of_four_and_a_strided_3x3_at_all():
    x = ops.convert_to_tensor(maps(1, 6, 6, 4))
    for strided, seen in (("1x1", 9), ("3x3", 36)):
        block = BottleneckBlock(4, 2, strided, seed=1)
        block.build(x.shape)
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = tf.reduce_sum(block.residual(x) ** 2)
        assert (np.abs(array(tape.gradient(y, x))).sum(-1) > 0).sum() == seen


def stock_residual(x, filters, strides):
    """The same block written in Keras's functional language."""
    layers = keras.layers
    y = layers.ZeroPadding2D(1)(x)
    y = layers.Conv2D(filters, 3, strides, use_bias=False)(y)
    y = layers.ReLU()(layers.BatchNormalization(momentum=0.9, epsilon=1.001e-5)(y))
    y = layers.Conv2D(filters, 3, padding="same", use_bias=False)(y)
    y = layers.BatchNormalization(momentum=0.9, epsilon=1.001e-5)(y)
    around = layers.Conv2D(filters, 1, strides, use_bias=False)(x)
    around = layers.BatchNormalization(momentum=0.9, epsilon=1.001e-5)(around)
    return layers.ReLU()(layers.Add()([y, around]))


@pytest.mark.parametrize("side", [6, 7])
def test_a_block_of_stock_layers_gives_the_same_numbers_and_the_same_step(side):
    x, target = maps(4, side, side, 3), maps(4, (side + 1) // 2, (side + 1) // 2, 5)
    inputs = keras.Input(x.shape[1:])
    stock = keras.Model(inputs, stock_residual(inputs, 5, 2))
    ours = keras.Sequential([keras.Input(x.shape[1:]), ResidualBlock(5, strides=2, name="block")])
    block = ours.get_layer("block")
    order = [block.convolutions[0], block.normalizations[0], block.convolutions[1], block.projection]
    order += [block.normalizations[1], block.projection_normalization]
    theirs = [layer for layer in stock.layers if layer.weights]
    assert [layer.get_weights()[0].shape for layer in order] == [layer.get_weights()[0].shape for layer in theirs]
    for mine, other in zip(order, theirs, strict=True):
        other.set_weights(mine.get_weights())
    np.testing.assert_allclose(array(ours(x)), array(stock(x)), atol=1e-5)
    for model in (ours, stock):
        model.compile(keras.optimizers.SGD(0.1), "mse", run_eagerly=True)
        model.train_on_batch(x, target)
    for mine, other in zip(order, theirs, strict=True):
        for a, b in zip(mine.get_weights(), other.get_weights(), strict=True):
            np.testing.assert_allclose(a, b, atol=1e-5)


def test_a_dense_block_keeps_everything_it_was_given_and_everything_it_found():
    block, x = DenseBlock(3, 2, seed=0), maps(2, 4, 5, 4)
    y = array(block(x))
    assert y.shape == (2, 4, 5, 10)
    np.testing.assert_array_equal(y[..., :4], x)
    shorter = DenseBlock(2, 2, seed=0)  # seeds are of names: the first layers start alike
    np.testing.assert_allclose(array(shorter(x)), y[..., :8], atol=1e-6)


def test_every_layer_of_a_dense_block_sees_the_maps_of_all_before_it():
    block = DenseBlock(4, 3, bottleneck=2)
    block.build((None, 8, 8, 5))
    assert [layer.kernel.shape[2] for layer in block.convolutions[::2]] == [5, 8, 11, 14]
    assert [layer.kernel.shape[2:] for layer in block.convolutions[1::2]] == [(6, 3)] * 4
    plain = DenseBlock(4, 3, bottleneck=None)
    plain.build((None, 8, 8, 5))
    assert [layer.kernel.shape for layer in plain.convolutions] == [(3, 3, n, 3) for n in (5, 8, 11, 14)]


def test_a_transition_averages_squares_of_four_pixels_and_drops_an_odd_border():
    layer, x = TransitionLayer(0.5, seed=0), maps(2, 5, 4, 6)
    y = array(layer(x))
    convolved = array(layer.convolution(ops.relu(layer.bn(x))))
    np.testing.assert_allclose(y, convolved[:, :4].reshape(2, 2, 2, 2, 2, 3).mean((2, 4)), atol=1e-6)


def test_a_seed_gives_every_convolution_numbers_of_its_own():
    block, again = (ResidualBlock(4, seed=3) for _ in range(2))
    for one in (block, again):
        one.build((None, 4, 4, 4))
    first, second = (layer.get_weights()[0] for layer in block.convolutions)
    assert np.abs(first - second).max() > 0.1
    np.testing.assert_array_equal(first, again.convolutions[0].get_weights()[0])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ResidualBlock(0), "filters=0"),
        (lambda: ResidualBlock(4, strides=0), "strides=0"),
        (lambda: ResidualBlock(4, shortcut="D"), "shortcut='D'"),
        (lambda: ResidualBlock(4).build((None, 4, 4)), r"rank 4. Received: shape=\(None, 4, 4\)"),
        (lambda: ResidualBlock(4).build((None, 4, 4, None)), "known number of channels"),
        (lambda: ResidualBlock(4, shortcut="A").build((None, 4, 4, 5)), "at most 4 channels"),
        (lambda: BottleneckBlock(4, strided="5x5"), "strided='5x5'"),
        (lambda: BottleneckBlock(4, expansion=0), "expansion=0"),
        (lambda: DenseBlock(0, 4), "layers=0"),
        (lambda: DenseBlock(2, 4, bottleneck=0), "bottleneck=0"),
        (lambda: DenseBlock(2, 4).build((4, 4)), "rank 4"),
        (lambda: TransitionLayer(0.0), "compression=0.0"),
        (lambda: TransitionLayer(0.1).build((None, 4, 4, 5)), "keeps no map. Received: channels=5"),
        (lambda: TransitionLayer().build((None, 1, 4, 6)), r"at least as large as its window"),
    ],
)
def test_bad_arguments_and_shapes_are_refused_with_what_came(make, message):
    with pytest.raises(ValueError, match=message):
        make()
