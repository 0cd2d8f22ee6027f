"""Recipe of PixelCNN: digits drawn pixel by pixel."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import keras
import numpy as np
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

from keras_course.datasets import Dataset, load
from keras_course.models.generative.pixel_cnn import PixelCNN
from keras_course.pipeline.figures import FigureContext
from keras_course.pipeline.plots import learning_curves
from keras_course.pipeline.recipe import Baseline, Recipe
from keras_course.recipes import generative
from keras_course.recipes.generative import binarised
from keras_course.recipes.large_images import (
    SHOWN,
    STEPS,
    drawn_pixels,
    few_test_images,
    on_large_images,
    rows_of_pixels,
)

__all__ = [
    "bits_of_pixels",
    "completions",
    "digits_by_class",
    "factorised_bernoulli",
    "factorised_by_class",
    "images_by_class",
    "judged_by_density",
    "log_densities",
    "pixel_cnn",
    "pixel_cnn_of_classes",
    "pixel_cnn_of_large_classes",
    "pixel_cnn_on_images",
    "samples",
    "samples_of_classes",
    "show_sheet",
    "what_a_pixel_sees",
]

EPOCHS, BATCH = 40, 100
LARGE_EPOCHS = 10
AT_A_TIME = 256  # images whose maps stand in memory together


def pixel_cnn() -> Recipe:
    """Black-and-white digits by the gated form: an exact log-likelihood of the pixels that other recipes bound.

    The pixels are those of the variational autoencoder and the restricted Boltzmann machine, so nats a digit compare.
    The floor is half a nat above that of the Boltzmann machine.
    """
    return Recipe(
        slug="pixel-cnn",
        dataset="digits",
        prepare=binarised,
        model=lambda spec, seed: PixelCNN(spec.shape, filters=24, blocks=4, first_kernel=5, seed=seed),
        compile=lambda spec: {
            "optimizer": keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(3e-3, 13 * EPOCHS))
        },
        batch_size=BATCH,
        epochs=EPOCHS,
        baseline=factorised_bernoulli,
        floor={"log_likelihood": -19.5},
        select="val_loss",
        figures=(learning_curves, samples, completions, bits_of_pixels, what_a_pixel_sees),
    )


def pixel_cnn_of_classes() -> Recipe:
    """Black-and-white digits given their class: draws of any class, and the class of a digit by Bayes' rule.

    Held against naive Bayes, pixels that know the class and not each other: the floors are a nat and some digits
    above it.
    """
    return Recipe(
        slug="pixel-cnn",
        dataset=digits_by_class,
        prepare=binarised,
        model=lambda spec, seed: PixelCNN(
            spec.shape, filters=24, blocks=4, first_kernel=5, classes=spec.classes, seed=seed
        ),
        compile=lambda spec: {
            "optimizer": keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(3e-3, 13 * EPOCHS))
        },
        batch_size=BATCH,
        epochs=EPOCHS,
        baseline=factorised_by_class,
        floor={"log_likelihood": -17.2, "accuracy": 0.9},
        judge=judged_by_density,
        select="val_loss",
        figures=(learning_curves, samples_of_classes),
    )


def pixel_cnn_on_images(name: str) -> Recipe:
    """Images of 28 x 28 pixels, each black with the probability of its grey value, by the same network under 7 x 7."""
    return _on_images(pixel_cnn(), name)


def pixel_cnn_of_large_classes(name: str) -> Recipe:
    """The same given their class, on "mnist-by-class" or "fashion-mnist-by-class".

    Classes are told apart on the first thousand test images: each takes a pass for every class.
    """
    return _on_images(pixel_cnn_of_classes(), partial(images_by_class, name.removesuffix("-by-class")))


def _on_images(recipe: Recipe, dataset: Any) -> Recipe:
    classes = recipe.judge is not None
    return on_large_images(
        recipe,
        dataset,
        prepare=drawn_pixels,
        model=lambda spec, seed: PixelCNN(
            spec.shape, filters=24, blocks=6, first_kernel=7, classes=spec.classes if classes else None, seed=seed
        ),
        compile=lambda spec: {
            "optimizer": keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(2e-3, STEPS * LARGE_EPOCHS))
        },
        epochs=LARGE_EPOCHS,
    )


def digits_by_class(seed: int, counts: tuple[int, int, int] | None = None) -> Dataset:
    """The digits, under the name by which a run finds this recipe again.

    Args:
        seed: int, decides the split.
        counts: how many of training, validation and test digits to keep; None keeps all.
    """
    return images_by_class("digits", seed, counts)


def images_by_class(name: str, seed: int, counts: tuple[int, int, int] | None = None) -> Dataset:
    """The set of that name as "name-by-class".

    Args:
        name: of a set that `datasets.load` knows.
        seed: int, decides the split.
        counts: how many of training, validation and test images to keep; None keeps all.
    """
    images = load(name, seed=seed)
    parts = {name: getattr(images, name) for name in ("train", "validation", "test")}
    if counts is not None:
        parts = {
            name: replace(part, x=part.x[:count], y=part.y[:count])
            for (name, part), count in zip(parts.items(), counts, strict=True)
        }
    return replace(images, spec=replace(images.spec, name=f"{name}-by-class"), **parts)


def log_densities(model: PixelCNN, x: Any) -> Any:
    """log p(x | y) of every class y, (N, K)."""
    each = [
        _in_parts(lambda part, label=label: model.log_prob(part, np.full(len(part), label)), x)
        for label in range(model.classes)
    ]
    return np.stack(each, axis=-1)


def _in_parts(function: Any, x: Any) -> np.ndarray:
    """function(x), a few images at a time."""
    return np.concatenate([np.asarray(function(x[start : start + AT_A_TIME])) for start in range(0, len(x), AT_A_TIME)])


def judged_by_density(model: PixelCNN, dataset: Any, seed: int) -> dict[str, float]:
    """How often the class under which a test digit is likeliest is its own: Bayes' rule with classes alike often."""
    told = log_densities(model, few_test_images(dataset)).argmax(axis=-1)
    return {"accuracy": float((told == np.ravel(dataset.test.y[:SHOWN])).mean())}


def factorised_by_class(dataset: Any, seed: int) -> Baseline:
    """Pixels that know their class and not each other (naive Bayes), one half of a digit added of each colour."""
    train, test = dataset.train, dataset.test
    flat, y = train.x.reshape(len(train.x), -1), np.ravel(train.y)
    x = test.x.reshape(len(test.x), -1)
    counts = np.stack([flat[y == label].sum(axis=0) for label in range(dataset.spec.classes)])
    black = (counts + 0.5) / (np.bincount(y, minlength=dataset.spec.classes)[:, None] + 1)
    each = x @ np.log(black).T + (1 - x) @ np.log1p(-black).T  # (N, K)
    labels = np.ravel(test.y)
    nats = float(each[np.arange(len(x)), labels].mean())
    return Baseline(
        "naive Bayes",
        {
            "log_likelihood": nats,
            "bits_per_dimension": -nats / (np.log(2) * x.shape[1]),
            "accuracy": float((each.argmax(axis=-1) == labels).mean()),
        },
    )


def samples_of_classes(context: FigureContext, count: int = 12) -> Figure:
    """Draws of every class, a row each."""
    classes = context.model.classes
    labels = np.repeat(np.arange(classes), count)
    drawn = np.asarray(context.model.sample(context.seed, condition=labels))
    figure = Figure(figsize=(5.6, 5.0), layout="constrained")
    axes = figure.subplots()
    show_sheet(axes, drawn, count)
    side = round(float(np.sqrt(drawn[0].size))) + 2
    axes.set_yticks([side * (row + 0.5) - 0.5 for row in range(classes)], [str(row) for row in range(classes)])
    axes.tick_params(length=0)
    axes.set_ylabel("class asked for")
    axes.set_title(f"{context.recipe.slug}: draws given a class", fontsize=11)
    return figure


def factorised_bernoulli(dataset: Any, seed: int) -> Baseline:
    """Pixels that know nothing of each other."""
    name, measured = generative.factorised_bernoulli(rows_of_pixels(dataset), seed)
    nats = measured["elbo"]
    return Baseline(name, {"log_likelihood": nats, "bits_per_dimension": -nats / (np.log(2) * dataset.spec.features)})


def samples(context: FigureContext, rows: int = 6, columns: int = 12) -> Figure:
    """Test digits, and as many digits that the model drew."""
    drawn = np.asarray(context.model.sample(context.seed, rows * columns))
    figure = Figure(figsize=(11.0, 3.3), layout="constrained")
    real = context.dataset.test.x[: rows * columns]
    for axes, images, title in zip(figure.subplots(1, 2), (real, drawn), ("test digits", "samples"), strict=True):
        show_sheet(axes, images, columns)
        axes.set_title(title, fontsize=10)
    figure.suptitle(f"{context.recipe.slug}: {rows * columns} samples", fontsize=11)
    return figure


def completions(context: FigureContext, columns: int = 16, tries: int = 4) -> Figure:
    """Upper halves of test digits, finished several times; below them the truth."""
    x = context.dataset.test.x[:columns]
    height, width, colours = context.model.image_shape
    given = height // 2 * width * colours
    drawn = np.asarray(context.model.complete(np.concatenate([x] * tries), given, context.seed))
    upper = np.array(x, "float32")
    upper[:, height // 2 :] = 0.25  # neither black nor white: not told
    figure = Figure(figsize=(9.0, 3.7), layout="constrained")
    axes = figure.subplots()
    show_sheet(axes, np.concatenate([upper, drawn, x]), len(x))
    names = ["given", *(f"draw {number + 1}" for number in range(tries)), "truth"]
    axes.set_yticks([(height + 2) * (row + 0.5) - 0.5 for row in range(len(names))], names, fontsize=9)
    axes.tick_params(length=0)
    axes.set_title(f"{context.recipe.slug}: lower halves drawn from p(lower | upper)", fontsize=11)
    return figure


def bits_of_pixels(context: FigureContext) -> Figure:
    """How many bits each pixel of a test digit costs, told all before it, and told nothing."""
    model, x = context.model, few_test_images(context.dataset)
    scored = _in_parts(lambda part: model.family.log_prob(model(part), part.reshape(-1, *model.image_shape)), x)
    train = context.dataset.train.x
    black = (train.sum(axis=0) + 0.5) / (len(train) + 1)
    alone = np.where(x > 0.5, np.log(black), np.log1p(-black))
    figure = Figure(figsize=(7.6, 3.6), layout="constrained")
    pictures = [-np.reshape(each, (len(x), *model.image_shape)).mean((0, 3)) / np.log(2) for each in (alone, scored)]
    grid = figure.subplots(1, 2)
    for axes, picture, title in zip(grid, pictures, ("told nothing", "told all pixels before it"), strict=True):
        shown = axes.imshow(picture, cmap="viridis", vmin=0.0, vmax=1.0)
        axes.set_title(f"{title}: {picture.sum():.1f} bits a digit", fontsize=10)
        axes.set_xticks([])
        axes.set_yticks([])
    figure.colorbar(shown, ax=grid, shrink=0.8, label="bits, mean over test digits")
    figure.suptitle(f"{context.recipe.slug}: what a pixel costs", fontsize=11)
    return figure


def what_a_pixel_sees(context: FigureContext, rows: int = 8) -> Figure:
    """How much the log odds of one pixel move when an earlier one is turned: the trained model, and the residual form.

    The residual network has random weights and the same kernels; white is exactly nothing, its blind wedge among it.
    """
    model, x = context.model, context.dataset.test.x[:rows]
    blind = PixelCNN(
        model.event_shape, filters=8, blocks=model.blocks, gated=False, first_kernel=model.first_kernel,
        kernel_size=model.kernel_size, seed=context.seed,
    )  # fmt: skip
    height, width, _ = model.image_shape
    row, column = 5 * height // 8, width // 4
    turned = np.repeat(x[None], height * width + 1, axis=0).reshape(-1, len(x), height * width)
    places = np.arange(height * width)
    turned[places, :, places] = 1 - turned[places, :, places]  # the last of them is as it was
    figure = Figure(figsize=(7.6, 3.6), layout="constrained")
    grid = figure.subplots(1, 2)
    for axes, network, title in zip(grid, (model, blind), ("gated, trained", "residual, untrained"), strict=True):
        places = lambda part, network=network: network(part)[:, row, column, 0, 0]  # noqa: E731
        logits = _in_parts(places, turned.reshape(-1, *model.event_shape))
        moved = np.abs(logits.reshape(-1, len(x))[:-1] - logits.reshape(-1, len(x))[-1]).mean(axis=1)
        picture = np.where(moved > 0, moved / moved.max(), np.nan).reshape(height, width)
        shown = axes.imshow(picture, cmap="viridis", norm=LogNorm(1e-4, 1.0))
        axes.plot(column, row, "s", color="#D55E00", markersize=12)
        axes.set_title(title, fontsize=10)
        axes.set_xticks([])
        axes.set_yticks([])
    figure.colorbar(shown, ax=grid, shrink=0.8, label="change of the log odds, over the greatest")
    figure.suptitle(f"{context.recipe.slug}: what the marked pixel is told by", fontsize=11)
    return figure


def show_sheet(axes: Any, images: Any, columns: int) -> None:
    """Square images between 0 (white) and 1 (black), side by side, each in a grey frame."""
    side = round(float(np.sqrt(images[0].size)))
    framed = np.pad(np.reshape(images, (-1, side, side)), ((0, 0), (1, 1), (1, 1)), constant_values=0.15)
    rows = -(-len(framed) // columns)
    sheet = np.zeros((rows * columns, side + 2, side + 2), framed.dtype)
    sheet[: len(framed)] = framed
    sheet = sheet.reshape(rows, columns, side + 2, side + 2).transpose(0, 2, 1, 3)
    axes.imshow(sheet.reshape(rows * (side + 2), -1), cmap="gray_r", vmin=0.0, vmax=1.0, interpolation="nearest")
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_visible(False)
