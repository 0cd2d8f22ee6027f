"""The recipes' figures on a tiny run, and their baselines."""

import numpy as np
import pytest

from keras_course.models.latent import KMeans
from keras_course.pipeline.fit import fit
from keras_course.recipes.latent import em, gmm, k_means, majority_purity


@pytest.mark.parametrize("recipe", [k_means, gmm, em])
def test_a_tiny_run_draws_every_figure_and_measures_purity(recipe, tmp_path):
    fitted = fit(recipe(), out=tmp_path / "run", tiny=True, progress=False)
    assert len(fitted.figures) == len(fitted.recipe.figures)
    assert 0.1 < fitted.metrics["test"]["purity"] <= 1
    assert set(fitted.baseline.metrics) <= set(fitted.metrics["test"])


def test_the_majority_is_the_share_of_the_commonest_class():
    class Data:
        class test:
            y = np.array([0, 1, 1, 1])

    assert majority_purity(Data, 0).metrics == {"purity": 0.75}


def test_the_recipe_of_k_means_makes_ten_clusters():
    class Spec:
        features = 64

    model = k_means().model(Spec, 3)
    assert isinstance(model, KMeans) and (model.clusters, model.seed) == (10, 3)
