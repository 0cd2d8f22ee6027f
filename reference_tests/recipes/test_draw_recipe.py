"""The recipe of DRAW: its digits are those of the other densities, and a tiny run of it works."""

import numpy as np
import pytest

from keras_course import datasets
from keras_course.pipeline.fit import fit
from keras_course.recipes import generative
from keras_course.recipes.draw import as_images, draw, factorised_bernoulli
from keras_course.recipes.generative import binarised


def test_the_digits_and_their_baseline_are_those_of_the_variational_autoencoder():
    plain = datasets.load("digits-flat", seed=0)
    flat, images = binarised(plain), as_images(plain)
    np.testing.assert_array_equal(images.test.x.reshape(-1, 64), flat.test.x)
    assert images.train.x.shape[1:] == images.spec.shape == (8, 8)
    ours, theirs = factorised_bernoulli(images, 0), generative.factorised_bernoulli(flat, 0)
    assert ours.metrics["elbo"] == pytest.approx(theirs.metrics["elbo"], rel=1e-9)
    assert draw().floor["elbo"] > ours.metrics["elbo"] + 4


def test_a_tiny_run_draws_every_figure_and_measures_the_elbo(tmp_path):
    fitted = fit(draw(), out=tmp_path / "run", tiny=True, progress=False)
    assert len(fitted.figures) == len(fitted.recipe.figures)
    assert np.isfinite(fitted.metrics["test"]["elbo"])
