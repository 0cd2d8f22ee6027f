"""Jacobians and Hessians against the formulas of the notes; condition numbers against NumPy."""

import numpy as np
import pytest
from keras import ops

from keras_course.core import backend
from keras_course.ops import calculus

MODES = ["eager", "graph", "xla"]


def numbers(tensor):
    return ops.convert_to_numpy(ops.cast(tensor, "float64"))


def f(x):
    return x[0] ** 2 + 2 * x[1]


def g(point):
    s, t = point[0], point[1]
    return ops.stack([s * ops.sin(t), s * ops.cos(t)])


@pytest.mark.parametrize("mode", MODES)
def test_the_chain_rule_multiplies_jacobians(mode):
    point = np.array([1.3, 0.4])
    with backend.execution_mode(mode):
        whole = numbers(backend.compiled(lambda x: calculus.jacobian(lambda p: f(g(p)), x))(point))
        outer = numbers(backend.compiled(lambda x: calculus.jacobian(f, g(x)))(point))
        inner = numbers(backend.compiled(lambda x: calculus.jacobian(g, x))(point))
    np.testing.assert_allclose(whole, outer @ inner, rtol=1e-14)
    s, t = point
    np.testing.assert_allclose(inner, [[np.sin(t), s * np.cos(t)], [np.cos(t), -s * np.sin(t)]], rtol=1e-14)


@pytest.mark.parametrize("mode", MODES)
def test_the_hessian_of_a_quadratic_is_its_matrix(mode):
    root = np.random.default_rng(0).normal(size=(4, 4))
    matrix = root + root.T
    with backend.execution_mode(mode):
        quadratic = backend.compiled(lambda x, m: calculus.hessian(lambda v: ops.sum(v * ops.matmul(m, v)) / 2, x))
        np.testing.assert_allclose(numbers(quadratic(np.arange(4.0), matrix)), matrix, rtol=1e-13, atol=1e-14)


def test_the_hessian_of_a_vector_field_has_three_axes():
    second = numbers(calculus.hessian(g, np.array([1.3, 0.4])))
    assert second.shape == (2, 2, 2)
    np.testing.assert_allclose(second, np.swapaxes(second, 1, 2), atol=1e-16)
    np.testing.assert_allclose(second[0], [[0, np.cos(0.4)], [np.cos(0.4), -1.3 * np.sin(0.4)]], atol=1e-15)


def test_a_constant_has_a_zero_jacobian():
    np.testing.assert_array_equal(numbers(calculus.jacobian(lambda x: ops.ones((2,), "float64"), np.zeros(3))), 0)


def test_integers_may_name_the_point():
    np.testing.assert_array_equal(numbers(calculus.jacobian(f, [3, 1])), [6, 2])


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("eigenvalues", [(5.0, 2.0, 0.5), (-5.0, 2.0, 0.5), (4.0, -8.0, 0.0), (3.0, 0.0, 0.0)])
def test_the_condition_number_is_a_ratio_of_absolute_nonzero_eigenvalues(mode, eigenvalues):
    """The notes print the ratio without absolute values, negative for the second matrix."""
    basis = np.linalg.qr(np.random.default_rng(1).normal(size=(3, 3)))[0]
    matrix = basis * np.array(eigenvalues) @ basis.T
    magnitudes = np.abs([value for value in eigenvalues if value])
    with backend.execution_mode(mode):
        found = float(backend.compiled(calculus.condition_number)((matrix + matrix.T) / 2))
    assert found == pytest.approx(magnitudes.max() / magnitudes.min(), rel=1e-13)


def test_the_condition_number_of_a_batch_and_of_half_precision():
    matrices = ops.cast(np.stack([np.eye(2), np.diag([1.0, 4.0])]), "bfloat16")
    np.testing.assert_array_equal(numbers(calculus.condition_number(matrices)), [1, 4])


def test_the_zero_matrix_has_no_condition_number():
    assert np.isnan(float(calculus.condition_number(np.zeros((2, 2)))))


@pytest.mark.parametrize("matrix", [np.ones((2, 3)), np.ones(4), [[1.0, 2.0], [0.0, 1.0]]])
def test_what_is_no_symmetric_matrix_is_refused(matrix):
    with pytest.raises(ValueError, match="Received: "):
        calculus.condition_number(matrix)
