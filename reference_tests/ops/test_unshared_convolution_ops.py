"""Unshared convolution against loops, against convolution, and what it does not have."""

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from keras_course.core.backend import gradient
from keras_course.ops.convolution import feature_maps
from keras_course.ops.unshared_convolution import unshared_convolution, unshared_output_size


def by_loops(x, kernel, strides, padding):
    """Every output is a sum over every tap and channel, read one by one; samples outside are nothing."""
    rank = x.ndim - 2
    output, size = kernel.shape[:rank], kernel.shape[rank : 2 * rank]
    result = np.zeros((len(x), *output, kernel.shape[-1]))
    for place in itertools.product(*map(range, output)):
        for tap in itertools.product(*map(range, size)):
            front = [k // 2 if padding == "same" else 0 for k in size]
            at = tuple(i * s + a - p for i, s, a, p in zip(place, strides, tap, front, strict=True))
            if all(0 <= i < n for i, n in zip(at, x.shape[1:-1], strict=True)):
                result[(slice(None), *place)] += x[(slice(None), *at)] @ kernel[(*place, *tap)]
    return result


def kernels_for(rng, shape, size, strides, padding, filters=2):
    output = [unshared_output_size(n, k, s, padding) for n, k, s in zip(shape[1:-1], size, strides, strict=True)]
    return rng.normal(size=(*output, *size, shape[-1], filters))


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("rank", [1, 2, 3])
def test_it_equals_the_loops(rank, padding):
    rng = np.random.default_rng(rank)
    for strides, size in itertools.product([(1, 1, 1), (2, 3, 1)], [(3, 2, 1), (2, 3, 2)]):
        x = rng.normal(size=(2, *(5, 6, 3)[:rank], 2))
        kernel = kernels_for(rng, x.shape, size[:rank], strides[:rank], padding)
        came = ops.convert_to_numpy(unshared_convolution(x, kernel, strides[:rank], padding))
        assert came.dtype == "float64"
        np.testing.assert_allclose(came, by_loops(x, kernel, strides[:rank], padding), atol=1e-12)


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("padding", ["valid", "same"])
def test_with_one_kernel_everywhere_it_is_convolution(padding, stride):
    rng = np.random.default_rng(0)
    x, shared = rng.normal(size=(2, 7, 6, 3)), rng.normal(size=(3, 3, 3, 4))
    places = [unshared_output_size(n, 3, stride, padding) for n in (7, 6)]
    kernel = np.broadcast_to(shared, (*places, *shared.shape))
    wanted = feature_maps(x, shared, stride, padding="valid" if padding == "valid" else "zero")
    np.testing.assert_allclose(unshared_convolution(x, kernel, stride, padding), wanted, atol=1e-12)


def test_an_even_kernel_reaches_to_the_front_where_convolution_reaches_to_the_end():
    x = np.array([1.0, 2.0, 4.0, 8.0])[None, :, None]
    kernel = np.ones((4, 2, 1, 1))
    np.testing.assert_array_equal(unshared_convolution(x, kernel, padding="same")[0, :, 0], [1, 3, 6, 12])
    np.testing.assert_array_equal(feature_maps(x, kernel[0], padding="zero")[0, :, 0], [3, 6, 12, 8])


def test_what_moves_in_the_image_meets_other_weights():
    rng = np.random.default_rng(1)
    x = np.zeros((1, 9, 1))
    x[0, 3:5] = rng.normal(size=(2, 1))
    kernel = kernels_for(rng, x.shape, (3,), (1,), "valid", filters=1)
    map_of_moved = ops.convert_to_numpy(unshared_convolution(np.roll(x, 1, axis=1), kernel))
    moved_map = np.roll(unshared_convolution(x, kernel), 1, axis=1)
    assert np.abs(map_of_moved - moved_map).max() > 0.1


def test_a_weight_learns_from_its_own_window_alone():
    rng = np.random.default_rng(2)
    x = rng.normal(size=(1, 6, 1))
    kernel = kernels_for(rng, x.shape, (3,), (1,), "valid", filters=1)
    slope = ops.convert_to_numpy(gradient(lambda k: ops.sum(unshared_convolution(x, k)[:, 2]), kernel))
    np.testing.assert_array_equal(slope[2, :, 0, 0], x[0, 2:5, 0])
    assert not slope[[0, 1, 3]].any()


@pytest.mark.parametrize(("stride", "padding"), [(1, "valid"), (2, "same")])
def test_gradients_equal_finite_differences(stride, padding):
    rng = np.random.default_rng(3)
    x = rng.normal(size=(2, 5, 4, 2))
    kernel = kernels_for(rng, x.shape, (2, 3), (stride, stride), padding)

    def value(x, kernel):
        return ops.sum(ops.sin(unshared_convolution(x, kernel, stride, padding)))

    for at, along in ((x, lambda v: value(v, kernel)), (kernel, lambda v: value(x, v))):
        slope = ops.convert_to_numpy(gradient(along, at))
        for _ in range(3):
            direction = rng.normal(size=at.shape)
            difference = (float(along(at + 1e-5 * direction)) - float(along(at - 1e-5 * direction))) / 2e-5
            assert np.vdot(slope, direction) == pytest.approx(difference, abs=1e-7)


def test_the_dtype_is_kept():
    for dtype in ("float16", "bfloat16", "float32", "float64"):
        maps = unshared_convolution(ops.ones((1, 4, 1), dtype), ops.ones((3, 2, 1, 1), dtype))
        assert keras.backend.standardize_dtype(maps.dtype) == dtype


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((np.ones((2, 3)), np.ones((2, 2, 1, 1))), "rank 3 or 4 or 5"),
        ((np.ones((1, 4, 2)), np.ones((3, 2, 1))), "rank 4"),
        ((np.ones((1, 4, 2)), np.ones((2, 2, 2, 1))), r"output \(3,\)"),
        ((np.ones((1, 4, 2)), np.ones((3, 2, 3, 1))), r"kernel.shape=\(3, 2, 3, 1\)"),
        ((np.ones((1, 2, 1)), np.ones((0, 3, 1, 1))), r"output \(0,\)"),
        ((np.ones((1, 4, 2)), np.ones((3, 2, 2, 1)), 0), "strides=0"),
        ((np.ones((1, 4, 2)), np.ones((3, 2, 2, 1)), 1, "replicate"), "padding='replicate'"),
    ],
)
def test_wrong_arguments_are_refused_with_the_value_that_came(arguments, message):
    with pytest.raises(ValueError, match=message):
        unshared_convolution(*arguments)


def test_unknown_sizes_are_refused():
    with pytest.raises(ValueError, match=r"known sizes, here with output \(None,\)"):
        tf.function(unshared_convolution).get_concrete_function(tf.TensorSpec((2, None, 1)), tf.ones((3, 2, 1, 1)))
