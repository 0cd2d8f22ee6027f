"""The recipe of the masked flow on a tiny run: baseline, bits, figures."""

import numpy as np

from keras_course import datasets
from keras_course.pipeline.fit import fit
from keras_course.recipes.masked_flow import LEVELS, full_covariance_gaussian, maf


def test_a_tiny_run_draws_every_figure_and_measures_bits(tmp_path):
    fitted = fit(maf(), out=tmp_path / "run", tiny=True, progress=False)
    assert len(fitted.figures) == len(fitted.recipe.figures)
    assert np.isfinite(fitted.metrics["test"]["bits_per_dimension"])
    assert set(fitted.baseline.metrics) <= set(fitted.metrics["test"])


def test_the_baseline_is_the_mean_over_noise_of_a_gaussian_s_bits_and_lies_above_the_ceiling():
    digits = datasets.load("digits-flat", seed=0)
    measured = full_covariance_gaussian(digits, 0).metrics["bits_per_dimension"]
    draws = np.random.Generator(np.random.Philox(0))

    def noisy(x):
        return (np.repeat(x, 20, axis=0) * (LEVELS - 1) + draws.random((20 * len(x), x.shape[1]))) / LEVELS

    train, test = noisy(digits.train.x), noisy(digits.test.x)
    covariance, centred = np.cov(train.T), test - train.mean(axis=0)
    quadratic = np.einsum("nd,de,ne->n", centred, np.linalg.inv(covariance), centred)
    nats = 0.5 * (quadratic.mean() + np.linalg.slogdet(2 * np.pi * covariance)[1]) + 64 * np.log(LEVELS)
    np.testing.assert_allclose(measured, nats / (64 * np.log(2)), rtol=0.005)
    assert maf().ceiling["bits_per_dimension"] < measured - 0.15
