"""The recipes of PixelCNN and of the generator networks on tiny runs: baselines, floors, figures."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.naive_bayes import BernoulliNB

from keras_course import datasets
from keras_course.models.generative import PixelCNN
from keras_course.pipeline.fit import fit
from keras_course.pipeline.recipe import recipe_of, recipe_of_run
from keras_course.recipes.generator_networks import generator_networks
from keras_course.recipes.pixel_cnn import log_densities, pixel_cnn, pixel_cnn_of_classes, samples_of_classes


@pytest.mark.parametrize("recipe", [pixel_cnn, generator_networks])
def test_a_tiny_run_draws_every_figure_and_measures_the_likelihood(recipe, tmp_path):
    fitted = fit(recipe(), out=tmp_path / "run", tiny=True, progress=False)
    assert len(fitted.figures) == len(fitted.recipe.figures)
    assert np.isfinite(fitted.metrics["test"]["log_likelihood"])
    assert set(fitted.baseline.metrics) <= set(fitted.metrics["test"])


def test_both_see_the_same_pixels_and_have_floors_above_one_baseline():
    measured = []
    for recipe in (pixel_cnn(), generator_networks()):
        digits = recipe.prepare(datasets.load(recipe.dataset, seed=0))
        measured.append((recipe.baseline(digits, 0).metrics["log_likelihood"], digits.test.x.reshape(-1, 64)))
        assert recipe.floor["log_likelihood"] > measured[-1][0] + 3
    assert measured[0][0] == pytest.approx(measured[1][0])
    np.testing.assert_array_equal(measured[0][1], measured[1][1])


def test_the_baseline_of_classes_is_naive_bayes_and_runs_find_their_recipe_again():
    recipe = pixel_cnn_of_classes()
    digits = recipe.prepare(recipe.dataset(0))
    train, test = (split.x.reshape(len(split.x), -1) for split in (digits.train, digits.test))
    bayes = BernoulliNB(alpha=0.5, fit_prior=False).fit(train, digits.train.y)
    measured = recipe.baseline(digits, 0).metrics
    joint = bayes.predict_joint_log_proba(test) + np.log(10)
    assert measured["accuracy"] == pytest.approx(bayes.score(test, digits.test.y))
    assert measured["log_likelihood"] == pytest.approx(joint[np.arange(len(test)), digits.test.y].mean())
    assert recipe.floor["log_likelihood"] > measured["log_likelihood"]
    assert recipe.floor["accuracy"] > measured["accuracy"]
    model = PixelCNN((8, 8, 1), filters=2, blocks=0, first_kernel=3, classes=10)
    told = log_densities(model, digits.test.x[:9]).argmax(axis=-1)
    some = replace(digits, test=replace(digits.test, x=digits.test.x[:9], y=digits.test.y[:9]))
    assert recipe.judge(model, some, 0) == {"accuracy": pytest.approx((told == some.test.y).mean())}
    context = SimpleNamespace(model=model, seed=0, recipe=recipe)
    assert samples_of_classes(context, count=2).axes[0].get_images()[0].get_array().shape == (100, 20)
    found = recipe_of_run({"slug": "pixel-cnn", "data": {"name": digits.spec.name}})
    assert found.baseline is recipe.baseline and recipe_of("pixel-cnn").baseline is not recipe.baseline
