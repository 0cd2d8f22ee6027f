"""Recipe of a belief network of digits and their classes: greedy levels, then all of them up and down.

    v -- 96 units -- (96 units, one of ten classes) -- 96 units        the last two layers one undirected machine

The greedy stage trains the lower machine on pixels and the upper one on what it makes of them beside the class. Up and
down then moves all weights together; what that adds is measured on the same test digits, in accuracy and in nats.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import keras
import numpy as np
from matplotlib.figure import Figure

from keras_course.models.energy.dbn import DBN
from keras_course.pipeline.figures import FigureContext
from keras_course.pipeline.linear_probe import logistic_regression
from keras_course.pipeline.plots import learning_curves
from keras_course.pipeline.recipe import Baseline, Recipe
from keras_course.recipes.energy import annealing, falling
from keras_course.recipes.generative import binarised
from keras_course.recipes.large_images import rows_of_pixels
from keras_course.recipes.pixel_cnn import digits_by_class, factorised_by_class, show_sheet

__all__ = ["chances_of_classes", "dbn_of_classes", "draws_of_classes", "greedily", "pixels_given_classes"]

UNITS = (96, 96)
GREEDY_EPOCHS, EPOCHS = 150, 600
BATCH, STEPS = 100, 13  # 1,258 digits
DRAWS = 50  # of the recognition network for each test digit


def dbn_of_classes() -> Recipe:
    """Black-and-white digits and their classes, learnt together; the class is told by the free energy of each.

    `accuracy` is held against softmax regression on the same pixels, `bound` on log P(x, y) against pixels that know
    their class and not each other; `accuracy_of_greedy` and `bound_of_greedy` are those of the network before it is
    tuned up and down.
    """
    return Recipe(
        slug="dbn",
        dataset=digits_by_class,
        prepare=lambda dataset: binarised(rows_of_pixels(dataset)),
        model=_network,
        start=greedily,
        compile=lambda spec: {"optimizer": falling(0.1, STEPS * EPOCHS), "steps_per_execution": STEPS},
        batch_size=BATCH,
        epochs=EPOCHS,
        baseline=pixels_given_classes,
        judge=before_and_after,
        floor={"accuracy": 0.93, "bound": -18.0, "gain": 0.5},
        figures=(learning_curves, draws_of_classes, chances_of_classes),
    )


def _network(spec: Any, seed: int) -> DBN:
    return DBN(spec.features, UNITS, chains=100, classes=spec.classes, seed=seed)


def greedily(model: DBN, dataset: Any, seed: int) -> None:
    """Level after level, the last of them with the classes of the training digits."""
    train, descent = dataset.train, partial(keras.optimizers.SGD, 0.1, 0.5)
    model.pretrain(train.x, GREEDY_EPOCHS, batch_size=BATCH, optimizer=descent, y=np.ravel(train.y))


def pixels_given_classes(dataset: Any, seed: int) -> Baseline:
    """Softmax regression, to its minimum, for the accuracy; naive Bayes and the shares of classes for log P(x, y)."""
    train, test = dataset.train, dataset.test
    weights, biases = logistic_regression(train.x, np.ravel(train.y), dataset.spec.classes)
    accuracy = float(np.mean(np.argmax(test.x @ weights + biases, axis=1) == np.ravel(test.y)))
    counts = np.bincount(np.ravel(train.y), minlength=dataset.spec.classes) + 0.5
    shares = np.log(counts / counts.sum())
    bound = factorised_by_class(dataset, seed).metrics["log_likelihood"] + float(shares[np.ravel(test.y)].mean())
    return Baseline("naive Bayes, softmax regression", {"bound": bound, "accuracy": accuracy})


def before_and_after(model: DBN, dataset: Any, seed: int) -> dict[str, float]:
    """The bound on test digits, and bound and accuracy of the greedy stage, which is trained once more for them."""
    untuned = _network(dataset.spec, model.seed)
    greedily(untuned, dataset, seed)
    bound, before = (_bound(each, dataset, seed) for each in (model, untuned))
    told = np.asarray(untuned.classify(dataset.test.x)).argmax(axis=1)
    return {
        "bound": bound,
        "bound_of_greedy": before,
        "accuracy_of_greedy": float(np.mean(told == np.ravel(dataset.test.y))),
        "gain": bound - before,
    }


def _bound(model: DBN, dataset: Any, seed: int) -> float:
    """On log P(x, y) of the test digits, from draws of Q, at the estimate of log Z."""
    found = model.annealed_log_partition(*annealing(dataset), seed)
    x, y = dataset.test.x, np.ravel(dataset.test.y)
    return float(np.asarray(model.sampled_bound(x, seed, DRAWS, found.value, y=y)).mean())


def draws_of_classes(context: FigureContext, columns: int = 14) -> Figure:
    """Digits drawn with their class held, a row each; beside them test digits of the classes."""
    model, test = context.model, context.dataset.test
    labels = np.repeat(np.arange(model.classes), columns)
    drawn = np.asarray(model.sample_class(context.seed, labels))
    figure = Figure(figsize=(10.4, 4.2), layout="constrained")
    own = np.zeros_like(drawn)
    for label in range(model.classes):
        shown = test.x[np.ravel(test.y) == label][:columns]
        own[label * columns : label * columns + len(shown)] = shown
    titles = (f"drawn with the class held, {model.top.sampling_steps} sweeps from fair coins", "test digits")
    side = round(float(np.sqrt(model.features))) + 2
    for axes, images, title in zip(figure.subplots(1, 2), (drawn, own), titles, strict=True):
        show_sheet(axes, images, columns)
        axes.set_yticks([side * (row + 0.5) - 0.5 for row in range(model.classes)], map(str, range(model.classes)))
        axes.tick_params(length=0)
        axes.set_title(title, fontsize=10)
    figure.suptitle(f"{context.recipe.slug}: digits of every class", fontsize=11)
    return figure


def chances_of_classes(context: FigureContext, shown: int = 24) -> Figure:
    """P(y | x): a table of classes told against true ones, and the test digits whose own class has the least chance."""
    model, test = context.model, context.dataset.test
    y, chances = np.ravel(test.y), np.asarray(model.classify(test.x))
    table = np.zeros((model.classes, model.classes))
    np.add.at(table, (y, chances.argmax(axis=1)), 1)
    figure = Figure(figsize=(10.4, 4.4), layout="constrained")
    left, right = figure.subfigures(1, 2)
    axes = left.subplots()
    axes.imshow(table, cmap="Blues")
    for row, column in zip(*np.nonzero(table), strict=True):
        colour = "white" if table[row, column] > table.max() / 2 else "black"
        axes.text(column, row, f"{table[row, column]:.0f}", ha="center", va="center", fontsize=8, color=colour)
    axes.set(xlabel="class told", ylabel="class", xticks=range(model.classes), yticks=range(model.classes))
    axes.set_title(f"{len(y)} test digits", fontsize=10)
    hardest, side = np.argsort(chances[np.arange(len(y)), y])[:shown], round(float(np.sqrt(model.features)))
    for axes, row in zip(right.subplots(4, 6).flat, hardest, strict=False):
        axes.imshow(test.x[row].reshape(side, side), cmap="gray_r", vmin=0.0, vmax=1.0, interpolation="nearest")
        told = int(chances[row].argmax())
        axes.set_title(f"{y[row]}: {chances[row, y[row]]:.2f}\n{told}: {chances[row, told]:.2f}", fontsize=7)
        axes.set_xticks([])
        axes.set_yticks([])
    right.suptitle("least sure of their class: P of it, and of the class told", fontsize=10)
    figure.suptitle(f"{context.recipe.slug}: classes by free energy", fontsize=11)
    return figure
