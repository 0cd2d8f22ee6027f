"""Recipes of deep energy models: a belief network and a deep Boltzmann machine, greedily started, on binary digits."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import keras
import numpy as np
from matplotlib.figure import Figure

from keras_course.models.energy.dbm import DBM
from keras_course.models.energy.dbn import DBN
from keras_course.pipeline.figures import FigureContext
from keras_course.pipeline.linear_probe import logistic_regression
from keras_course.pipeline.plots import learning_curves
from keras_course.pipeline.recipe import Baseline, Recipe
from keras_course.recipes.energy import annealing, factorised_bernoulli, falling
from keras_course.recipes.generative import binarised
from keras_course.recipes.large_images import STEPS, drawn_rows, is_large, on_large_images
from keras_course.recipes.vision import softmax_regression_on_pixels

__all__ = [
    "dbm",
    "dbm_on_images",
    "dbn",
    "dbn_on_images",
    "dreams",
    "filters_of_every_layer",
    "layer_by_layer",
    "pixels_and_softmax",
]

DIGITS = "digits-flat"
GREEDY_EPOCHS = {"dbn": 150, "dbm": 60}  # of each layer
HEAD_EPOCHS = 40  # of backpropagation through the classifier
LARGE_GREEDY_EPOCHS, LARGE_HEAD_EPOCHS, LARGE_EPOCHS = 20, 10, 40
AT_A_TIME = 500  # images whose draws stand in memory together
DRAWS = 50  # of the recognition network for each test digit


def dbn() -> Recipe:
    """Black-and-white digits under two layers of 96 units; then told apart by a softmax on the second.

    The pixels of the restricted machine's recipe, so the log-likelihoods compare: nats a digit.
    """
    return Recipe(
        slug="dbn",
        dataset=DIGITS,
        prepare=binarised,
        model=partial(_of_chains, DBN, units=(96, 96)),
        start=layer_by_layer,
        compile=lambda spec: {"optimizer": falling(0.05, steps=13 * 300)},
        batch_size=100,
        epochs=300,
        baseline=pixels_and_softmax,
        judge=bound_and_accuracy,
        floor={"bound": -20.0, "accuracy": 0.925},
        figures=(learning_curves, dreams, filters_of_every_layer),
    )


def dbm() -> Recipe:
    """The same digits under 96 and 64 units, all of them undirected."""
    return Recipe(
        slug="dbm",
        dataset=DIGITS,
        prepare=binarised,
        model=partial(_of_chains, DBM, units=(96, 64)),
        start=layer_by_layer,
        compile=lambda spec: {"optimizer": falling(0.1, steps=13 * 300)},
        batch_size=100,
        epochs=300,
        baseline=pixels_alone,
        judge=mean_field_bound,
        floor={"bound": -20.0},
        figures=(learning_curves, dreams, filters_of_every_layer),
    )


def dbn_on_images(name: str) -> Recipe:
    """Two layers of 500 units on images of 28 x 28 pixels, each black with the probability of its grey value."""
    return _on_images(dbn(), name, partial(_of_chains, DBN, units=(500, 500)), 0.01)


def dbm_on_images(name: str) -> Recipe:
    """500 and 500 units, all of them undirected."""
    return _on_images(dbm(), name, partial(_of_chains, DBM, units=(500, 500)), 0.005)


def _on_images(recipe: Recipe, name: str, model: Any, rate: float) -> Recipe:
    return on_large_images(
        recipe,
        name,
        prepare=drawn_rows,
        model=model,
        compile=lambda spec: {"optimizer": falling(rate, steps=STEPS * LARGE_EPOCHS), "jit_compile": True},
        epochs=LARGE_EPOCHS,
    )


def _of_chains(kind: Any, spec: Any, seed: int, units: Sequence[int]) -> Any:
    return kind(spec.features, units, chains=100, seed=seed)


def layer_by_layer(model: Any, dataset: Any, seed: int) -> None:
    """The greedy phase, on the training digits."""
    epochs, rate = GREEDY_EPOCHS[type(model).__name__.lower()], 0.1
    if is_large(dataset):
        epochs, rate = LARGE_GREEDY_EPOCHS, 0.02
    model.pretrain(dataset.train.x, epochs, batch_size=100, optimizer=partial(keras.optimizers.SGD, rate, 0.5))


def pixels_alone(dataset: Any, seed: int) -> Baseline:
    """Pixels that know nothing of each other; their log-likelihood is exact, and needs no bound."""
    name, measured = factorised_bernoulli(dataset, seed)
    return Baseline(name, {"bound": measured["log_likelihood"]})


def pixels_and_softmax(dataset: Any, seed: int) -> Baseline:
    """The same, and softmax regression on the pixels for the accuracy: to its minimum, or 200 steps on large images."""
    train, test = dataset.train, dataset.test
    if is_large(dataset):
        accuracy = softmax_regression_on_pixels(dataset, seed).metrics["accuracy"]
    else:
        weights, biases = logistic_regression(train.x, train.y, dataset.spec.classes)
        accuracy = float(np.mean(np.argmax(test.x @ weights + biases, axis=1) == test.y))
    likelihood = pixels_alone(dataset, seed).metrics
    return Baseline("factorised Bernoulli, softmax regression", {**likelihood, "accuracy": accuracy})


def bound_and_accuracy(model: Any, dataset: Any, seed: int) -> dict[str, float]:
    """The bound on log P of the test digits at the estimate of log Z; accuracies with and without what was learned."""
    found = model.annealed_log_partition(*annealing(dataset), seed)
    x = dataset.test.x
    parts = [x[start : start + AT_A_TIME] for start in range(0, len(x), AT_A_TIME)]
    bound, together = (
        np.concatenate([model.sampled_bound(part, seed, DRAWS, found.value, together=way) for part in parts]).mean()
        for way in (False, True)
    )
    untaught = DBN(model.features, model.units, seed=seed)
    return {
        "bound": float(bound),
        "bound_of_draws_together": float(together),
        "accuracy": _accuracy(model, dataset, seed),
        "accuracy_from_scratch": _accuracy(untaught, dataset, seed),
    }


def _accuracy(model: Any, dataset: Any, seed: int) -> float:
    """Of the softmax on the model's layers after backpropagation through all of them."""
    keras.utils.set_random_seed(seed)
    epochs = LARGE_HEAD_EPOCHS if is_large(dataset) else HEAD_EPOCHS
    network = model.classifier(dataset.spec.classes)
    network.compile(
        keras.optimizers.Adam(0.003), keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"]
    )
    network.fit(dataset.train.x, dataset.train.y, batch_size=100, epochs=epochs, verbose=0)
    return float(network.evaluate(dataset.test.x, dataset.test.y, verbose=0, return_dict=True)["accuracy"])


def mean_field_bound(model: Any, dataset: Any, seed: int) -> dict[str, float]:
    """The bound on log P of the test digits at the estimate of log Z, and at either end of its interval."""
    means = dataset.train.x.mean(axis=0).clip(0.01, 0.99)
    found = model.annealed_log_partition(*annealing(dataset), seed, np.log(means / (1 - means)))
    raised = float(np.mean(np.asarray(model.unnormalised_bound(dataset.test.x))))
    return {"bound": raised - found.value, "bound_low": raised - found.high, "bound_high": raised - found.low}


def dreams(context: FigureContext, rows: int = 8, columns: int = 10) -> Figure:
    """Test digits, their reconstructions, and samples."""
    model, x = context.model, context.dataset.test.x[: rows * columns]
    samples = np.asarray(model.sample(context.seed, rows * columns))
    figure = Figure(figsize=(12.0, 3.8), layout="constrained")
    parts = (
        (x, "test digits"),
        (np.asarray(model.reconstruct(x)), "reconstructed"),
        (samples, "samples, from fair coins"),
    )
    for axes, (images, title) in zip(figure.subplots(1, 3), parts, strict=True):
        axes.set_title(title, fontsize=10)
        _show(axes, images, rows, columns, (0.0, 1.0), "gray_r")
    figure.suptitle(f"{context.recipe.slug}: what it makes of digits, and what it dreams", fontsize=11)
    return figure


def filters_of_every_layer(context: FigureContext, rows: int = 8, columns: int = 8) -> Figure:
    """What switches units on, seen in pixels: W^1, then W^1 W^2 (each unit by way of the layer below)."""
    kernels = _kernels(context.model)
    figure = Figure(figsize=(5.2 * len(kernels), 5.4), layout="constrained")
    seen = np.eye(len(kernels[0]), dtype="float32")
    for layer, (axes, kernel) in enumerate(zip(figure.subplots(1, len(kernels)), kernels, strict=True), start=1):
        seen = seen @ kernel
        limit = float(np.quantile(np.abs(seen), 0.995))
        _show(axes, seen.T, rows, columns, (-limit, limit), "RdBu_r")
        axes.set_title(f"layer {layer}, between ±{limit:.1f}", fontsize=10)
    figure.suptitle(f"{context.recipe.slug}: weights of hidden units, red switches on", fontsize=11)
    return figure


def _kernels(model: Any) -> list[Any]:
    if isinstance(model, DBM):
        return [np.asarray(kernel) for kernel in model.kernels]
    return [np.asarray(kernel) for kernel in (*(kernel for kernel, _ in model.recognition), model.top.kernel)]


def _show(axes: Any, images: Any, rows: int, columns: int, limits: tuple[float, float], colours: str) -> None:
    """Square images side by side, a pixel of nothing between them: one picture, for hundreds of axes are slow."""
    side = round(float(np.sqrt(np.shape(images)[1])))
    sheet = np.full((rows * columns, side + 1, side + 1), np.nan)
    shown = np.reshape(images, (-1, side, side))[: rows * columns]
    sheet[: len(shown), :side, :side] = shown
    sheet = sheet.reshape(rows, columns, side + 1, side + 1).swapaxes(1, 2).reshape(rows * (side + 1), -1)
    axes.imshow(sheet[:-1, :-1], cmap=colours, vmin=limits[0], vmax=limits[1], interpolation="nearest")
    axes.set_facecolor("#CCCCCC")
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_visible(False)
