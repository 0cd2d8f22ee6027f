"""Recipes of self-supervised learning: digits without labels, judged by a linear probe with few.

Floors hold the gain over the same trunk as it was before training: `probe_gain_5` is the accuracy of a linear probe
with five labels a class minus that of the untrained trunk's features, means over ten draws of the labels.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from keras_course.datasets import Dataset
from keras_course.models.selfsupervised.settings import PRETEXTS, STAGES
from keras_course.models.selfsupervised.trunk import image_trunk, train_supervised
from keras_course.pipeline.figures import FigureContext
from keras_course.pipeline.linear_probe import LinearProbe, accuracy_against_labels, probe_of
from keras_course.pipeline.plots import learning_curves
from keras_course.pipeline.recipe import Baseline, Recipe

__all__ = ["accuracy_of_probes", "jigsaw", "pretext_recipe", "probe_gain", "rotation", "untrained"]

GAIN = 0.10
DIGITS_TO_TRAIN_ON = 1258


def rotation() -> Recipe:
    """Digits turned by 0, 90, 180 and 270 degrees."""
    return pretext_recipe("rotation")


def jigsaw() -> Recipe:
    """Digits cut into 3 x 3 pieces: where does a piece lie, seen from the middle one?"""
    return pretext_recipe("jigsaw")


def pretext_recipe(slug: str, figures: tuple[Any, ...] = ()) -> Recipe:
    """The recipe of one pretext task, on the digits.

    Args:
        slug: str, a key of `PRETEXTS`.
        figures: callables(FigureContext), drawn between the learning curves and those of the probes.
    """
    pretext = PRETEXTS[slug]
    return Recipe(
        slug=slug,
        dataset="digits",
        model=lambda spec, seed: pretext.model(spec.shape, seed),
        compile=lambda spec: pretext.compile_arguments(DIGITS_TO_TRAIN_ON),
        batch_size=pretext.batch_size,
        epochs=pretext.epochs,
        baseline=lambda dataset, seed: untrained(slug, dataset, seed),
        judge=lambda model, dataset, seed: probe_gain(slug, model, dataset, seed),
        floor={"probe_gain_5": GAIN},
        figures=(learning_curves, *figures, accuracy_of_probes),
    )


def probe_gain(slug: str, model: Any, dataset: Dataset, seed: int) -> Mapping[str, float]:
    """What a linear probe finds in the trained features, and how much more than in the untrained ones."""
    found = probe_of(model.encode, dataset, seed).metrics()
    before = untrained(slug, dataset, seed).metrics
    return {**found, "probe_gain_5": found["probe_accuracy_5"] - before["probe_accuracy_5"]}


def untrained(slug: str, dataset: Dataset, seed: int) -> Baseline:
    """The same probe of the same model with its initial weights."""
    return Baseline("random trunk", _probe_of_untrained(slug, dataset, seed).metrics())


def accuracy_of_probes(context: FigureContext) -> Any:
    """Accuracy against labels: this trunk, as it was before training, and one trained with all the labels there are."""
    slug, dataset, seed = context.recipe.slug, context.dataset, context.seed
    trunk = image_trunk(dataset.spec.shape[-1], STAGES, seed)
    epochs = min(30, len(context.history["loss"]))
    labelled = train_supervised(
        trunk, dataset.train.x, dataset.train.y, int(dataset.spec.classes or 0), epochs=epochs, seed=seed
    )
    probes: dict[str, LinearProbe] = {
        "supervised trunk": probe_of(labelled, dataset, seed),
        slug: probe_of(context.model.encode, dataset, seed),
        "random trunk": _probe_of_untrained(slug, dataset, seed),
        "pixels": probe_of(lambda x: x, dataset, seed),
    }
    return accuracy_against_labels(probes, f"{slug}: a linear probe with few labels")


def _probe_of_untrained(slug: str, dataset: Dataset, seed: int) -> LinearProbe:
    return probe_of(PRETEXTS[slug].model(dataset.spec.shape, seed).encode, dataset, seed)
