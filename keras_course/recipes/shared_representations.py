"""Recipes that share a representation: with unlabelled digits, with other tasks, with a task learned before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import keras
import numpy as np

from keras_course.core.seeds import derive_seed
from keras_course.datasets import Dataset, Split, load
from keras_course.losses.softmax import SoftmaxLoss
from keras_course.models.regularized.multi_task import MultiTask
from keras_course.models.regularized.semi_supervised import SemiSupervised
from keras_course.models.regularized.transfer import Transfer
from keras_course.pipeline.plots import confusion_matrix, learning_curves, worst_mistakes
from keras_course.pipeline.recipe import Baseline, Recipe

__all__ = [
    "few_of_the_other_digits",
    "from_scratch",
    "labelled_rows",
    "multi_task",
    "partly_labelled",
    "semi_supervised",
    "single_task",
    "supervised_alone",
    "three_tasks",
    "transfer",
    "trunk_of_small_digits",
]

LABELS, DIGIT_LABELS, NEW_LABELS = 50, 50, 25
WITH_LOOP = (0, 6, 8, 9)
TASKS = {"digit": 10, "odd": 2, "loop": 2}


def semi_supervised() -> Recipe:
    """Fifty labels, five a digit, and more than a thousand digits without one."""
    return Recipe(
        slug="semi-supervised",
        dataset=partly_labelled,
        model=lambda spec, seed: shared_encoder(spec.features, seed),
        compile=lambda spec: _adam_along_a_cosine(2000),
        batch_size=96,
        epochs=100,
        baseline=supervised_alone,
        floor={"accuracy": 0.8},
        figures=(learning_curves, confusion_matrix, worst_mistakes),
    )


def multi_task() -> Recipe:
    """Fifty labels say which digit; whether it is odd, and whether it has a loop, is known of all."""
    return Recipe(
        slug="multi-task",
        dataset=three_tasks,
        model=lambda spec, seed: one_trunk(spec.features, seed),
        compile=lambda spec: _adam_along_a_cosine(1400),
        batch_size=96,
        epochs=100,
        baseline=single_task,
        floor={"digit_accuracy": 0.8, "odd_accuracy": 0.95, "loop_accuracy": 0.95},
        figures=(learning_curves,),
    )


def transfer() -> Recipe:
    """A trunk that has learned to tell 0 to 4 apart, under a head for 5 to 9 with five labels each."""
    return Recipe(
        slug="transfer",
        dataset=few_of_the_other_digits,
        model=lambda spec, seed: on_small_digits(spec.features, seed),
        compile=lambda spec: {**_adam_along_a_cosine(200), "loss": SoftmaxLoss(), "metrics": ["accuracy"]},
        batch_size=None,
        epochs=200,
        baseline=from_scratch,
        floor={"accuracy": 0.8},
        figures=(learning_curves, confusion_matrix, worst_mistakes),
    )


def labelled_rows(y: Any, labels: int) -> Any:
    """The first rows of each class, `labels` in all, as a truth value a row.

    Args:
        y: int array (N,).
        labels: int, a multiple of the number of classes.
    """
    classes = np.unique(y)
    kept = np.zeros(len(y), bool)
    for label in classes:
        kept[np.flatnonzero(y == label)[: labels // len(classes)]] = True
    return kept


def partly_labelled(seed: int, labels: int = LABELS) -> Dataset:
    """Digits of which few training rows are labelled, the others -1; the labelled ones are repeated to be a third.

    Args:
        seed: int, which split.
        labels: int, a multiple of 10.

    Returns:
        `Dataset` whose targets are a column of numbers, since -1 is no class.
    """
    digits = load("digits-flat", seed=seed)
    known = labelled_rows(digits.train.y, labels)
    times = max(1, round(np.sum(~known) / 2 / labels))
    x = np.concatenate([np.repeat(digits.train.x[known], times, axis=0), digits.train.x[~known]])
    y = np.concatenate([np.repeat(digits.train.y[known], times), np.full(np.sum(~known), -1)])
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


def few_of_the_other_digits(seed: int, labels: int = NEW_LABELS) -> Dataset:
    """The digits 5 to 9, as classes 0 to 4, with few training rows.

    Args:
        seed: int, which split.
        labels: int, training rows, a multiple of 5.
    """
    digits = load("digits-flat", seed=seed)

    def large(split: Split) -> Split:
        kept = split.y >= 5
        return Split(split.x[kept], split.y[kept] - 5)

    train = large(digits.train)
    kept = labelled_rows(train.y, labels)
    spec = replace(digits.spec, name="large-digits", classes=5, class_names=("5", "6", "7", "8", "9"))
    return Dataset(Split(train.x[kept], train.y[kept]), large(digits.validation), large(digits.test), spec)


def _numbers(digits: Dataset, train: Split, targets: Any) -> Dataset:
    """Class numbers as real targets, which may also say that there is no class."""
    columns = train.y.shape[1]
    splits = [Split(split.x, targets(split.y).astype("float32")) for split in (digits.validation, digits.test)]
    spec = replace(digits.spec, task="regression", classes=None, targets=columns, class_names=())
    return Dataset(Split(train.x, train.y.astype("float32")), *splits, spec)


def shared_encoder(features: int, seed: int, weight: float = 0.7, noise: float = 0.3) -> SemiSupervised:
    """64 shared units; ten class probabilities and four code units, from which 64 more make the image again."""
    return SemiSupervised(features, (64,), 10, (64,), code_units=4, weight=weight, noise=noise, seed=seed)


def one_trunk(features: int, seed: int, other_tasks: float = 1.0, digit: float = 10.0) -> MultiTask:
    """Two hidden layers of 64 units under three heads."""
    weights = {"digit": digit, "odd": other_tasks, "loop": other_tasks}
    return MultiTask(features, (64, 64), TASKS, weights=weights, seed=seed)


def on_small_digits(features: int, seed: int, how: Any = "fine-tune", rate: float = 0.1) -> Transfer:
    """A head of five classes on the trunk that learned 0 to 4."""
    return Transfer(features, trunk_of_small_digits(seed), 5, how, rate, seed=seed)


def trunk_of_small_digits(seed: int) -> Any:
    """The two hidden layers of a network that was trained to tell 0 to 4 apart, on all their training rows."""
    train = load("digits-flat", seed=seed).train
    small = train.y < 5
    start = keras.initializers.GlorotUniform
    source = keras.Sequential(
        [
            keras.Input((64,)),
            keras.layers.Dense(64, "relu", kernel_initializer=start(derive_seed(seed, "source", 0)), name="first"),
            keras.layers.Dense(64, "relu", kernel_initializer=start(derive_seed(seed, "source", 1)), name="second"),
            keras.layers.Dense(5, kernel_initializer=start(derive_seed(seed, "source", 2)), name="scores"),
        ]
    )
    source.compile(keras.optimizers.Adam(2e-3), SoftmaxLoss(), steps_per_execution=10)
    source.fit(train.x[small], train.y[small], batch_size=64, epochs=30, shuffle=False, verbose=0)
    return keras.Sequential(source.layers[:-1], name="small_digits")


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
    twin = Transfer(dataset.spec.features, (64, 64), 5, "fine-tune", trunk_rate=1.0, seed=seed)
    return Baseline("from scratch", _measured(transfer(), twin, dataset, seed, ("accuracy", "loss")))


def _adam_along_a_cosine(steps: int) -> dict[str, Any]:
    rate = keras.optimizers.schedules.CosineDecay(2e-3, steps)
    return {"optimizer": keras.optimizers.Adam(rate), "steps_per_execution": 10}


def _measured(recipe: Recipe, model: Any, dataset: Dataset, seed: int, names: Any) -> Mapping[str, float]:
    """Test metrics of another model, trained as the recipe trains its own."""
    keras.utils.set_random_seed(seed)
    model.compile(**recipe.compile(dataset.spec))
    batch = recipe.batch_size or len(dataset.train)
    model.fit(dataset.train.x, dataset.train.y, batch_size=batch, epochs=recipe.epochs, verbose=0)
    found = model.evaluate(dataset.test.x, dataset.test.y, batch_size=512, verbose=0, return_dict=True)
    return {name: float(found[name]) for name in names}
