"""Sinusoidal positions: the table, and what makes it useful."""

import math

import keras
import mpmath
import numpy as np
import pytest
from keras import ops

from keras_course.ops.positional import positional_encoding


def encode(positions, depth, base=10000.0, dtype="float64"):
    return ops.convert_to_numpy(positional_encoding(ops.convert_to_tensor(positions, dtype=dtype), depth, base))


def test_the_table_of_the_notes():
    printed = [[0, 1, 0, 1], [0.84, 0.54, 0.10, 1.0], [0.91, -0.42, 0.20, 0.98], [0.14, -0.99, 0.30, 0.96]]
    assert np.abs(encode([0, 1, 2, 3], 4, 100) - printed).max() <= 0.0051


@pytest.mark.parametrize("depth", [1, 2, 5, 8])
def test_every_entry_is_the_formula(depth):
    table = encode([0, 1, 7, 300], depth, 1000.0)
    for row, k in zip(table, [0, 1, 7, 300], strict=True):
        for j, value in enumerate(row):
            angle = mpmath.mpf(k) / mpmath.mpf(1000) ** (mpmath.mpf(2 * (j // 2)) / depth)
            assert value == pytest.approx(float(mpmath.sin(angle) if j % 2 == 0 else mpmath.cos(angle)), abs=1e-13)


def test_a_shift_of_positions_is_a_rotation_of_each_pair():
    depth, base, shift = 8, 100.0, 3.0
    before, after = encode(np.arange(20.0), depth, base), encode(np.arange(20.0) + shift, depth, base)
    for i in range(depth // 2):
        angle = shift / base ** (2 * i / depth)
        rotation = np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])
        pair = slice(2 * i, 2 * i + 2)
        np.testing.assert_allclose(after[:, pair], before[:, pair] @ rotation.T, atol=1e-13)


def test_odd_depth_ends_on_a_sine():
    table = encode([0.0, 2.0], 5)
    np.testing.assert_array_equal(table[0], [0, 1, 0, 1, 0])
    assert table[1, 4] == pytest.approx(math.sin(2.0 / 10000 ** (4 / 5)), rel=1e-14)


def test_float32_positions_are_as_good_as_the_angle_allows():
    positions = np.arange(0, 2000.0, 37.0)
    error = np.abs(encode(positions, 16, dtype="float32") - encode(positions, 16))
    assert np.all(error <= 2.0**-23 * (2 + positions[:, None]))


def test_integer_positions_are_taken_as_keras_floats():
    table = positional_encoding(np.arange(3, dtype="int32"), 4)
    assert keras.backend.standardize_dtype(table.dtype) == keras.config.floatx()


@pytest.mark.parametrize(("depth", "base", "message"), [(0, 10.0, "depth=0"), (4, 1.0, "base=1.0"), (2.5, 9.0, "2.5")])
def test_a_depth_or_base_out_of_range_is_refused(depth, base, message):
    with pytest.raises(ValueError, match=message):
        positional_encoding(np.arange(3.0), depth, base)


def test_positions_of_rank_two_are_refused():
    with pytest.raises(ValueError, match=r"shape=\(1, 3\)"):
        positional_encoding(np.ones((1, 3)), 4)
