"""One description of kernel and bias serves all layers that have them as Keras describes them."""

import keras
import numpy as np
import pytest

from keras_course.layers import Convolution2D, LocallyConnected2D, Maxout, TransposedConvolution2D
from keras_course.layers.kernel_and_bias import KERNEL_AND_BIAS, keep_kernel_and_bias

PARTS = {
    "kernel_initializer": keras.initializers.Constant(-2.0),
    "bias_initializer": keras.initializers.Constant(-3.0),
    "kernel_regularizer": keras.regularizers.L1(1.0),
    "bias_regularizer": keras.regularizers.L1(100.0),
    "kernel_constraint": "non_neg",
    "bias_constraint": "non_neg",
}
LAYERS = [
    (Maxout, (2,)),
    (Convolution2D, (2, 3)),
    (LocallyConnected2D, (2, 3)),
    (TransposedConvolution2D, (2, 3)),
]


def built(cls, arguments, **more):
    layer = cls(*arguments, **{**PARTS, **more})
    layer.build((None, 4) if cls is Maxout else (None, 5, 5, 4))
    return layer


@pytest.mark.parametrize(("cls", "arguments"), LAYERS)
def test_each_part_reaches_its_own_weight(cls, arguments):
    layer = built(cls, arguments)
    assert set(np.ravel(layer.kernel)) == {-2.0} and set(np.ravel(layer.bias)) == {-3.0}
    wanted = 2.0 * np.size(layer.kernel) + 300.0 * np.size(layer.bias)
    assert float(sum(layer.losses)) == pytest.approx(wanted)
    assert [float(np.max(weight.constraint(weight.value))) for weight in layer.weights] == [0.0, 0.0]


@pytest.mark.parametrize(("cls", "arguments"), LAYERS)
def test_the_config_tells_every_part(cls, arguments):
    config = cls.from_config(built(cls, arguments, activity_regularizer="l2").get_config()).get_config()
    assert config["bias_initializer"]["config"]["value"] == -3.0
    told = [name for name in (*KERNEL_AND_BIAS, "activity_regularizer") if config[name] is None]
    assert not told


@pytest.mark.parametrize(("cls", "arguments"), LAYERS)
def test_a_layer_without_bias_has_one_weight(cls, arguments):
    layer = built(cls, arguments, use_bias=False)
    assert layer.bias is None and layer.weights == [layer.kernel]


def test_a_forgotten_part_is_refused():
    with pytest.raises(TypeError, match="kernel_constraint"):
        keep_kernel_and_bias(keras.layers.Layer(), True, kernel_initializer="zeros")
