"""Recipes that share a representation: with unlabelled digits, with other tasks, with a task learned before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import keras
import numpy as np

from keras_course.core.seeds import derive_seed
from keras_course.datasets import Dataset, Split, load
from keras_course.datasets.few_labels import labelled_rows, partly_labelled_rows
from keras_course.losses.softmax import SoftmaxLoss
from keras_course.models.regularized.multi_task import MultiTask
from keras_course.models.regularized.semi_supervised import SemiSupervised
from keras_course.models.regularized.transfer import Transfer
from keras_course.pipeline.plots import confusion_matrix, learning_curves, worst_mistakes
from keras_course.pipeline.recipe import Baseline, Recipe

__all__ = [
    "few_of_a_new_scanner",
    "from_scratch",
    "multi_task",
    "partly_labelled",
    "semi_supervised",
    "single_task",
    "supervised_alone",
    "three_tasks",
    "transfer",
    "trunk_of_known_digits",
]

LABELS, DIGIT_LABELS, NEW_LABELS, SOURCE = 20, 50, 20, 700
WITH_LOOP = (0, 6, 8, 9)
TASKS = {"digit": 10, "odd": 2, "loop": 2}


def semi_supervised() -> Recipe:
    """Twenty labels, two a digit, and more than a thousand digits without one.

    Weight and noise were chosen on the validation splits of seeds 10 to 13. With 1500 steps, seeds 0 to 4 then gave a
    test accuracy of 0.802 on average against 0.792 for labels alone, better with four and equal with one; the gain is
    small. The experiment `label-efficiency` has the whole curve, from 0.720 against 0.681 at 10 labels to none at 300.
    """
    return Recipe(
        slug="semi-supervised",
        dataset=partly_labelled,
        model=lambda spec, seed: shared_encoder(spec.features, seed),
        compile=lambda spec: _adam_along_a_cosine(2000),
        batch_size=96,
        epochs=100,
        baseline=supervised_alone,
        floor={"accuracy": 0.7},
        figures=(learning_curves, confusion_matrix, worst_mistakes),
    )


def multi_task() -> Recipe:
    """Fifty labels say which digit; whether it is odd, and whether it has a loop, is known of all.

    The weight of the digit was the better of 3 and 10 on the validation splits of seeds 10 to 12. Seeds 0 to 2 then
    gave test accuracies of the digit of 0.877, 0.911 and 0.880, against 0.808, 0.844 and 0.836 for the same trunk that
    learns the digit alone.
    """
    return Recipe(
        slug="multi-task",
        dataset=three_tasks,
        model=lambda spec, seed: one_trunk(spec.features, seed),
        compile=lambda spec: _adam_along_a_cosine(1400),
        batch_size=96,
        epochs=100,
        baseline=single_task,
        floor={"digit_accuracy": 0.86, "odd_accuracy": 0.95, "loop_accuracy": 0.95},
        figures=(learning_curves,),
    )


def transfer() -> Recipe:
    """A trunk that learned 700 digits of one scanner, under a head for another with two labels a digit.

    On the validation splits of seeds 10 to 12 the frozen trunk did better than fine-tuning at a tenth of the rate
    (0.826 against 0.815) and than the same network from scratch (0.709). Seeds 0 to 2 then gave test accuracies of
    0.847, 0.872 and 0.864 frozen, 0.752, 0.780 and 0.844 from scratch.

    Not every task transfers: a trunk of the same size that had learned to tell 0 to 4 apart served a linear head for 5
    to 9 worse than the pixels themselves (validation, seed 10, ten labels: 0.544 against 0.933).
    """
    return Recipe(
        slug="transfer",
        dataset=few_of_a_new_scanner,
        model=lambda spec, seed: on_known_digits(spec.features, seed),
        compile=lambda spec: {**_adam_along_a_cosine(300, 5e-3), "loss": SoftmaxLoss(), "metrics": ["accuracy"]},
        batch_size=None,
        epochs=300,
        baseline=from_scratch,
        floor={"accuracy": 0.75},
        figures=(learning_curves, confusion_matrix, worst_mistakes),
    )


def partly_labelled(seed: int, labels: int = LABELS) -> Dataset:
    """Digits of which few training rows are labelled, the others -1; the labelled ones are repeated to be a third.

    Args:
        seed: int, which split.
        labels: int, a multiple of 10.

    Returns:
        `Dataset` whose targets are a column of numbers, since -1 is no class.
    """
    digits = load("digits-flat", seed=seed)
    x, y = partly_labelled_rows(digits.train.x, digits.train.y, labels)
    return _numbers(digits, Split(x, y[:, None]), lambda y: y[:, None])


def three_tasks(seed: int, labels: int = DIGIT_LABELS) -> Dataset:
    """Digits with three targets: which (known of few training rows, else -1), odd or even, with or without a loop.

    Args:
        seed: int, which split.
        labels: int, a multiple of 10: rows of which the digit is known.

    Returns:
        `Dataset` whose targets are three columns of numbers.
    """
    digits = load("digits-flat", seed=seed)

    def targets(y: Any) -> Any:
        return np.stack([y, y % 2, np.isin(y, WITH_LOOP)], axis=1)

    y = targets(digits.train.y)
    y[~labelled_rows(digits.train.y, labels), 0] = -1
    return _numbers(digits, Split(digits.train.x, y), targets)


def few_of_a_new_scanner(seed: int, labels: int = NEW_LABELS) -> Dataset:
    """Digits from a scanner that dims and blurs, with few training rows, none of them among the source's.

    pixel <- 0.7 (half itself, half its left neighbour)

    Args:
        seed: int, which split.
        labels: int, training rows, a multiple of 10.
    """
    digits = load("digits-flat", seed=seed)

    def scanned(x: Any) -> Any:
        images = x.reshape(-1, 8, 8)
        return (0.35 * (images + np.roll(images, 1, axis=2))).reshape(-1, 64)

    others = Split(digits.train.x[SOURCE:], digits.train.y[SOURCE:])
    kept = labelled_rows(others.y, labels)
    splits = [Split(scanned(split.x), split.y) for split in (digits.validation, digits.test)]
    spec = replace(digits.spec, name="new-scanner")
    return Dataset(Split(scanned(others.x[kept]), others.y[kept]), *splits, spec)


def _numbers(digits: Dataset, train: Split, targets: Any) -> Dataset:
    """Class numbers as real targets, which may also say that there is no class."""
    columns = train.y.shape[1]
    splits = [Split(split.x, targets(split.y).astype("float32")) for split in (digits.validation, digits.test)]
    spec = replace(digits.spec, task="regression", classes=None, targets=columns, class_names=())
    return Dataset(Split(train.x, train.y.astype("float32")), *splits, spec)


def shared_encoder(features: int, seed: int, weight: float = 0.05, noise: float = 0.3) -> SemiSupervised:
    """64 shared units; ten class probabilities and four code units, from which 64 more make the image again."""
    return SemiSupervised(features, (64,), 10, (64,), code_units=4, weight=weight, noise=noise, seed=seed)


def one_trunk(features: int, seed: int, other_tasks: float = 1.0, digit: float = 3.0) -> MultiTask:
    """Two hidden layers of 64 units under three heads."""
    weights = {"digit": digit, "odd": other_tasks, "loop": other_tasks}
    return MultiTask(features, (64, 64), TASKS, weights=weights, seed=seed)


def on_known_digits(features: int, seed: int, how: Any = False, rate: float = 0.1) -> Transfer:
    """A new head on the trunk that learned the first scanner's digits."""
    return Transfer(features, trunk_of_known_digits(seed), 10, how, rate, seed=seed)


def trunk_of_known_digits(seed: int) -> Any:
    """The two hidden layers of a network that learned 700 digits as they are."""
    train = load("digits-flat", seed=seed).train
    starts = [keras.initializers.GlorotUniform(derive_seed(seed, "source", level)) for level in range(3)]
    source = keras.Sequential(
        [
            keras.Input((64,)),
            keras.layers.Dense(64, "relu", kernel_initializer=starts[0], name="first"),
            keras.layers.Dense(64, "relu", kernel_initializer=starts[1], name="second"),
            keras.layers.Dense(10, kernel_initializer=starts[2], name="scores"),
        ]
    )
    source.compile(keras.optimizers.Adam(2e-3), SoftmaxLoss(), steps_per_execution=11)
    source.fit(train.x[:SOURCE], train.y[:SOURCE], batch_size=64, epochs=30, shuffle=False, verbose=0)
    return keras.Sequential(source.layers[:-1], name="known_digits")


def supervised_alone(dataset: Dataset, seed: int) -> Baseline:
    """The same encoder and classifier, trained as long on the same batches with the same noise, without decoder."""
    twin = shared_encoder(dataset.spec.features, seed, weight=0.0)
    return Baseline("labels alone", _measured(semi_supervised(), twin, dataset, seed, ("accuracy",)))


def single_task(dataset: Dataset, seed: int) -> Baseline:
    """The same trunk, trained for the digit alone."""
    twin = one_trunk(dataset.spec.features, seed, other_tasks=0.0)
    return Baseline("digit alone", _measured(multi_task(), twin, dataset, seed, ("digit_accuracy", "digit_loss")))


def from_scratch(dataset: Dataset, seed: int) -> Baseline:
    """The same network from random weights, all of it trained at the full rate."""
    twin = Transfer(dataset.spec.features, (64, 64), 10, "fine-tune", trunk_rate=1.0, seed=seed)
    return Baseline("from scratch", _measured(transfer(), twin, dataset, seed, ("accuracy", "loss")))


def _adam_along_a_cosine(steps: int, rate: float = 2e-3) -> dict[str, Any]:
    schedule = keras.optimizers.schedules.CosineDecay(rate, steps)
    return {"optimizer": keras.optimizers.Adam(schedule), "steps_per_execution": 10}


def _measured(recipe: Recipe, model: Any, dataset: Dataset, seed: int, names: Any) -> Mapping[str, float]:
    """Test metrics of another model, trained as the recipe trains its own."""
    keras.utils.set_random_seed(seed)
    model.compile(**recipe.compile(dataset.spec))
    batch = recipe.batch_size or len(dataset.train)
    model.fit(dataset.train.x, dataset.train.y, batch_size=batch, epochs=recipe.epochs, verbose=0)
    found = model.evaluate(dataset.test.x, dataset.test.y, batch_size=512, verbose=0, return_dict=True)
    return {name: float(found[name]) for name in names}
