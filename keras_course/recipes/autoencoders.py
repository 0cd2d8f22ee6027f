"""Recipes of the chapter on autoencoders: digits through few numbers and back."""

from __future__ import annotations

from typing import Any

import numpy as np

from keras_course.models.latent.pca import PCA
from keras_course.pipeline.recipe import Baseline, Recipe
from keras_course.recipes.autoencoder_figures import (
    components_as_images,
    explained_variance,
    plane_of_codes,
    reconstructions,
)

__all__ = ["mean_digit", "pca"]

CODE = 8


def pca() -> Recipe:
    """Eight principal components of the digits, against no component at all.

    The ceiling is half of the error of the mean digit: eight numbers of 64 are to tell more than half.
    """
    return Recipe(
        slug="pca",
        dataset="digits-flat",
        model=lambda spec, seed: PCA(CODE, spec.features, seed=seed),
        compile=lambda spec: {},
        batch_size=None,
        epochs=1,
        baseline=mean_digit,
        ceiling={"reconstruction_error": 0.036},
        figures=(components_as_images, explained_variance, reconstructions, plane_of_codes),
    )


def mean_digit(dataset: Any, seed: int) -> Baseline:
    """The mean of the training digits in the place of every test digit."""
    error = np.mean((dataset.test.x - dataset.train.x.mean(axis=0, dtype="float64")) ** 2)
    return Baseline("mean digit", {"reconstruction_error": float(error)})
