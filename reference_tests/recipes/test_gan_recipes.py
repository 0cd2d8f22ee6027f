"""The recipes of adversarial networks on tiny runs: their judge, baseline, floors and figures."""

import numpy as np
import pytest

from keras_course import datasets
from keras_course.pipeline.fit import fit
from keras_course.recipes.gan import gan, gaussian_of_pixels, quality_of_samples, wgan


@pytest.fixture(scope="module")
def digits():
    return datasets.load("digits-flat", seed=0)


def test_floors_lie_between_a_gaussian_of_the_pixels_and_the_digits_themselves(digits):
    baseline = gaussian_of_pixels(digits, 0).metrics
    best = quality_of_samples(digits.train.x[: len(digits.test.x)], digits)
    for recipe in (gan(), wgan()):
        for name, floor in recipe.floor.items():
            assert baseline[name] < floor < best[name], (recipe.slug, name)
    assert baseline["frechet_distance"] > best["frechet_distance"]
    noise = quality_of_samples(np.random.default_rng(0).uniform(size=(100, 64)), digits)
    assert noise["precision"] == 0.0 and noise["frechet_distance"] > 2.0


@pytest.mark.parametrize("recipe", [gan, wgan])
def test_a_tiny_run_draws_every_figure_and_judges_its_samples(recipe, tmp_path):
    fitted = fit(recipe(), out=tmp_path / "run", tiny=True, progress=False)
    assert len(fitted.figures) == len(fitted.recipe.figures) == 4
    judged = fitted.metrics["test"]
    assert set(fitted.baseline.metrics) <= set(judged) and np.all(np.isfinite(list(judged.values())))
    assert 1.0 <= judged["inception_score"] <= 10.0
