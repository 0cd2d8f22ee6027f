"""The recipes of PixelCNN and of the generator networks on tiny runs: baselines, floors, figures."""

import numpy as np
import pytest

from keras_course import datasets
from keras_course.pipeline.fit import fit
from keras_course.recipes.generator_networks import generator_networks
from keras_course.recipes.pixel_cnn import pixel_cnn


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
