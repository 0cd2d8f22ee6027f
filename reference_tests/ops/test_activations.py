"""Activation functions: values against SciPy, derivatives against automatic differentiation, edges, dtypes, modes."""

import keras
import numpy as np
import pytest
from keras import ops
from scipy.special import expit

from keras_course.core import backend
from keras_course.ops import activations

EDGES = np.array([-1000.0, -50.0, -1.5, -1e-8, 0.0, 1e-8, 0.5, 2.0, 50.0, 1000.0])

VALUES = {
    "relu": lambda z: np.maximum(z, 0),
    "leaky_relu": lambda z: np.where(z > 0, z, 0.01 * z),
    "softplus": lambda z: np.logaddexp(0, z),
    "logistic": expit,
    "tanh": np.tanh,
}

AT_ZERO = {"relu": 0.0, "leaky_relu": 0.01, "softplus": 0.5, "logistic": 0.25, "tanh": 1.0}


def numbers(tensor):
    return ops.convert_to_numpy(ops.cast(tensor, "float64"))


@pytest.mark.parametrize("name", VALUES)
def test_an_activation_equals_numpy_in_float64(name):
    np.testing.assert_allclose(numbers(getattr(activations, name)(EDGES)), VALUES[name](EDGES), rtol=1e-15, atol=0)


@pytest.mark.parametrize("name", VALUES)
def test_a_derivative_equals_automatic_differentiation(name):
    derivative = numbers(getattr(activations, f"{name}_derivative")(EDGES))
    by_tape = np.diagonal(numbers(backend.jacobian(getattr(activations, name), EDGES)))
    # tanh differentiates to 1 - t**2, which knows only absolute precision where t is close to 1.
    np.testing.assert_allclose(derivative, by_tape, rtol=1e-14, atol=1e-16)


@pytest.mark.parametrize("name", VALUES)
def test_a_derivative_equals_a_central_difference(name):
    z, step = np.array([-2.3, -0.4, 0.7, 3.1]), 1e-6
    slope = (VALUES[name](z + step) - VALUES[name](z - step)) / (2 * step)
    np.testing.assert_allclose(numbers(getattr(activations, f"{name}_derivative")(z)), slope, rtol=1e-8)


@pytest.mark.parametrize("name", VALUES)
def test_the_derivative_at_zero_is_the_documented_one(name):
    assert numbers(getattr(activations, f"{name}_derivative")([0.0])) == pytest.approx(AT_ZERO[name])


@pytest.mark.parametrize("name", VALUES)
@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_the_dtype_is_kept_and_gradients_are_finite_at_the_edges(name, dtype):
    z = ops.cast(EDGES, dtype)
    for function in (getattr(activations, name), getattr(activations, f"{name}_derivative")):
        assert keras.backend.standardize_dtype(function(z).dtype) == dtype
        assert np.isfinite(numbers(function(z))).all()
        assert np.isfinite(numbers(backend.jacobian(function, z))).all()


@pytest.mark.parametrize("name", VALUES)
@pytest.mark.parametrize("mode", ["graph", "xla"])
def test_compiled_activations_equal_eager_ones(name, mode):
    for function in (getattr(activations, name), getattr(activations, f"{name}_derivative")):
        with backend.execution_mode(mode):
            compiled = numbers(backend.compiled(function)(EDGES))
        np.testing.assert_allclose(compiled, numbers(function(EDGES)), rtol=1e-15, atol=1e-300)


@pytest.mark.parametrize("name", VALUES)
def test_nan_stays_nan(name):
    assert np.isnan(numbers(getattr(activations, name)([np.nan]))).all()


def test_integers_become_the_float_type_of_keras():
    assert keras.backend.standardize_dtype(activations.relu([-1, 2]).dtype) == keras.config.floatx()


def test_softplus_at_zero_is_log_two_and_not_minus_infinity():
    """The notes print log(1 - exp(x))."""
    assert float(activations.softplus(np.float64(0.0))) == pytest.approx(np.log(2), rel=1e-15)


def test_softplus_minus_its_mirror_image_is_the_identity():
    z = np.linspace(-40, 40, 81)
    np.testing.assert_allclose(numbers(activations.softplus(z)) - numbers(activations.softplus(-z)), z, atol=1e-14)


def test_tanh_is_a_stretched_logistic():
    z = np.linspace(-20, 20, 81)
    np.testing.assert_allclose(numbers(activations.tanh(z)), 2 * numbers(activations.logistic(2 * z)) - 1, atol=3e-16)


def test_saturated_derivatives_keep_relative_precision():
    np.testing.assert_allclose(numbers(activations.logistic_derivative(np.array([40.0]))), [np.exp(-40)], rtol=1e-15)
    np.testing.assert_allclose(numbers(activations.tanh_derivative(np.array([20.0]))), [4 * np.exp(-40)], rtol=1e-15)


def test_prelu_has_one_slope_a_channel():
    z, alpha = np.array([[-2.0, -2.0, 4.0], [1.0, -1.0, -8.0]]), np.array([0.5, 0.0, 0.25])
    np.testing.assert_array_equal(numbers(activations.prelu(z, alpha)), [[-1, 0, 4], [1, 0, -2]])
    np.testing.assert_array_equal(numbers(activations.prelu_derivative(z, alpha)), [[0.5, 0, 1], [1, 0, 0.25]])


def test_the_derivative_of_prelu_by_its_slope_is_the_negative_part():
    z = np.array([-2.0, 0.0, 3.0])
    by_alpha = backend.jacobian(lambda alpha: activations.prelu(z, alpha), np.zeros(3))
    np.testing.assert_array_equal(np.diagonal(numbers(by_alpha)), np.minimum(z, 0))


def test_maxout_takes_the_largest_piece():
    z = np.random.default_rng(0).normal(size=(4, 3, 5))
    np.testing.assert_array_equal(numbers(activations.maxout(z)), z.max(-1))


def test_the_gradient_of_maxout_goes_to_the_largest_piece_and_ties_share():
    z = np.array([[1.0, 3.0, 2.0], [2.0, 2.0, -1.0]])
    np.testing.assert_array_equal(numbers(activations.maxout_derivative(z)), [[0, 1, 0], [0.5, 0.5, 0]])
    by_tape = numbers(backend.jacobian(lambda v: ops.sum(activations.maxout(v)), z))
    np.testing.assert_array_equal(numbers(activations.maxout_derivative(z)), by_tape)


def test_a_maxout_of_z_and_zero_is_relu():
    z = np.linspace(-2, 2, 9)
    np.testing.assert_array_equal(numbers(activations.maxout(np.stack([z, 0 * z], -1))), numbers(activations.relu(z)))


def test_maxout_of_a_scalar_is_refused():
    with pytest.raises(ValueError, match=r"Received: z.shape=\(\)"):
        activations.maxout(1.0)
