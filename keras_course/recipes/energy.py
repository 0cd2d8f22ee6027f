"""Recipes of the chapters on energy models: densities of digits."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from matplotlib.figure import Figure

from keras_course.models.energy.boltzmann_machine import BoltzmannMachine
from keras_course.models.energy.rbm import RBM
from keras_course.pipeline.figures import FigureContext
from keras_course.pipeline.plots import learning_curves
from keras_course.pipeline.recipe import Baseline, Recipe
from keras_course.recipes import generative
from keras_course.recipes.generative import binarised
from keras_course.recipes.large_images import (
    STEPS,
    changed_pixels,
    drawn_rows,
    is_large,
    on_large_images,
    rows_of_pixels,
)

__all__ = [
    "annealing",
    "boltzmann_machine",
    "boltzmann_machine_on_images",
    "coarse",
    "couplings",
    "factorised_bernoulli",
    "filters",
    "rbm",
    "rbm_on_images",
    "samples_and_chain",
]

RUNS, TEMPERATURES = 200, 5000  # of annealed importance sampling: an interval of a tenth of a nat


def rbm() -> Recipe:
    """Black-and-white digits by 96 hidden units, persistent chains.

    The same pixels as the recipe of the variational autoencoder, so the log-likelihoods compare: nats a digit.
    """
    return Recipe(
        slug="rbm",
        dataset="digits-flat",
        prepare=binarised,
        model=lambda spec, seed: RBM(spec.features, units=96, chains=100, seed=seed),
        compile=lambda spec: {"optimizer": falling(0.2, steps=13 * 500)},
        batch_size=100,
        epochs=500,
        baseline=factorised_bernoulli,
        judge=annealed_likelihood,
        floor={"log_likelihood": -20.0},
        figures=(learning_curves, samples_and_chain, filters),
    )


def boltzmann_machine() -> Recipe:
    """Digits of 4 x 4 pixels by their 120 pairs: sixteen units, few enough that log Z is exact."""
    return Recipe(
        slug="boltzmann-machine",
        dataset="digits-flat",
        prepare=coarse,
        model=lambda spec, seed: BoltzmannMachine(spec.features, chains=200, seed=seed),
        compile=lambda spec: {"optimizer": falling(0.1, steps=13 * 150)},
        batch_size=100,
        epochs=150,
        baseline=factorised_bernoulli,
        judge=exact_likelihood,
        floor={"log_likelihood": -4.6},
        figures=(learning_curves, couplings),
    )


def rbm_on_images(name: str) -> Recipe:
    """500 hidden units for images of 28 x 28 pixels, each black with the probability of its grey value.

    At a tenth of the rate of the digits: at a higher one all chains meet in one image, and the likelihood with them.
    """
    epochs = 60
    return on_large_images(
        rbm(),
        name,
        prepare=drawn_rows,
        model=lambda spec, seed: RBM(spec.features, units=500, chains=100, seed=seed),
        compile=lambda spec: {"optimizer": falling(0.02, steps=STEPS * epochs), "jit_compile": True},
        epochs=epochs,
    )


def boltzmann_machine_on_images(name: str) -> Recipe:
    """Sixteen pixels by their 120 pairs, for of all 784 no exact log Z can be had.

    Each is a square of 7 x 7, or of 5 x 5 within the frame of four pixels that MNIST leaves white around its digits:
    with it eleven of sixteen would be white in nearly every image.
    """
    epochs, frame = 10, 4 if name == "mnist" else 0
    return on_large_images(
        boltzmann_machine(),
        name,
        prepare=lambda dataset: coarse(rows_of_pixels(dataset), frame),
        compile=lambda spec: {"optimizer": falling(0.1, steps=STEPS * epochs)},
        epochs=epochs,
    )


def falling(rate: float, steps: int) -> Any:
    """Gradient descent whose rate falls to nothing, so that the chains catch up with the parameters."""
    return keras.optimizers.SGD(keras.optimizers.schedules.PolynomialDecay(rate, steps, rate / 100), momentum=0.5)


def coarse(dataset: Any, frame: int = 0) -> Any:
    """Sixteen pixels: each the mean of a square, a quarter of a side long, 1 where that is at least 0.4.

    Args:
        dataset: of square images as rows.
        frame: int, pixels on each side that are cut off before.
    """
    side = round(float(np.sqrt(dataset.spec.features)))
    inner, size = slice(frame, side - frame), (side - 2 * frame) // 4

    def pixels(x: Any) -> Any:
        images = x.reshape(-1, side, side)[:, inner, inner]
        return (images.reshape(-1, 4, size, 4, size).mean(axis=(2, 4)).reshape(-1, 16) >= 0.4).astype("float32")

    return changed_pixels(dataset, pixels, (16,))


def factorised_bernoulli(dataset: Any, seed: int) -> Baseline:
    """Pixels that know nothing of each other: the baseline of the variational autoencoder, whose bound is exact."""
    name, measured = generative.factorised_bernoulli(dataset, seed)
    return Baseline(name, {"log_likelihood": measured["elbo"]})


def annealing(dataset: Any) -> tuple[int, int]:
    """Temperatures and runs of annealed importance sampling.

    Thrice the temperatures on large images, whose log Z is far from that of independent pixels; few on tiny runs.
    """
    if is_large(dataset):
        return 3 * TEMPERATURES, RUNS // 2
    return (TEMPERATURES, RUNS) if len(dataset.train.x) > 500 else (100, 20)


def annealed_likelihood(model: Any, dataset: Any, seed: int) -> dict[str, float]:
    """Mean log P of the test digits at the estimate of log Z, and at either end of its interval."""
    means = dataset.train.x.mean(axis=0).clip(0.01, 0.99)
    found = model.annealed_log_partition(*annealing(dataset), seed, np.log(means / (1 - means)))
    lowered = -float(np.mean(np.asarray(model.free_energy(dataset.test.x))))
    return {
        "log_likelihood": lowered - found.value,
        "log_likelihood_low": lowered - found.high,
        "log_likelihood_high": lowered - found.low,
    }


def exact_likelihood(model: Any, dataset: Any, seed: int) -> dict[str, float]:
    """Mean log P of the test digits."""
    return {"log_likelihood": float(np.mean(np.asarray(model.log_prob(dataset.test.x))))}


def samples_and_chain(context: FigureContext, rows: int = 8, columns: int = 10) -> Figure:
    """Left, fresh samples; right, what persistent chains look like fifty sweeps later, a row a chain."""
    model = context.model
    fresh = np.asarray(model.sample(context.seed, rows * columns)).reshape(rows, columns, -1)
    h, chain = np.asarray(model.chain_states)[:rows], []
    for sweep in range(50 * (columns - 1) + 1):
        hidden_noise, visible_noise = model.sweep_noise(rows, np.array([context.seed, sweep], "int32"))
        v = model.draw_visible(h, visible_noise)
        h = model.draw_hidden(v, hidden_noise)
        if sweep % 50 == 0:
            chain.append(np.asarray(model.decode(h)))
    figure = Figure(figsize=(11.0, 4.8), layout="constrained")
    for part, images, title in zip(
        figure.subfigures(1, 2, wspace=0.05), (fresh, np.stack(chain, axis=1)),
        (f"samples, {model.sampling_steps} sweeps from fair coins", "chains of training: E[v | h], 50 sweeps apart"),
        strict=True,
    ):  # fmt: skip
        part.suptitle(title, fontsize=10)
        for axes, image in zip(part.subplots(rows, columns).flat, images.reshape(rows * columns, -1), strict=True):
            _show(axes, image, 0.0, 1.0, "gray_r")
    figure.suptitle(f"{context.recipe.slug}: what the machine dreams", fontsize=11)
    return figure


def filters(context: FigureContext, rows: int = 6, columns: int = 16) -> Figure:
    """W, a picture a hidden unit: red pixels switch it on."""
    kernel = np.asarray(context.model.kernel)
    figure = Figure(figsize=(11.0, 4.6), layout="constrained")
    limit = float(np.quantile(np.abs(kernel), 0.995))
    for axes, weights in zip(figure.subplots(rows, columns).flat, kernel.T, strict=False):
        _show(axes, weights, -limit, limit, "RdBu_r")
    figure.suptitle(f"{context.recipe.slug}: weights of the hidden units, between ±{limit:.1f}", fontsize=11)
    return figure


def couplings(context: FigureContext) -> Figure:
    """Which pixels want to be black together (red), and which not (blue); right, samples."""
    model = context.model
    kernel = np.asarray(model.kernel)
    limit = float(np.abs(kernel).max())
    figure = Figure(figsize=(10.0, 4.6), layout="constrained")
    left, right = figure.subfigures(1, 2)
    axes = left.subplots()
    shown = axes.imshow(kernel, cmap="RdBu_r", vmin=-limit, vmax=limit)
    ticks = range(0, model.units, 4)
    axes.set_xticks(ticks, [f"row {i // 4}" for i in ticks])
    axes.set_yticks(ticks, [f"row {i // 4}" for i in ticks])
    left.colorbar(shown, ax=axes, shrink=0.8, label="coupling, nats")
    left.suptitle("couplings of 16 pixels, row by row", fontsize=10)
    samples = np.asarray(model.sample(context.seed, 24))
    pixels = context.dataset.test.x[:24]
    for axes, image in zip(right.subplots(6, 8).flat, np.concatenate([pixels, samples]), strict=True):
        _show(axes, image, 0.0, 1.0, "gray_r")
    right.suptitle("test digits above, samples below", fontsize=10)
    figure.suptitle(f"{context.recipe.slug}: 120 couplings", fontsize=11)
    return figure


def _show(axes: Any, image: Any, low: float, high: float, colours: str) -> None:
    side = round(float(np.sqrt(np.size(image))))
    axes.imshow(np.reshape(image, (side, side)), cmap=colours, vmin=low, vmax=high, interpolation="nearest")
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_color("#BBBBBB")
