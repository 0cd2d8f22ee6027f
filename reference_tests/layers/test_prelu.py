"""The PReLU layer: its formula, equality with Keras's, and what it refuses."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_course.core import backend
from keras_course.layers import PReLU

Z = np.random.default_rng(0).normal(size=(4, 5, 3))


def numbers(tensor):
    return ops.convert_to_numpy(ops.cast(tensor, "float64"))


@pytest.mark.parametrize("shared_axes", [None, 1, [1], (1, 2), [2], -1])
def test_it_equals_the_prelu_of_keras(shared_axes):
    ours = PReLU(alpha_initializer="random_normal", shared_axes=shared_axes)
    theirs = keras.layers.PReLU(shared_axes=2 if shared_axes == -1 else shared_axes)
    ours.build(Z.shape)
    theirs.build(Z.shape)
    assert ours.alpha.shape == theirs.alpha.shape
    theirs.set_weights(ours.get_weights())
    np.testing.assert_allclose(numbers(ours(Z)), numbers(theirs(Z)), rtol=1e-7)

    def slope(layer):
        return numbers(backend.jacobian(lambda z: ops.sum(layer(z)), Z.astype("float32")))

    np.testing.assert_array_equal(slope(ours), slope(theirs))


def test_the_slope_at_zero_is_alpha():
    layer = PReLU(alpha_initializer=keras.initializers.Constant(0.25))
    np.testing.assert_array_equal(
        numbers(backend.jacobian(lambda z: ops.sum(layer(z)), np.zeros((1, 2), "float32"))), 0.25
    )


def test_zero_slopes_are_relu():
    np.testing.assert_allclose(numbers(PReLU(dtype="float64")(Z)), np.maximum(Z, 0))


@pytest.mark.parametrize("mode", ["graph", "xla"])
def test_compiled_calls_equal_eager_ones(mode):
    layer = PReLU(alpha_initializer="random_normal", dtype="float64")
    layer.build(Z.shape)
    with backend.execution_mode(mode):
        compiled = numbers(backend.compiled(layer)(Z))
    np.testing.assert_array_equal(compiled, numbers(layer(Z)))


def test_unknown_lengths_are_fine_where_they_share_a_slope():
    inputs = keras.Input((None, 3))
    outputs = PReLU(shared_axes=1)(inputs)
    assert outputs.shape == (None, None, 3)
    model = keras.Model(inputs, outputs)
    for length in (2, 6):
        assert model.predict(np.zeros((1, length, 3)), verbose=0).shape == (1, length, 3)


def test_a_config_round_trip_keeps_every_argument():
    layer = PReLU("ones", "l2", "non_neg", shared_axes=(1, 2), name="mine")
    again = PReLU.from_config(layer.get_config())
    assert again.get_config() == layer.get_config()
    assert again.shared_axes == [1, 2]


def test_mixed_precision_computes_in_bfloat16_and_keeps_float32_slopes():
    layer = PReLU(dtype="mixed_bfloat16")
    assert keras.backend.standardize_dtype(layer(Z).dtype) == "bfloat16"
    assert keras.backend.standardize_dtype(layer.alpha.dtype) == "float32"


def test_it_trains_saves_and_loads(tmp_path):
    x = Z[:, 0]
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(6), PReLU(alpha_regularizer="l2")])
    model.compile("adam", "mse")
    before = [weight.copy() for weight in model.get_weights()]
    model.fit(x, np.ones((4, 6)), epochs=1, verbose=0)
    assert all((old != new).any() for old, new in zip(before, model.get_weights(), strict=True))
    model.save(tmp_path / "prelu.keras")
    again = keras.saving.load_model(tmp_path / "prelu.keras")
    np.testing.assert_array_equal(again.predict(x, verbose=0), model.predict(x, verbose=0))


@pytest.mark.parametrize(
    ("shared_axes", "shape"), [(None, (3,)), ((3,), (None, 4, 3)), ((0,), (None, 4, 3)), (None, (None, None, 3))]
)
def test_a_wrong_rank_axis_or_size_is_refused(shared_axes, shape):
    with pytest.raises(ValueError, match="Received: input_shape="):
        PReLU(shared_axes=shared_axes).build(shape)
