"""The recipes of the first chapters run, end where they should, and beat what they are compared with."""

import numpy as np
import pytest

from keras_course.datasets import load
from keras_course.pipeline.fit import fit
from keras_course.recipes import perceptrons


@pytest.mark.parametrize(
    "name", ("perceptron", "linear_regression", "logistic_regression", "softmax_regression", "mlp", "backprop")
)
def test_a_tiny_run_writes_figures_export_and_metrics(name, tmp_path):
    fitted = fit(getattr(perceptrons, name)(), out=tmp_path / "run", tiny=True, progress=False)
    assert all(np.isfinite(value) for value in fitted.metrics["test"].values())
    assert len(fitted.figures) == len(fitted.recipe.figures)
    assert set(fitted.baseline.metrics) <= set(fitted.metrics["test"])
    assert (fitted.export / "saved_model.pb").is_file()


def test_the_perceptron_run_ends_by_itself_and_reaches_its_floor(tmp_path):
    fitted = fit(perceptrons.perceptron(), out=tmp_path / "run", progress=False)
    assert fitted.history["mistakes"][-1] == 0 and len(fitted.history["mistakes"]) < fitted.recipe.epochs
    assert fitted.metrics["test"]["accuracy"] >= fitted.recipe.floor["accuracy"] > fitted.baseline.metrics["accuracy"]


def test_signed_labels_keep_every_sample_and_its_class():
    iris = load("iris")
    signed = perceptrons.first_class_against_the_rest(iris)
    for before, after in ((iris.train, signed.train), (iris.validation, signed.validation), (iris.test, signed.test)):
        assert np.array_equal(after.y[:, 0] == 1, before.y == 0) and set(np.unique(after.y)) == {-1.0, 1.0}
    assert signed.spec.class_names == ("not setosa", "setosa")


def test_baselines_are_what_their_names_say():
    iris, diabetes = load("iris"), load("diabetes")
    name, measured = perceptrons.majority_class(iris, 0)
    commonest = np.bincount(iris.train.y).argmax()
    assert name == "majority class" and measured["accuracy"] == np.mean(iris.test.y == commonest)
    assert perceptrons.mean_target(diabetes, 0).metrics["r2"] == pytest.approx(0, abs=0.05)


def test_shares_sum_to_one():
    shares = perceptrons.shares(np.array([[0.2, 0.6], [0.0, 0.0]], "float32"))
    np.testing.assert_allclose(shares, [[0.25, 0.75], [0, 0]], rtol=1e-6)
