"""The error model: budgets follow class, dtype and scale; a failure says what is likely wrong."""

import numpy as np
import pytest

from keras_course.pipeline.tolerance import UNIT_ROUNDOFF, compare, statistical_budget, tolerance_factor


def test_the_budget_is_class_factor_times_roundoff_times_scale():
    result = compare([0.0, -8.0], np.array([0.0, -8.0]), "contraction", "float32")
    assert result.budget == 64 * 2.0**-24 * 8.0
    assert compare([0.0], np.array([0.0]), "pointwise", "float64").budget == 8 * 2.0**-53


def test_unit_roundoffs_are_those_of_numpy():
    for dtype in ("float64", "float32", "float16"):
        assert UNIT_ROUNDOFF[dtype] == np.finfo(dtype).eps / 2


def test_an_error_just_inside_the_budget_passes_and_just_outside_fails():
    budget = 64 * 2.0**-53
    assert compare([1.0], np.array([1.0 + 0.99 * budget]), "contraction", "float64").passed
    assert not compare([1.0], np.array([1.0 + 1.02 * budget]), "contraction", "float64").passed


@pytest.mark.parametrize("tolerance", ["sloppy", "steps", "steps:0", "recurrence:", "exact:3", "steps:-1"])
def test_an_unknown_tolerance_is_refused(tolerance):
    with pytest.raises(ValueError, match="Received"):
        tolerance_factor(tolerance)


def test_a_statistical_budget_has_the_stated_false_alarm_rate():
    assert statistical_budget(2.0, 0.05) == pytest.approx(2 * 1.959963984540054, rel=1e-12)


@pytest.mark.parametrize(
    ("actual", "cause"),
    [
        (lambda a: -a, "sign"),
        (lambda a: a.T, "axes are swapped"),
        (lambda a: 2.5 * a, "2.5 times too large"),
        (lambda a: a + 0.5, "off by 0.5"),
        (lambda a: a[::-1, ::-1], "reversed"),
        (lambda a: a * (1 + 3e-8 * np.sign(a - 2)), "lower dtype"),
        (lambda a: np.where(a == 3.0, np.nan, a), "NaN first seen at [1, 0]"),
        (lambda a: np.where(a == 3.0, np.inf, a), "inf at [1, 0]"),
    ],
)
def test_a_failure_names_the_likely_cause(actual, cause):
    expected = np.array([[1.0, 2.0], [3.0, 5.0]])
    result = compare(expected.tolist(), actual(expected), "contraction", "float64")
    assert not result.passed
    assert cause in result.message


def test_tf32_sized_errors_are_called_by_their_name():
    expected = np.array([1.0, 0.5, 0.25])
    actual = (expected * (1 + np.array([3e-4, -2e-4, 1e-4]))).astype("float32")
    assert "TF32" in compare(expected.tolist(), actual, "contraction", "float32").message


def test_a_wrong_shape_is_red_and_says_so():
    result = compare([[1.0, 2.0]], np.array([[1.0], [2.0]]), "pointwise", "float64")
    assert not result.passed
    assert "shape (2, 1), wanted (1, 2) (axes swapped?)" in result.message


@pytest.mark.parametrize(
    ("expected", "actual", "passes"),
    [
        ([1, 2], np.array([1, 2], "int32"), True),
        ([1, 2], np.array([1, 3], "int32"), False),
        (22658678784, 22658678784, True),
        (22658678784, 22658678785, False),
        (["+", "-"], ["+", "-"], True),
        ("+", "-", False),
        ([True, False], np.array([True, True]), False),
        ([1, 0], np.array([0.9, 0.1]), False),
        ([1, 0], np.array([True, False]), False),
    ],
)
def test_discrete_answers_are_exact(expected, actual, passes):
    assert compare(expected, actual, "exact", "float32").passed is passes
