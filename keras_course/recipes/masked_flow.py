"""Recipe of the masked autoregressive flow: the density of scanned digits, as in `recipes.flows`."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from matplotlib.figure import Figure

from keras_course.models.generative.masked_flows import MAF
from keras_course.ops.dequantization import dequantised
from keras_course.pipeline.figures import FigureContext
from keras_course.pipeline.plots import BLUE, GREY, learning_curves
from keras_course.pipeline.recipe import Recipe
from keras_course.recipes.flows import (
    ALPHA,
    LARGE_LEVELS,
    LEVELS,
    bits_by_model,
    large_flow,
    real_nvp,
    samples_beside_digits,
)
from keras_course.recipes.large_images import few_test_images

__all__ = ["codes_of_digits", "maf", "maf_on_images"]


def maf() -> Recipe:
    """The same digits as the recipes of NICE and Real NVP, same noise, baseline and optimizer, by five masked layers.

    Every layer moves each pixel by all pixels before it, where a coupling moves one half by the other.
    """
    return replace(
        real_nvp(),
        slug="maf",
        model=lambda spec, seed: MAF(spec.features, layers=5, alpha=ALPHA, levels=LEVELS, seed=seed),
        epochs=70,
        figures=(learning_curves, bits_by_model, samples_beside_digits, codes_of_digits),
    )


def maf_on_images(name: str) -> Recipe:
    """Five masked layers of 1024 units on images of 784 pixels of 256 levels."""
    return large_flow(
        maf(),
        name,
        lambda spec, seed: MAF(spec.features, layers=5, units=(1024,), alpha=ALPHA, levels=LARGE_LEVELS, seed=seed),
    )


def codes_of_digits(context: FigureContext) -> Figure:
    """What the flow makes of test digits: correlations of pixels, and of codes; all codes beside the normal density."""
    x = np.asarray(few_test_images(context.dataset))
    noise = np.random.Generator(np.random.Philox(context.seed)).random(x.shape).astype("float32")
    z = np.asarray(context.model.flow.forward(dequantised(x, noise, context.model.levels))[0])
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
