"""Precision, recall, F-measure, costs: against scikit-learn and by counting."""

import numpy as np
import pytest
from keras import ops
from sklearn.metrics import fbeta_score
from sklearn.metrics import precision_recall_curve as sklearn_curve

from keras_course.ops.detection import (
    accuracy,
    average_over_classes,
    contingency,
    cost_threshold,
    f_beta,
    precision,
    quotient,
    recall,
    total_cost,
)
from keras_course.ops.threshold_curves import (
    average_precision,
    average_precision_bounds,
    count_between_thresholds,
    coverage_curve,
    precision_recall_curve,
    sums_from_the_top,
    threshold_grid,
    trapezoidal_area,
)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def test_the_table_counts_every_pair_of_truth_and_decision_once(rng):
    y, d, w = rng.integers(0, 3, 50), rng.integers(0, 3, 50), rng.uniform(0.5, 2.0, 50)
    table = np.array(contingency(y, d, 3, w))
    for k in range(3):
        true, chosen = y == k, d == k
        by_hand = [w[true & chosen].sum(), w[~true & chosen].sum(), w[true & ~chosen].sum(), w[~true & ~chosen].sum()]
        np.testing.assert_allclose(table[:, k], by_hand, rtol=1e-12)
    np.testing.assert_allclose(table.sum(0), w.sum(), rtol=1e-12)


@pytest.mark.parametrize("beta", [0.0, 0.5, 1.0, 2.0, 10.0])
def test_f_beta_is_the_weighted_harmonic_mean_as_printed(beta):
    tp, fp, fn = 7.0, 5.0, 2.0
    pi, rho = np.float64(tp / (tp + fp)), np.float64(tp / (tp + fn))
    printed = (1 + beta**2) * pi * rho / (beta**2 * pi + rho)
    assert float(f_beta(np.float64(tp), np.float64(fp), np.float64(fn), beta)) == pytest.approx(printed, rel=1e-14)
    truth, chosen = [1] * 9 + [0] * 5, [1] * 7 + [0] * 2 + [1] * 5
    theirs = fbeta_score(truth, chosen, beta=beta) if beta else pi
    assert printed == pytest.approx(theirs, rel=1e-14)


def test_beta_zero_is_precision_and_a_huge_beta_is_recall():
    counts = (np.float64(3), np.float64(4), np.float64(9))
    assert float(f_beta(*counts, beta=0.0)) == float(precision(counts[0], counts[1]))
    assert float(f_beta(*counts, beta=1e6)) == pytest.approx(float(recall(counts[0], counts[2])), rel=1e-11)


def test_nothing_over_nothing_is_what_the_caller_says():
    for value in (0, 1):
        assert float(precision(0.0, 0.0, value)) == float(recall(0.0, 0.0, value)) == value
        assert float(f_beta(0.0, 0.0, 0.0, 1.0, value)) == value
    assert np.isnan(float(quotient(0.0, 0.0, "nan")))
    assert float(f_beta(0.0, 0.0, 5.0, 1.0, 1)) == 0.0  # misses alone are no 0/0
    with pytest.raises(ValueError, match="zero_division=2"):
        quotient(0.0, 0.0, 2)


def test_accuracy_is_the_share_of_right_decisions(rng):
    y, d = rng.integers(0, 2, 40), rng.integers(0, 2, 40)
    assert float(accuracy(*(count[1] for count in contingency(y, d, 2)))) == pytest.approx(np.mean(y == d))


def test_averages_leave_out_what_is_undefined():
    scores, support = np.array([0.5, np.nan, 1.0]), np.array([1.0, 0.0, 3.0])
    assert float(average_over_classes(scores, support, "macro")) == 0.75
    assert float(average_over_classes(scores, support, "weighted")) == 0.875
    assert np.isnan(float(average_over_classes(np.array([np.nan]), np.ones(1), "macro")))


def test_the_cost_is_the_sum_of_the_table_times_the_counts(rng):
    y, d, costs = rng.integers(0, 3, 60), rng.integers(0, 3, 60), rng.normal(size=(3, 3))
    counts = np.zeros((3, 3))
    np.add.at(counts, (y, d), 1.0)
    assert float(total_cost(y, d, costs)) == pytest.approx((counts * costs).sum(), rel=1e-12)
    assert float(total_cost(y, d, costs.T)) != pytest.approx((counts * costs).sum())  # truth in rows, not in columns


def test_no_threshold_costs_less_than_the_one_from_the_costs():
    p = np.linspace(0.005, 0.995, 100)  # an example for each probability, weighted by it
    for alarm, miss in ((10.0, 1.0), (1.0, 3.0), (2.0, 2.0)):
        grid = np.linspace(0, 1, 101)
        expected = [np.where(p >= t, (1 - p) * alarm, p * miss).sum() for t in grid]
        best = float(cost_threshold(np.float64(alarm), np.float64(miss)))
        assert np.where(p >= best, (1 - p) * alarm, p * miss).sum() <= min(expected) + 1e-12
    with pytest.raises(ValueError, match="false_positive=-1"):
        cost_threshold(-1.0, 2.0)


@pytest.mark.parametrize("weighted", [False, True])
def test_the_exact_curve_is_the_curve_of_scikit_learn(weighted, rng):
    y, s = rng.integers(0, 2, 60), np.round(rng.uniform(size=60), 1)  # many ties
    w = rng.uniform(0.5, 2.0, 60) if weighted else None
    pi, rho, t = map(np.asarray, precision_recall_curve(y, s, w))
    kept = np.unique(t, return_index=True)[1]
    their_pi, their_rho, their_t = sklearn_curve(y, s, sample_weight=w)
    np.testing.assert_array_equal(t[kept], their_t)
    np.testing.assert_allclose(pi[kept], their_pi[:-1], rtol=1e-12)
    np.testing.assert_allclose(rho[kept], their_rho[:-1], rtol=1e-12)


def test_areas_are_those_of_scikit_learn(rng):
    from sklearn.metrics import auc, average_precision_score

    for _ in range(5):
        y, s = rng.integers(0, 2, 40), np.round(rng.uniform(size=40), 1)
        pi, rho, _ = precision_recall_curve(y, s)
        assert float(average_precision(pi, rho)) == pytest.approx(average_precision_score(y, s), rel=1e-12)
        theirs = sklearn_curve(y, s)
        assert float(trapezoidal_area(pi, rho)) == pytest.approx(auc(theirs[1], theirs[0]), rel=1e-12)


def test_only_the_order_of_the_scores_counts(rng):
    y, s = rng.integers(0, 2, 50), rng.normal(size=50)
    before, after = (precision_recall_curve(y, scores)[:2] for scores in (s, np.exp(3 * s)))
    np.testing.assert_array_equal(before, after)
    turned = precision_recall_curve(y, -s)[0]
    assert not np.allclose(turned, before[0])


def test_coverage_rises_and_full_coverage_has_the_plain_accuracy(rng):
    right, confidence = rng.integers(0, 2, 30), np.round(rng.uniform(size=30), 1)
    coverage, share, t = map(np.asarray, coverage_curve(right, confidence))
    for c, a, threshold in zip(coverage, share, t, strict=True):
        chosen = confidence >= threshold
        assert c == pytest.approx(chosen.mean()) and a == pytest.approx(right[chosen].mean())
    assert np.all(np.diff(coverage) >= 0) and coverage[-1] == 1.0 and share[-1] == pytest.approx(right.mean())


def test_intervals_of_the_grid_are_closed_below():
    grid = [0.25, 0.5, 1.0]
    counts = count_between_thresholds(np.array([0.2, 0.25, 0.4, 0.5, 1.0, 7.0, np.nan]), np.ones(7), grid)
    np.testing.assert_array_equal(counts, [2, 2, 1, 2])
    np.testing.assert_array_equal(sums_from_the_top(counts), [2, 3, 5])


def test_the_half_precision_grid_holds_every_half_of_the_unit_interval(rng):
    grid = threshold_grid("float16")
    assert len(grid) == 15361 and grid[0] == 0.0 and grid[-1] == 1.0
    halves = rng.uniform(size=1000).astype("float16").astype("float64")
    assert np.isin(halves, grid).all()
    for wrong in (1, True, "float32", [], [0.5, 0.5], [0.1, np.inf], 0.5, None):
        with pytest.raises(ValueError, match="grid of thresholds"):
            threshold_grid(wrong)


def test_the_bounds_hold_the_average_precision_of_every_order_within_intervals(rng):
    from sklearn.metrics import average_precision_score

    grid = np.array([0.0, 0.3, 0.6])
    for _ in range(20):
        y, s = rng.integers(0, 2, 25), rng.uniform(size=25)
        between = [np.flip(count_between_thresholds(s, (y == k).astype(float), grid)) for k in (1, 0)]
        lower, upper = map(float, average_precision_bounds(*between))
        assert lower - 1e-12 <= average_precision_score(y, s) <= upper + 1e-12
    assert float(ops.sum(between[0])) == y.sum()
