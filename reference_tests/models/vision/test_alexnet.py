"""AlexNet: both counts, the stages of the paper, the same network of stock layers, towers apart from each other."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_course.models.vision.alexnet import AlexNet
from keras_course.models.vision.image_classifier import blueprint


def images(count=2, side=67, seed=0):
    return np.random.default_rng(seed).random((count, side, side, 3)).astype("float32")


def test_two_towers_have_about_60_million_parameters_and_one_tower_more():
    two, one = blueprint(AlexNet), blueprint(AlexNet, towers=1)
    assert (two.parameters, one.parameters) == (60_965_224, 62_378_344)
    assert two.trainable == two.parameters and len(two.layers) == 8
    assert list(two.stages.values()) == [
        (55, 55, 96), (27, 27, 96), (27, 27, 256), (13, 13, 256), (13, 13, 384), (13, 13, 384), (13, 13, 256),
        (6, 6, 256),
    ]  # fmt: skip


def test_224_pixels_give_54_places_without_padding():
    """The paper's text says 224, its figure 55 x 55."""
    assert blueprint(AlexNet, input_shape=(224, 224, 3)).stages["conv1"] == (54, 54, 96)


@pytest.mark.parametrize("towers", [1, 2])
def test_it_equals_the_same_network_of_stock_layers(towers):
    model, x = AlexNet((67, 67, 3), 5, towers, width=1 / 16, seed=2), images()

    def convolution(maps, layer, **kwargs):
        parts = layer.towers if hasattr(layer, "towers") else [layer]
        outputs = []
        for part, share in zip(parts, tf.split(maps, len(parts), axis=-1), strict=True):
            own = keras.layers.Conv2D(part.filters, part.kernel_size, activation="relu", **kwargs)
            own.build(share.shape)
            own.set_weights(part.get_weights())
            outputs.append(own(share))
        return tf.concat(outputs, axis=-1)

    def damped(maps):
        return tf.nn.local_response_normalization(maps, 2, 2.0, 1e-4, 0.75)

    pool = keras.layers.MaxPooling2D(3, 2)
    h = pool(damped(convolution(x, model.conv1, strides=4)))
    h = pool(damped(convolution(h, model.conv2, padding="same")))
    for layer in (model.conv3, model.conv4, model.conv5):
        h = convolution(h, layer, padding="same")
    h = keras.layers.Flatten()(pool(h))
    for layer in (model.fc6, model.fc7, model.fc8):
        h = h @ layer.kernel + layer.bias
        h = h if layer is model.fc8 else tf.nn.relu(h)
    np.testing.assert_allclose(model(x), h, rtol=1e-4, atol=1e-5)


def test_the_second_tower_of_conv2_does_not_see_the_first_towers_maps():
    model = AlexNet((67, 67, 3), 5, width=1 / 16)
    maps = np.random.default_rng(1).normal(size=(1, 6, 6, 6)).astype("float32")
    before = np.asarray(model.conv2(maps))
    maps[..., :3] += 1.0
    after = np.asarray(model.conv2(maps))
    half = before.shape[-1] // 2
    np.testing.assert_array_equal(before[..., half:], after[..., half:])
    assert np.abs(before[..., :half] - after[..., :half]).max() > 0.1


def test_dropout_thins_fc6_and_fc7_in_training_only():
    model, x = AlexNet((67, 67, 3), 5, width=1 / 16, seed=3), images()
    np.testing.assert_array_equal(model(x), model(x, training=False))
    assert np.mean(np.asarray(model.code(x, training=True)) == 0) > np.mean(np.asarray(model.code(x)) == 0)
    assert not np.array_equal(model(x, training=True), model(x))


def test_small_images_unknown_sizes_and_three_towers_are_refused():
    with pytest.raises(ValueError, match=r"AlexNet needs an image of at least 67 x 67 pixels. Received: 66 x 80"):
        AlexNet((66, 80, 3))
    with pytest.raises(ValueError, match="known height and width"):
        AlexNet((None, None, 3))
    with pytest.raises(ValueError, match="towers=3"):
        AlexNet(towers=3)


def test_every_width_splits_into_whole_towers():
    model = AlexNet((67, 67, 1), 2, width=0.03)
    assert [shape[2] for shape in model.stage_shapes().values()] == [2, 2, 8, 8, 12, 12, 8, 8]
