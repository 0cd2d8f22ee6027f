"""The recipes of deep energy models on tiny runs: greedy start, bounds, accuracies, figures."""

import numpy as np
import pytest

from keras_course import datasets
from keras_course.pipeline.fit import fit
from keras_course.recipes import deep_energy


@pytest.mark.parametrize("recipe", [deep_energy.dbn, deep_energy.dbm])
def test_a_tiny_run_draws_every_figure_and_measures_a_bound(recipe, tmp_path, monkeypatch):
    monkeypatch.setattr(deep_energy, "GREEDY_EPOCHS", {"dbn": 1, "dbm": 1})
    for name, value in (("HEAD_EPOCHS", 1), ("DRAWS", 2)):
        monkeypatch.setattr(deep_energy, name, value)
    fitted = fit(recipe(), out=tmp_path / "run", tiny=True, progress=False)
    assert len(fitted.figures) == len(fitted.recipe.figures)
    assert np.isfinite(fitted.metrics["test"]["bound"])
    assert set(fitted.baseline.metrics) <= set(fitted.metrics["test"])


def test_the_floors_lie_above_the_baselines():
    for recipe in (deep_energy.dbn(), deep_energy.dbm()):
        measured = recipe.baseline(recipe.prepare(datasets.load(recipe.dataset, seed=0)), 0).metrics
        assert set(measured) == set(recipe.floor)
        assert all(least > measured[name] + 0.008 for name, least in recipe.floor.items())
