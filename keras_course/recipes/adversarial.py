"""Recipe of the chapter on adversarial training: digits that withstand the fast gradient sign."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from matplotlib.figure import Figure

from keras_course.losses.softmax import SoftmaxLoss
from keras_course.models.perceptrons.mlp import MLP
from keras_course.models.regularized.adversarial_training import AdversarialTraining
from keras_course.ops.ensembles import predicted_class
from keras_course.pipeline.figures import FigureContext
from keras_course.pipeline.plots import BLUE, GREY, ORANGE, confusion_matrix, learning_curves, show_image
from keras_course.pipeline.recipe import Baseline, Recipe

__all__ = ["accuracy_against_epsilon", "adversarial_training", "attacked_digits", "plain_twin", "plainly_trained"]

EPSILON, ALPHA = 0.1, 0.5  # grey values lie in [0, 1], in steps of 1/16
EPOCHS, BATCH, STEPS_AN_EPOCH = 30, 32, 40


def adversarial_training() -> Recipe:
    """A network with one hidden layer on the mixture of digits and attacked digits."""
    return Recipe(
        slug="adversarial-training",
        dataset="digits-flat",
        model=lambda spec, seed: _model(spec, seed, ALPHA),
        compile=lambda spec: _learning(),
        batch_size=BATCH,
        epochs=EPOCHS,
        baseline=plainly_trained,
        floor={"robust_accuracy": 0.72, "accuracy": 0.93},
        figures=(learning_curves, confusion_matrix, accuracy_against_epsilon, attacked_digits),
    )


def _model(spec: Any, seed: int, alpha: float) -> AdversarialTraining:
    return AdversarialTraining(
        MLP(spec.features, (128, spec.classes)), epsilon=EPSILON, alpha=alpha, bounds=(0.0, 1.0), seed=seed
    )


def _learning() -> dict[str, Any]:
    return {
        "optimizer": keras.optimizers.Adam(2e-3),
        "loss": SoftmaxLoss(),
        "metrics": ["accuracy"],
        "steps_per_execution": STEPS_AN_EPOCH,
    }


def plain_twin(dataset: Any, seed: int, epochs: int = EPOCHS) -> AdversarialTraining:
    """The same network from the same start, trained as long on clean digits alone (alpha = 1)."""
    twin = _model(dataset.spec, seed, 1.0)
    twin.compile(**_learning())
    keras.utils.set_random_seed(seed)
    twin.fit(dataset.train.x, dataset.train.y, batch_size=BATCH, epochs=epochs, verbose=0)
    return twin


def _twin_of(context: FigureContext) -> AdversarialTraining:
    """The twin of a run, trained once for all its figures."""
    if "plain_twin" not in vars(context):
        vars(context)["plain_twin"] = plain_twin(context.dataset, context.seed, len(context.history["loss"]))
    twin: AdversarialTraining = vars(context)["plain_twin"]
    return twin


def plainly_trained(dataset: Any, seed: int) -> Baseline:
    """What the plainly trained twin reaches, clean and under the same attack."""
    twin = plain_twin(dataset, seed)
    measured = twin.evaluate(dataset.test.x, dataset.test.y, verbose=0, return_dict=True)
    return Baseline("plainly trained twin", {name: float(measured[name]) for name in ("robust_accuracy", "accuracy")})


def accuracy_against_epsilon(context: FigureContext) -> Figure:
    """Accuracy on attacked test digits against the size of the attack, trained on the mixture and plainly."""
    test, sizes = context.dataset.test, np.linspace(0.0, 0.25, 11)
    figure = Figure(figsize=(6.0, 3.8), layout="constrained")
    axes = figure.subplots()
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.25, linewidth=0.6)
    for model, colour, label in (
        (context.model, BLUE, "trained on the mixture"),
        (_twin_of(context), ORANGE, "trained on clean digits alone"),
    ):
        shares = model.accuracy_under_attack(test.x, test.y, sizes)
        axes.plot(sizes, shares, color=colour, marker="o", markersize=4, label=label)
    axes.axvline(EPSILON, color=GREY, linestyle=":", linewidth=1.2, label="size of the attack in training")
    axes.set_xlabel("epsilon (grey values lie between 0 and 1)")
    axes.set_ylabel("accuracy on attacked test digits")
    axes.set_ylim(0.0, 1.02)
    axes.set_title(f"{context.recipe.slug}: accuracy against the fast gradient sign", fontsize=11)
    axes.legend(frameon=False, fontsize=9)
    return figure


def attacked_digits(context: FigureContext, count: int = 6) -> Figure:
    """Test digits, the same under attack, and what the plainly trained twin and this model say to both."""
    test, twin = context.dataset.test, _twin_of(context)
    x, y = test.x[:count], test.y[:count]
    attacked = np.asarray(twin.attack(x, y))
    names = context.class_names
    figure = Figure(figsize=(1.7 * count, 4.6), layout="constrained")
    grid = figure.subplots(2, count)
    for row, images, kind in ((0, x, "clean"), (1, attacked, "attacked")):
        answers = [np.asarray(predicted_class(model(images, training=False))) for model in (twin, context.model)]
        for column, axes in enumerate(grid[row]):
            show_image(axes, images[column])
            axes.set_xticks([])
            axes.set_yticks([])
            plain, mixed = (names[int(answer[column])] for answer in answers)
            axes.set_title(f"true {names[int(y[column])]}, {kind}\nplain: {plain}, mixture: {mixed}", fontsize=8)
    figure.suptitle(f"{context.recipe.slug}: digits attacked with epsilon = {EPSILON} on the plain twin", fontsize=11)
    return figure
