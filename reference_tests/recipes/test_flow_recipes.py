"""The recipes of flows on tiny runs: data, baselines, bits, figures."""

import math

import numpy as np

from keras_course import datasets
from keras_course.pipeline.fit import fit
from keras_course.recipes.flows import factorised_pixels, gaussian_of_logits, nice, real_nvp, two_moons


def test_a_tiny_run_draws_every_figure_and_measures_bits(tmp_path):
    fitted = fit(real_nvp(), out=tmp_path / "run", tiny=True, progress=False)
    assert len(fitted.figures) == len(fitted.recipe.figures)
    assert np.isfinite(fitted.metrics["test"]["bits_per_dimension"])
    assert set(fitted.baseline.metrics) <= set(fitted.metrics["test"])


def test_the_ceilings_lie_below_both_baselines_and_those_below_uniform_pixels():
    digits = datasets.load("digits-flat", seed=0)
    factorised = factorised_pixels(digits, 0).metrics["bits_per_dimension"]
    gaussian = gaussian_of_logits(digits, 0, draws=2).metrics["bits_per_dimension"]
    assert real_nvp().ceiling["bits_per_dimension"] < nice().ceiling["bits_per_dimension"] < gaussian - 0.02
    assert gaussian < factorised < math.log2(17)


def test_moons_are_half_circles_that_reach_into_each_other():
    points = two_moons(1000, seed=0, spread=0.0) + np.array([0.5, 0.25])
    upper, lower = points[::2], points[1::2]
    np.testing.assert_allclose((upper**2).sum(1), 1.0, atol=1e-5)
    np.testing.assert_allclose(((lower - [1.0, 0.5]) ** 2).sum(1), 1.0, atol=1e-5)
