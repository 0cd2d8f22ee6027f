"""Precision, Recall, FBeta, PRCurve, TotalCost, Coverage: streaming, weighted, equal to scikit-learn."""

import warnings

import keras
import numpy as np
import pytest
from sklearn.metrics import (
    auc,
    average_precision_score,
    precision_recall_curve,
    precision_recall_fscore_support,
)

from keras_course.metrics import Coverage, FBeta, PRCurve, Precision, Recall, TotalCost


@pytest.fixture
def rng():
    return np.random.default_rng(1)


def measured(metric, *arrays, batch=7):
    """The metric after the arrays, in batches of 7."""
    for start in range(0, len(arrays[0]), batch):
        metric.update_state(*(array[start : start + batch] for array in arrays))
    return metric


def triple(**options):
    beta = options.pop("beta", 1.0)
    return Precision(**options), Recall(**options), FBeta(beta=beta, **options)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("average", [None, "micro", "macro", "weighted"])
def test_several_classes_in_batches_are_those_of_scikit_learn(average, weighted, rng):
    y, scores = rng.integers(0, 4, 90), rng.normal(size=(90, 4))
    scores[:, 3] -= 9.0  # class 3 is never chosen: its precision is 0/0
    w = rng.uniform(0.5, 2.0, 90) if weighted else np.ones(90)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = precision_recall_fscore_support(
            y, scores.argmax(1), beta=2.0, labels=range(4), average=average, sample_weight=w, zero_division=0
        )
    for metric, expected in zip(triple(classes=4, average=average, beta=2.0, dtype="float64"), theirs, strict=False):
        np.testing.assert_allclose(measured(metric, y, scores, w).result(), expected, rtol=1e-12)


@pytest.mark.parametrize("zero_division", [0, 1, "nan"])
def test_nothing_over_nothing_is_that_of_scikit_learn(zero_division):
    y, d = np.array([0, 0, 1]), np.array([0, 1, 1])  # class 2: neither there nor chosen
    theirs = precision_recall_fscore_support(y, d, labels=range(3), average="macro", zero_division=float(zero_division))
    for metric, expected in zip(triple(classes=3, zero_division=zero_division), theirs, strict=False):
        assert float(measured(metric, y, d).result()) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(("zero_division", "expected"), [(0, 0.0), (1, 1.0), ("nan", np.nan)])
def test_a_detector_that_never_detects_has_the_precision_one_asks_for(zero_division, expected):
    y, silent = np.array([1, 0, 0, 0]), np.zeros(4)
    found, missed, both = triple(zero_division=zero_division)
    np.testing.assert_equal(float(measured(found, y, silent).result()), expected)
    assert float(measured(missed, y, silent).result()) == float(measured(both, y, silent).result()) == 0.0


def test_the_threshold_itself_detects_and_signs_are_labels_too():
    metric = Precision(threshold=0.0)
    metric.update_state([[-1.0], [1.0], [1.0]], [[0.0], [0.0], [-0.1]])
    assert float(metric.result()) == 0.5


def test_a_binary_metric_is_class_one_of_two(rng):
    y, s = rng.integers(0, 2, 50), rng.uniform(size=50)
    both = np.stack([1 - s, s], 1)
    for one, two in zip(triple(), triple(classes=2, average=None), strict=True):
        assert float(measured(one, y, s).result()) == pytest.approx(float(measured(two, y, both).result()[1]))


@pytest.mark.parametrize("weighted", [False, True])
def test_on_the_grid_the_areas_are_those_of_scikit_learn(weighted, rng):
    y, s = rng.integers(0, 2, 200), rng.integers(0, 65, 200) / 64
    w = rng.uniform(0.5, 2.0, 200) if weighted else np.ones(200)
    steps = measured(PRCurve(thresholds=65, dtype="float64"), y, s, w)
    lines = measured(PRCurve(thresholds=65, area="trapezoid", dtype="float64"), y, s, w)
    assert float(steps.result()) == pytest.approx(average_precision_score(y, s, sample_weight=w), rel=1e-12)
    their_precision, their_recall, _ = precision_recall_curve(y, s, sample_weight=w)
    assert float(lines.result()) == pytest.approx(auc(their_recall, their_precision), rel=1e-12)


def test_half_precision_scores_lose_nothing(rng):
    y, s = rng.integers(0, 2, 500), rng.beta(0.3, 0.3, 500).astype("float16")
    metric = measured(PRCurve(thresholds="float16", dtype="float64"), y, s, batch=33)
    assert float(metric.result()) == pytest.approx(average_precision_score(y, s), rel=1e-12)


def test_every_point_is_exact_at_its_threshold_for_any_scores(rng):
    y, s = rng.integers(0, 2, 300), rng.uniform(size=300)
    metric = measured(PRCurve(thresholds=21, dtype="float64"), y, s)
    for precision, recall, threshold in zip(*map(np.asarray, metric.points()), strict=True):
        chosen = s >= threshold
        assert precision == pytest.approx(y[chosen].mean() if chosen.any() else 1.0)
        assert recall == pytest.approx(y[chosen].sum() / y.sum())
    floored = metric.grid[np.searchsorted(metric.grid, s, side="right") - 1]
    assert float(metric.result()) == pytest.approx(average_precision_score(y, floored), rel=1e-12)


def test_the_bounds_hold_the_area_of_the_raw_scores_and_close_as_the_grid_gets_finer(rng):
    y = rng.integers(0, 2, 400)
    s = np.clip(0.3 * y + rng.uniform(size=400) * 0.7, 0, 1)
    truth, gaps = average_precision_score(y, s), []
    for thresholds in (11, 101, 1001):
        lower, upper = map(float, measured(PRCurve(thresholds=thresholds, dtype="float64"), y, s).bounds())
        assert lower - 1e-12 <= truth <= upper + 1e-12
        gaps.append(upper - lower)
    assert gaps[0] > gaps[1] > gaps[2] and gaps[2] < 0.02


def test_one_class_of_several_has_its_own_curve(rng):
    y, logits = rng.integers(0, 3, 200), rng.normal(size=(200, 3))
    logits[np.arange(200), y] += 1.0
    softmax = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    metric = measured(PRCurve(thresholds="float16", class_id=2, from_logits=True, dtype="float64"), y, logits)
    floored = metric.grid[np.searchsorted(metric.grid, softmax[:, 2], side="right") - 1]
    assert float(metric.result()) == pytest.approx(average_precision_score(y == 2, floored), rel=1e-12)
    lower, upper = map(float, metric.bounds())
    assert lower - 1e-12 <= average_precision_score(y == 2, softmax[:, 2]) <= upper + 1e-12
    with pytest.raises(ValueError, match="score of class 2"):
        metric.update_state([0], [[0.5, 0.5]])


def test_a_curve_without_positives_or_without_data_has_area_zero():
    assert float(PRCurve().result()) == 0.0
    assert float(measured(PRCurve(), np.zeros(3), np.array([0.1, 0.5, 0.9])).result()) == 0.0


def test_costs_by_class_and_by_threshold_are_sums_over_the_mistakes(rng):
    y, s = rng.integers(0, 2, 100), rng.uniform(size=100)
    alarms, misses = np.sum((s >= 0.9) & (y == 0)), np.sum((s < 0.9) & (y == 1))
    metric = measured(TotalCost([[0, 10], [1, 0]], threshold=0.9), y, s)
    assert float(metric.result()) == 10 * alarms + misses
    scores, costs = rng.normal(size=(100, 3)), rng.integers(0, 9, (3, 3)).tolist()
    labels = rng.integers(0, 3, 100)
    mean = measured(TotalCost(costs, mean=True), labels, scores)
    by_hand = np.mean([costs[truth][choice] for truth, choice in zip(labels, scores.argmax(1), strict=True)])
    assert float(mean.result()) == pytest.approx(by_hand, rel=1e-6)
    assert float(TotalCost(costs, mean=True).result()) == 0.0


def test_coverage_is_the_most_that_can_be_answered_at_the_wanted_accuracy(rng):
    y, logits = rng.integers(0, 3, 300), rng.normal(size=(300, 3))
    logits[np.arange(300), y] += 1.5
    p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    confidence, right = p.max(1), p.argmax(1) == y
    for wanted in (0.7, 0.9, 1.0):
        metric = measured(Coverage(accuracy=wanted, thresholds=101, from_logits=True, dtype="float64"), y, logits)
        sets = [confidence >= t for t in np.arange(101) / 100]
        best = max((chosen.mean() for chosen in sets if chosen.any() and right[chosen].mean() >= wanted), default=0.0)
        assert float(metric.result()) == pytest.approx(best)
    coverage, accuracy, thresholds = map(np.asarray, metric.points())
    assert np.all(np.diff(coverage) >= 0) and coverage[-1] == 1.0 and accuracy[-1] == pytest.approx(right.mean())


def test_refusing_everything_is_fully_accurate_by_convention_and_covers_nothing():
    y, p = np.array([0, 1]), np.array([[0.6, 0.4], [0.7, 0.3]])
    for zero_division, expected in ((1, 1.0), (0, 0.0), ("nan", np.nan)):
        metric = measured(Coverage(accuracy=1.0, thresholds=[0.9], zero_division=zero_division), y, p)
        coverage, accuracy, _ = metric.points()
        np.testing.assert_equal([float(coverage[0]), float(accuracy[0])], [0.0, expected])
        assert float(metric.result()) == 0.0


def test_a_binary_score_is_as_confident_as_its_larger_side():
    metric = measured(Coverage(accuracy=1.0, thresholds=11), np.array([0, 1, 1]), np.array([0.05, 0.95, 0.4]))
    assert float(metric.result()) == pytest.approx(2 / 3)


def test_a_model_reports_them_for_any_batch_size(rng):
    x = rng.normal(size=(103, 4)).astype("float32")
    y = (x[:, 0] > 0.8).astype("int32")
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1, activation="sigmoid")])
    model.compile(
        loss="binary_crossentropy", metrics=[Precision(), Recall(), FBeta(beta=2.0), PRCurve(), Coverage(0.6)]
    )
    results = [model.evaluate(x, y[:, None], batch_size=size, verbose=0, return_dict=True) for size in (103, 20, 1)]
    for name in ("precision", "recall", "f_beta", "pr_area", "coverage"):
        assert results[0][name] == pytest.approx(results[1][name]) == pytest.approx(results[2][name])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Precision(classes=0), "classes=0"),
        (lambda: Recall(average="mean"), "average='mean'"),
        (lambda: FBeta(beta=-1.0), "beta=-1.0"),
        (lambda: Precision(zero_division=0.5), "zero_division=0.5"),
        (lambda: Precision(threshold=float("nan")), "threshold=nan"),
        (lambda: Precision().update_state([0, 1], [[0.1, 0.9], [0.2, 0.8]]), "shape=(2, 2)"),
        (lambda: Precision(classes=3).update_state([0, 1], [[0.1, 0.9], [0.2, 0.8]]), "shape=(2, 2)"),
        (lambda: PRCurve(thresholds=1), "thresholds=1"),
        (lambda: PRCurve(area="square"), "area='square'"),
        (lambda: TotalCost([[0, 1]]), "costs=[[0, 1]]"),
        (lambda: TotalCost([[0, 1, 1], [1, 0, 1], [1, 1, 0]]).update_state([0], [0.5]), "shape=(1,)"),
        (lambda: Coverage(accuracy=0.0), "accuracy=0.0"),
    ],
)
def test_wrong_arguments_are_refused_with_what_came(make, message):
    with pytest.raises(ValueError) as caught:
        make()
    assert message in str(caught.value)
