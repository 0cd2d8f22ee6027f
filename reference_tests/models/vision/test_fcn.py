"""FCN: any size of image, pixels where they belong, trunks from elsewhere, counts, files and endpoints."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_course.core.serial import load, save_model
from keras_course.layers.convolution import Convolution2D
from keras_course.losses.softmax import SoftmaxLoss
from keras_course.models.vision.convolutional_trunk import ConvolutionalTrunk
from keras_course.models.vision.fcn import FCN
from keras_course.models.vision.lenet import LeNet
from keras_course.models.vision.resnet import ResNet
from keras_course.models.vision.stage_maps import StageMaps

RNG = np.random.default_rng(0)


def images(*shape):
    return RNG.random(shape).astype("float32")


@pytest.fixture(scope="module")
def model():
    """Strides 2, 4 and 8; an output pixel sees no more than 40 pixels to each side."""
    return FCN((None, None, 1), 3, trunk=(4, 5, 6), seed=1)


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (5, 2), (8, 8), (17, 33)])
def test_any_size_of_image_gets_a_class_for_each_pixel(model, size):
    assert tuple(model(images(2, *size, 1)).shape) == (2, *size, 3) == model.compute_output_shape((2, *size, 1))
    assert tuple(model.most_probable(images(2, *size, 1)).shape) == (2, *size)


def test_only_zeros_below_and_to_the_right_are_added_and_they_are_cut_off_again(model):
    x = images(1, 13, 10, 1)
    padded = np.pad(x, [(0, 0), (0, 3), (0, 6), (0, 0)])  # to 16 x 16, which 8 divides
    np.testing.assert_allclose(model(x), model(padded)[:, :13, :10], atol=1e-6)


def test_what_moves_by_the_coarsest_stride_moves_in_the_label_map(model):
    x = np.zeros((1, 96, 96, 1), "float32")
    x[:, 40:48, 32:40] = images(1, 8, 8, 1)
    moved = np.roll(x, (8, 16), axis=(1, 2))
    at, then = np.asarray(model(x)), np.asarray(model(moved))
    np.testing.assert_allclose(then[:, 48:64, 48:64], at[:, 40:56, 32:48], atol=1e-5)
    shifted = np.asarray(model(np.roll(x, (4, 0), axis=(1, 2))))
    assert np.abs(shifted[:, 44:60, 32:48] - at[:, 40:56, 32:48]).max() > 1e-4  # poolings of 8 do not move by 4


def test_a_map_of_stride_s_speaks_of_the_pixels_it_was_made_from():
    """One bright pixel, an average trunk, bilinear upsampling: the answer is centred on that pixel's cell."""
    trunk = keras.Sequential([keras.Input((None, None, 1)), keras.layers.AveragePooling2D(4)])
    model = FCN((None, None, 1), 2, trunk, seed=0)
    model.score_layers[0].set_weights([np.ones((1, 1, 1, 2)), np.zeros(2)])
    x = np.zeros((1, 20, 24, 1), "float32")
    x[0, 9, 14] = 16.0
    answer = np.asarray(model(x))[0, ..., 0]
    assert np.isclose(answer.sum(), 16.0)  # a tent of mass 4 along both axes, times the mean 1
    rows, columns = np.arange(20) @ answer.sum(1) / 16, np.arange(24) @ answer.sum(0) / 16
    assert np.isclose(rows, 9.5, atol=1e-5) and np.isclose(columns, 13.5, atol=1e-5)  # of rows 8-11, columns 12-15


def test_without_skips_the_finest_maps_are_not_read():
    for skips, levels in ((0, (2,)), (1, (2, 1)), (None, (2, 1, 0))):
        model = FCN((None, None, 1), 2, (3, 4, 5), skips=skips)
        assert model.levels == levels and len(model.score_layers) == len(levels)
        assert [layer.strides[0] for layer in model.upsampling] == {1: [8], 2: [2, 4], 3: [2, 2, 2]}[len(levels)]


def test_fcn_8s_16s_and_32s_on_vgg_16_have_134_million_weights():
    totals = []
    for skips in (2, 1, 0):
        with tf.Graph().as_default():  # symbols: nothing is allocated
            trunk = ConvolutionalTrunk((64, 128, 256, 512, 512), (2, 2, 3, 3, 3), (4096, 4096), 7)
            model = FCN((None, None, 3), 21, trunk, skips)
            totals.append(model.count_params())
            assert model.strides[model.levels[-1]] == 8 * 2 ** (2 - skips)
    assert totals == [134_489_759, 134_815_994, 136_152_917]
    # VGG-16's convolutions, fc6 and fc7; 21 x (4096 + 1) scores; a 64 x 64 kernel of 21 to 21 classes
    assert totals[2] == 14_714_688 + 102_764_544 + 16_781_312 + 86_037 + 64 * 64 * 21 * 21


def test_frozen_upsampling_stays_bilinear():
    x, y = images(4, 8, 8, 1), RNG.integers(0, 2, (4, 8, 8))
    moved = {}
    for learn in (False, True):
        model = FCN((None, None, 1), 2, (3, 4), learn_upsampling=learn)
        start = [layer.get_weights()[0] for layer in model.upsampling]
        model.compile(keras.optimizers.SGD(0.5), SoftmaxLoss(), run_eagerly=True)
        model.fit(x, y, batch_size=4, verbose=0)
        moved[learn] = [np.abs(a.get_weights()[0] - b).max() for a, b in zip(model.upsampling, start, strict=True)]
    assert moved[False] == [0, 0] and min(moved[True]) > 0


def test_the_layers_of_a_classifier_are_a_trunk_and_are_tuned_with_it():
    lenet = LeNet((8, 8, 1), padding="zero", pooling="max")
    trunk = StageMaps((lenet.conv1, lenet.pool1, lenet.conv2, lenet.pool2), ["pool1", "pool2"])
    model = FCN((None, None, 1), 2, trunk)
    assert model.strides == (2, 4) and tuple(model(images(1, 7, 5, 1)).shape) == (1, 7, 5, 2)
    before = lenet.conv1.get_weights()[0]
    model.compile("sgd", SoftmaxLoss(), run_eagerly=True)
    model.fit(images(4, 8, 8, 1), RNG.integers(0, 2, (4, 8, 8)), verbose=0)
    assert np.abs(lenet.conv1.get_weights()[0] - before).max() > 0
    for after in ([], ["pool2", "pool1"], ["pool3"]):
        with pytest.raises(ValueError, match="names of its layers, each once, in their order"):
            StageMaps((lenet.pool1, lenet.pool2), after)


def test_a_residual_network_of_the_zoo_is_a_trunk():
    network = ResNet(input_shape=(32, 32, 3), classes=2, depth=18, width=0.0625)
    model = FCN((None, None, 3), 2, StageMaps(network.trunk, ["conv2_2", "conv3_2", "conv4_2", "conv5_2"]), skips=2)
    assert model.strides == (4, 8, 16, 32) and model.levels == (3, 2, 1)
    assert tuple(model(images(1, 37, 3, 3)).shape) == (1, 37, 3, 2)
    again, x = FCN.from_config(model.get_config()), images(1, 9, 9, 3)
    again.set_weights(model.get_weights())
    np.testing.assert_array_equal(again(x), model(x))


def test_a_functional_trunk_with_batch_normalization_trains_and_infers_each_in_its_way(tmp_path):
    inputs = keras.Input((None, None, 1))
    fine = keras.layers.BatchNormalization()(keras.layers.AveragePooling2D(2)(inputs))
    model = FCN((None, None, 1), 2, keras.Model(inputs, [fine, keras.layers.AveragePooling2D(3)(fine)]))
    assert model.strides == (2, 6)
    x = images(4, 6, 6, 1)
    inference = np.asarray(model(x))
    assert np.abs(np.asarray(model(x, training=True)) - inference).max() > 1e-3
    model.compile("sgd", SoftmaxLoss())
    save_model(model, tmp_path / "fcn.keras")
    again = load(tmp_path / "fcn.keras")
    np.testing.assert_array_equal(again(x), model(x))


def test_a_trunk_from_a_chain_of_layers_survives_the_file(tmp_path):
    layers = [Convolution2D(3, 3, padding="zero", name="maps"), keras.layers.MaxPooling2D(2, name="half")]
    model = FCN((None, None, 2), 2, StageMaps(layers, ["half"]))
    save_model(model, tmp_path / "fcn.keras")
    x = images(1, 5, 4, 2)
    np.testing.assert_array_equal(load(tmp_path / "fcn.keras")(x), model(x))


def test_an_export_answers_for_any_number_and_size_of_images(tmp_path, model):
    model.export(tmp_path / "export")
    served = tf.saved_model.load(str(tmp_path / "export"))
    assert set(served.signatures) == {"serving_default", "logits", "class"}
    for shape in ((1, 1, 1, 1), (3, 10, 7, 1)):
        x = images(*shape)
        answers = {name: next(iter(call(images=tf.constant(x)).values())) for name, call in served.signatures.items()}
        np.testing.assert_allclose(answers["logits"], model(x), atol=1e-5)
        np.testing.assert_allclose(answers["serving_default"], model.probabilities(x), atol=1e-6)
        np.testing.assert_array_equal(answers["class"], np.argmax(model(x), axis=-1))


def test_a_weight_of_zero_silences_a_pixel():
    x, y = images(2, 6, 6, 1), RNG.integers(0, 2, (2, 6, 6))
    weights = np.ones((2, 6, 6), "float32")
    weights[:, :, 3:] = 0
    trained = []
    for labels in (y, np.where(weights > 0, y, 1 - y)):
        model = FCN((None, None, 1), 2, (3,))
        model.compile("sgd", SoftmaxLoss(), run_eagerly=True)
        model.fit(x, labels, sample_weight=weights, batch_size=2, verbose=0)
        trained.append(model.get_weights())
    for a, b in zip(*trained, strict=True):
        np.testing.assert_array_equal(a, b)


def test_mixed_precision_gives_float32_probabilities():
    model = FCN((None, None, 1), 2, (3,), dtype="mixed_bfloat16")
    assert model(images(1, 5, 5, 1)).dtype == tf.bfloat16
    assert model.probabilities(images(1, 5, 5, 1)).dtype == tf.float32


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"input_shape": (8, 8)}, r"input_shape=\(8, 8\)"),
        ({"input_shape": (None, None, None)}, "channels=None"),
        ({"classes": 1}, "classes=1"),
        ({"trunk": (4, 0)}, "filters"),
        ({"trunk": (4, 5), "skips": 2}, "1 maps to skip from.*Received: skips=2"),
        ({"skips": -1}, "skips=-1"),
        ({"trunk": keras.Sequential([keras.layers.Conv2D(2, 3)])}, "divide the image by a whole number.*766"),
        ({"trunk": keras.Sequential([keras.layers.GlobalAveragePooling2D()])}, "divide the image"),
    ],
)
def test_wrong_arguments_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        FCN(**{"trunk": (4,), **arguments})


def test_images_of_another_size_are_refused_where_the_size_is_given():
    with pytest.raises(ValueError):
        FCN((8, 8, 1), 2, (3,))(images(1, 9, 8, 1))


def test_the_trunk_alone_takes_any_size_and_says_its_shapes():
    trunk = ConvolutionalTrunk((2, 3), (1, 2), head=(5, 4), head_kernel=3)
    for size in ((1, 1), (5, 8)):
        maps = trunk(images(1, *size, 2))
        assert [tuple(one.shape) for one in maps] == trunk.compute_output_shape((1, *size, 2))
    assert len(trunk.weights) == 2 * (1 + 2 + 2)
