"""The recipe of digits and their classes under a belief network: a tiny run, and floors above what is simpler."""

import json

import numpy as np

from keras_course.pipeline.fit import fit
from keras_course.pipeline.recipe import recipe_of, recipe_of_run
from keras_course.recipes import belief_of_classes as recipes


def test_a_tiny_run_learns_pairs_and_draws_every_figure(tmp_path, monkeypatch):
    for name, value in (("GREEDY_EPOCHS", 1), ("DRAWS", 2)):
        monkeypatch.setattr(recipes, name, value)
    recipe = recipe_of("dbn", "digits-by-class")
    fitted = fit(recipe, out=tmp_path / "run", tiny=True, progress=False)
    assert len(fitted.figures) == len(recipe.figures) and fitted.model.classes == 10
    measured = fitted.metrics["test"]
    assert all(np.isfinite(measured[name]) for name in ("bound", "bound_of_greedy", "accuracy", "accuracy_of_greedy"))
    assert np.isclose(measured["gain"], measured["bound"] - measured["bound_of_greedy"])
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    assert recipe_of_run(config).judge is recipes.before_and_after


def test_the_floors_lie_above_naive_bayes_and_softmax_regression():
    recipe = recipes.dbn_of_classes()
    measured = recipe.baseline(recipe.prepare(recipe.dataset(0)), 0).metrics
    assert set(measured) == set(recipe.floor) - {"gain"}
    assert all(recipe.floor[name] > value + 0.008 for name, value in measured.items())
