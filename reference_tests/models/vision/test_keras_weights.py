"""Weights to keras.applications and back: ResNet-50 and DenseNet-121 answer alike (VGG: test_vgg)."""

import numpy as np
import pytest

from keras_course.models.vision import DenseNet, ResNet, from_keras_application, to_keras_application

NETWORKS = {
    "ResNet50": lambda **how: ResNet(50, (64, 64, 3), classes=3, use_bias=True, **how),
    "DenseNet121": lambda **how: DenseNet(121, (64, 64, 3), classes=3, **how),
}


def with_every_weight_drawn(model):
    """Also biases, beta and gamma, and statistics that training would have moved."""
    rng = np.random.default_rng(0)
    for variable in model.weights:
        kind = variable.path.split("/")[-1]
        if kind in ("bias", "beta", "moving_mean"):
            variable.assign(0.1 * rng.normal(size=variable.shape))
        elif kind in ("gamma", "moving_variance"):
            variable.assign(rng.uniform(0.5, 1.5, size=variable.shape))
    return model


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_moves_to_keras_applications_and_back_with_equal_answers(name):
    x = np.random.default_rng(1).random((1, 64, 64, 3)).astype("float32")
    ours = with_every_weight_drawn(NETWORKS[name]())
    stock = to_keras_application(ours)
    assert stock.count_params() == ours.count_params()
    answer = np.asarray(ours(x))
    np.testing.assert_allclose(stock(x), answer, rtol=1e-5, atol=1e-5 * np.abs(answer).max())
    again = from_keras_application(NETWORKS[name](kernel_initializer="zeros"), stock)
    np.testing.assert_array_equal(again(x), answer)
