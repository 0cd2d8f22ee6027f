"""The figures show the numbers they say they show."""

from types import SimpleNamespace

import keras
import numpy as np
import pytest
from keras import ops

from keras_course.datasets import from_arrays
from keras_course.models.vision import LeNet
from keras_course.pipeline.figures import FigureContext
from keras_course.pipeline.plots import first_layer_filters
from keras_course.pipeline.saliency import saliency
from keras_course.pipeline.vision_plots import feature_maps, saliency_maps


def context_of(model, shape, classes=3):
    rng = np.random.default_rng(0)
    x, y = rng.random((30, *shape)).astype("float32"), (np.arange(30) % classes).astype("int32")
    recipe = SimpleNamespace(slug="tried", probabilities=None)
    return FigureContext(recipe, model, from_arrays(x, y, name="noise", classes=classes, seed=0), history={})


@pytest.fixture(scope="module")
def digits():
    return context_of(LeNet((8, 8, 1), 3, activation="relu"), (8, 8, 1))


def shown(axes):
    return np.asarray(axes.images[0].get_array())


def test_maps_are_those_of_the_layers(digits):
    axes = feature_maps(digits, maps=4).axes
    image = digits.dataset.test.x[:1]
    first = ops.convert_to_numpy(digits.model.conv1(image))[0]
    second = ops.convert_to_numpy(digits.model.conv2(digits.model.pool1(digits.model.conv1(image))))[0]
    np.testing.assert_array_equal(shown(axes[0]), image[0, ..., 0])
    for column in range(4):
        np.testing.assert_array_equal(shown(axes[1 + column]), first[..., column])
        np.testing.assert_array_equal(shown(axes[6 + column]), second[..., column])
    assert "conv2: 4 of 16 maps, 4 x 4" in axes[6].get_title(loc="left")


def test_of_many_layers_some_are_shown_and_of_none_there_is_no_figure():
    deep = [keras.layers.Conv2D(2, 3, padding="same", name=f"c{i}") for i in range(9)]
    model = keras.Sequential([keras.Input((6, 6, 1)), *deep, keras.layers.Flatten(), keras.layers.Dense(3)])
    titles = [axes.get_title(loc="left") for axes in feature_maps(context_of(model, (6, 6, 1)), layers=3).axes]
    assert [title.split(":")[0] for title in titles if title] == ["c0", "c4", "c8"]
    flat = keras.Sequential([keras.Input((6, 6, 1)), keras.layers.Flatten(), keras.layers.Dense(3)])
    assert feature_maps(context_of(flat, (6, 6, 1))) is None


def test_saliency_is_of_the_predicted_class_of_one_image_of_each_class(digits):
    axes = saliency_maps(digits, count=3).axes
    test = digits.dataset.test
    rows = [int(np.flatnonzero(digits.labels == k)[0]) for k in range(3)]
    wanted = ops.convert_to_numpy(saliency(digits.model, test.x[rows], digits.predicted[rows]))
    for column, row in enumerate(rows):
        np.testing.assert_array_equal(shown(axes[column]), test.x[row, ..., 0])
        np.testing.assert_allclose(shown(axes[3 + column]), wanted[column], atol=1e-7)
        assert f"p = {digits.probabilities[row, digits.predicted[row]]:.2f}" in axes[column].get_title()
        assert ("true" in axes[column].get_title()) == (digits.predicted[row] != digits.labels[row])
    assert not np.array_equal(shown(axes[6]), shown(axes[3]))


def test_filters_over_colours_are_shown_in_colour_with_grey_for_zero():
    model = LeNet((8, 8, 3), 3, filters=(4, 4))
    kernel = model.first_layer_filters
    axes = first_layer_filters(context_of(model, (8, 8, 3))).axes
    assert len(axes) == 4
    np.testing.assert_allclose(shown(axes[1]), 0.5 + 0.5 * kernel[..., 1] / np.abs(kernel).max(), atol=1e-6)
