"""Recipes of models that draw x one variable after the other: masked autoencoders."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from matplotlib.figure import Figure

from keras_course.models.generative.made import MADE
from keras_course.pipeline.figures import FigureContext
from keras_course.pipeline.plots import BLUE, GREY, ORANGE, learning_curves
from keras_course.pipeline.recipe import Baseline, Recipe
from keras_course.recipes import generative
from keras_course.recipes.generative import binarised
from keras_course.recipes.large_images import STEPS, drawn_rows, few_test_images, on_large_images

__all__ = [
    "factorised_bernoulli",
    "likelihood_by_mask_sets",
    "made",
    "made_on_images",
    "pixel_by_pixel",
    "samples_beside_digits",
]


def made() -> Recipe:
    """Black-and-white digits, a pixel at a time, in 64 orders at once.

    The same pixels as the recipes of the variational autoencoder and of the restricted Boltzmann machine, so the
    log-likelihoods compare: nats a digit, and here exact.
    """
    return Recipe(
        slug="made",
        dataset="digits-flat",
        prepare=binarised,
        model=lambda spec, seed: MADE(spec.features, units=(500,), order="random", masks=64, direct=True, seed=seed),
        compile=lambda spec: {
            "optimizer": keras.optimizers.Adam(keras.optimizers.schedules.PolynomialDecay(2e-3, 13 * 800, 4e-5))
        },
        batch_size=100,
        epochs=800,
        baseline=factorised_bernoulli,
        floor={"log_likelihood": -20.0},
        select="val_loss",
        figures=(learning_curves, samples_beside_digits, pixel_by_pixel, likelihood_by_mask_sets),
        tiny={"epochs": 2, "examples": 128},
    )


def made_on_images(name: str) -> Recipe:
    """Eight orders of 784 pixels, each black with the probability of its grey value."""
    epochs = 100
    return on_large_images(
        made(),
        name,
        prepare=drawn_rows,
        model=lambda spec, seed: MADE(spec.features, units=(500,), order="random", masks=8, direct=True, seed=seed),
        compile=lambda spec: {
            "optimizer": keras.optimizers.Adam(keras.optimizers.schedules.PolynomialDecay(1e-3, STEPS * epochs, 2e-5))
        },
        epochs=epochs,
    )


def factorised_bernoulli(dataset: Any, seed: int) -> Baseline:
    """Pixels that know nothing of each other: the baseline of the variational autoencoder, whose bound is exact."""
    name, measured = generative.factorised_bernoulli(dataset, seed)
    return Baseline(name, {"log_likelihood": measured["elbo"]})


def samples_beside_digits(context: FigureContext, rows: int = 8, columns: int = 10) -> Figure:
    """Left, draws of the model; right, test digits."""
    drawn = np.asarray(context.model.sample(context.seed, rows * columns))
    figure = Figure(figsize=(11.0, 4.8), layout="constrained")
    for part, images, title in zip(
        figure.subfigures(1, 2, wspace=0.05), (drawn, context.dataset.test.x), ("samples", "test digits"), strict=True
    ):
        part.suptitle(title, fontsize=10)
        for axes, image in zip(part.subplots(rows, columns).flat, images, strict=False):
            _show(axes, image, "gray_r")
    figure.suptitle(f"{context.recipe.slug}: {rows * columns} independent samples", fontsize=11)
    return figure


def pixel_by_pixel(context: FigureContext, count: int = 6) -> Figure:
    """Test digits, in which order the first mask set comes to their pixels, and what each pixel told that came then.

    The last row is -log p(pixel | those before it): what the model did not see coming.
    """
    model, x = context.model, np.asarray(context.dataset.test.x[:count])
    logits = np.asarray(model.conditionals(x))[..., 0]  # (B, D)
    surprise = np.logaddexp(0, (1 - 2 * x) * logits)
    figure = Figure(figsize=(1.25 * (count + 1) + 0.8, 4.4), layout="constrained")
    grid = figure.subplots(3, count + 1)
    for row in range(3):
        _show(grid[row, 0], model.network.input_degrees[0], "viridis")
        grid[row, 0].set_visible(row == 0)
    grid[0, 0].set_title("order of pixels\n(dark first)", fontsize=8)
    titles = ("test digit", "P(black | before)", "nats it tells")
    for column in range(count):
        limit = max(1.0, float(surprise.max()))
        for row, (values, colours, high) in enumerate(
            ((x, "gray_r", 1.0), (1 / (1 + np.exp(-logits)), "gray_r", 1.0), (surprise, "magma_r", limit))
        ):
            _show(grid[row, column + 1], values[column], colours, 0.0, high)
            if column == 0:
                grid[row, 1].set_ylabel(titles[row], fontsize=9)
        grid[2, column + 1].set_xlabel(f"{surprise[column].sum():.1f} nats", fontsize=9)
    figure.suptitle(f"{context.recipe.slug}: one order of {x.shape[1]} pixels", fontsize=11)
    return figure


def likelihood_by_mask_sets(context: FigureContext) -> Figure:
    """How much the average over mask sets gains: the first S of them, against each alone and the baseline."""
    model, x = context.model, np.asarray(few_test_images(context.dataset))
    count = model.network.masks
    parts = [x[start : start + 64] for start in range(0, len(x), 64)]
    each = np.concatenate([np.asarray(model.log_prob_of_masks(part, np.arange(count))) for part in parts], axis=1)
    # (K, B), and the same of the first 1, 2, ... K sets together
    mixed = np.logaddexp.accumulate(each, axis=0) - np.log(np.arange(1, count + 1))[:, None]
    figure = Figure(figsize=(6.0, 3.6), layout="constrained")
    axes = figure.subplots()
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.25, linewidth=0.6)
    sets = np.arange(1, count + 1)
    axes.plot(sets, mixed.mean(axis=1), "o-", color=BLUE, markersize=3.5, label="average of the first sets")
    axes.plot(sets, each.mean(axis=1), "x", color=ORANGE, markersize=4, label="each set alone")
    name, measured = factorised_bernoulli(context.dataset, context.seed)
    axes.axhline(measured["log_likelihood"], color=GREY, linestyle="--", linewidth=1.2, label=name)
    axes.set_xlabel("mask sets, each an order of its own")
    axes.set_ylabel("log p(x), nats a test digit")
    axes.legend(frameon=False, fontsize=9)
    axes.set_title(f"{context.recipe.slug}: one network, {count} orders", fontsize=11)
    return figure


def _show(axes: Any, image: Any, colours: str, low: float | None = None, high: float | None = None) -> None:
    side = round(float(np.sqrt(np.size(image))))
    axes.imshow(np.reshape(image, (side, side)), cmap=colours, vmin=low, vmax=high, interpolation="nearest")
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_color("#BBBBBB")
