"""Closed-form regression against NumPy and scikit-learn; gradients against automatic differentiation."""

import functools

import keras
import numpy as np
import pytest
from keras import ops
from sklearn.linear_model import Lasso, Ridge

from keras_course.core import backend
from keras_course.ops import regression

MODES = ["eager", "graph", "xla"]
RNG = np.random.default_rng(0)
X = RNG.normal(size=(20, 4)) + 0.5
Y = X @ np.array([2.0, 0.0, -1.0, 0.05]) + 0.1 * RNG.normal(size=20)
SMALL_X = np.array([[1.0, 0.0], [1.0, 1.0], [0.0, 2.0], [3.0, 1.0]])
SMALL_Y = np.array([1.0, 1.0, 2.0, 3.0])


def numbers(tensor):
    return ops.convert_to_numpy(ops.cast(tensor, "float64"))


program_of = functools.cache(backend.compiled)  # one a function: it is compiled once a mode and shape


def in_mode(mode, function, *arguments):
    with backend.execution_mode(mode):
        return numbers(program_of(function)(*arguments))


@pytest.mark.parametrize(("theta", "cost"), [(1.0, 0.0), (0.5, 7 / 12), (0.0, 7 / 3), (-0.5, 21 / 4)])
def test_the_cost_of_theta_on_the_three_points(theta, cost):
    """The notes print 0.67 for one half; it is 7/12."""
    x, y = np.array([[1.0], [2.0], [3.0]]), np.array([1.0, 2.0, 3.0])
    assert float(regression.regression_cost(np.array([theta]), x, y)) == pytest.approx(cost, rel=1e-15, abs=1e-300)


def test_gradients_equal_automatic_differentiation():
    w = RNG.normal(size=4)
    by_tape = numbers(backend.jacobian(lambda v: regression.regression_cost(v, X, Y), w))
    np.testing.assert_allclose(numbers(regression.regression_cost_gradient(w, X, Y)), by_tape, rtol=1e-13)
    by_tape = numbers(backend.jacobian(lambda v: regression.ridge_cost(v, X, Y, 0.7), w))
    np.testing.assert_allclose(numbers(regression.ridge_cost_gradient(w, X, Y, 0.7)), by_tape, rtol=1e-13)


@pytest.mark.parametrize("mode", MODES)
def test_least_squares_equals_numpy_and_leaves_no_gradient(mode):
    w = in_mode(mode, regression.ordinary_least_squares, X, Y)
    np.testing.assert_allclose(w, np.linalg.lstsq(X, Y, rcond=None)[0], rtol=1e-13, atol=1e-14)
    assert np.abs(numbers(regression.regression_cost_gradient(w, X, Y))).max() < 1e-14


def test_least_squares_survives_a_condition_number_whose_square_does_not_fit():
    x = np.array([[1.0, 1.0], [1e-9, 0.0], [0.0, 1e-9]])
    w = numbers(regression.ordinary_least_squares(x, x @ np.array([1.0, 2.0])))
    np.testing.assert_allclose(w, [1.0, 2.0], rtol=1e-6)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("convention", "squares"), [("mean", 1 / 20), ("half-mean", 1 / 40), ("printed", None)])
def test_ridge_minimises_the_cost_it_names(mode, convention, squares):
    alpha = 1.7
    w = in_mode(mode, lambda x, y: regression.ridge(x, y, alpha, convention), X, Y)
    gradient = X.T @ (X @ w - Y) + alpha * w if squares is None else 2 * squares * X.T @ (X @ w - Y) + alpha * w
    assert np.abs(gradient).max() < 1e-13


def test_the_printed_ridge_is_that_of_scikit_learn_and_not_the_minimiser_of_the_printed_cost():
    x, y = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0], [2.0, 1.0]]), np.array([1.0, 0.5, 1.0, 2.0])
    printed = numbers(regression.ridge(x, y, 2.0, "printed"))
    np.testing.assert_allclose(printed, Ridge(2.0, fit_intercept=False).fit(x, y).coef_, rtol=1e-12)
    leftover = numbers(regression.ridge_cost_gradient(printed, x, y, 2.0))
    np.testing.assert_allclose(leftover, 2.0 * (1 - 2 / 4) * printed, rtol=1e-12)
    np.testing.assert_allclose(
        numbers(regression.ridge_cost_gradient(regression.ridge(x, y, 2.0), x, y, 2.0)), 0, atol=1e-15
    )


def test_ridge_is_defined_where_least_squares_is_not():
    w = numbers(regression.ridge(np.array([[10.0, 1.0]]), np.array([5.0]), 0.01))
    assert np.isfinite(w).all()


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("shape", [(7, 3), (3, 3), (3, 7)])
def test_the_minimum_norm_solution_equals_the_pseudo_inverse_at_any_rank(mode, rank, shape):
    generator = np.random.default_rng(rank)
    x = generator.normal(size=(shape[0], rank)) @ generator.normal(size=(rank, shape[1]))
    y = generator.normal(size=shape[0])
    expected = np.linalg.pinv(x, rcond=1e-12) @ y
    found = in_mode(mode, regression.minimum_norm_solution, x, y)
    np.testing.assert_allclose(found, expected, rtol=0, atol=3e-13 * np.abs(expected).max())


def test_the_shortest_solution_of_one_equation_lies_on_its_normal():
    np.testing.assert_allclose(
        numbers(regression.minimum_norm_solution(np.array([[10.0, 1.0]]), np.array([5.0]))),
        [50 / 101, 5 / 101],
        rtol=1e-15,
    )


def test_several_outputs_are_solved_side_by_side():
    targets = np.stack([Y, -2 * Y, X[:, 0]], axis=1)
    for solve in (
        regression.ordinary_least_squares,
        regression.minimum_norm_solution,
        lambda x, y: regression.ridge(x, y, 0.5),
        lambda x, y: regression.lasso(x, y, 0.5, steps=50),
    ):
        together = numbers(solve(X, targets))
        assert together.shape == (4, 3)
        for column in range(3):
            np.testing.assert_allclose(
                together[:, column], numbers(solve(X, targets[:, column])), rtol=1e-12, atol=1e-14
            )


def test_soft_thresholding_shrinks_and_stops_at_zero():
    z = np.array([-3.0, -1.0, -0.5, 0.0, 0.5, 1.0, 3.0])
    np.testing.assert_array_equal(numbers(regression.soft_threshold(z, 1.0)), [-2, 0, 0, 0, 0, 0, 2])


def test_soft_thresholding_is_the_proximal_operator():
    grid = np.linspace(-4, 4, 80001)
    for z in (-2.3, -0.2, 1.4):
        best = grid[np.argmin((grid - z) ** 2 / 2 + 0.7 * np.abs(grid))]
        assert float(regression.soft_threshold(np.float64(z), 0.7)) == pytest.approx(best, abs=1e-4)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("convention", "alpha"), [("mean", 0.4), ("half-mean", 0.2)])
def test_lasso_equals_scikit_learn_and_has_exact_zeros(mode, convention, alpha):
    w = in_mode(mode, lambda x, y: regression.lasso(x, y, alpha, convention), X, Y)
    expected = Lasso(0.2, fit_intercept=False, tol=1e-15, max_iter=100_000).fit(X, Y).coef_
    np.testing.assert_allclose(w, expected, rtol=1e-7, atol=1e-9)
    assert ((w == 0) == (expected == 0)).all() and (w == 0).any()


def test_the_cost_of_lasso_never_rises_along_its_steps():
    w, rate = np.zeros(4), 20 / (2 * np.linalg.norm(X, 2) ** 2)
    costs = [float(regression.lasso_cost(w, X, Y, 0.4))]
    for _ in range(30):
        w = numbers(regression.lasso_step(w, X, Y, 0.4, rate))
        costs.append(float(regression.lasso_cost(w, X, Y, 0.4)))
    assert (np.diff(costs) <= 1e-15).all() and costs[-1] < costs[0]
    np.testing.assert_allclose(numbers(regression.lasso(X, Y, 0.4, steps=30)), w, rtol=1e-12)


def test_a_large_penalty_leaves_nothing():
    assert (numbers(regression.lasso(X, Y, 2 * np.abs(2 / 20 * X.T @ Y).max())) == 0).all()
    assert (numbers(regression.lasso(0 * X, Y, 0.1)) == 0).all()


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_the_dtype_of_the_examples_is_kept(dtype):
    x, y = ops.cast(SMALL_X, dtype), ops.cast(SMALL_Y, dtype)
    w = ops.cast([1.0, 0.5], dtype)
    for value in (
        regression.regression_cost(w, x, y),
        regression.regression_cost_gradient(w, x, y),
        regression.ordinary_least_squares(x, y),
        regression.ridge(x, y, 1.0),
        regression.ridge_cost_gradient(w, x, y, 0.5),
        regression.minimum_norm_solution(x, y),
        regression.lasso(x, y, 0.1, steps=5),
        regression.soft_threshold(w, 0.7),
    ):
        assert keras.backend.standardize_dtype(value.dtype) == dtype
        assert np.isfinite(numbers(value)).all()


def test_dependent_columns_are_refused_and_are_nan_where_nothing_can_be_raised():
    x = np.array([[1.0, 2.0], [2.0, 4.0], [3.0, 6.0]])
    with pytest.raises(ValueError, match="minimum_norm_solution .* dependent columns"):
        regression.ordinary_least_squares(x, np.ones(3))
    assert np.isnan(in_mode("xla", regression.ordinary_least_squares, x, np.ones(3))).all()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: regression.ordinary_least_squares(np.ones((2, 3)), np.ones(2)), r"Received: x.shape=\(2, 3\)"),
        (lambda: regression.ordinary_least_squares(np.ones((3, 2)), np.ones(2)), r"y.shape=\(2,\)"),
        (lambda: regression.ordinary_least_squares(np.ones(3), np.ones(3)), "rank 2"),
        (lambda: regression.ridge(X, Y, 0.0), "Received: alpha=0.0"),
        (lambda: regression.ridge(X, Y, 1.0, "sum"), "Received: convention='sum'"),
        (lambda: regression.lasso(X, Y, -1.0), "Received: alpha=-1.0"),
        (lambda: regression.lasso(X, Y, 1.0, steps=0), "Received: steps=0"),
        (lambda: regression.lasso_cost(np.ones(4), X, Y, 1.0, "printed"), "Received: convention='printed'"),
        (lambda: regression.regression_cost(np.ones(3), X, Y), r"weights.shape=\(3,\)"),
        (lambda: regression.regression_cost(np.ones(4), np.ones((0, 4)), np.ones(0)), r"x.shape=\(0, 4\)"),
    ],
)
def test_what_does_not_fit_is_refused_with_what_came(call, message):
    with pytest.raises(ValueError, match=message):
        call()
