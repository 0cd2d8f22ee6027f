"""Pooling against loops over windows."""

import itertools

import keras
import numpy as np
import pytest
from keras import ops

from keras_course.core.backend import jacobian
from keras_course.ops.pooling import average_pool, max_pool


def pool_by_loops(x, size, stride, padding, summary):
    spatial = x.shape[1:-1]
    if padding == "valid":
        counts, front = [1 + (n - size) // stride for n in spatial], [0] * len(spatial)
    else:
        counts = [-(-n // stride) for n in spatial]
        front = [max(0, (c - 1) * stride + size - n) // 2 for c, n in zip(counts, spatial, strict=True)]
    result = np.zeros((len(x), *counts, x.shape[-1]))
    for b, c in itertools.product(range(len(x)), range(x.shape[-1])):
        for place in itertools.product(*map(range, counts)):
            window = tuple(
                slice(max(0, i * stride - f), min(n, i * stride - f + size))
                for i, f, n in zip(place, front, spatial, strict=True)
            )
            result[(b, *place, c)] = summary(x[(b, *window, c)])
    return result


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("rank", [1, 2, 3])
def test_pooling_equals_the_loops(rank, padding):
    x = np.random.default_rng(rank).normal(size=(2, *(7, 6, 5)[:rank], 3))
    for size, stride in ((2, 2), (3, 2), (3, 1), (2, 3)):
        wanted = pool_by_loops(x, size, stride, padding, np.max)
        np.testing.assert_array_equal(max_pool(x, size, stride, padding), wanted)
        wanted = pool_by_loops(x, size, stride, padding, np.mean)
        np.testing.assert_allclose(average_pool(x, size, stride, padding), wanted, atol=1e-14)


@pytest.mark.parametrize("dtype", ["bfloat16", "float16", "float32", "float64"])
@pytest.mark.parametrize("rank", [1, 2, 3])
def test_pooling_keeps_the_float_type(rank, dtype):
    x = ops.ones((1, *(4,) * rank, 2), dtype=dtype)
    assert keras.backend.standardize_dtype(max_pool(x, 2).dtype) == dtype
    assert keras.backend.standardize_dtype(average_pool(x, 2).dtype) == dtype


def test_the_maximum_of_integers_is_an_integer_and_their_mean_is_not():
    x = np.array([1, 2, 7, 4], "int32").reshape(1, 4, 1)
    largest, mean = max_pool(x, 2), average_pool(x, 2)
    assert keras.backend.standardize_dtype(largest.dtype) == "int32"
    np.testing.assert_array_equal(largest[0, :, 0], [2, 7])
    np.testing.assert_array_equal(mean[0, :, 0], [1.5, 5.5])


def test_only_the_largest_sample_of_a_window_has_a_gradient():
    x = np.array([1.0, 3.0, 2.0, 5.0])
    gradient = jacobian(lambda x: ops.sum(max_pool(ops.reshape(x, (1, 4, 1)), 2)), x)
    np.testing.assert_array_equal(gradient, [0, 1, 0, 1])


def test_a_small_shift_changes_few_maxima():
    x = np.zeros((1, 16, 1))
    x[0, 5] = 1.0
    before, after = (ops.convert_to_numpy(max_pool(np.roll(x, step, axis=1), 4)) for step in (0, 1))
    np.testing.assert_array_equal(before, after)


@pytest.mark.parametrize("pool", [max_pool, average_pool])
def test_pooling_refuses_wrong_arguments(pool):
    with pytest.raises(ValueError, match=r"Received: shape=\(2, 3\)"):
        pool(np.ones((2, 3)), 2)
    with pytest.raises(ValueError, match="pool_size=0"):
        pool(np.ones((1, 4, 1)), 0)
    with pytest.raises(ValueError, match="padding='zero'"):
        pool(np.ones((1, 4, 1)), 2, padding="zero")
    with pytest.raises(ValueError, match="window of 5"):
        pool(np.ones((1, 4, 1)), 5)
