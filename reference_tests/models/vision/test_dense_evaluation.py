"""A classifier slid over a larger image in one pass, against the classifier on every window cut out."""

import keras
import numpy as np
import pytest

from keras_course.layers.convolution import Convolution2D
from keras_course.layers.pooling import AveragePooling, MaxPooling
from keras_course.models.vision.dense_evaluation import convolutionalize
from keras_course.models.vision.lenet import LeNet

RNG = np.random.default_rng(0)


def window_by_window(classifier, images, size, stride):
    """The classifier's answer for every window whose corner is a multiple of the stride."""
    height, width = size
    rows = range(0, images.shape[1] - height + 1, stride)
    columns = range(0, images.shape[2] - width + 1, stride)
    answers = [
        [np.asarray(classifier(images[:, top : top + height, left : left + width])) for left in columns] for top in rows
    ]
    return np.moveaxis(np.array(answers), 2, 0)  # (B, rows, columns, units)


def test_lenet_reads_every_window_of_a_larger_image():
    lenet = LeNet((32, 32, 1), padding="valid", seed=3)
    images = RNG.random((2, 41, 38, 1)).astype("float32")
    network = convolutionalize(lenet.layers, (32, 32, 1))
    came = np.asarray(network(images))
    assert came.shape == (2, 3, 2, 10) and network.count_params() == lenet.count_params()
    np.testing.assert_allclose(came, window_by_window(lenet, images, (32, 32), 4), atol=1e-5)
    np.testing.assert_allclose(np.asarray(network(images[:, :32, :32]))[:, 0, 0], lenet(images[:, :32, :32]), atol=1e-5)


def test_oblong_windows_batch_norm_strides_and_pools_that_leave_pixels_over():
    layers = [
        keras.Input((9, 12, 2)),
        Convolution2D(3, (2, 3), strides=(1, 2)),
        keras.layers.BatchNormalization(),
        keras.layers.LeakyReLU(),
        AveragePooling(2, strides=1),
        keras.layers.Dropout(0.5),
        keras.layers.Flatten(),
        keras.layers.Dense(6, "tanh", use_bias=False),
        keras.layers.BatchNormalization(),
        keras.layers.Dense(4),
    ]
    classifier = keras.Sequential(layers)
    classifier.set_weights([np.abs(RNG.normal(size=weight.shape)) + 0.1 for weight in classifier.weights])
    images = RNG.normal(size=(2, 12, 15, 2)).astype("float32")
    came = np.asarray(convolutionalize(classifier.layers, (9, 12, 2))(images))
    wanted = window_by_window(classifier, images, (9, 12), 1)[:, :, ::2]  # a stride of 2 across
    assert came.shape == (2, 4, 3, 4)  # the last window lacks the one column that a stride of 2 never reads
    np.testing.assert_allclose(came[:, :, :2], wanted, atol=1e-5)
    images = np.concatenate([images, RNG.normal(size=(2, 12, 2, 2)).astype("float32")], axis=2)
    np.testing.assert_allclose(came, window_by_window(classifier, images, (9, 12), 1)[:, :, ::2], atol=1e-5)


def test_the_copy_does_not_follow_the_original():
    classifier = keras.Sequential([keras.Input((4, 4, 1)), keras.layers.Flatten(), keras.layers.Dense(2)])
    network, image = convolutionalize(classifier.layers, (4, 4, 1)), np.ones((1, 4, 4, 1), "float32")
    before = np.asarray(network(image))
    classifier.layers[-1].kernel.assign(classifier.layers[-1].kernel + 1.0)
    np.testing.assert_array_equal(network(image), before)
    assert np.abs(np.asarray(classifier(image)) - before[:, 0, 0]).max() > 1


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        ([Convolution2D(2, 3, padding="zero"), keras.layers.Flatten(), keras.layers.Dense(2)], "padding='valid'"),
        ([MaxPooling(2, padding="same"), keras.layers.Flatten(), keras.layers.Dense(2)], "padding='valid'"),
        ([keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(2)], "GlobalAveragePooling2D"),
        ([keras.layers.Dense(2), keras.layers.Flatten()], "a Flatten before the first dense layer"),
        ([keras.layers.Flatten()], "needs a Flatten and a Dense"),
        ([keras.layers.Flatten(), keras.layers.BatchNormalization(), keras.layers.Dense(2)], "batch normalisation"),
    ],
)
def test_what_would_not_be_the_same_is_refused(layers, message):
    classifier = keras.Sequential([keras.Input((8, 8, 1)), *layers])
    with pytest.raises(ValueError, match=message):
        convolutionalize(classifier.layers, (8, 8, 1))


def test_layers_without_weights_yet_are_refused():
    with pytest.raises(ValueError, match="not built"):
        convolutionalize([keras.layers.Flatten(), keras.layers.Dense(2)], (8, 8, 1))
