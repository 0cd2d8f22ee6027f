"""Recipes of the chapter on generative models: digits from two numbers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops
from matplotlib import colormaps
from matplotlib.figure import Figure
from scipy.special import ndtri

from keras_course.models.generative.variational_autoencoder import VariationalAutoencoder
from keras_course.ops.elbo import bernoulli_log_likelihood, importance_weighted_bound
from keras_course.pipeline.figures import FigureContext
from keras_course.pipeline.plots import BLUE, GREY, ORANGE, learning_curves
from keras_course.pipeline.recipe import Baseline, Recipe
from keras_course.recipes.large_images import SHOWN, drawn_rows, few_test_images, on_large_images

__all__ = [
    "binarised",
    "bound_by_draws",
    "factorised_bernoulli",
    "latent_plane",
    "reconstructions",
    "samples_of_the_prior",
    "traversals_and_interpolations",
    "vae",
    "vae_on_images",
]


def vae() -> Recipe:
    """Black-and-white digits from a plane: a variational autoencoder with two code units and Bernoulli pixels.

    Pixels are black where the scan is at least half black, because then log p(x) is a log-probability of an image, and
    the ELBO compares with other models of the same images. Cross-entropies of grey values bound no likelihood at all.
    Two code units, so that the plane of codes shows everything the decoder knows; eight units gain another nat.
    """
    return Recipe(
        slug="vae",
        dataset="digits-flat",
        prepare=binarised,
        model=lambda spec, seed: VariationalAutoencoder(
            spec.features, latent=2, units=(128, 64), activation="relu", evaluation_samples=64, seed=seed
        ),
        compile=lambda spec: {"optimizer": keras.optimizers.Adam(2e-3)},
        batch_size=100,
        epochs=200,
        baseline=factorised_bernoulli,
        floor={"elbo": -20.6},
        select="val_loss",
        figures=(
            learning_curves, samples_of_the_prior, reconstructions, latent_plane, traversals_and_interpolations,
            bound_by_draws,
        ),
    )  # fmt: skip


def vae_on_images(name: str) -> Recipe:
    """Twenty code units for images of 28 x 28 pixels, each black with the probability of its grey value."""
    return on_large_images(
        vae(),
        name,
        prepare=drawn_rows,
        model=lambda spec, seed: VariationalAutoencoder(
            spec.features, latent=20, units=(512, 256), activation="relu", evaluation_samples=8, seed=seed
        ),
        compile=lambda spec: {"optimizer": keras.optimizers.Adam(1e-3)},
        epochs=100,
        figures=(
            learning_curves, samples_of_the_prior, reconstructions, traversals_and_interpolations, bound_by_draws,
        ),
    )  # fmt: skip


def binarised(dataset: Any) -> Any:
    """Pixels as 0 and 1: 1 where the intensity is at least one half."""
    parts = {name: getattr(dataset, name) for name in ("train", "validation", "test")}
    return replace(
        dataset, **{name: replace(part, x=(part.x >= 0.5).astype("float32")) for name, part in parts.items()}
    )


def factorised_bernoulli(dataset: Any, seed: int) -> Baseline:
    """Pixels that know nothing of each other, each black as often as in training (one half of a digit added of each).

    Its log-likelihood needs no bound: it stands beside the ELBO of a model with codes.
    """
    black = dataset.train.x.sum(axis=0) + 0.5
    logits = np.log(black) - np.log(len(dataset.train.x) + 1 - black)
    likelihood = ops.convert_to_numpy(bernoulli_log_likelihood(dataset.test.x, logits.astype("float32")))
    return Baseline("factorised Bernoulli", {"elbo": float(likelihood.mean())})


def samples_of_the_prior(context: FigureContext, rows: int = 4, columns: int = 8) -> Figure:
    """What the model makes of codes from the prior: the probabilities of black, and one draw of the pixels of each."""
    model, count = context.model, rows * columns
    codes = model.codes.sample(tf.constant([context.seed, 1]), count)
    means = np.asarray(model.decode(codes))
    draws = np.asarray(model.family.sample(model.decoder(codes), tf.constant([context.seed, 2])))
    figure = Figure(figsize=(11.0, 3.3), layout="constrained")
    for part, images, title in zip(
        figure.subfigures(1, 2, wspace=0.05), (means, draws), ("E[x | z],  z ~ p(z)", "x ~ p(x | z) at the same z"),
        strict=True,
    ):  # fmt: skip
        part.suptitle(title, fontsize=10)
        for axes, image in zip(part.subplots(rows, columns).flat, images, strict=True):
            _show(axes, image)
    figure.suptitle(f"{context.recipe.slug}: {count} samples", fontsize=11)
    return figure


def reconstructions(context: FigureContext, columns: int = 15) -> Figure:
    """Test digits above what is left of them after two numbers."""
    x = context.dataset.test.x[:columns]
    figure = Figure(figsize=(0.75 * columns, 2.2), layout="constrained")
    grid = figure.subplots(2, columns)
    for column in range(columns):
        _show(grid[0, column], x[column])
        _show(grid[1, column], context.outputs[column])
    width = context.model.latent[0]
    figure.suptitle(
        f"{context.recipe.slug}: test digits, and E[x | z] at the mean of their {width} code units", fontsize=11
    )
    return figure


def latent_plane(context: FigureContext, side: int = 13) -> Figure:
    """The codes of test digits by class, and the digits that the decoder sees all over the plane."""
    model, classes = context.model, context.dataset.spec.classes or 10
    codes = np.asarray(model.encode(few_test_images(context.dataset))["mean"])
    labels = np.asarray(context.dataset.test.y[:SHOWN])
    quantiles = ndtri(np.linspace(0.02, 0.98, side))  # equal shares of the prior
    grid = np.stack(np.meshgrid(quantiles, quantiles[::-1]), axis=-1).reshape(-1, 2)
    images = np.asarray(model.decode(grid.astype("float32")))
    images = images.reshape(side, side, *[round(float(np.sqrt(images[0].size)))] * 2)
    images = np.pad(images, ((0, 0), (0, 0), (1, 1), (1, 1)))  # a white frame keeps neighbours apart
    pixels = images.shape[-1]

    figure = Figure(figsize=(11.0, 5.2), layout="constrained")
    scatter, plane = figure.subplots(1, 2)
    for k, colour in enumerate(colormaps["tab10"].colors[:classes]):
        own = codes[labels == k]
        scatter.scatter(*own.T, s=14, color=colour, alpha=0.75, edgecolors="none")
        if len(own):
            scatter.text(
                *np.median(own, axis=0), str(k), ha="center", va="center", fontsize=11, weight="bold",
                bbox={"boxstyle": "circle,pad=0.2", "facecolor": "white", "edgecolor": colour},
            )  # fmt: skip
    scatter.set_xlabel("code unit 1, mean of q(z | x)")
    scatter.set_ylabel("code unit 2, mean of q(z | x)")
    scatter.set_aspect("equal", adjustable="datalim")
    scatter.spines[["top", "right"]].set_visible(False)
    scatter.set_title("test digits (their classes were never seen)", fontsize=10)
    plane.imshow(images.transpose(0, 2, 1, 3).reshape([side * pixels] * 2), cmap="gray_r", vmin=0.0, vmax=1.0)
    ticks = np.linspace(0, side - 1, 5).astype(int)
    plane.set_xticks((ticks + 0.5) * pixels - 0.5, [f"{quantiles[i]:.1f}" for i in ticks])
    plane.set_yticks((ticks + 0.5) * pixels - 0.5, [f"{quantiles[::-1][i]:.1f}" for i in ticks])
    plane.set_xlabel("code unit 1 (steps of equal prior probability)")
    plane.set_ylabel("code unit 2")
    plane.set_title("E[x | z] over the plane", fontsize=10)
    figure.suptitle(f"{context.recipe.slug}: the plane of codes", fontsize=11)
    return figure


def traversals_and_interpolations(context: FigureContext, columns: int = 11, pairs: int = 5) -> Figure:
    """One code unit moves through its prior while the others stay; and straight lines between the codes of digits.

    Of many units, those whose means differ most among the digits.
    """
    model, x = context.model, few_test_images(context.dataset)
    codes = np.asarray(model.encode(x)["mean"])
    moves = ndtri(np.linspace(0.02, 0.98, columns))[:, None]  # equal shares of the prior
    shares = np.linspace(0.0, 1.0, columns)[:, None]
    _, firsts = np.unique(np.asarray(context.dataset.test.y[:SHOWN]), return_index=True)  # a digit of each class
    firsts = np.resize(firsts, 2 * pairs)
    units = sorted(np.argsort(-codes.std(axis=0), kind="stable")[:pairs])  # those that tell most
    starts = [(codes[row], unit) for row in firsts[: max(pairs // len(units), 1)] for unit in units]
    moved = [np.where(np.arange(len(start)) == unit, moves, start) for start, unit in starts]
    lines = [(1 - shares) * codes[a] + shares * codes[b] for a, b in zip(firsts[::2], firsts[1::2], strict=True)]
    titles = ("one code unit a row, -2 to 2, the others those of a digit", "between the codes of two test digits")
    figure = Figure(figsize=(11.0, 3.4), layout="constrained")
    for part, sheet, title in zip(figure.subfigures(1, 2, wspace=0.04), (moved, lines), titles, strict=True):
        part.suptitle(title, fontsize=10)
        grid = part.subplots(len(sheet), columns, squeeze=False)
        for row, z in enumerate(sheet):
            for column, image in enumerate(np.asarray(model.decode(z.astype("float32")))):
                _show(grid[row, column], image)
    figure.suptitle(f"{context.recipe.slug}: E[x | z] along lines of codes", fontsize=11)
    return figure


def bound_by_draws(context: FigureContext, draws: int = 512) -> Figure:
    """How the importance-weighted bound climbs from the ELBO towards log p(x), against the factorised Bernoulli."""
    model, x = context.model, few_test_images(context.dataset)
    counts = [2**power for power in range(draws.bit_length())]
    totals = np.zeros(len(counts))
    for start in range(0, len(x), 64):
        part = x[start : start + 64]
        noise = np.random.Generator(np.random.Philox(start)).normal(size=(draws, len(part), sum(model.latent)))
        log_joint, log_q = (np.asarray(each) for each in model.log_joint_and_log_q(part, noise.astype("float32")))
        for index, k in enumerate(counts):  # the mean over draws / k groups of k
            groups = (k, draws // k * len(part))
            ours = [each.reshape(draws // k, k, -1).transpose(1, 0, 2).reshape(groups) for each in (log_joint, log_q)]
            totals[index] += np.asarray(importance_weighted_bound(*ours)).mean() * len(part)
    name, measured = factorised_bernoulli(context.dataset, context.seed)
    figure = Figure(figsize=(6.0, 3.6), layout="constrained")
    axes = figure.subplots()
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.25, linewidth=0.6)
    axes.plot(counts, totals / len(x), "o-", color=BLUE, markersize=4, label="importance-weighted bound")
    if "elbo" in context.metrics:
        axes.axhline(context.metrics["elbo"], color=ORANGE, linewidth=1.2, label="ELBO")
    axes.axhline(measured["elbo"], color=GREY, linestyle="--", linewidth=1.2, label=name)
    axes.set_xscale("log", base=2)
    axes.set_xlabel("draws k")
    axes.set_ylabel("bound of log p(x), nats a test digit")
    axes.legend(frameon=False, fontsize=9)
    axes.set_title(f"{context.recipe.slug}: bounds on {len(x)} test digits", fontsize=11)
    return figure


def _show(axes: Any, image: Any) -> None:
    side = round(float(np.sqrt(np.size(image))))
    axes.imshow(np.reshape(image, (side, side)), cmap="gray_r", vmin=0.0, vmax=1.0, interpolation="nearest")
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_color("#BBBBBB")
