"""Figures of codes and reconstructions, of any model with `encode` and `decode`."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.figure import Figure

from keras_course.pipeline.figures import FigureContext
from keras_course.pipeline.plots import BLUE, GREY, ORANGE
from keras_course.recipes.large_images import SHOWN, few_test_images

__all__ = ["components_as_images", "explained_variance", "plane_of_codes", "reconstructions", "show_grey"]


def show_grey(axes: Any, image: Any, low: float | None = 0.0, high: float | None = 1.0, cmap: str = "gray_r") -> None:
    """A square image from its flat row, without ticks."""
    side = round(float(np.sqrt(np.size(image))))
    axes.imshow(np.reshape(image, (side, side)), cmap=cmap, vmin=low, vmax=high, interpolation="nearest")
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_color("#BBBBBB")


def reconstructions(context: FigureContext, columns: int = 15) -> Figure:
    """Test digits above what the model makes of them, and each one's mean squared error."""
    x, back = context.dataset.test.x[:columns], np.asarray(context.outputs)[:columns]
    figure = Figure(figsize=(0.75 * columns, 2.4), layout="constrained")
    grid = figure.subplots(2, len(x), squeeze=False)
    for column in range(len(x)):
        show_grey(grid[0, column], x[column])
        show_grey(grid[1, column], back[column])
        grid[1, column].set_xlabel(f"{np.mean((back[column] - x[column]) ** 2):.3f}", fontsize=8)
    figure.suptitle(f"{context.recipe.slug}: test digits, reconstructions, mean squared error of a pixel", fontsize=11)
    return figure


def components_as_images(context: FigureContext, count: int = 12) -> Figure:
    """The mean digit, and the first principal components: red adds ink, blue takes it away."""
    model = context.model
    rows = np.asarray(model.components)[:count]
    figure = Figure(figsize=(0.95 * (len(rows) + 1), 1.7), layout="constrained")
    grid = figure.subplots(1, len(rows) + 1)
    show_grey(grid[0], np.asarray(model.mean))
    grid[0].set_title("mean", fontsize=9)
    variances = np.asarray(model.variances, "float64")
    for k, (axes, row) in enumerate(zip(grid[1:], rows, strict=True)):
        bound = np.abs(row).max()
        show_grey(axes, row, -bound, bound, "RdBu_r")
        axes.set_title(f"{100 * variances[k] / variances.sum():.1f} %", fontsize=9)
    figure.suptitle(f"{context.recipe.slug}: components, and their shares of the variance", fontsize=11)
    return figure


def explained_variance(context: FigureContext) -> Figure:
    """What is left of the variance of the training digits after k components, and what the model kept."""
    variances = np.asarray(context.model.variances, "float64")
    left = 1 - np.concatenate([[0.0], np.cumsum(variances)]) / variances.sum()
    kept = len(np.asarray(context.model.components))
    figure = Figure(figsize=(5.2, 3.4), layout="constrained")
    axes = figure.subplots()
    axes.plot(left, color=BLUE)
    axes.plot([kept], [left[kept]], "o", color=ORANGE, label=f"{kept} components")
    axes.axhline(0, color=GREY, linewidth=0.8)
    axes.set(xlabel="components", ylabel="share of the variance left out", ylim=(-0.02, 1.02))
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    axes.set_title(f"{context.recipe.slug}: training digits", fontsize=11)
    return figure


def plane_of_codes(context: FigureContext) -> Figure:
    """Test digits by the first two numbers of their codes, coloured by their class, which no model saw."""
    codes = np.asarray(context.model.encode(few_test_images(context.dataset)))[:, :2]
    labels = np.asarray(context.dataset.test.y[:SHOWN])
    figure = Figure(figsize=(5.6, 5.0), layout="constrained")
    axes = figure.subplots()
    for k, colour in enumerate(colormaps["tab10"].colors[: context.dataset.spec.classes or 10]):
        own = codes[labels == k]
        axes.scatter(*own.T, s=14, color=colour, alpha=0.75, edgecolors="none")
        if len(own):
            axes.text(
                *np.median(own, axis=0), str(k), ha="center", va="center", fontsize=11, weight="bold",
                bbox={"boxstyle": "circle,pad=0.2", "facecolor": "white", "edgecolor": colour},
            )  # fmt: skip
    axes.set(xlabel="code unit 1", ylabel="code unit 2")
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_title(f"{context.recipe.slug}: codes of test digits (classes were never seen)", fontsize=11)
    return figure
