"""Learning curves over the size of the training set, and the advice they give."""

import keras
import numpy as np
import pytest

from keras_course.datasets import Split
from keras_course.pipeline.cross_validation import keras_scorer
from keras_course.pipeline.learning_curve import LearningCurve, learning_curve, learning_curve_figure


def noisy_line(n, features, seed):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, features))
    return Split(x, x @ np.ones(features) + 0.5 * rng.normal(size=n))


def polynomial(order):
    """Least squares on powers of the first feature or, for order 1, on all features."""

    def scorer(train, held_out, seed):
        design = (lambda x: x) if order else (lambda x: np.ones((len(x), 1)))
        weights = np.linalg.lstsq(design(train.x), train.y, rcond=None)[0]
        errors = {"train_mse": train, "mse": held_out}
        return {name: np.mean((design(part.x) @ weights - part.y) ** 2) for name, part in errors.items()}

    return scorer


def test_training_error_rises_and_validation_error_falls_to_the_noise():
    train, validation = noisy_line(400, 10, 0), noisy_line(2000, 10, 1)
    curve = learning_curve(polynomial(1), train, validation, [12, 25, 50, 100, 400], repeats=5)
    assert isinstance(curve, LearningCurve) and curve.scores["mse"].shape == (5, 5)
    assert np.all(np.diff(curve.mean("train_mse")) > 0) and np.all(np.diff(curve.mean("mse")) < 0)
    assert curve.mean("mse")[-1] == pytest.approx(0.25, abs=0.02)
    n = curve.sizes[2:]  # least squares: E[training error] = noise (1 - d / n)
    np.testing.assert_allclose(curve.mean("train_mse")[2:], 0.25 * (1 - 10 / n), rtol=0.25)


def test_the_advice_is_more_data_in_the_gap_and_more_capacity_without_one():
    train, validation = noisy_line(200, 10, 0), noisy_line(2000, 10, 1)
    few = learning_curve(polynomial(1), train, validation, [13])
    assert few.advice("mse", wanted=0.3) == "data"
    assert learning_curve(polynomial(0), train, validation, [200]).advice("mse", wanted=0.3) == "capacity"
    assert learning_curve(polynomial(1), train, validation, [200]).advice("mse", wanted=0.3) == "done"


def test_small_sets_lie_within_large_ones_and_repeats_differ():
    seen = []
    rows = Split(np.arange(20.0)[:, None], np.zeros(20))
    learning_curve(lambda train, held_out, seed: seen.append(set(train.x[:, 0])) or 0.0, rows, rows, [3, 9], repeats=2)
    assert seen[0] < seen[1] and seen[2] < seen[3] and seen[0] != seen[2]


def test_a_keras_scorer_reports_training_scores_if_asked():
    def build(seed):
        model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        model.compile(keras.optimizers.SGD(0.1), "mse")
        return model

    rows = Split(np.ones((8, 2), "float32"), np.zeros((8, 1), "float32"))
    curve = learning_curve(keras_scorer(build, epochs=2, training=True), rows, rows, [8])
    assert curve.scores["loss"] == pytest.approx(curve.scores["train_loss"])
    assert len(learning_curve_figure(curve, "loss", wanted=0.1).axes[0].lines) == 3


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda rows: learning_curve(polynomial(1), rows, rows, [5, 3]), r"sizes=\[5, 3\]"),
        (lambda rows: learning_curve(polynomial(1), rows, rows, [11]), r"sizes=\[11\]"),
        (lambda rows: learning_curve(polynomial(1), rows, rows, [5], repeats=0), "repeats=0"),
        (lambda rows: LearningCurve(np.array([1]), {"mse": np.ones((1, 1))}).advice("mse", 1.0), "train_mse"),
        (lambda rows: learning_curve_figure(LearningCurve(np.array([1]), {}), "mse"), "name='mse'"),
    ],
)
def test_wrong_arguments_are_refused_with_what_came(call, message):
    with pytest.raises(ValueError, match=message):
        call(noisy_line(10, 2, 0))
