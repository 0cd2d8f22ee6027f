"""Recipes of normalizing flows: the density of scanned digits, pixel noise and all."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import keras
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from keras_course.core.seeds import derive_seed
from keras_course.models.generative.coupling_flows import NICE, RealNVP
from keras_course.pipeline.figures import FigureContext
from keras_course.pipeline.plots import BLUE, GREY, ORANGE, learning_curves
from keras_course.pipeline.recipe import Baseline, Recipe
from keras_course.recipes.large_images import STEPS, is_large, on_large_images, rows_of_pixels

__all__ = [
    "bits_by_model",
    "density_of_moons",
    "factorised_pixels",
    "gaussian_of_logits",
    "interpolations",
    "large_flow",
    "nice",
    "nice_on_images",
    "real_nvp",
    "real_nvp_on_images",
    "samples_beside_digits",
    "two_moons",
]

LEVELS, ALPHA = 17, 0.01  # the scans know intensities 0 ... 16
LARGE_LEVELS, LARGE_EPOCHS = 256, 40  # MNIST and its kin know 0 ... 255


def real_nvp() -> Recipe:
    """Digits as they were scanned, 64 pixels of 17 levels, by six affine couplings.

    Bits a pixel, of the whole numbers themselves: noise makes them real, the logit takes them to the line, and what the
    noise adds is taken off. The baseline gets the same noisy logits and describes them by a Gaussian of full
    covariance, which is the best that one linear layer can do. With 1,258 digits the flow overfits within sixty epochs:
    weights decay, and the epoch is chosen by validation.
    """
    return _recipe(
        "real-nvp",
        lambda spec, seed: RealNVP(spec.features, units=(64, 64), alpha=ALPHA, levels=LEVELS, seed=seed),
        epochs=70,
        ceiling=2.2,
        figures=(learning_curves, bits_by_model, samples_beside_digits, interpolations, density_of_moons),
    )


def nice() -> Recipe:
    """The same digits by shifts alone: six additive couplings of even and odd pixels, and a scale a pixel at the end.

    A step less than what affine couplings reach: where digits are dark or light decides by how much a pixel varies,
    and shifts cannot say that.
    """
    return _recipe(
        "nice",
        lambda spec, seed: NICE(
            spec.features, couplings=6, units=(64, 64), base="normal", alpha=ALPHA, levels=LEVELS, seed=seed
        ),
        epochs=100,
        ceiling=2.24,
        figures=(learning_curves, bits_by_model, samples_beside_digits, interpolations),
    )


def real_nvp_on_images(name: str) -> Recipe:
    """Images of 784 pixels of 256 levels, by six couplings whose networks are eight times as wide."""
    return large_flow(
        real_nvp(),
        name,
        lambda spec, seed: RealNVP(spec.features, units=(512, 512), alpha=ALPHA, levels=LARGE_LEVELS, seed=seed),
    )


def nice_on_images(name: str) -> Recipe:
    """The same by additive couplings."""
    return large_flow(
        nice(),
        name,
        lambda spec, seed: NICE(
            spec.features, couplings=6, units=(512, 512), base="normal", alpha=ALPHA, levels=LARGE_LEVELS, seed=seed
        ),
    )


def large_flow(recipe: Recipe, name: str, model: Any) -> Recipe:
    """A recipe of this page on "mnist" or "fashion-mnist": another model, noise of 256 levels.

    The baseline is a table of levels for each pixel, which beats the Gaussian of the logits there: most pixels are
    nearly always white, and a density of noisy logits spends bits to say so.
    """
    return on_large_images(
        recipe,
        name,
        prepare=rows_of_pixels,
        model=model,
        compile=lambda spec: {
            "optimizer": keras.optimizers.AdamW(
                keras.optimizers.schedules.CosineDecay(5e-4, STEPS * LARGE_EPOCHS), weight_decay=0.01, clipnorm=10.0
            )
        },
        epochs=LARGE_EPOCHS,
        baseline=partial(factorised_pixels, levels=LARGE_LEVELS),
    )


def _recipe(slug: str, model: Any, epochs: int, ceiling: float, figures: Any) -> Recipe:
    return Recipe(
        slug=slug,
        dataset="digits-flat",
        model=model,
        compile=lambda spec: {"optimizer": keras.optimizers.AdamW(1e-3, weight_decay=0.1, clipnorm=10.0)},
        batch_size=128,
        epochs=epochs,
        baseline=gaussian_of_logits,
        ceiling={"bits_per_dimension": ceiling},
        select="val_loss",
        figures=figures,
        tiny={"epochs": 2, "examples": 128},
    )


def factorised_pixels(dataset: Any, seed: int, levels: int = LEVELS) -> Baseline:
    """Pixels that know nothing of each other: each level as often as in training, one added to every count."""
    train, test = (np.round(part.x * (levels - 1)).astype("int32") for part in (dataset.train, dataset.test))
    counts = 1.0 + np.stack([np.bincount(column, minlength=levels) for column in train.T])  # (D, L)
    chances = counts / counts.sum(axis=1, keepdims=True)
    bits = -np.log2(chances[np.arange(train.shape[1]), test]).mean()
    return Baseline("factorised levels", {"bits_per_dimension": float(bits)})


def gaussian_of_logits(dataset: Any, seed: int, draws: int | None = None, levels: int = LEVELS) -> Baseline:
    """A Gaussian of full covariance over the same noisy logits that the flows see, its off-diagonals shrunk.

    By how much is chosen on the validation split. Shrunk wholly it would be a factorised Gaussian. Of the noise there
    are `draws` an image; None takes eight, and one where there are tens of thousands of images.
    """
    splits = (dataset.train, dataset.validation, dataset.test)
    draws = draws or (1 if is_large(dataset) else 8)
    noise = np.random.Generator(np.random.Philox(derive_seed(seed, "baseline")))
    (train, _), *measured = (_noisy_logits(part.x, draws, noise, levels) for part in splits)
    mean, covariance = train.mean(axis=0), np.cov(train.T)
    best = (math.inf, math.inf)
    for share in (0.0, 0.001, 0.01, 0.03, 0.1, 0.3, 1.0):
        shrunk = (1 - share) * covariance + share * np.diag(np.diag(covariance))
        factor = np.linalg.cholesky(shrunk + 1e-6 * np.eye(len(mean)))
        best = min(best, tuple(_gaussian_bits(*part, mean, factor, levels) for part in measured))  # by validation
    return Baseline("full-covariance Gaussian of the logits", {"bits_per_dimension": best[1]})


def _noisy_logits(x: Any, draws: int, noise: np.random.Generator, levels: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """logit(alpha + (1 - 2 alpha) (k + u) / L), and the log of its slopes, summed."""
    k = np.repeat(np.round(np.asarray(x, "float64") * (levels - 1)), draws, axis=0)
    p = ALPHA + (1 - 2 * ALPHA) * (k + noise.uniform(size=k.shape)) / levels
    return np.log(p) - np.log1p(-p), np.sum(math.log(1 - 2 * ALPHA) - np.log(p) - np.log1p(-p), axis=1)


def _gaussian_bits(logits: Any, log_slopes: Any, mean: Any, factor: Any, levels: int) -> float:
    white = np.linalg.solve(factor, (logits - mean).T)  # (D, N)
    size = len(mean)
    log_density = -0.5 * (white**2).sum(axis=0) - np.log(np.diag(factor)).sum() - 0.5 * size * math.log(2 * math.pi)
    return float(math.log2(levels) - (log_density + log_slopes).mean() / (size * math.log(2)))


def bits_by_model(context: FigureContext) -> Figure:
    """What a pixel of a test digit costs: independent levels, one Gaussian, this flow."""
    names, bits, levels = [], [], context.model.levels
    for baseline in (factorised_pixels, gaussian_of_logits):
        name, measured = baseline(context.dataset, context.seed, levels=levels)
        names.append(name)
        bits.append(measured["bits_per_dimension"])
    names.append(context.recipe.slug)
    bits.append(float(np.mean(context.outputs)) / -(context.dataset.test.x.shape[1] * math.log(2)))
    figure = Figure(figsize=(7.0, 2.4), layout="constrained")
    axes = figure.subplots()
    bars = axes.barh(names[::-1], bits[::-1], color=(ORANGE, BLUE, GREY), height=0.6)
    axes.bar_label(bars, fmt="%.3f", padding=3, fontsize=9)
    uniform = math.log2(levels)
    axes.axvline(uniform, color="black", linestyle=":", linewidth=1)
    axes.text(0.99 * uniform, 0, f"log2 {levels}: uniform", rotation=90, fontsize=8, ha="right", va="bottom")
    axes.set_xlim(0, 1.08 * uniform)
    axes.set_xlabel(f"bits per dimension, {len(context.dataset.test.x)} test digits (lower is better)")
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def samples_beside_digits(context: FigureContext, rows: int = 6, columns: int = 10) -> Figure:
    """Left, draws of the flow; right, test digits."""
    drawn = np.asarray(context.model.sample(context.seed, rows * columns))
    figure = Figure(figsize=(11.0, 3.6), layout="constrained")
    for part, images, title in zip(
        figure.subfigures(1, 2, wspace=0.05), (drawn, context.dataset.test.x), ("x = f⁻¹(z),  z ~ p(z)", "test digits"),
        strict=True,
    ):  # fmt: skip
        part.suptitle(title, fontsize=10)
        for axes, image in zip(part.subplots(rows, columns).flat, images, strict=False):
            _show(axes, image)
    figure.suptitle(f"{context.recipe.slug}: {rows * columns} independent samples", fontsize=11)
    return figure


def interpolations(context: FigureContext, pairs: int = 4, steps: int = 9) -> Figure:
    """Between two test digits: along the line between their codes, and, below it, between their pixels.

    Codes are mixed as z = sin((1 - t) a) z_1 + sin(t a) z_2, a the right angle, so that their length stays typical.
    """
    x = np.asarray(context.dataset.test.x)
    labels = np.asarray(context.dataset.test.y)
    first = np.arange(pairs)
    second = np.array([next(j for j in range(pairs + i, len(x), pairs) if labels[j] != labels[i]) for i in first])
    t = np.linspace(0, 1, steps)
    z = np.asarray(context.model.encode(np.concatenate([x[first], x[second]])))
    angle = 0.5 * math.pi * t[None, :, None]
    mixed = np.cos(angle) * z[:pairs, None] + np.sin(angle) * z[pairs:, None]  # (pairs, steps, D)
    decoded = np.asarray(context.model.decode(mixed.reshape(-1, z.shape[-1]).astype("float32")))
    blended = (1 - t[:, None]) * x[first][:, None] + t[:, None] * x[second][:, None]
    figure = Figure(figsize=(0.75 * steps, 1.6 * pairs), layout="constrained")
    grid = figure.subplots(2 * pairs, steps)
    for pair in range(pairs):
        for step in range(steps):
            _show(grid[2 * pair, step], decoded[pair * steps + step])
            _show(grid[2 * pair + 1, step], blended[pair, step], frame=False)
    figure.suptitle(f"{context.recipe.slug}: between codes (framed), and between pixels", fontsize=11)
    return figure


def two_moons(n: int, seed: int, spread: float = 0.08) -> NDArray[np.float32]:
    """Points (n, 2) beside two half circles that reach into each other."""
    draws = np.random.Generator(np.random.Philox(seed))
    angle, upper = draws.uniform(0, math.pi, n), np.arange(n) % 2 == 0
    x = np.where(upper, np.cos(angle), 1 - np.cos(angle))
    y = np.where(upper, np.sin(angle), 0.5 - np.sin(angle))
    return (np.stack([x - 0.5, y - 0.25], axis=1) + spread * draws.normal(size=(n, 2))).astype("float32")


def density_of_moons(context: FigureContext, epochs: int = 60, n: int = 2048) -> Figure:
    """A flow of the same kind on points of the plane: their density, and where a grid of codes comes to lie.

    Its density sums to 1 over the plane, which the title says. Trained here, in seconds; shorter on a tiny run.
    """
    couplings = 8
    if len(context.dataset.train) < 512:
        epochs, n, couplings = 1, 256, 2
    x = two_moons(n, seed=derive_seed(context.seed, "moons"))
    model = RealNVP(2, couplings=couplings, units=(32, 32), mask="halves", actnorm=False, seed=context.seed)
    model.compile(keras.optimizers.Adam(2e-3), steps_per_execution=max(1, n // 256))
    model.fit(x, batch_size=256, epochs=epochs, verbose=0)

    across, up = np.linspace(-2.2, 2.2, 161), np.linspace(-1.6, 1.6, 121)
    plane = np.stack(np.meshgrid(across, up), axis=-1).reshape(-1, 2).astype("float32")
    density = np.exp(np.asarray(model.log_prob(plane))).reshape(len(up), len(across))
    mass = density.sum() * (across[1] - across[0]) * (up[1] - up[0])

    figure = Figure(figsize=(11.0, 3.2), layout="constrained")
    data, learned, bent = figure.subplots(1, 3)
    data.scatter(*x[:1000].T, s=3, color=BLUE, edgecolors="none")
    data.set_title(f"{n} points to learn from", fontsize=10)
    learned.pcolormesh(across, up, density, cmap="Blues", shading="nearest")
    learned.set_title(f"p(x); its integral here is {mass:.3f}", fontsize=10)
    lines = np.linspace(-2, 2, 9)
    along = np.linspace(-2, 2, 200)
    for value in lines:
        for z in (np.stack([np.full_like(along, value), along], 1), np.stack([along, np.full_like(along, value)], 1)):
            bent.plot(*np.asarray(model.decode(z.astype("float32"))).T, color=ORANGE, linewidth=0.6)
    bent.set_title("a grid of codes, |z| <= 2 each way", fontsize=10)
    for axes in (data, learned, bent):
        axes.set_xlim(across[0], across[-1])
        axes.set_ylim(up[0], up[-1])
        axes.set_aspect("equal")
    figure.suptitle(f"{context.recipe.slug}: two moons, {len(model.flow.flows)} couplings", fontsize=11)
    return figure


def _show(axes: Any, image: Any, frame: bool = True) -> None:
    side = round(float(np.sqrt(np.size(image))))
    axes.imshow(np.reshape(image, (side, side)), cmap="gray_r", vmin=0.0, vmax=1.0, interpolation="nearest")
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_color("#BBBBBB")
    axes.spines[:].set_visible(frame)
