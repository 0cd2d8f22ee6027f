"""The recipes of Boltzmann machines on tiny runs: data, baselines, likelihoods, figures."""

import numpy as np
import pytest

from keras_course import datasets
from keras_course.pipeline.fit import fit
from keras_course.recipes.energy import boltzmann_machine, coarse, factorised_bernoulli, rbm


def test_coarse_digits_are_means_of_four_pixels():
    digits = datasets.load("digits-flat", seed=0)
    small = coarse(digits)
    image = digits.test.x[7].reshape(8, 8)
    assert small.spec.shape == (16,) and small.test.x.shape == (len(digits.test.x), 16)
    assert small.test.x[7, 5] == float(image[2:4, 2:4].mean() >= 0.4)


@pytest.mark.parametrize("recipe", [boltzmann_machine, rbm])
def test_a_tiny_run_draws_every_figure_and_measures_the_likelihood(recipe, tmp_path):
    fitted = fit(recipe(), out=tmp_path / "run", tiny=True, progress=False)
    assert len(fitted.figures) == len(fitted.recipe.figures)
    assert np.isfinite(fitted.metrics["test"]["log_likelihood"])
    assert set(fitted.baseline.metrics) <= set(fitted.metrics["test"])


def test_the_floors_lie_above_the_baselines():
    for recipe in (boltzmann_machine(), rbm()):
        measured = factorised_bernoulli(recipe.prepare(datasets.load(recipe.dataset, seed=0)), 0).metrics
        assert recipe.floor["log_likelihood"] > measured["log_likelihood"] + 0.15
