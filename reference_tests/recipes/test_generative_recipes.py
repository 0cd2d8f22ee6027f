"""The recipe on a tiny run: its data, its baseline, its figures."""

import numpy as np
import pytest

from keras_course import datasets
from keras_course.pipeline.fit import fit
from keras_course.recipes.generative import binarised, factorised_bernoulli, vae


@pytest.fixture(scope="module")
def digits():
    return binarised(datasets.load("digits-flat", seed=0))


def test_digits_are_black_and_white_and_keep_their_split(digits):
    grey = datasets.load("digits-flat", seed=0)
    assert set(np.unique(digits.train.x)) == {0.0, 1.0}
    np.testing.assert_array_equal(digits.test.x, np.where(grey.test.x < 0.5, 0.0, 1.0))


def test_the_baseline_is_a_normalised_product_of_pixel_frequencies(digits):
    frequency = (digits.train.x.astype("float64").sum(axis=0) + 0.5) / (len(digits.train.x) + 1)
    chosen = np.where(digits.test.x == 1, frequency, 1 - frequency)
    assert factorised_bernoulli(digits, 0).metrics["elbo"] == pytest.approx(np.log(chosen).sum(axis=1).mean(), rel=1e-5)


def test_the_floor_lies_above_the_baseline(digits):
    assert vae().floor["elbo"] > factorised_bernoulli(digits, 0).metrics["elbo"] + 4


def test_a_tiny_run_draws_every_figure_and_measures_the_elbo(tmp_path):
    fitted = fit(vae(), out=tmp_path / "run", tiny=True, progress=False)
    assert len(fitted.figures) == len(fitted.recipe.figures)
    assert np.isfinite(fitted.metrics["test"]["elbo"])
    assert set(fitted.baseline.metrics) <= set(fitted.metrics["test"])
