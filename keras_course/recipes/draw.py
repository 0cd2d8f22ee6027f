"""Recipe of DRAW: digits in six strokes, with the windows in which they are drawn."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from keras_course.models.generative.draw import DRAW
from keras_course.pipeline.figures import FigureContext
from keras_course.pipeline.plots import BLUE, GREY, ORANGE, learning_curves
from keras_course.pipeline.recipe import Baseline, Recipe
from keras_course.recipes import generative
from keras_course.recipes.generative import binarised
from keras_course.recipes.large_images import (
    changed_pixels,
    drawn_pixels,
    few_test_images,
    on_large_images,
    rows_of_pixels,
)

__all__ = [
    "as_images",
    "draw",
    "draw_on_images",
    "drawings",
    "factorised_bernoulli",
    "nats_by_stroke",
    "reconstructions_by_stroke",
    "samples_among_digits",
]


def draw() -> Recipe:
    """The black-and-white digits of the recipes of the variational autoencoder and of the RBM: nats a digit compare.

    A window of 4 x 4 filters looks and another draws, six times, each time with four code units. The floor is what
    those two reach, -20 nats; pixels that know nothing of each other have -25.
    """
    return Recipe(
        slug="draw",
        dataset="digits-flat",
        prepare=as_images,
        model=lambda spec, seed: DRAW(
            spec.shape, steps=6, latent=4, units=64, read=4, write=4, evaluation_samples=16, seed=seed
        ),
        compile=lambda spec: {"optimizer": keras.optimizers.Adam(2e-3)},
        batch_size=100,
        epochs=120,
        baseline=factorised_bernoulli,
        floor={"elbo": -20.0},
        select="val_loss",
        figures=(learning_curves, drawings, reconstructions_by_stroke, samples_among_digits, nats_by_stroke),
    )


def draw_on_images(name: str) -> Recipe:
    """Ten strokes of ten code units each on images of 28 x 28 pixels, through windows of 5 x 5 filters.

    The paper takes 64 strokes of 100 units: six times the work.
    """
    return on_large_images(
        draw(),
        name,
        prepare=drawn_images,
        model=lambda spec, seed: DRAW(
            spec.shape, steps=10, latent=10, units=256, read=5, write=5, evaluation_samples=4, seed=seed
        ),
        compile=lambda spec: {"optimizer": keras.optimizers.Adam(1e-3, clipnorm=10.0)},
        epochs=30,
    )


def as_images(dataset: Any) -> Any:
    """Pixels as 0 and 1, in rows and columns."""
    return _in_rows_and_columns(binarised(dataset))


def drawn_images(dataset: Any) -> Any:
    """Pixels as 0 and 1, drawn once by their grey values, in rows and columns."""
    return _in_rows_and_columns(drawn_pixels(dataset))


def _in_rows_and_columns(dataset: Any) -> Any:
    side = round(float(np.sqrt(dataset.spec.features)))
    return changed_pixels(dataset, lambda x: x.reshape(-1, side, side), (side, side))


def factorised_bernoulli(dataset: Any, seed: int) -> Baseline:
    """Pixels that know nothing of each other."""
    return generative.factorised_bernoulli(rows_of_pixels(dataset), seed)


def drawings(context: FigureContext, rows: int = 6) -> Figure:
    """Samples as they grow, a row each: the canvas after every stroke, the window it was drawn in, one draw of x."""
    model = context.model
    found = {name: np.asarray(value) for name, value in model.draw(context.seed, rows).items()}
    last = np.asarray(model.sample(context.seed, rows))
    figure = Figure(figsize=(1.15 * (model.steps + 1), 1.2 * rows + 0.5), layout="constrained")
    grid = figure.subplots(rows, model.steps + 1, squeeze=False)
    for row in range(rows):
        for step in range(model.steps):
            _show(grid[row, step], found["canvases"][row, step])
            if model.write:
                _frame(grid[row, step], found["windows"][row, step], model.write)
        _show(grid[row, -1], last[row])
    for step in range(model.steps):
        grid[0, step].set_title(f"stroke {step + 1}", fontsize=9)
    grid[0, -1].set_title("x", fontsize=9)
    figure.suptitle(f"{context.recipe.slug}: E[x | z] after every stroke, and its window", fontsize=11)
    return figure


def reconstructions_by_stroke(context: FigureContext, columns: int = 12) -> Figure:
    """Test digits on top, and what the mean codes have drawn of them after every stroke."""
    x = context.dataset.test.x[:columns]
    canvases = np.asarray(context.model.canvases(x))
    steps = context.model.steps
    figure = Figure(figsize=(0.8 * columns, 0.85 * (steps + 1) + 0.4), layout="constrained")
    grid = figure.subplots(steps + 1, columns)
    for column in range(columns):
        _show(grid[0, column], x[column])
        for step in range(steps):
            _show(grid[step + 1, column], canvases[column, step])
    for row in range(steps + 1):
        grid[row, 0].set_ylabel(f"{row}" if row else "x", rotation=0, labelpad=10, va="center", fontsize=10)
    figure.suptitle(f"{context.recipe.slug}: test digits, and what is drawn of them after each stroke", fontsize=11)
    return figure


def samples_among_digits(context: FigureContext, rows: int = 5, columns: int = 10) -> Figure:
    """Draws of the pixels from codes of the prior, beside test digits."""
    count = rows * columns
    sheets = (
        (np.asarray(context.model.sample(context.seed, count)), "x ~ p(x), samples"),
        (context.dataset.test.x[:count], "test digits"),
    )
    figure = Figure(figsize=(11.0, 3.2), layout="constrained")
    for part, (images, title) in zip(figure.subfigures(1, 2, wspace=0.05), sheets, strict=True):
        part.suptitle(title, fontsize=10)
        for axes, image in zip(part.subplots(rows, columns).flat, images, strict=False):
            _show(axes, image)
    figure.suptitle(context.recipe.slug, fontsize=11)
    return figure


def nats_by_stroke(context: FigureContext) -> Figure:
    """What each stroke's code tells, and how many nats the pixels still cost after it, at the mean codes."""
    model, x = context.model, few_test_images(context.dataset)
    code = {name: np.asarray(value) for name, value in model.encode(x).items()}
    told = (code["mean"] ** 2 + code["scale"] ** 2 - 1 - 2 * np.log(code["scale"])).sum(-1).mean(0) / 2  # (T,)
    shown = np.clip(np.asarray(model.canvases(x)), 1e-7, 1 - 1e-7)
    left = -np.log(np.where(x[:, None] == 1, shown, 1 - shown)).sum((2, 3)).mean(0)
    strokes = np.arange(1, model.steps + 1)
    figure = Figure(figsize=(8.0, 3.2), layout="constrained")
    codes, pixels = figure.subplots(1, 2)
    codes.bar(strokes, told, color=ORANGE, width=0.6)
    codes.set_title("KL(q(z_t | x, mean codes before) || p)", fontsize=10)
    pixels.plot(strokes, left, "o-", color=BLUE, markersize=4, label="-log p(x | strokes so far)")
    pixels.axhline(-context.metrics.get("elbo", np.nan), color=GREY, linewidth=1.2, linestyle="--", label="-ELBO")
    pixels.set_title("what the pixels still cost, at the mean codes", fontsize=10)
    pixels.legend(frameon=False, fontsize=9)
    for axes in (codes, pixels):
        axes.set_xlabel("stroke")
        axes.set_ylim(bottom=0)
        axes.spines[["top", "right"]].set_visible(False)
    codes.set_ylabel("nats a test digit")
    figure.suptitle(f"{context.recipe.slug}: what the strokes tell", fontsize=11)
    return figure


def _show(axes: Any, image: Any) -> None:
    axes.imshow(image, cmap="gray_r", vmin=0.0, vmax=1.0, interpolation="nearest")
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_color("#BBBBBB")


def _frame(axes: Any, window: Any, size: int) -> None:
    """The square through the outermost filters, as wide as their deviation; pixels counted from 1 lie at 0 ..."""
    x, y, stride, scale, _ = window
    side = (size - 1) * stride
    axes.add_patch(
        Rectangle(
            (x - 1 - side / 2, y - 1 - side / 2),
            side,
            side,
            fill=False,
            edgecolor=ORANGE,
            linewidth=float(np.clip(1.2 * scale, 0.8, 3.0)),
            clip_on=True,
        )  # fmt: skip
    )
