"""Recipes of autoencoders: baselines that are what they say, figures of a few steps of training."""

import dataclasses

import numpy as np
import pytest
from matplotlib.figure import Figure

from keras_course.datasets import load
from keras_course.pipeline.batches import recipe_data
from keras_course.pipeline.figures import FigureContext
from keras_course.recipes import autoencoders

RECIPES = ("pca", "autoencoder", "denoising_autoencoder", "sparse_autoencoder", "contractive_autoencoder")


@pytest.fixture(scope="module")
def digits():
    data = load("digits-flat")
    few = dataclasses.replace(data.test, x=data.test.x[:40], y=data.test.y[:40])
    return dataclasses.replace(data, test=few)


def test_the_mean_digit_misses_by_the_variance_and_more_components_by_less(digits):
    x, train = digits.test.x, digits.train.x
    wanted = np.mean((x - train.mean(axis=0)) ** 2)
    assert autoencoders.mean_digit(digits, 0).metrics["reconstruction_error"] == pytest.approx(wanted, rel=1e-5)
    two = autoencoders.pca_of_two(digits, 0).metrics["reconstruction_error"]
    _, singular, rows = np.linalg.svd(train - train.mean(axis=0), full_matrices=False)
    centred = x - train.mean(axis=0)
    assert two == pytest.approx(np.mean((centred - centred @ rows[:2].T @ rows[:2]) ** 2), rel=1e-4)
    many = autoencoders.pca_of_as_many_units(digits, 0)
    assert many.name == "13 principal components" and many.metrics["reconstruction_error"] < two < wanted


def test_the_linear_denoiser_s_error_is_its_mean_over_noise_and_no_other_scale_does_better(digits):
    found = autoencoders.best_linear_denoiser(digits, 0).metrics["reconstruction_error"]
    train, x = digits.train.x.astype("float64"), digits.test.x.astype("float64")
    mean = train.mean(axis=0)
    covariance = np.cov(train.T, bias=True)
    kernel = np.linalg.inv(covariance + 0.25 * np.eye(64)) @ covariance
    noise = np.random.default_rng(0).normal(size=(200, *x.shape)) * 0.5
    measured = np.mean((mean + (x + noise - mean) @ kernel - x) ** 2)
    assert found == pytest.approx(measured, rel=0.01)


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_s_figures_can_be_drawn_and_its_judge_answers(name, digits):
    recipe = getattr(autoencoders, name)()
    data = dataclasses.replace(recipe_data(recipe, 0), test=digits.test)
    model = recipe.model(data.spec, 0)
    model.compile(**recipe.compile(data.spec))
    history = {"loss": [1.0, 0.5], "val_loss": [1.0, 0.6]}
    context = FigureContext(recipe, model, data, history)
    for figure in recipe.figures:
        assert isinstance(figure(context), Figure), figure
    judged = {} if recipe.judge is None else recipe.judge(model, data, 0)
    measured = {"reconstruction_error", *judged}
    assert set(recipe.ceiling) <= measured and np.all(np.isfinite(list(judged.values())))
