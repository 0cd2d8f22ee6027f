"""Weights of ResNet and DenseNet come from keras.applications and go back, and the answers are the same."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_course.models.vision import DenseNet, ResNet
from keras_course.models.vision.keras_weights import from_keras_application, to_keras_application


def array(tensor):
    return np.asarray(ops.convert_to_numpy(tensor))


def randomize(model, seed=0):
    """Weights of a trained network's kind: nothing at its start value, every number from the seed."""
    rng = np.random.default_rng(seed)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            scale, beta, mean, variance = rng.uniform(0.5, 1.5, (4, *layer.gamma.shape))
            layer.set_weights([scale, (beta - 1) / 2, (mean - 1) / 2, variance])
        elif layer.weights:
            kernel, *bias = layer.get_weights()
            kernel = rng.normal(0, np.sqrt(2 / np.prod(kernel.shape[:-1])), kernel.shape)
            layer.set_weights([kernel, *(rng.normal(0, 0.1, b.shape) for b in bias)])
    return model


@pytest.fixture(scope="module")
def pairs():
    """(ours, keras.applications) of one network of each family, on small images."""
    shape, classes = (33, 40, 3), 2
    stock = {"input_shape": shape, "classes": classes, "weights": None, "classifier_activation": None}
    return {
        "resnet": (ResNet(50, shape, classes, use_bias=True), randomize(keras.applications.ResNet50(**stock))),
        "densenet": (DenseNet(121, shape, classes), randomize(keras.applications.DenseNet121(**stock))),
    }


@pytest.mark.parametrize("family", ["resnet", "densenet"])
def test_weights_come_from_keras_applications_and_go_back(family, pairs):
    ours, stock = pairs[family]
    x = np.random.default_rng(1).uniform(-1, 1, (2, 33, 40, 3)).astype("float32")
    from_keras_application(ours, stock)
    wanted = array(stock(x))
    np.testing.assert_allclose(array(ours(x)), wanted, rtol=0, atol=1e-5 * np.abs(wanted).max())
    assert ours.count_params() == stock.count_params()
    back = to_keras_application(ours)
    for a, b in zip(back.get_weights(), stock.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
