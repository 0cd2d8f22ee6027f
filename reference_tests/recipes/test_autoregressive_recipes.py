"""The recipes of autoregressive models on tiny runs: data, baseline, likelihood, figures."""

import numpy as np

from keras_course import datasets
from keras_course.pipeline.fit import fit
from keras_course.recipes.autoregressive import factorised_bernoulli, made


def test_a_tiny_run_draws_every_figure_and_measures_the_likelihood(tmp_path, monkeypatch):
    fitted = fit(made(), out=tmp_path / "run", tiny=True, progress=False)
    assert len(fitted.figures) == len(fitted.recipe.figures)
    assert np.isfinite(fitted.metrics["test"]["log_likelihood"])
    assert set(fitted.baseline.metrics) <= set(fitted.metrics["test"])


def test_the_floor_lies_above_the_baseline():
    recipe = made()
    measured = factorised_bernoulli(recipe.prepare(datasets.load(recipe.dataset, seed=0)), 0).metrics
    assert recipe.floor["log_likelihood"] > measured["log_likelihood"] + 5.0
