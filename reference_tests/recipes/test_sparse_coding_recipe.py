"""The recipe of sparse coding: patches that are parts of the photographs, its baseline and its figures."""

import dataclasses

import numpy as np
import pytest
from matplotlib.figure import Figure

from keras_course.datasets import load
from keras_course.pipeline.figures import FigureContext
from keras_course.recipes.sparse_coding import pca_of_as_many_atoms, photograph_patches, sparse_coding


@pytest.fixture(scope="module")
def patches():
    return photograph_patches(0)


def test_patches_are_the_quarters_of_the_crops_about_their_own_means(patches):
    crops = load("photograph-crops", seed=0)
    assert patches.train.x.shape == (4 * len(crops.train.x), 64) and len(patches.train.y) == len(patches.train.x)
    np.testing.assert_allclose(patches.test.x.mean(axis=1), 0.0, atol=1e-5)
    assert patches.train.x.std() == pytest.approx(1.0, rel=1e-3)
    grey = crops.test.x[5].mean(axis=-1)
    lower_left = grey[8:, :8] - grey[8:, :8].mean()
    found = patches.test.x[4 * 5 + 2].reshape(8, 8)
    scale = np.abs(lower_left).max() / np.abs(found).max()
    np.testing.assert_allclose(found * scale, lower_left, atol=1e-4)
    assert np.all(patches.test.y[20:24] == crops.test.y[5])


def test_the_baseline_is_the_error_of_eight_singular_vectors(patches):
    name, metrics = pca_of_as_many_atoms(patches, 0)
    mean = patches.train.x.mean(axis=0)
    rows = np.linalg.svd(patches.train.x - mean, full_matrices=False)[2][:8]
    centred = patches.test.x - mean
    assert name == "8 principal components"
    wanted = np.mean((centred - centred @ rows.T @ rows) ** 2)
    assert metrics["reconstruction_error"] == pytest.approx(wanted, rel=1e-3)


def test_its_figures_can_be_drawn_after_a_step(patches):
    recipe = sparse_coding()
    model = recipe.model(patches.spec, 0)
    model.compile()
    model.fit(patches.train.x[:64], batch_size=64, verbose=0)
    data = dataclasses.replace(
        patches, test=dataclasses.replace(patches.test, x=patches.test.x[:30], y=patches.test.y[:30])
    )
    context = FigureContext(recipe, model, data, {"loss": [1.0, 0.5]})
    for figure in recipe.figures:
        assert isinstance(figure(context), Figure)
    assert recipe.ceiling["share_at_work"] * model.count == pytest.approx(8)
