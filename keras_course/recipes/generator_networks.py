"""Recipe of the generator networks: digits from eight fair coins, and from an affine layer for comparison."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from matplotlib.figure import Figure

from keras_course.models.generative.generator_networks import AffineGenerator, BernoulliGenerator
from keras_course.ops.boltzmann import binary_states
from keras_course.pipeline.figures import FigureContext
from keras_course.pipeline.plots import learning_curves
from keras_course.pipeline.recipe import Baseline, Recipe
from keras_course.recipes import generative
from keras_course.recipes.generative import binarised
from keras_course.recipes.large_images import STEPS, drawn_rows, on_large_images
from keras_course.recipes.pixel_cnn import show_sheet

__all__ = [
    "all_codes",
    "direct_and_indirect",
    "factorised_bernoulli",
    "generator_networks",
    "generator_networks_on_images",
]

EPOCHS, BATCH, BITS = 150, 100, 8


def generator_networks() -> Recipe:
    """Black-and-white digits by a Bernoulli generator of 256 codes, all summed over: exact likelihoods, no encoder.

    The pixels are those of the variational autoencoder, so nats a digit compare. One code would be the factorised
    Bernoulli of the baseline; the floor asks for three nats more.
    """
    return Recipe(
        slug="generator-networks",
        dataset="digits-flat",
        prepare=binarised,
        model=lambda spec, seed: BernoulliGenerator(spec.features, latent=BITS, units=(64,), seed=seed),
        compile=lambda spec: {
            "optimizer": keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(1e-2, 13 * EPOCHS))
        },
        batch_size=BATCH,
        epochs=EPOCHS,
        baseline=factorised_bernoulli,
        floor={"log_likelihood": -22.0},
        select="val_loss",
        figures=(learning_curves, direct_and_indirect, all_codes),
    )


def generator_networks_on_images(name: str) -> Recipe:
    """The same 256 codes for images of 28 x 28 pixels, each black with the probability of its grey value."""
    epochs = 40
    return on_large_images(
        generator_networks(),
        name,
        prepare=drawn_rows,
        model=lambda spec, seed: BernoulliGenerator(spec.features, latent=BITS, units=(256,), seed=seed),
        compile=lambda spec: {
            "optimizer": keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(3e-3, STEPS * epochs))
        },
        epochs=epochs,
    )


def factorised_bernoulli(dataset: Any, seed: int) -> Baseline:
    """Pixels that know nothing of each other: a generator of one code."""
    name, measured = generative.factorised_bernoulli(dataset, seed)
    return Baseline(name, {"log_likelihood": measured["elbo"]})


def direct_and_indirect(context: FigureContext, rows: int = 5, columns: int = 8) -> Figure:
    """x = mu + L z of the normal distribution fitted to the pixels; g(z) of the trained network; x of p(x | z)."""
    affine = AffineGenerator(context.model.features)
    affine.match(context.dataset.train.x, ridge=0.01)
    direct = np.asarray(affine.sample(context.seed, rows * columns))
    drawn = np.asarray(context.model.sample(context.seed, rows * columns))
    codes = np.random.Generator(np.random.Philox(context.seed)).integers(0, 2, size=(rows * columns, BITS))
    means = np.asarray(context.model.generate(codes.astype("float32")))
    figure = Figure(figsize=(12.0, 2.9), layout="constrained")
    titles = ("direct: x = mu + L z,  z normal", "indirect: g(z),  z eight coins", "x ~ p(x | z)")
    for axes, images, title in zip(figure.subplots(1, 3), (direct, means, drawn), titles, strict=True):
        show_sheet(axes, images, columns)
        axes.set_title(title, fontsize=10)
    figure.suptitle(f"{context.recipe.slug}: what either generator makes of noise", fontsize=11)
    return figure


def all_codes(context: FigureContext) -> Figure:
    """g(z) of every code: four bits choose the row, four the column, neighbours differ in one bit."""
    gray = np.arange(16) ^ (np.arange(16) >> 1)
    numbers = (gray[:, None] * 16 + gray[None]).ravel()
    states = np.asarray(binary_states(BITS))[numbers]
    figure = Figure(figsize=(7.0, 7.2), layout="constrained")
    axes = figure.subplots()
    images = np.asarray(context.model.generate(states))
    show_sheet(axes, images, 16)
    side = round(float(np.sqrt(images[0].size))) + 2  # with its frame
    places = side * (np.arange(16) + 0.5) - 0.5
    labels = [f"{number:04b}" for number in gray]
    axes.set_xticks(places, labels, fontsize=7, rotation=90)
    axes.set_yticks(places, labels, fontsize=7)
    axes.set_xlabel("bits 4 to 1 of the code")
    axes.set_ylabel("bits 8 to 5")
    axes.set_title(f"{context.recipe.slug}: g(z) of all {len(states)} codes", fontsize=11)
    return figure
