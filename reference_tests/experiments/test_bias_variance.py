"""Bias, variance and noise add up to the expected error, for every linear estimator and every noise."""

import itertools

import numpy as np
import pytest
from matplotlib.figure import Figure
from sklearn.linear_model import Ridge

from keras_course.experiments.bias_variance import (
    Config,
    legendre_features,
    linear_smoother,
    run,
    split_of_the_error,
    training_error,
)


@pytest.fixture(scope="module")
def table():
    return run(Config.tiny())


def test_a_tiny_run_repeats_exactly_and_draws_its_figure(table):
    assert run(Config.tiny()).to_csv() == table.to_csv()
    assert isinstance(table.figure(), Figure)
    assert table.headline and np.all(np.isfinite(list(table.headline.values())))


def test_the_parts_add_up_and_real_training_sets_agree(table):
    total = table["squared_bias"] + table["variance"] + table["noise"]
    np.testing.assert_allclose(table["expected_error"], total, rtol=1e-14)
    assert np.all(np.abs(table["measured_error"] - table["expected_error"]) < 4 * table["deviation"])
    np.testing.assert_allclose(table["training_error"], table["expected_training_error"], rtol=0.03)


def test_the_risk_is_a_u_while_the_training_error_only_falls(table):
    for model in ("degree", "ridge"):
        rows = table.where(model=model)
        order = np.argsort(rows["parameters"])
        assert np.all(np.diff(rows["squared_bias"][order]) < 0) and np.all(np.diff(rows["variance"][order]) > 0)
        best = rows["expected_error"][order].argmin()
        assert 0 < best < len(order) - 1
        assert np.all(np.diff(rows["expected_training_error"][order]) < 0)


def test_free_parameters_are_those_of_the_polynomial(table):
    rows = table.where(model="degree")
    np.testing.assert_allclose(rows["parameters"], rows["capacity"] + 1, rtol=1e-12)


def test_on_the_training_inputs_the_variance_is_the_parameters_over_the_examples():
    features = legendre_features(np.linspace(-1, 1, 12), 4)
    smoother = linear_smoother(features, features)
    found = split_of_the_error(smoother, np.zeros(12), np.zeros(12), 0.5)
    assert float(found["variance"]) == pytest.approx(0.25 * 5 / 12, rel=1e-12)
    assert float(training_error(smoother, np.zeros(12), 0.5)) == pytest.approx(0.25 * (1 - 5 / 12), rel=1e-12)


@pytest.mark.parametrize("strength", [0.0, 0.3])
def test_the_split_is_the_mean_over_every_noise(strength):
    rng = np.random.default_rng(1)
    features, test_features = rng.normal(size=(6, 3)), rng.normal(size=(4, 3))
    clean, clean_test, sigma = rng.normal(size=6), rng.normal(size=4), 0.7
    predictions, on_training = [], []
    for signs in itertools.product((-sigma, sigma), repeat=6):
        targets = clean + signs
        w = np.linalg.solve(features.T @ features + strength * np.eye(3), features.T @ targets)
        predictions.append(test_features @ w)
        on_training.append(np.mean((features @ w - targets) ** 2))
    predictions = np.array(predictions)
    smoother = linear_smoother(features, test_features, strength)
    found = split_of_the_error(smoother, clean, clean_test, sigma)
    assert float(found["squared_bias"]) == pytest.approx(np.mean((predictions.mean(0) - clean_test) ** 2))
    assert float(found["variance"]) == pytest.approx(predictions.var(0).mean())
    assert float(found["expected_error"]) == pytest.approx(np.mean((predictions - clean_test) ** 2) + sigma**2)
    at_train = linear_smoother(features, features, strength)
    assert float(training_error(at_train, clean, sigma)) == pytest.approx(np.mean(on_training))


def test_the_smoother_predicts_as_scikit_learn_does():
    rng = np.random.default_rng(2)
    features, test_features, y = rng.normal(size=(20, 5)), rng.normal(size=(7, 5)), rng.normal(size=20)
    model = Ridge(alpha=0.4, fit_intercept=False).fit(features, y)
    smoother = np.asarray(linear_smoother(features, test_features, 0.4))
    np.testing.assert_allclose(smoother @ y, model.predict(test_features), rtol=1e-9)


def test_the_features_are_numpys_legendre_polynomials_and_orthonormal():
    x, weights = np.polynomial.legendre.leggauss(20)
    features = np.asarray(legendre_features(x, 8))
    np.testing.assert_allclose(features, np.polynomial.legendre.legvander(x, 8) * np.sqrt(2 * np.arange(9) + 1))
    np.testing.assert_allclose(features.T @ (weights[:, None] / 2 * features), np.eye(9), atol=1e-13)
    assert legendre_features(x, 0).shape == (20, 1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"examples": 0}, "examples=0"),
        ({"noise": -0.1}, "noise=-0.1"),
        ({"degrees": ()}, r"degrees=\(\)"),
        ({"degrees": (30,)}, r"degrees=\(30,\), examples=30"),
        ({"strengths": (0.0,)}, r"strengths=\(0.0,\)"),
        ({"trials": 0}, "trials=0"),
    ],
)
def test_a_bad_setting_is_refused_with_what_came(arguments, message):
    with pytest.raises(ValueError, match=message):
        Config(**arguments)


def test_bad_arguments_are_refused_with_what_came():
    with pytest.raises(ValueError, match="degree=-1"):
        legendre_features(np.zeros(3), -1)
    with pytest.raises(ValueError, match=r"shape=\(3, 1\)"):
        legendre_features(np.zeros((3, 1)), 2)
    with pytest.raises(ValueError, match="strength=-1.0"):
        linear_smoother(np.ones((3, 1)), np.ones((2, 1)), -1.0)
