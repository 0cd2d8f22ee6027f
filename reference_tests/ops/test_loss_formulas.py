"""The formulas of the losses: against NumPy and SciPy, gradients against their closed forms, labels without meaning."""

import functools

import keras
import numpy as np
import pytest
from keras import ops
from scipy.special import expit, log_softmax, softmax

from keras_course.core import backend
from keras_course.ops import losses

MODES = ["eager", "graph", "xla"]
RNG = np.random.default_rng(0)
SIGNS = np.array([1.0, -1.0, 1.0, -1.0, 1.0])
MARGINS = np.array([0.3, -2.0, -1000.0, 1000.0, 0.0])
CLASSES = np.array([0, 3, 2, 1])
SCORES = RNG.normal(size=(4, 5)) * 3


def numbers(tensor):
    return ops.convert_to_numpy(ops.cast(tensor, "float64"))


def in_mode(mode, function, *arguments):
    with backend.execution_mode(mode):
        return numbers(backend.compiled(function)(*arguments))


def gradient(loss, scores):
    return numbers(backend.jacobian(lambda f: ops.sum(loss(f)), scores))


def slope_of(loss, labels, scores):
    return backend.jacobian(lambda f: ops.sum(loss(labels, f)), scores)


@pytest.mark.parametrize("mode", MODES)
def test_the_logistic_loss_is_log_one_plus_exp_and_does_not_overflow(mode):
    expected = np.logaddexp(0, -SIGNS * MARGINS)
    np.testing.assert_allclose(in_mode(mode, losses.logistic_loss, SIGNS, MARGINS), expected, rtol=1e-15)


def test_the_gradient_of_the_logistic_loss_is_minus_y_sigma_of_minus_y_f():
    slope = gradient(lambda f: losses.logistic_loss(SIGNS, f), MARGINS)
    np.testing.assert_allclose(slope, -SIGNS * expit(-SIGNS * MARGINS), rtol=1e-14)


def test_a_wrong_answer_costs_more_than_a_right_one():
    """A flipped sign in any loss fails here."""
    assert losses.logistic_loss([1.0], [2.0]) < losses.logistic_loss([1.0], [-2.0])
    assert losses.softmax_loss([0], [[2.0, -2.0]]) < losses.softmax_loss([1], [[2.0, -2.0]])
    assert losses.top_k_ranking_loss([0], [[2.0, -2.0]], 1) < losses.top_k_ranking_loss([1], [[2.0, -2.0]], 1)
    assert losses.preference_loss([2.0], [-2.0]) < losses.preference_loss([-2.0], [2.0])
    assert losses.half_squared_loss([[1.0]], [[1.0]]) < losses.half_squared_loss([[1.0]], [[-1.0]])


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("label", [0.0, 2.0, -0.5, np.nan])
def test_a_label_that_is_no_sign_is_nan_in_loss_and_gradient(mode, label):
    labels, scores = np.array([1.0, label]), np.array([0.5, 0.5])
    loss = in_mode(mode, losses.logistic_loss, labels, scores)
    slope = in_mode(
        mode, lambda y, f: backend.jacobian(lambda s: ops.sum(losses.logistic_loss(y, s)), f), labels, scores
    )
    assert np.isfinite(loss[0]) and np.isnan(loss[1])
    assert np.isfinite(slope[0]) and np.isnan(slope[1])


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("dtype", ["int32", "int64", "uint8", "int8", "float32", "float64"])
def test_the_softmax_loss_of_classes_equals_scipy(mode, dtype):
    found = in_mode(mode, losses.softmax_loss, CLASSES.astype(dtype), SCORES)
    np.testing.assert_allclose(found, -log_softmax(SCORES, -1)[np.arange(4), CLASSES], rtol=1e-14)


@pytest.mark.parametrize("mode", MODES)
def test_the_softmax_loss_of_distributions_equals_scipy_and_classes_are_one_hot(mode):
    soft = softmax(RNG.normal(size=(4, 5)), -1)
    found = in_mode(mode, losses.softmax_loss, soft, SCORES)
    np.testing.assert_allclose(found, -(soft * log_softmax(SCORES, -1)).sum(-1), rtol=1e-14)
    np.testing.assert_allclose(
        in_mode(mode, losses.softmax_loss, np.eye(5)[CLASSES], SCORES), numbers(losses.softmax_loss(CLASSES, SCORES))
    )


def test_the_cost_of_the_notes_has_a_minus():
    """Printed as log softmax(z)_i = -0.407606."""
    assert float(losses.softmax_loss(np.array([2]), np.array([[1.0, 2.0, 3.0]]))[0]) == pytest.approx(
        0.4076059644443804
    )


def test_the_gradient_of_the_softmax_loss_is_softmax_minus_one_hot():
    slope = gradient(lambda f: losses.softmax_loss(CLASSES, f), SCORES)
    np.testing.assert_allclose(slope, softmax(SCORES, -1) - np.eye(5)[CLASSES], atol=1e-15)


@pytest.mark.parametrize("mode", MODES)
def test_huge_scores_neither_overflow_nor_lose_a_small_loss(mode):
    scores = np.array([[1000.0, 0.0], [-1000.0, 0.0], [1e5, 1e5 - 20.0]])
    found = in_mode(mode, losses.softmax_loss, np.array([0, 0, 0]), scores)
    np.testing.assert_allclose(found, [0.0, 1000.0, np.log1p(np.exp(-20))], rtol=1e-6)
    assert np.isfinite(gradient(lambda f: losses.softmax_loss(np.array([0, 0, 0]), f), scores)).all()


@pytest.mark.parametrize("mode", MODES)
def test_an_impossible_class_costs_nothing_unless_it_is_the_label(mode):
    scores = np.array([[0.0, -np.inf], [0.0, -np.inf]])
    assert in_mode(mode, losses.softmax_loss, np.array([0, 1]), scores).tolist() == [0.0, np.inf]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("label", [5, -1, 2**30])
def test_a_class_that_does_not_exist_is_nan_and_never_clamped(mode, label):
    labels = np.array([1, label], "int32")
    for loss in (losses.softmax_loss, lambda y, f: losses.top_k_ranking_loss(y, f, 2)):
        found = in_mode(mode, loss, labels, SCORES[:2])
        slope = in_mode(mode, functools.partial(slope_of, loss), labels, SCORES[:2])
        assert np.isfinite(found[0]) and np.isnan(found[1])
        assert np.isfinite(slope[0]).all() and np.isnan(slope[1]).any()


def test_a_fractional_class_is_nan():
    assert np.isnan(numbers(losses.softmax_loss(np.array([1.5]), SCORES[:1]))).all()


@pytest.mark.parametrize("row", [[0, 0, 0, 0, 0], [0.5, 0, 0, 0, 0], [2.0, -1.0, 0, 0, 0], [np.nan, 1, 0, 0, 0]])
def test_a_row_that_is_no_distribution_is_nan(row):
    assert np.isnan(numbers(losses.softmax_loss(np.array([row]), SCORES[:1]))).all()


def test_a_one_hot_row_of_a_class_that_does_not_exist_is_not_free():
    """one_hot(7, 5) is a row of zeros, which costs 0 in most libraries."""
    assert np.isnan(numbers(losses.softmax_loss(ops.one_hot([7], 5), SCORES[:1].astype("float32")))).all()


def test_more_classes_than_a_narrow_dtype_counts_are_refused():
    with pytest.raises(ValueError, match="Received: y.dtype=bfloat16"):
        losses.softmax_loss(ops.zeros((2,), "bfloat16"), ops.zeros((2, 300), "bfloat16"))
    losses.softmax_loss(ops.zeros((2,), "bfloat16"), ops.zeros((2, 257), "bfloat16"))


def test_a_byte_label_does_not_meet_class_256():
    found = numbers(losses.softmax_loss(np.array([0], "uint8"), np.arange(300.0)[None]))
    np.testing.assert_allclose(found, -log_softmax(np.arange(300.0))[0])


@pytest.mark.parametrize("mode", MODES)
def test_the_half_squared_loss_sums_over_the_vector(mode):
    y, f = RNG.normal(size=(3, 4)), RNG.normal(size=(3, 4))
    np.testing.assert_allclose(in_mode(mode, losses.half_squared_loss, y, f), ((y - f) ** 2).sum(-1) / 2, rtol=1e-15)
    np.testing.assert_allclose(gradient(lambda p: losses.half_squared_loss(y, p), f), f - y, rtol=1e-15)


def brute_top_k(label, scores, k):
    margins = [(j != label) + scores[j] - scores[label] for j in range(len(scores))]
    return max(0.0, sum(sorted(margins)[-k:]) / k)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("k", [1, 2, 3, 5])
def test_the_top_k_loss_is_the_mean_of_the_k_worst_margins(mode, k):
    expected = [brute_top_k(label, row, k) for label, row in zip(CLASSES, SCORES, strict=True)]
    found = in_mode(mode, lambda y, f: losses.top_k_ranking_loss(y, f, k), CLASSES, SCORES)
    np.testing.assert_allclose(found, expected, rtol=1e-14)
    one_hot = in_mode(mode, lambda y, f: losses.top_k_ranking_loss(y, f, k), np.eye(5)[CLASSES], SCORES)
    np.testing.assert_array_equal(one_hot, found)


def test_the_top_k_loss_bounds_the_top_k_error_and_falls_with_k():
    values = np.array([numbers(losses.top_k_ranking_loss(CLASSES, SCORES, k)) for k in range(1, 6)])
    assert (np.diff(values, axis=0) <= 1e-15).all()
    for k in range(1, 6):
        missed = np.array([label not in np.argsort(row)[-k:] for label, row in zip(CLASSES, SCORES, strict=True)])
        assert (values[k - 1] >= missed).all()


def test_the_top_k_loss_is_convex_along_a_segment():
    a, b = RNG.normal(size=(2, 50, 5)) * 2
    labels = RNG.integers(5, size=50)
    middle = numbers(losses.top_k_ranking_loss(labels, (a + b) / 2, 3))
    ends = numbers(losses.top_k_ranking_loss(labels, a, 3)) + numbers(losses.top_k_ranking_loss(labels, b, 3))
    assert (middle <= ends / 2 + 1e-12).all()


def test_soft_labels_and_nan_scores_have_no_top_k_loss():
    assert np.isnan(numbers(losses.top_k_ranking_loss(np.array([[0.5, 0.5]]), np.zeros((1, 2)), 1))).all()
    assert np.isnan(numbers(losses.top_k_ranking_loss(np.array([0]), np.array([[0.0, np.nan]]), 1))).all()


@pytest.mark.parametrize("mode", MODES)
def test_the_preference_loss_is_a_logistic_loss_of_the_difference(mode):
    a, b = np.array([0.5, 1000.0, -1000.0, 3.0]), np.array([0.0, -1000.0, 1000.0, 3.0])
    np.testing.assert_allclose(in_mode(mode, losses.preference_loss, a, b), np.logaddexp(0, b - a), rtol=1e-15)
    assert np.isfinite(gradient(lambda s: losses.preference_loss(s, b), a)).all()


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_the_dtype_of_the_scores_is_kept_and_gradients_are_finite(dtype):
    scores = ops.cast([[-1000.0, 0.0, 1000.0]], dtype)
    for loss in (
        lambda f: losses.logistic_loss([[1, -1, 1]], f),
        lambda f: losses.softmax_loss([0], f),
        lambda f: losses.softmax_loss([[0.5, 0.25, 0.25]], f),
        lambda f: losses.half_squared_loss([[-1000.0, 1.0, 999.0]], f),
        lambda f: losses.top_k_ranking_loss([0], f, 2),
        lambda f: losses.preference_loss(f, -f),
    ):
        assert keras.backend.standardize_dtype(loss(scores).dtype) == dtype
        assert np.isfinite(numbers(loss(scores))).all()
        assert np.isfinite(gradient(loss, scores)).all()


def test_python_numbers_keep_their_digits_in_float64():
    assert float(losses.half_squared_loss([[0.1]], np.array([[0.0]]))[0]) == 0.1**2 / 2


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: losses.logistic_loss(np.ones(3), np.ones((3, 1))), r"Received: \(3,\) and \(3, 1\)"),
        (lambda: losses.half_squared_loss(np.ones((3, 1)), np.ones((3, 2))), r"Received: \(3, 1\) and \(3, 2\)"),
        (lambda: losses.half_squared_loss(1.0, 1.0), r"Received: f.shape=\(\)"),
        (lambda: losses.softmax_loss(np.ones((3, 4)), np.ones((3, 5))), r"Received: \(3, 4\) and \(3, 5\)"),
        (lambda: losses.softmax_loss(np.ones(3), np.ones((3, 1))), r"at least 2 classes"),
        (lambda: losses.softmax_loss(np.ones((3, 2, 2)), np.ones((3, 5))), "rank 1"),
        (lambda: losses.top_k_ranking_loss(CLASSES, SCORES, 6), "Received: k=6"),
        (lambda: losses.top_k_ranking_loss(CLASSES, SCORES, 0), "Received: k=0"),
        (lambda: losses.preference_loss(np.ones(2), np.ones(3)), r"Received: \(2,\) and \(3,\)"),
    ],
)
def test_what_does_not_fit_is_refused_with_what_came(call, message):
    with pytest.raises(ValueError, match=message):
        call()
