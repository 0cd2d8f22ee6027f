"""Recipes of the chapter on ensembles: networks that vote on digits, questions that add up to a diagnosis."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import keras
import numpy as np
from keras import ops
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from keras_course.core.seeds import derive_seed
from keras_course.datasets import Dataset
from keras_course.losses.softmax import SoftmaxLoss
from keras_course.models.perceptrons.mlp import MLP
from keras_course.models.regularized.adaboost import AdaBoost
from keras_course.models.regularized.bagging import Bagging, draw_bootstrap
from keras_course.models.regularized.decision_stump import DecisionStump
from keras_course.ops.ensembles import ensemble_output, mistakes
from keras_course.pipeline.figures import FigureContext
from keras_course.pipeline.plots import BLUE, GREEN, GREY, ORANGE, confusion_matrix, learning_curves, worst_mistakes
from keras_course.pipeline.recipe import Baseline, Recipe

__all__ = [
    "bagging",
    "boosting",
    "error_by_members",
    "mislabelled",
    "one_network",
    "one_stump",
    "training_error_and_bound",
]

NETWORKS, EPOCHS, BATCH = 10, 40, 64
WRONG = 0.2  # share of training labels
STUMPS = 40


def bagging() -> Recipe:
    """Ten networks on digits of which one label in five is wrong; the answer is their mean distribution.

    A network of this size learns the wrong labels by heart, and which answers they spoil depends on the sample: that is
    variance, which averaging removes. Labels of validation and test are right.
    """
    return Recipe(
        slug="bagging",
        dataset="digits-flat",
        prepare=mislabelled,
        model=lambda spec, seed: Bagging(_network(spec, seed), members=NETWORKS, combination="distribution", seed=seed),
        compile=lambda spec: {**_learning(), "steps_per_execution": 20},
        sample_weight=lambda dataset, seed: draw_bootstrap(len(dataset.train), NETWORKS, seed),
        batch_size=BATCH,
        epochs=EPOCHS,
        baseline=one_network,
        floor={"accuracy": 0.9},
        figures=(learning_curves, confusion_matrix, worst_mistakes, error_by_members),
    )


def boosting() -> Recipe:
    """Forty questions about cell nuclei, each asked about those that the ones before got wrong."""
    return Recipe(
        slug="boosting",
        dataset="breast-cancer",
        model=lambda spec, seed: AdaBoost(DecisionStump(spec.features, 2), members=STUMPS, seed=seed),
        compile=lambda spec: {"metrics": ["accuracy"]},
        batch_size=None,
        epochs=STUMPS,
        baseline=one_stump,
        floor={"accuracy": 0.93},
        probabilities=lambda scores: scores,
        figures=(learning_curves, confusion_matrix, training_error_and_bound),
    )


def mislabelled(dataset: Dataset) -> Dataset:
    """Every fifth training label, by chance, replaced by another class.

    Args:
        dataset: `Dataset` of a classification.

    Returns:
        `Dataset` with wrong labels among the training ones.
    """
    train, classes = dataset.train, int(dataset.spec.classes or 2)
    raw = np.asarray(np.random.Philox(key=derive_seed(0, "mislabelled")).random_raw(2 * len(train)), "uint64")
    chance, shift = (raw >> np.uint64(11)).reshape(2, -1) * 2.0**-53
    other = (train.y + 1 + (shift * (classes - 1)).astype(train.y.dtype)) % classes
    return replace(dataset, train=replace(train, y=np.where(chance < WRONG, other, train.y)))


def _network(spec: Any, seed: int) -> MLP:
    return MLP(spec.features, (128, spec.classes), seed=seed)


def _learning() -> dict[str, Any]:
    return {"optimizer": keras.optimizers.Adam(5e-3), "loss": SoftmaxLoss(), "metrics": ["accuracy"]}


def one_network(dataset: Any, seed: int) -> Baseline:
    """One such network, trained as long on all the training digits."""
    model = _network(dataset.spec, seed)
    model.compile(**_learning(), steps_per_execution=20)
    keras.utils.set_random_seed(seed)
    model.fit(dataset.train.x, dataset.train.y, batch_size=BATCH, epochs=EPOCHS, verbose=0)
    measured = model.evaluate(dataset.test.x, dataset.test.y, verbose=0, return_dict=True)
    return Baseline("one network on all examples", {name: float(measured[name]) for name in ("accuracy", "loss")})


def one_stump(dataset: Any, seed: int) -> Baseline:
    """The best single question."""
    model = DecisionStump(dataset.spec.features, 2)
    model.compile(metrics=["accuracy"])
    model.fit(dataset.train.x, dataset.train.y, batch_size=len(dataset.train), verbose=0)
    measured = model.evaluate(dataset.test.x, dataset.test.y, verbose=0, return_dict=True)
    return Baseline("one stump", {"accuracy": float(measured["accuracy"])})


def error_by_members(context: FigureContext) -> Figure:
    """Test error of the first 1, 2, ... members together, and of each alone; the out-of-bag estimate."""
    model, test, train = context.model, context.dataset.test, context.dataset.train
    outputs = model.member_outputs(ops.convert_to_tensor(test.x))
    alone = np.asarray(ops.mean(mistakes(test.y, outputs), axis=1))
    together = [
        float(ops.mean(mistakes(test.y, ensemble_output(outputs[:m], model.combination))))
        for m in range(1, model.members + 1)
    ]
    figure, axes = _panel()
    number = np.arange(1, model.members + 1)
    axes.plot(number, alone, "o", color=GREY, markersize=4, label="member alone")
    axes.axhline(alone.mean(), color=GREY, linestyle="--", linewidth=1, label="mean of the members")
    axes.plot(number, together, color=BLUE, marker="o", markersize=4, label="first members together")
    estimate = model.out_of_bag_error(train.x, train.y)
    axes.set_ylabel("share of mistakes")
    axes.set_ylim(0.0, 1.35 * alone.max())
    axes.set_title(
        f"{context.recipe.slug}: error on {len(test)} test examples\n"
        f"(out of bag {estimate:.1%}, against training labels of which {WRONG:.0%} are wrong)",
        fontsize=10,
    )
    axes.legend(frameon=False, fontsize=9)
    return figure


def training_error_and_bound(context: FigureContext) -> Figure:
    """Share of mistakes after each member, in training and test, and the bound that training never crosses."""
    model = context.model
    figure, axes = _panel()
    bound = model.training_error_bound()
    number = np.arange(1, len(bound) + 1)
    for split, colour, label in ((context.dataset.train, BLUE, "training"), (context.dataset.test, ORANGE, "test")):
        stages = model.staged_scores(split.x)[: len(bound)]
        axes.plot(number, np.asarray(ops.mean(mistakes(split.y, stages), axis=1)), color=colour, label=label)
    axes.plot(number, bound, color=GREEN, linestyle="--", label=r"bound $\prod_m 2\sqrt{e_m (1 - e_m)}$")
    axes.plot(number, model.errors.numpy()[: len(bound)], ".", color=GREY, label="weighted error of the member")
    axes.set_ylabel("share of mistakes")
    axes.set_ylim(0.0, 0.75)
    axes.set_title(f"{context.recipe.slug}: mistakes against the number of members", fontsize=11)
    axes.legend(frameon=False, fontsize=9, ncols=2, loc="upper right")
    return figure


def _panel() -> tuple[Figure, Axes]:
    figure = Figure(figsize=(6.0, 3.8), layout="constrained")
    axes = figure.subplots()
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.25, linewidth=0.6)
    axes.set_xlabel("number of members")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    return figure, axes
