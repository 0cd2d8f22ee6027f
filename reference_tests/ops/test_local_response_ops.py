"""Local response normalization: TensorFlow's own with the papers' constants, neighbours alone, no zero division."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from keras_course.layers.local_response_normalization import LocalResponseNormalization
from keras_course.ops.local_response import local_response_normalization


def maps(shape=(2, 3, 4, 9), scale=20.0, seed=0):
    return (np.random.default_rng(seed).normal(size=shape) * scale).astype("float32")


@pytest.mark.parametrize(
    ("size", "bias", "alpha", "beta"),
    [(5, 2.0, 1e-4, 0.75), (5, 1.0, 1.0, 0.5), (1, 1.0, 0.5, 1.0), (9, 2.0, 0.1, 0.75)],
)
def test_it_equals_tensorflows_own_layer_in_values_and_gradients(size, bias, alpha, beta):
    x, weights = tf.constant(maps()), maps(seed=1)
    answers = []
    for function in (
        lambda x: local_response_normalization(x, size, bias, alpha, beta),
        lambda x: tf.nn.local_response_normalization(x, size // 2, bias, alpha, beta),
    ):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = function(x)
            total = tf.reduce_sum(y * weights)
        answers.append((y, tape.gradient(total, x)))
    for ours, theirs in zip(*answers, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=2e-5, atol=2e-5)


def test_the_defaults_are_the_constants_of_the_paper():
    x = maps()
    np.testing.assert_allclose(
        LocalResponseNormalization()(x), tf.nn.local_response_normalization(x, 2, 2.0, 1e-4, 0.75), rtol=1e-5, atol=1e-5
    )


def test_alpha_multiplies_the_sum_of_squares_not_their_mean():
    """Caffe's and PyTorch's alpha is five times as large; taking one for the other is seen."""
    x = np.full((1, 5), 100.0, "float32")
    middle = float(local_response_normalization(x)[0, 2])
    assert middle == pytest.approx(100 / (2 + 1e-4 * 5 * 100**2) ** 0.75, rel=1e-6)
    assert middle != pytest.approx(100 / (2 + 1e-4 * 100**2) ** 0.75, rel=0.1)


def test_only_neighbouring_maps_at_the_same_place_damp_a_unit():
    x = np.ones((1, 2, 2, 7), "float32")
    before = ops.convert_to_numpy(local_response_normalization(x, 3, 1.0, 1.0, 1.0))
    x[0, 1, 0, 3] = 5.0
    changed = before != ops.convert_to_numpy(local_response_normalization(x, 3, 1.0, 1.0, 1.0))
    assert changed[0, 1, 0].tolist() == [False, False, True, True, True, False, False]
    assert changed.sum() == 3


def test_float16_activations_beyond_256_do_not_overflow():
    y = local_response_normalization(np.full((1, 5), 1000.0, "float16"))
    assert keras.backend.standardize_dtype(y.dtype) == "float16"
    np.testing.assert_allclose(np.asarray(y, "float64")[0, 2], 1000 / (2 + 1e-4 * 5e6) ** 0.75, rtol=2e-3)


def test_a_square_beyond_the_largest_number_silences_neighbours_alone():
    x = np.array([[1.0, 1.0, 1e30, 1.0, 1.0]], "float32")
    y = ops.convert_to_numpy(local_response_normalization(x, 3))
    assert np.isfinite(y).all()
    np.testing.assert_allclose(y[0, [0, 1, 3, 4]], [2.0**-0.75, 0.0, 0.0, 2.0**-0.75], rtol=1e-3, atol=1e-6)


def test_zeros_have_a_finite_gradient():
    x = tf.zeros((1, 4))
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = tf.reduce_sum(local_response_normalization(x))
    np.testing.assert_allclose(tape.gradient(y, x), np.full((1, 4), 2.0**-0.75), rtol=1e-6)


def test_another_axis_holds_the_maps_of_channels_first():
    x = maps((2, 6, 3, 4))
    moved = local_response_normalization(np.moveaxis(x, 1, -1))
    np.testing.assert_allclose(local_response_normalization(x, axis=1), np.moveaxis(moved, -1, 1), rtol=1e-6)
    np.testing.assert_array_equal(LocalResponseNormalization(axis=1)(x), local_response_normalization(x, axis=1))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"size": 4}, "odd size.*size=4"),
        ({"size": 0}, "size=0"),
        ({"bias": 0.0}, "bias=0.0"),
        ({"alpha": -1.0}, "alpha=-1.0"),
        ({"beta": float("nan")}, "beta=nan"),
        ({"axis": 0}, "axis=0"),
    ],
)
def test_constants_out_of_their_range_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        LocalResponseNormalization(**arguments)


def test_an_axis_that_does_not_exist_is_refused():
    with pytest.raises(ValueError, match="axis=3"):
        LocalResponseNormalization(axis=3)(np.ones((2, 3), "float32"))
