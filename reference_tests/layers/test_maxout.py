"""The Maxout layer: its formula, its Keras behaviour, and what it refuses."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_course.core import backend
from keras_course.layers import Maxout

X = np.random.default_rng(0).normal(size=(5, 3))


def numbers(tensor):
    return ops.convert_to_numpy(ops.cast(tensor, "float64"))


def built(shape=(None, 3), **kwargs):
    layer = Maxout(2, pieces=4, bias_initializer="random_normal", **kwargs)
    layer.build(shape)
    return layer


def test_a_unit_is_the_largest_of_its_pieces():
    layer = built(dtype="float64")
    kernel, bias = numbers(layer.kernel), numbers(layer.bias)
    pieces = [X @ kernel[:, [4 * i + j for i in range(2)]] + bias[[4 * i + j for i in range(2)]] for j in range(4)]
    np.testing.assert_allclose(numbers(layer(X)), np.max(pieces, axis=0), rtol=1e-13)


def test_one_piece_is_a_dense_layer():
    layer, dense = Maxout(3, pieces=1), keras.layers.Dense(3)
    layer.build((None, 3))
    dense.build((None, 3))
    dense.set_weights(layer.get_weights())
    np.testing.assert_allclose(numbers(layer(X)), numbers(dense(X)), rtol=1e-5, atol=1e-6)


def test_two_pieces_make_the_absolute_value_and_relu():
    layer = Maxout(2, pieces=2, use_bias=False)
    layer.build((None, 1))
    layer.kernel.assign([[1.0, -1.0, 1.0, 0.0]])
    x = np.array([[-3.0], [0.5]])
    np.testing.assert_allclose(numbers(layer(x)), np.concatenate([np.abs(x), np.maximum(x, 0)], -1))


def test_the_output_is_convex_in_the_input():
    layer = built(dtype="float64")
    middle = numbers(layer((X[:2] + X[2:4]) / 2))
    assert (middle <= (numbers(layer(X[:2])) + numbers(layer(X[2:4]))) / 2 + 1e-15).all()


@pytest.mark.parametrize("shape", [(5, 3), (2, 4, 3), (2, 2, 3, 3)])
def test_any_leading_axes_and_the_symbolic_shape_equals_the_eager_one(shape):
    layer = Maxout(7, pieces=2)
    output = layer(np.zeros(shape))
    assert tuple(output.shape) == layer.compute_output_shape(shape) == (*shape[:-1], 7)
    symbolic = layer(keras.KerasTensor((None, *shape[1:])))
    assert symbolic.shape == (None, *shape[1:-1], 7)


def test_unknown_batch_and_length_run_in_one_compiled_model():
    inputs = keras.Input((None, 3))
    model = keras.Model(inputs, Maxout(2)(inputs))
    model.compile(jit_compile=False)
    for length in (4, 9):
        assert model.predict(np.zeros((2, length, 3)), verbose=0).shape == (2, length, 2)


@pytest.mark.parametrize("mode", ["graph", "xla"])
def test_compiled_calls_equal_eager_ones(mode):
    layer = built(dtype="float64")
    with backend.execution_mode(mode):
        compiled = numbers(backend.compiled(layer)(X))
    np.testing.assert_allclose(compiled, numbers(layer(X)), rtol=1e-14, atol=1e-15)


def test_a_config_round_trip_keeps_every_argument():
    layer = Maxout(
        3, pieces=5, use_bias=False, kernel_initializer="he_normal", bias_initializer="ones", kernel_regularizer="l2",
        bias_regularizer="l1", activity_regularizer="l1", kernel_constraint="max_norm", bias_constraint="non_neg",
        name="mine", dtype="mixed_bfloat16",
    )  # fmt: skip
    config = layer.get_config()
    again = Maxout.from_config(config)
    assert again.get_config() == config
    assert (again.units, again.pieces, again.use_bias, again.name) == (3, 5, False, "mine")
    again.build((None, 2))
    assert len(again.weights) == 1


def test_regularizers_and_constraints_act():
    layer = Maxout(2, kernel_regularizer=keras.regularizers.L2(0.5), kernel_constraint=keras.constraints.MaxNorm(0.1))
    layer.build((None, 3))
    assert float(layer.losses[0]) == pytest.approx(0.5 * (numbers(layer.kernel) ** 2).sum(), rel=1e-5)
    projected = numbers(layer.kernel.constraint(layer.kernel))
    assert (np.linalg.norm(projected, axis=0) <= 0.1 + 1e-6).all()


def test_mixed_precision_computes_in_bfloat16_and_keeps_float32_weights():
    layer = built(dtype="mixed_bfloat16")
    output = layer(X)
    assert keras.backend.standardize_dtype(output.dtype) == "bfloat16"
    assert keras.backend.standardize_dtype(layer.kernel.dtype) == "float32"


def test_it_trains_saves_and_loads(tmp_path):
    model = keras.Sequential([keras.Input((3,)), Maxout(4, pieces=3), keras.layers.Dense(1)])
    model.compile("adam", "mse")
    before = [weight.copy() for weight in model.get_weights()]
    model.fit(X, X[:, :1], epochs=1, verbose=0)
    assert all((old != new).any() for old, new in zip(before, model.get_weights(), strict=True))
    model.save(tmp_path / "maxout.keras")
    again = keras.saving.load_model(tmp_path / "maxout.keras")
    np.testing.assert_array_equal(again.predict(X, verbose=0), model.predict(X, verbose=0))


def test_a_mask_passes_through():
    inputs = keras.Input((2, 2))
    outputs = keras.layers.GlobalAveragePooling1D()(Maxout(1, bias_initializer="ones")(keras.layers.Masking()(inputs)))
    half = np.array([[[1.0, 2.0], [0.0, 0.0]]])
    model = keras.Model(inputs, outputs)
    np.testing.assert_allclose(model.predict(half, verbose=0), model.layers[2](half[:, :1])[:, 0], rtol=1e-6)


@pytest.mark.parametrize(("units", "pieces"), [(0, 2), (2, 0), (1.5, 2), (True, 2), (2, "3")])
def test_sizes_that_are_no_counts_are_refused(units, pieces):
    with pytest.raises(ValueError, match="Received: (units|pieces)="):
        Maxout(units, pieces=pieces)


def test_a_wrong_rank_or_unknown_features_is_refused():
    with pytest.raises(ValueError, match=r"Received: input_shape=\(3,\)"):
        Maxout(2)(np.zeros(3))
    with pytest.raises(ValueError, match="Received: input_shape="):
        Maxout(2).build((2, None))
    layer = built()
    with pytest.raises(ValueError):
        layer(np.zeros((2, 5)))
