"""The linear probe: scikit-learn's logistic regression on few labels, the same labels for every representation."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from keras_course.core.seeds import derive_seed
from keras_course.datasets import epoch_order, load
from keras_course.pipeline.linear_probe import (
    LinearProbe,
    accuracy_against_labels,
    linear_probe,
    logistic_regression,
    probe_of,
)

RNG = np.random.default_rng(0)
IRIS = load("iris")


@pytest.mark.parametrize("penalty", [0.1, 1.0, 5.0])
def test_logistic_regression_is_that_of_scikit_learn_at_its_minimum(penalty):
    linear_model = pytest.importorskip("sklearn.linear_model", reason="scikit-learn is the peer")
    peer = linear_model.LogisticRegression(C=1 / penalty, solver="newton-cholesky", tol=1e-10, max_iter=100)
    x, y = IRIS.train.x.astype("float64"), IRIS.train.y
    peer.fit(x, y)
    kernel, bias = logistic_regression(x, y, 3, penalty)
    assert np.allclose(kernel, peer.coef_.T, atol=2e-5)
    assert np.allclose(bias, peer.intercept_ - peer.intercept_.mean(), atol=2e-5)


def test_more_features_than_rows_give_the_same_scores_as_those_features_turned_into_few():
    x = RNG.normal(size=(6, 40))
    y = np.array([0, 1, 2, 0, 1, 2])
    kernel, bias = logistic_regression(x, y, 3)
    left, scale, right = np.linalg.svd(x, full_matrices=False)
    few, few_bias = logistic_regression(left * scale, y, 3)
    assert np.allclose(kernel, right.T @ few, atol=1e-5) and np.allclose(bias, few_bias, atol=1e-5)


def test_slopes_are_zero_at_the_minimum_and_the_bias_sums_to_zero():
    x, y = IRIS.train.x[:30].astype("float64"), IRIS.train.y[:30]
    kernel, bias = logistic_regression(x, y, 3, 0.5)
    scores = x @ kernel + bias
    probabilities = np.exp(scores) / np.exp(scores).sum(1, keepdims=True)
    assert np.abs(x.T @ (probabilities - np.eye(3)[y]) + 0.5 * kernel).max() < 1e-5
    assert abs(bias.sum()) < 1e-12


def test_answers_do_not_change_with_a_shift_a_rotation_or_a_scale_of_the_features():
    train, test = IRIS.train, IRIS.test
    rotation = np.linalg.qr(RNG.normal(size=(4, 4)))[0]
    plain = linear_probe(train.x, train.y, test.x, test.y, draws=3)
    turned = linear_probe(100 * train.x @ rotation - 3, train.y, 100 * test.x @ rotation - 3, test.y, draws=3)
    assert np.array_equal(plain.accuracy, turned.accuracy) and plain.clusterability == turned.clusterability


def test_a_label_seen_in_a_small_draw_is_seen_in_a_larger_one():
    """With all features of a class alike but one, the classifier tells which of them it saw."""
    order = epoch_order(derive_seed(4, "labels"), 0, 60)
    y = np.arange(60) % 3
    small, large = (
        {int(row) for label in range(3) for row in [i for i in order if y[i] == label][:count]} for count in (1, 5)
    )
    assert small < large
    x = np.eye(60)
    seen = {}
    for count in (1, 5):
        probe = linear_probe(x, y, x[sorted(large)], y[sorted(large)], per_class=(count,), draws=2, seed=4)
        seen[count] = probe.accuracy[0, 0]
    assert seen[5] == 1.0 and seen[1] < 1.0


def test_mean_and_standard_error_are_those_of_the_draws():
    probe = linear_probe(IRIS.train.x, IRIS.train.y, IRIS.test.x, IRIS.test.y, draws=4)
    assert probe.accuracy.shape == (3, 4)
    assert np.allclose(probe.standard_error, np.std(probe.accuracy, axis=1, ddof=1) / 2)
    metrics = probe.metrics()
    assert (
        metrics["probe_accuracy_5"] == probe.mean[1] and metrics["probe_standard_error_10"] == probe.standard_error[2]
    )
    again = probe_of(lambda x: x, IRIS, draws=4)
    assert np.array_equal(again.accuracy, probe.accuracy)


def test_noise_is_worth_chance_and_the_class_itself_is_worth_everything():
    y = np.arange(300) % 3
    noise = RNG.normal(size=(300, 5))
    assert abs(linear_probe(noise, y, noise[::-1] * 0.5, y, per_class=(5,)).mean[0] - 1 / 3) < 0.12
    one_hot = np.eye(3)[y]
    assert linear_probe(one_hot, y, one_hot, y, per_class=(1,)).mean[0] == 1.0


def test_the_figure_has_a_line_for_each_representation():
    probes = {name: LinearProbe((1, 5), RNG.uniform(size=(2, 3)), 0.5) for name in ("pixels", "trunk")}
    figure = accuracy_against_labels(probes, "digits")
    assert isinstance(figure, Figure)
    assert [text.get_text().split()[0] for text in figure.axes[0].get_legend().get_texts()] == ["pixels", "trunk"]


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"draws": 1}, r"2 draws or more.*draws=1"),
        ({"per_class": (50,)}, r"as many training rows as labels.*per_class=\(50,\)"),
        ({"per_class": ()}, r"per_class=\(\)"),
    ],
)
def test_too_few_rows_or_draws_are_refused_with_what_came(how, message):
    with pytest.raises(ValueError, match=message):
        linear_probe(IRIS.train.x, IRIS.train.y, IRIS.test.x, IRIS.test.y, **how)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([[0.0], [1.0]], [0, 2], 2), "labels from 0 to 2"),
        (([[0.0], [1.0]], [0], 2), r"labels.shape=\(1,\)"),
        (([[0.0], [1.0]], [0, 1], 2, 0.0), "penalty=0.0"),
    ],
)
def test_a_regression_that_makes_no_sense_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        logistic_regression(*arguments)
