"""VGG: six columns counted, two of them equal to keras.applications, dense evaluation on larger images."""

import keras
import numpy as np
import pytest

from keras_course.losses.softmax import SoftmaxLoss
from keras_course.models.vision.image_classifier import blueprint
from keras_course.models.vision.keras_weights import from_keras_application, to_keras_application
from keras_course.models.vision.lenet import LeNet
from keras_course.models.vision.vgg import CONFIGURATIONS, VGG

# Layers with weights as the notes print them; parameters with biases.
COLUMNS = {
    "A": (11, 132_863_336),
    "A-LRN": (11, 132_863_336),
    "B": (13, 133_047_848),
    "C": (16, 133_638_952),
    "D": (16, 138_357_544),
    "E": (19, 143_667_240),
}


def images(shape=(2, 32, 32, 3), seed=0):
    return np.random.default_rng(seed).random(shape).astype("float32")


@pytest.mark.parametrize("configuration", CONFIGURATIONS)
def test_layers_parameters_and_stages_of_a_column(configuration):
    counted = blueprint(VGG, configuration=configuration)
    assert (len(counted.layers), counted.parameters) == COLUMNS[configuration]
    pools = [shape for name, shape in counted.stages.items() if name.startswith("pool")]
    assert pools == [(112, 112, 64), (56, 56, 128), (28, 28, 256), (14, 14, 512), (7, 7, 512)]


@pytest.mark.parametrize("configuration", CONFIGURATIONS)
def test_every_column_runs_and_takes_a_step_at_reduced_width(configuration):
    model = VGG(configuration, (32, 40, 3), classes=2, width=1 / 16, kernel_initializer="he_normal")
    model.compile(keras.optimizers.SGD(1e-2), SoftmaxLoss(), run_eagerly=True)
    before = model.get_weights()
    assert model(images((2, 32, 40, 3))).shape == (2, 2)
    assert np.isfinite(model.train_on_batch(images((2, 32, 40, 3)), np.array([0, 1])))
    kernels = [not np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True)][::2]
    assert kernels == [True] * COLUMNS[configuration][0]


def test_local_response_normalization_is_all_that_a_lrn_adds_to_a():
    plain, damped = VGG("A", (32, 32, 3), 4, width=1 / 32), VGG("A-LRN", (32, 32, 3), 4, width=1 / 32)
    assert [layer.name for layer in damped.trunk if layer not in plain.trunk and not hasattr(plain, layer.name)] == [
        "block1_norm"
    ]
    damped.set_weights(plain.get_weights())
    x = 100.0 * images()
    assert np.abs(np.asarray(damped(x)) - np.asarray(plain(x))).max() > 1e-3
    damped.block1_norm.alpha, damped.block1_norm.bias = 0.0, 1.0
    np.testing.assert_allclose(damped(x), plain(x), rtol=1e-5, atol=1e-5)


def test_d_moves_to_keras_applications_and_back_with_equal_answers():
    ours, x = VGG("D", (32, 32, 3), classes=3, seed=1, kernel_initializer="he_normal"), images()
    stock = to_keras_application(ours)
    np.testing.assert_allclose(ours(x), stock(x), rtol=1e-5, atol=1e-5)
    again = from_keras_application(VGG("D", (32, 32, 3), classes=3, kernel_initializer="zeros"), stock)
    for a, b in zip(ours.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_trunk_of_keras_applications_meets_a_head_of_ones_own():
    stock = keras.applications.VGG19(include_top=False, weights=None, input_shape=(32, 32, 3))
    ours = VGG("E", (32, 32, 3), classes=2, width=1.0, kernel_initializer="zeros", freeze_trunk=True)
    head = ours.predictions.get_weights()
    from_keras_application(ours, stock)
    np.testing.assert_allclose(ours.features(images()), stock(images()), rtol=1e-5, atol=1e-5)
    np.testing.assert_array_equal(ours.predictions.get_weights()[0], head[0])
    assert len(ours.trainable_variables) == 6


def test_what_has_no_counterpart_or_another_shape_is_refused_and_changes_nothing():
    small = VGG("D", (32, 32, 3), classes=2, width=1 / 64)
    before = small.get_weights()
    for stock in (keras.Sequential(), keras.applications.VGG16(include_top=False, weights=None)):
        with pytest.raises(ValueError, match="block1_conv1"):
            from_keras_application(small, stock)
    for a, b in zip(before, small.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    with pytest.raises(ValueError, match="width=0.015625"):
        to_keras_application(small)
    with pytest.raises(ValueError, match="configuration='A'"):
        to_keras_application(VGG("A", (32, 32, 3), 2, width=1 / 64))
    with pytest.raises(ValueError, match="no counterpart of LeNet"):
        to_keras_application(LeNet())


def test_the_score_map_is_the_classifier_at_every_place():
    model = VGG("B", (32, 64, 3), 4, width=1 / 16, seed=2, kernel_initializer="he_normal")
    x = images((2, 32, 64, 3))
    np.testing.assert_allclose(np.asarray(model.score_map(x))[:, 0, 0], model(x), rtol=1e-4, atol=1e-4)

    large = images((1, 96, 96, 3), seed=1)
    scores = np.asarray(model.score_map(large))
    assert scores.shape == (1, 3, 2, 4)  # three last rows of maps one at a time, two windows of two columns
    maps = np.asarray(model.features(large))
    for i in range(3):
        for j in range(2):
            window = maps[:, i : i + 1, j : j + 2]
            np.testing.assert_allclose(scores[:, i, j], model.head[-1](model.code_of(window)), rtol=1e-4, atol=1e-4)
    with pytest.raises(ValueError, match="at least as large"):
        model.score_map(images((1, 32, 32, 3)))


def test_small_images_and_unknown_columns_are_refused():
    with pytest.raises(ValueError, match=r"VGG needs an image of at least 32 x 32 pixels. Received: 32 x 31"):
        VGG("A", (32, 31, 3))
    with pytest.raises(ValueError, match="configuration='F'"):
        VGG("F")
