"""The recipes of regularization run, and their data are what they say."""

import numpy as np
import pytest

from keras_course.datasets import load
from keras_course.models.regularized import DropoutMLP
from keras_course.pipeline.fit import fit
from keras_course.pipeline.recipe import Baseline
from keras_course.recipes import regularization


@pytest.mark.parametrize("name", ["dropout", "parameter_tying"])
def test_a_tiny_run_writes_figures_export_and_metrics(name, tmp_path, monkeypatch):
    monkeypatch.setattr(regularization, "_measured", lambda *args: {"accuracy": 0.5, "loss": 1.0})
    fitted = fit(getattr(regularization, name)(), out=tmp_path / "run", tiny=True, progress=False)
    assert all(np.isfinite(value) for value in fitted.metrics["test"].values())
    assert len(fitted.figures) == len(fitted.recipe.figures)
    assert set(fitted.baseline.metrics) <= set(fitted.metrics["test"])
    assert (fitted.export / "saved_model.pb").is_file()


def test_the_baseline_is_the_same_network_with_all_its_units(monkeypatch):
    seen = {}

    def measured(recipe, model, dataset, seed):
        seen.update(recipe=recipe, model=model)
        return {"accuracy": 0.0, "loss": 0.0}

    monkeypatch.setattr(regularization, "_measured", measured)
    digits = regularization.few_digits(0)
    assert isinstance(regularization.without_dropout(digits, 3), Baseline)
    ours, theirs = regularization.dropout().model(digits.spec, 3), seen["model"]
    assert isinstance(theirs, DropoutMLP) and (theirs.input_rate, theirs.hidden_rate) == (0.0, 0.0)
    assert all(np.array_equal(a, b) for a, b in zip(ours.get_weights(), theirs.get_weights(), strict=True))


def test_few_digits_keeps_two_hundred_of_all_classes_and_whole_test_splits():
    digits, few = load("digits-flat", seed=1), regularization.few_digits(1)
    assert few.train.x.shape == (200, 64) and set(few.train.y) == set(range(10))
    assert np.array_equal(few.test.x, digits.test.x) and np.array_equal(few.validation.x, digits.validation.x)


def test_the_second_scanner_dims_and_blurs_and_is_all_that_is_tested():
    digits, pair = load("digits-flat", seed=1), regularization.two_scanners(1)
    assert pair.train.x[:, 64].sum() == 40 and pair.test.x[:, 64].all() and pair.validation.x[:, 64].all()
    assert np.array_equal(pair.train.x[:400, :64], digits.train.x[:400])
    image, seen = digits.test.x[0].reshape(8, 8), pair.test.x[0, :64].reshape(8, 8)
    np.testing.assert_allclose(seen[3, 4], 0.35 * (image[3, 4] + image[3, 3]), rtol=1e-6)
    np.testing.assert_allclose(seen.sum(), 0.7 * image.sum(), rtol=1e-6)
