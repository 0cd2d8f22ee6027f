"""The layer that adds positions: any length, any precision, masks untouched."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from keras_course.layers.positional_encoding import PositionalEncoding
from keras_course.ops.positional import positional_encoding


def words(*shape, dtype="float32"):
    return np.random.default_rng(0).normal(size=shape).astype(dtype)


def test_the_layer_adds_the_table_to_every_sequence():
    x = words(2, 5, 6)
    table = positional_encoding(np.arange(5, dtype="float32"), 6, 100.0)
    np.testing.assert_array_equal(PositionalEncoding(base=100.0)(x), x + ops.convert_to_numpy(table))


def test_odd_depth_ends_on_a_sine():
    y = PositionalEncoding(base=10.0)(np.zeros((1, 3, 5), "float32"))
    np.testing.assert_allclose(y[0, :, 4], np.sin(np.arange(3) / 10 ** (4 / 5)), atol=1e-6)


def test_any_length_serves_from_one_export(tmp_path):
    inputs = keras.Input((None, 4))
    model = keras.Model(inputs, PositionalEncoding(base=100.0)(inputs))
    model.export(tmp_path / "export", verbose=False)
    served = tf.saved_model.load(str(tmp_path / "export"))
    for length in (1, 7, 300):
        x = words(2, length, 4)
        # a graph multiplies by the wavelength's reciprocal: one more rounding of angles up to `length`
        np.testing.assert_allclose(served.serve(x), model(x), atol=2.0**-23 * (2 + length))


def test_a_mask_passes_through():
    embedded = keras.layers.Embedding(10, 4, mask_zero=True)(np.array([[3, 2, 0, 0]]))
    encoded = PositionalEncoding()(embedded)
    np.testing.assert_array_equal(keras.src.backend.get_keras_mask(encoded), [[True, True, False, False]])


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16", "bfloat16"])
def test_positions_are_counted_in_float32_whatever_the_compute_type(policy):
    y = PositionalEncoding(dtype=policy)(np.zeros((1, 400, 8), "float32"))
    table = ops.convert_to_numpy(positional_encoding(np.arange(400.0), 8))
    error = np.abs(ops.convert_to_numpy(ops.cast(y[0], "float32")) - table)
    assert error.max() <= 2.0**-8  # half a bfloat16 step below 1; positions counted in bfloat16 would be off by 2


def test_a_float64_layer_is_float64_accurate():
    y = PositionalEncoding(dtype="float64")(np.zeros((1, 50, 6)))
    k, j = np.arange(50.0)[:, None], np.arange(6)
    angle = k / 10000.0 ** (2 * (j // 2) / 6)
    np.testing.assert_allclose(y[0], np.where(j % 2, np.cos(angle), np.sin(angle)), atol=1e-14)


def test_config_round_trip_and_saved_model(tmp_path):
    layer = PositionalEncoding(base=50.0, name="where")
    assert PositionalEncoding.from_config(layer.get_config()).get_config() == layer.get_config()
    model = keras.Sequential([keras.Input((None, 4)), layer])
    model.save(tmp_path / "model.keras")
    x = words(1, 6, 4)
    np.testing.assert_array_equal(keras.saving.load_model(tmp_path / "model.keras")(x), model(x))


def test_graph_and_xla_agree_with_eager():
    layer, x = PositionalEncoding(), words(2, 9, 6)
    layer.build(x.shape)
    for jit in (False, True):
        np.testing.assert_allclose(tf.function(layer, jit_compile=jit)(x), layer(x), atol=1e-6)


def test_depth_zero_is_refused_with_the_value_that_came():
    with pytest.raises(ValueError, match="depth=0"):
        PositionalEncoding()(np.zeros((1, 3, 0), "float32"))


def test_wrong_base_rank_and_unknown_depth_are_refused():
    with pytest.raises(ValueError, match="base=1"):
        PositionalEncoding(base=1)
    with pytest.raises(ValueError, match="base='n'"):
        PositionalEncoding(base="n")
    with pytest.raises(ValueError, match=r"shape=\(3, 4\)"):
        PositionalEncoding()(np.zeros((3, 4), "float32"))
    with pytest.raises(ValueError, match="depth=None"):
        PositionalEncoding()(keras.Input((3, None)))
