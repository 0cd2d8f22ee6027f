"""Recipes of self-supervised learning: digits without labels, judged by a linear probe with few.

Floors hold the gain over random trunks of the same architecture: `probe_gain_5` is the accuracy of a linear probe with
five labels a class minus that of five untrained trunks' features, means over ten draws of the labels.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from keras_course.datasets import Dataset
from keras_course.models.selfsupervised.settings import PRETEXTS, STAGES, random_starts
from keras_course.models.selfsupervised.trunk import image_trunk, train_supervised
from keras_course.pipeline.figures import FigureContext
from keras_course.pipeline.linear_probe import LinearProbe, accuracy_against_labels, probe_of, together
from keras_course.pipeline.plots import learning_curves
from keras_course.pipeline.recipe import Baseline, Recipe
from keras_course.recipes.pretext_figures import classes_of_embeddings, filled_holes, hole_errors, two_views

__all__ = [
    "accuracy_of_probes",
    "contrastive",
    "inpainting",
    "jigsaw",
    "pretext_recipe",
    "probe_gain",
    "rotation",
    "untrained",
]

GAIN = 0.10
DIGITS_TO_TRAIN_ON = 1258


def rotation() -> Recipe:
    """Digits turned by 0, 90, 180 and 270 degrees.

    Distortions, hidden layer and epochs were chosen on the validation splits of seeds 10 to 12, five labels a class:
    0.827, 0.751 and 0.806 against 0.690, 0.655 and 0.667 of five random trunks. Larger steps and 40 epochs without
    the hidden layer served one seed and spoiled another (0.844 and 0.708). Test splits of seeds 0 to 2: 0.792, 0.803
    and 0.873 against 0.683, 0.694 and 0.670. The pixels themselves give 0.860: a 6 turned is a 9, and most of what
    tells digits apart is not asked for.
    """
    return pretext_recipe("rotation", floor=0.08)


def jigsaw() -> Recipe:
    """Digits cut into 3 x 3 pieces: where does a piece lie, seen from the middle one?

    On 8 x 8 pixels a piece that shares nothing with its neighbours shows too little: pieces of 4 x 4 pixels overlap by
    half. Head, steps and distortions come from a sweep of this recipe written in plain JAX, on the validation splits of
    seeds 10 to 21, four starts each. Gains over random trunks, five labels a class: 0.09 with a hidden layer of 32
    (0.06 with none), 0.12 with one of 512 and batches of 32, 0.13 with images a little distorted before they are cut,
    the worst split 0.11. The product of two features beside them does as well as they alone; any two of nine pieces,
    pieces of 5, 6 or 8 pixels, quarters, and nine pieces in 64 orders gain less than 0.09; dropout on the features
    costs up to 0.05. The model itself, splits 10 to 12, two starts each: 0.137, and 0.129 in half the epochs; 0.120
    where three layers distort in turn, without shear, for each interpolation blurs. Test splits of seeds 0 to 2, with
    these settings looked at once, the trunk's features of the whole image: 0.815, 0.814 and 0.785, gains of 0.132,
    0.120 and 0.115 over five random trunks.
    The penultimate layer, which the notes call the representation (`representation="penultimate"`), finds as much, but
    only 0.04 more than that of random networks, whose 512 units see the pieces in their places. The pixels themselves
    give 0.860 (seed 0).
    """
    return pretext_recipe("jigsaw")


def inpainting() -> Recipe:
    """Digits with four small holes, filled by a context encoder against an adversary.

    Kind of hole, band and weight of the adversary were chosen on the validation splits of seeds 10 and 11, with half
    the maps in the trunk. There a hole in the middle taught hardly anything (0.726 with five labels against 0.707 of
    the untrained trunk), holes anywhere did (0.861 of blocks, 0.876 of regions), as the paper says; the band added
    another 0.02, the adversary 0.01, within the error. Test splits of seeds 0 and 1: 0.870 against 0.720 untrained,
    0.876 against 0.728. The holes are filled with two thirds of the error of the mean image (0.055 against 0.087), and
    not as well as by the training digit that agrees best with what is seen (0.043), which needs all of them at hand.
    Keeping the places of the features, 4 x 4 under a channel-wise dense layer, helped neither.
    """
    recipe = pretext_recipe("inpainting", (filled_holes,))

    def judge(model: Any, dataset: Dataset, seed: int) -> Mapping[str, float]:
        return {**probe_gain("inpainting", model, dataset, seed), **hole_errors(model, dataset, seed)}

    return replace(recipe, judge=judge, ceiling={"hole_error_ratio": 0.8})


def contrastive() -> Recipe:
    """Two distorted views of each digit, to be told from those of 255 others.

    Distortions, temperature and projector were chosen on the validation split of seed 10, with half the maps in the
    trunk (five labels a class: 0.912 with these, 0.904 with half the projector, 0.898 with temperature 0.2, 0.869 with
    blurring added, 0.843 with shifts of two pixels in eight, after which digits are no longer themselves; 0.707
    untrained, 0.879 pixels). Test splits of seeds 0 and 1: 0.916 against 0.720 untrained, 0.916 against 0.728.
    """
    return pretext_recipe("contrastive", (two_views, classes_of_embeddings))


def pretext_recipe(slug: str, figures: tuple[Any, ...] = (), floor: float = GAIN) -> Recipe:
    """The recipe of one pretext task, on the digits.

    Args:
        slug: str, a key of `PRETEXTS`.
        figures: callables(FigureContext), drawn between the learning curves and those of the probes.
        floor: float, the gain over random trunks that a full run must reach with five labels a class.
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
        floor={"probe_gain_5": floor},
        figures=(learning_curves, *figures, accuracy_of_probes),
    )


def probe_gain(slug: str, model: Any, dataset: Dataset, seed: int) -> Mapping[str, float]:
    """What a linear probe finds in the trained features, and how much more than in those of random trunks."""
    found = probe_of(model.encode, dataset, seed).metrics()
    before = untrained(slug, dataset, seed).metrics
    return {**found, "probe_gain_5": found["probe_accuracy_5"] - before["probe_accuracy_5"]}


def untrained(slug: str, dataset: Dataset, seed: int) -> Baseline:
    """The same probe of the same model with random weights: its own initial ones and four others, means over all."""
    return Baseline("random trunks", _probe_of_untrained(slug, dataset, seed).metrics())


def accuracy_of_probes(context: FigureContext) -> Any:
    """Accuracy against labels: this trunk, random ones, and one trained with all the labels there are."""
    slug, dataset, seed = context.recipe.slug, context.dataset, context.seed
    trunk = image_trunk(dataset.spec.shape[-1], STAGES, seed)
    epochs = min(30, len(context.history["loss"]))
    labelled = train_supervised(
        trunk, dataset.train.x, dataset.train.y, int(dataset.spec.classes or 0), epochs=epochs, seed=seed
    )
    probes: dict[str, LinearProbe] = {
        "supervised trunk": probe_of(labelled, dataset, seed),
        slug: probe_of(context.model.encode, dataset, seed),
        "random trunks": _probe_of_untrained(slug, dataset, seed),
        "pixels": probe_of(lambda x: x, dataset, seed),
    }
    return accuracy_against_labels(probes, f"{slug}: a linear probe with few labels")


def _probe_of_untrained(slug: str, dataset: Dataset, seed: int) -> LinearProbe:
    """All draws of all random trunks, side by side: one trunk alone may be lucky by several points."""
    models = (PRETEXTS[slug].model(dataset.spec.shape, start) for start in random_starts(seed))
    return together([probe_of(model.encode, dataset, seed) for model in models])
