"""Figures of what codes are made of: atoms, units at work, slopes, and the field that denoising learns."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf
from matplotlib.figure import Figure

from keras_course.ops.principal_components import principal_components
from keras_course.pipeline.figures import FigureContext
from keras_course.pipeline.plots import BLUE, GREY, ORANGE
from keras_course.recipes.autoencoder_figures import show_grey
from keras_course.recipes.large_images import few_test_images

__all__ = ["atoms", "atoms_sheet", "field_on_plane", "noisy_reconstructions", "spectrum_of_slopes", "units_at_work"]


def atoms_sheet(rows: Any, title: str, columns: int = 16) -> Figure:
    """Rows as square images on one sheet, each scaled by its own largest entry; red is positive, blue negative."""
    lines = -(-len(rows) // columns)
    figure = Figure(figsize=(0.55 * columns, 0.55 * lines + 0.4), layout="constrained")
    grid = figure.subplots(lines, columns, squeeze=False).flat
    for axes in grid:
        axes.set_axis_off()
    for axes, row in zip(figure.axes, rows, strict=False):
        bound = float(np.abs(row).max()) or 1.0
        axes.set_axis_on()
        show_grey(axes, row, -bound, bound, "RdBu_r")
    figure.suptitle(title, fontsize=11)
    return figure


def atoms(context: FigureContext, count: int = 64) -> Figure:
    """What each code unit adds to the picture: rows of the decoder's kernel, the most used ones first."""
    coder, x = context.model.coder, few_test_images(context.dataset)
    kernel = np.transpose(coder.kernels[0]) if coder.tied else np.asarray(coder.back_kernels[0])
    spread = np.asarray(context.model.encode(x)).std(axis=0) * np.linalg.norm(kernel, axis=1)
    chosen = np.argsort(-spread, kind="stable")[:count]
    return atoms_sheet(
        kernel[chosen], f"{context.recipe.slug}: {len(chosen)} of {len(kernel)} units of the code, the most used first"
    )


def units_at_work(context: FigureContext) -> Figure:
    """How many units are at work for each test digit, and how often each unit is."""
    codes = np.abs(np.asarray(context.model.encode(context.dataset.test.x))) > 1e-3
    figure = Figure(figsize=(8.6, 3.2), layout="constrained")
    digits, units = figure.subplots(1, 2)
    counts = codes.sum(axis=1)
    digits.hist(counts, bins=np.arange(counts.min() - 0.5, counts.max() + 1.5), color=BLUE)
    digits.set(xlabel=f"units at work, of {codes.shape[1]}", ylabel="test digits")
    units.plot(np.sort(codes.mean(axis=0))[::-1], color=ORANGE)
    units.set(xlabel="unit, the busiest first", ylabel="share of test digits", ylim=(0, 1))
    for axes in (digits, units):
        axes.spines[["top", "right"]].set_visible(False)
    figure.suptitle(f"{context.recipe.slug}: which units are at work", fontsize=11)
    return figure


def spectrum_of_slopes(context: FigureContext) -> Figure:
    """The singular values of df/dx at test digits: in how many directions the code moves."""
    x = tf.constant(context.dataset.test.x[:100])
    with tf.GradientTape() as tape:
        tape.watch(x)
        codes = context.model.encode(x)
    values = np.linalg.svd(np.asarray(tape.batch_jacobian(codes, x)), compute_uv=False)  # (100, min(K, D))
    figure = Figure(figsize=(5.6, 3.6), layout="constrained")
    axes = figure.subplots()
    ranks = np.arange(1, values.shape[1] + 1)
    axes.fill_between(ranks, *np.quantile(values, (0.1, 0.9), axis=0), color=BLUE, alpha=0.2, linewidth=0)
    axes.plot(ranks, np.median(values, axis=0), color=BLUE, label="median; 10 to 90 % shaded")
    axes.set(xlabel="direction", ylabel="singular value of df/dx", ylim=(0, None))
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    axes.set_title(f"{context.recipe.slug}: slopes of the code at {len(values)} test digits", fontsize=11)
    return figure


def noisy_reconstructions(context: FigureContext, columns: int = 12) -> Figure:
    """Test digits, the same under noise, and what the model makes of them."""
    model, count = context.model, min(columns, len(context.dataset.test.x))
    x = tf.constant(context.dataset.test.x[:count])
    noisy = np.random.Generator(np.random.Philox(context.seed)).normal(size=x.shape) * model.amount + np.asarray(x)
    back = np.asarray(model(tf.constant(noisy, "float32")))
    figure = Figure(figsize=(0.8 * count, 3.0), layout="constrained")
    grid = figure.subplots(3, count, squeeze=False)
    for column in range(count):
        for row, images in enumerate((np.asarray(x), noisy, back)):
            show_grey(grid[row, column], images[column])
        grid[2, column].set_xlabel(f"{np.mean((back[column] - np.asarray(x)[column]) ** 2):.3f}", fontsize=8)
    figure.suptitle(f"{context.recipe.slug}: clean, noisy, reconstructed; mean squared error of a pixel", fontsize=11)
    return figure


def field_on_plane(context: FigureContext, side: int = 17) -> Figure:
    """g(f(x)) - x in the plane of the first two principal components of the training digits.

    Points of the grid lie in the plane itself, so no arrow starts at a real digit; they point to where digits are.
    """
    train = np.asarray(context.dataset.train.x, "float64")
    mean = train.mean(axis=0)
    basis = np.asarray(principal_components((train - mean).T @ (train - mean) / len(train), 2)[0])
    reach = 1.25 * np.abs((train - mean) @ basis.T).max()
    line = np.linspace(-reach, reach, side)
    grid = np.stack(np.meshgrid(line, line), axis=-1).reshape(-1, 2)
    x = (mean + grid @ basis).astype("float32")
    moves = (np.asarray(context.model(tf.constant(x)), "float64") - x) @ basis.T
    figure = Figure(figsize=(6.0, 5.6), layout="constrained")
    axes = figure.subplots()
    test = (np.asarray(few_test_images(context.dataset)) - mean) @ basis.T
    axes.scatter(*test.T, s=6, color=GREY, alpha=0.5, edgecolors="none")
    axes.quiver(*grid.T, *moves.T, color=BLUE, angles="xy", width=0.003)
    axes.set(xlabel="first principal component", ylabel="second", aspect="equal")
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_title(f"{context.recipe.slug}: where reconstruction moves a point; test digits grey", fontsize=10)
    return figure
