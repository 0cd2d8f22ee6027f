"""The inception module: four paths side by side, equal to stock Keras layers, cheaper with reductions."""

import keras
import numpy as np
import pytest

from keras_course.layers.inception import InceptionModule


def image(shape=(2, 6, 5, 4), seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def stock(module, x):
    """The same module of Keras's own layers, with the same weights."""

    def convolution(ours):
        layer = keras.layers.Conv2D(ours.filters, ours.kernel_size, padding="same", activation="relu")
        return lambda maps: (layer(maps), layer.set_weights(ours.get_weights()), layer(maps))[-1]

    pooled = keras.layers.MaxPooling2D(3, 1, padding="same")(x)
    if module.reductions is None:
        parts = [convolution(module.conv1)(x), convolution(module.conv3)(x), convolution(module.conv5)(x), pooled]
    else:
        parts = [
            convolution(module.conv1)(x),
            convolution(module.conv3)(convolution(module.reduce3)(x)),
            convolution(module.conv5)(convolution(module.reduce5)(x)),
            convolution(module.project)(pooled),
        ]
    return keras.layers.Concatenate()(parts)


@pytest.mark.parametrize("reductions", [(2, 3, 1), None])
def test_it_equals_stock_layers_side_by_side(reductions):
    module, x = InceptionModule((3, 2, 4), reductions, seed=1), image()
    np.testing.assert_allclose(module(x), stock(module, x), rtol=1e-5, atol=1e-5)


def test_the_order_of_the_maps_is_1x1_3x3_5x5_pool():
    module, x = InceptionModule((1, 1, 1), activation=None), np.zeros((1, 9, 9, 1), "float32")
    module(x)
    for layer in (module.conv1, module.conv3, module.conv5):
        layer.set_weights([np.ones_like(layer.get_weights()[0]), np.zeros(1)])
    x[0, 4, 4, 0] = 1.0
    reach = (np.asarray(module(x)) > 0).sum(axis=(0, 1, 2))
    assert reach.tolist() == [1, 9, 25, 9]


def test_reductions_save_three_fifths_of_the_weights_of_module_3a():
    shape = (None, 28, 28, 192)
    counts = {}
    for name, reductions in (("naive", None), ("reduced", (96, 16, 32))):
        module = InceptionModule((64, 128, 32), reductions)
        module.build(shape)
        counts[name] = module.count_params()
        assert module.compute_output_shape(shape) == (None, 28, 28, 416 if reductions is None else 256)
    assert counts == {"naive": 387_296, "reduced": 163_696}


def test_no_two_convolutions_of_a_module_start_with_the_same_numbers():
    module = InceptionModule((2, 2, 2), (2, 2, 2), seed=5)
    module.build((None, 4, 4, 2))
    ones = [module.conv1, module.reduce3, module.reduce5, module.project]
    kernels = {np.asarray(layer.kernel).tobytes() for layer in ones}
    assert len(kernels) == 4
    again = InceptionModule((2, 2, 2), (2, 2, 2), seed=5)
    again.build((None, 4, 4, 2))
    for ours, theirs in zip(module.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [({"filters": (1, 2)}, "filters"), ({"filters": (1, 2, 3), "reductions": (1, 0, 2)}, "reductions")],
)
def test_wrong_numbers_of_maps_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        InceptionModule(**arguments)


def test_sequences_and_unknown_maps_are_refused():
    with pytest.raises(ValueError, match="rank 4"):
        InceptionModule((1, 1, 1)).build((None, 8, 3))
    with pytest.raises(ValueError, match="known number of maps"):
        InceptionModule((1, 1, 1)).build((None, 8, 8, None))
