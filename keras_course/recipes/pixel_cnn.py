"""Recipe of PixelCNN: digits drawn pixel by pixel."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import keras
import numpy as np
from matplotlib.figure import Figure

from keras_course.models.generative.pixel_cnn import PixelCNN
from keras_course.pipeline.figures import FigureContext
from keras_course.pipeline.plots import learning_curves
from keras_course.pipeline.recipe import Baseline, Recipe
from keras_course.recipes import generative
from keras_course.recipes.generative import binarised

__all__ = ["bits_of_pixels", "completions", "factorised_bernoulli", "pixel_cnn", "samples"]

EPOCHS, BATCH = 40, 100


def pixel_cnn() -> Recipe:
    """Black-and-white digits by the gated form: an exact log-likelihood of the pixels that other recipes bound.

    The pixels are those of the variational autoencoder and the restricted Boltzmann machine, so nats a digit compare.
    The floor is half a nat above that of the Boltzmann machine.
    """
    return Recipe(
        slug="pixel-cnn",
        dataset="digits",
        prepare=binarised,
        model=lambda spec, seed: PixelCNN(spec.shape, filters=24, blocks=4, first_kernel=5, seed=seed),
        compile=lambda spec: {
            "optimizer": keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(3e-3, 13 * EPOCHS))
        },
        batch_size=BATCH,
        epochs=EPOCHS,
        baseline=factorised_bernoulli,
        floor={"log_likelihood": -19.5},
        select="val_loss",
        figures=(learning_curves, samples, completions, bits_of_pixels),
    )


def factorised_bernoulli(dataset: Any, seed: int) -> Baseline:
    """Pixels that know nothing of each other."""
    parts = {name: getattr(dataset, name) for name in ("train", "test")}
    flat = {name: replace(part, x=part.x.reshape(len(part.x), -1)) for name, part in parts.items()}
    name, measured = generative.factorised_bernoulli(replace(dataset, **flat), seed)
    pixels = flat["test"].x.shape[1]
    nats = measured["elbo"]
    return Baseline(name, {"log_likelihood": nats, "bits_per_dimension": -nats / (np.log(2) * pixels)})


def samples(context: FigureContext, rows: int = 6, columns: int = 12) -> Figure:
    """Test digits, and as many digits that the model drew."""
    drawn = np.asarray(context.model.sample(context.seed, rows * columns))
    figure = Figure(figsize=(11.0, 3.4), layout="constrained")
    for part, images, title in zip(
        figure.subfigures(1, 2, wspace=0.05), (context.dataset.test.x, drawn), ("test digits", "samples"), strict=True
    ):
        part.suptitle(title, fontsize=10)
        for axes, image in zip(part.subplots(rows, columns).flat, images, strict=False):
            _show(axes, image)
    figure.suptitle(f"{context.recipe.slug}: {rows * columns} samples", fontsize=11)
    return figure


def completions(context: FigureContext, columns: int = 14, tries: int = 4) -> Figure:
    """Upper halves of test digits, finished several times; below them the truth."""
    x = context.dataset.test.x[:columns]
    height, width, colours = context.model.image_shape
    given = height // 2 * width * colours
    drawn = np.asarray(context.model.complete(np.concatenate([x] * tries), given, context.seed))
    upper = np.array(x, "float32")
    upper[:, height // 2 :] = 0.25  # neither black nor white: not told
    grid = [upper, *drawn.reshape(tries, *x.shape), x]
    figure = Figure(figsize=(0.72 * columns, 0.78 * (tries + 2)), layout="constrained")
    names = ["given", *(f"draw {number + 1}" for number in range(tries)), "truth"]
    for row, images, name in zip(figure.subplots(tries + 2, len(x)), grid, names, strict=True):
        for axes, image in zip(row, images, strict=True):
            _show(axes, image)
        row[0].set_ylabel(name, rotation=0, ha="right", va="center", fontsize=9)
    figure.suptitle(f"{context.recipe.slug}: lower halves drawn from p(lower | upper)", fontsize=11)
    return figure


def bits_of_pixels(context: FigureContext) -> Figure:
    """How many bits each pixel of a test digit costs, told all before it, and told nothing."""
    model, x = context.model, context.dataset.test.x
    scored = np.asarray(model.family.log_prob(model(x), x.reshape(-1, *model.image_shape)))
    train = context.dataset.train.x
    black = (train.sum(axis=0) + 0.5) / (len(train) + 1)
    alone = np.where(x > 0.5, np.log(black), np.log1p(-black))
    figure = Figure(figsize=(7.6, 3.6), layout="constrained")
    pictures = [-np.reshape(each, (len(x), *model.image_shape)).mean((0, 3)) / np.log(2) for each in (alone, scored)]
    grid = figure.subplots(1, 2)
    for axes, picture, title in zip(grid, pictures, ("told nothing", "told all pixels before it"), strict=True):
        shown = axes.imshow(picture, cmap="viridis", vmin=0.0, vmax=1.0)
        axes.set_title(f"{title}: {picture.sum():.1f} bits a digit", fontsize=10)
        axes.set_xticks([])
        axes.set_yticks([])
    figure.colorbar(shown, ax=grid, shrink=0.8, label="bits, mean over test digits")
    figure.suptitle(f"{context.recipe.slug}: what a pixel costs", fontsize=11)
    return figure


def _show(axes: Any, image: Any) -> None:
    axes.imshow(np.reshape(image, image.shape[:2]), cmap="gray_r", vmin=0.0, vmax=1.0, interpolation="nearest")
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_color("#BBBBBB")
