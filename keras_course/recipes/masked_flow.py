"""Recipe of the masked autoregressive flow: grey digits as a density, in bits per dimension."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from matplotlib.figure import Figure

from keras_course.models.generative.masked_flows import MAF
from keras_course.pipeline.figures import FigureContext
from keras_course.pipeline.plots import BLUE, GREY, learning_curves
from keras_course.pipeline.recipe import Baseline, Recipe

__all__ = ["LEVELS", "codes_of_digits", "full_covariance_gaussian", "grey_samples", "maf"]

LEVELS = 17  # intensities of the digits, 0 to 16


def maf() -> Recipe:
    """Digits of seventeen intensities, noise added to make them a density, by five masked layers.

    Bits per dimension bound the code length of the whole intensities, so that they compare with any model of those.
    """
    return Recipe(
        slug="maf",
        dataset="digits-flat",
        model=lambda spec, seed: MAF(spec.features, layers=5, units=(128,), levels=LEVELS, seed=seed),
        compile=lambda spec: {"optimizer": keras.optimizers.Adam(1e-3)},
        batch_size=100,
        epochs=80,
        baseline=full_covariance_gaussian,
        ceiling={"bits_per_dimension": 2.7},
        select="val_loss",
        figures=(learning_curves, grey_samples, codes_of_digits),
    )


def full_covariance_gaussian(dataset: Any, seed: int) -> Baseline:
    """One Gaussian with all covariances, fitted to the same noisy pixels; the noise of fit and test is integrated.

    y = (k + u) / L;  mean and covariance over k and u,  E_u log N(y) = log N at u = 1/2, less trace(precision) / (24 L^2)
    """
    noise = 1 / (12 * LEVELS**2)  # variance of u / L
    train, test = ((np.asarray(part.x, "float64") * (LEVELS - 1) + 0.5) / LEVELS for part in (dataset.train, dataset.test))
    size = train.shape[1]
    covariance = np.cov(train.T, bias=True) + noise * np.eye(size)
    precision, centred = np.linalg.inv(covariance), test - train.mean(axis=0)
    quadratic = np.einsum("nd,de,ne->n", centred, precision, centred) + noise * np.trace(precision)
    log_density = -0.5 * (quadratic + np.linalg.slogdet(2 * np.pi * covariance)[1])
    bits = np.log2(LEVELS) - log_density.mean() / (size * np.log(2))
    return Baseline("full-covariance Gaussian", {"bits_per_dimension": float(bits)})


def grey_samples(context: FigureContext, rows: int = 8, columns: int = 10) -> Figure:
    """Left, draws of the model; right, test digits."""
    drawn = np.asarray(context.model.sample(context.seed, rows * columns))
    figure = Figure(figsize=(11.0, 4.8), layout="constrained")
    for part, images, title in zip(
        figure.subfigures(1, 2, wspace=0.05), (drawn, context.dataset.test.x), ("samples", "test digits"), strict=True
    ):
        part.suptitle(title, fontsize=10)
        for axes, image in zip(part.subplots(rows, columns).flat, images, strict=False):
            side = round(float(np.sqrt(np.size(image))))
            axes.imshow(np.reshape(image, (side, side)), cmap="gray_r", vmin=0.0, vmax=1.0, interpolation="nearest")
            axes.set_xticks([])
            axes.set_yticks([])
            axes.spines[:].set_color("#BBBBBB")
    figure.suptitle(f"{context.recipe.slug}: {rows * columns} independent samples", fontsize=11)
    return figure


def codes_of_digits(context: FigureContext) -> Figure:
    """What the flow makes of test digits: correlations of pixels, and of codes; all codes beside the normal density."""
    x = np.asarray(context.dataset.test.x)
    z = np.asarray(context.model.encode(x))
    figure = Figure(figsize=(11.0, 3.6), layout="constrained")
    left, middle, right = figure.subplots(1, 3)
    for axes, values, title in ((left, x, "pixels"), (middle, z, "codes")):
        centred = values - values.mean(axis=0)
        deviation = np.maximum(centred.std(axis=0), 1e-6)
        correlation = centred.T @ centred / len(x) / np.outer(deviation, deviation)
        shown = axes.imshow(correlation, cmap="RdBu_r", vmin=-1.0, vmax=1.0)
        outside = correlation[~np.eye(len(correlation), dtype=bool)]
        axes.set_title(f"correlations of {title}: mean size {np.abs(outside).mean():.2f}", fontsize=10)
        axes.set_xticks([])
        axes.set_yticks([])
    figure.colorbar(shown, ax=middle, shrink=0.8)
    edges = np.linspace(-5, 5, 61)
    right.hist(np.clip(z.reshape(-1), -5, 5), edges, density=True, color=BLUE, alpha=0.7, label="codes of test digits")
    right.plot(edges, np.exp(-(edges**2) / 2) / np.sqrt(2 * np.pi), color=GREY, linestyle="--", label="normal density")
    right.spines[["top", "right"]].set_visible(False)
    right.set_xlabel("code (beyond ±5: at the edge)")
    right.legend(frameon=False, fontsize=8)
    figure.suptitle(f"{context.recipe.slug}: {len(x)} test digits, from pixels to codes", fontsize=11)
    return figure
