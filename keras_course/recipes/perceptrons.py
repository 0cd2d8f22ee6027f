"""Recipes of the first chapters: one unit, one layer, several layers, each on real data of the right size for it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import keras
import numpy as np

from keras_course.datasets import Dataset, Split
from keras_course.losses.half_squared import HalfSquaredLoss
from keras_course.losses.softmax import SoftmaxLoss
from keras_course.models.perceptrons.backprop import BackpropMLP
from keras_course.models.perceptrons.linear_regression import LinearRegression
from keras_course.models.perceptrons.logistic_regression import LogisticRegression
from keras_course.models.perceptrons.mlp import MLP
from keras_course.models.perceptrons.perceptron import Perceptron
from keras_course.models.perceptrons.softmax_regression import SoftmaxRegression
from keras_course.pipeline.plots import (
    confusion_matrix,
    first_layer_filters,
    learning_curves,
    true_against_predicted,
    worst_mistakes,
)
from keras_course.pipeline.recipe import Baseline, Recipe
from keras_course.recipes.vision import softmax_regression_on_pixels

__all__ = [
    "backprop",
    "first_class_against_the_rest",
    "linear_regression",
    "logistic_regression",
    "majority_class",
    "mean_target",
    "mlp",
    "perceptron",
    "shares",
    "softmax_regression",
]


def perceptron() -> Recipe:
    """Iris setosa against the other two irises: linearly separable, so that training ends by itself."""
    return Recipe(
        slug="perceptron",
        dataset="iris",
        prepare=first_class_against_the_rest,
        model=lambda spec, seed: Perceptron(spec.features, initializer="zeros", seed=seed),
        compile=lambda spec: {},
        batch_size=None,
        epochs=50,
        baseline=majority_class,
        floor={"accuracy": 0.93},
        figures=(learning_curves, confusion_matrix),
    )


def linear_regression() -> Recipe:
    """Progression of diabetes from ten standardised measurements, by gradient descent."""
    return Recipe(
        slug="linear-regression",
        dataset="diabetes",
        model=lambda spec, seed: LinearRegression(spec.features, spec.targets, seed=seed),
        compile=lambda spec: {
            "optimizer": keras.optimizers.SGD(0.05),
            "loss": HalfSquaredLoss(),
            "metrics": [keras.metrics.MeanSquaredError(), keras.metrics.R2Score(name="r2")],
            "steps_per_execution": 10,
        },
        batch_size=32,
        epochs=20,
        baseline=mean_target,
        floor={"r2": 0.3},
        figures=(learning_curves, true_against_predicted),
    )


def logistic_regression() -> Recipe:
    """Benign or malignant, from thirty standardised measurements of cell nuclei.

    The labels are 0 and 1, so the loss is Keras's form of log(1 + exp(-t z)), t = 2y - 1.
    """
    return Recipe(
        slug="logistic-regression",
        dataset="breast-cancer",
        model=lambda spec, seed: LogisticRegression(spec.features, seed=seed),
        compile=lambda spec: {
            "optimizer": keras.optimizers.SGD(0.1, momentum=0.9),
            "loss": keras.losses.BinaryCrossentropy(from_logits=True),
            "metrics": [keras.metrics.BinaryAccuracy(threshold=0.0, name="accuracy")],
            "steps_per_execution": 13,
        },
        batch_size=32,
        epochs=20,
        baseline=majority_class,
        floor={"accuracy": 0.93},
        figures=(learning_curves, confusion_matrix),
    )


def softmax_regression() -> Recipe:
    """Ten digits from 64 pixels, one linear score each; its weights are templates that can be looked at."""
    return Recipe(
        slug="softmax-regression",
        dataset="digits-flat",
        model=lambda spec, seed: SoftmaxRegression(spec.features, spec.classes, seed=seed),
        compile=lambda spec: {
            "optimizer": keras.optimizers.Adam(0.02),
            "loss": SoftmaxLoss(),
            "metrics": ["accuracy"],
            "steps_per_execution": 20,
        },
        batch_size=64,
        epochs=20,
        baseline=majority_class,
        floor={"accuracy": 0.92},
        figures=(learning_curves, confusion_matrix, worst_mistakes, first_layer_filters),
    )


def mlp() -> Recipe:
    """The same digits with two hidden layers of rectifiers."""
    return Recipe(
        slug="mlp",
        dataset="digits-flat",
        model=lambda spec, seed: MLP(spec.features, (128, 64, spec.classes), activation="relu", seed=seed),
        compile=lambda spec: {
            "optimizer": keras.optimizers.Adam(3e-3),
            "loss": SoftmaxLoss(),
            "metrics": ["accuracy"],
            "steps_per_execution": 20,
        },
        batch_size=32,
        epochs=25,
        baseline=softmax_regression_on_pixels,
        floor={"accuracy": 0.94},
        figures=(learning_curves, confusion_matrix, worst_mistakes, first_layer_filters),
    )


def backprop() -> Recipe:
    """The same digits with sigmoid units and the stochastic algorithm as printed: one update a sample.

    The squared error of sigmoid outputs is no likelihood; shown as probabilities they are scaled to sum to 1.
    """
    return Recipe(
        slug="backprop",
        dataset="digits-flat",
        model=lambda spec, seed: BackpropMLP(
            spec.features, (40, spec.classes), learning_rate=0.5, update="online", seed=seed
        ),
        # A loop of small steps, which XLA runs several times faster.
        compile=lambda spec: {"metrics": ["accuracy"], "jit_compile": True, "steps_per_execution": 10},
        batch_size=64,
        epochs=12,
        baseline=softmax_regression_on_pixels,
        floor={"accuracy": 0.92},
        probabilities=shares,
        figures=(learning_curves, confusion_matrix, worst_mistakes),
    )


def first_class_against_the_rest(dataset: Dataset) -> Dataset:
    """Labels +1 for the first class and -1 for all others: the real-valued targets of a sign unit.

    Args:
        dataset: `Dataset` of a classification.

    Returns:
        `Dataset` with targets (N, 1).
    """
    names = dataset.spec.class_names or tuple(str(k) for k in range(dataset.spec.classes or 2))
    spec = replace(dataset.spec, task="regression", classes=None, targets=1, class_names=(f"not {names[0]}", names[0]))

    def signed(split: Split) -> Split:
        return Split(split.x, np.where(split.y == 0, 1.0, -1.0).astype("float32")[:, None])

    return Dataset(signed(dataset.train), signed(dataset.validation), signed(dataset.test), spec)


def majority_class(dataset: Dataset, seed: int) -> Baseline:
    """Every test sample is given the most frequent class of the training split."""
    labels, counts = np.unique(dataset.train.y, return_counts=True)
    return Baseline("majority class", {"accuracy": float(np.mean(dataset.test.y == labels[counts.argmax()]))})


def mean_target(dataset: Dataset, seed: int) -> Baseline:
    """Every test sample is given the mean target of the training split."""
    squares = (dataset.test.y - dataset.train.y.mean(0)) ** 2
    spread = (dataset.test.y - dataset.test.y.mean(0)) ** 2
    measured = {"mean_squared_error": float(squares.mean()), "r2": float(1 - squares.sum() / spread.sum())}
    return Baseline("mean target", measured)


def shares(outputs: Any) -> Any:
    """Outputs of independent sigmoid units (N, K), scaled to sum to 1 in each row."""
    return outputs / np.maximum(outputs.sum(-1, keepdims=True), np.finfo(outputs.dtype).tiny)
