"""Recipes of the chapters on recurrent networks."""

from __future__ import annotations

import dataclasses
from typing import Any

import keras
import numpy as np

from keras_course.datasets import Dataset, from_arrays
from keras_course.losses.softmax import SoftmaxLoss
from keras_course.models.recurrent.bptt import BackpropThroughTime
from keras_course.models.recurrent.deep_rnn import DeepRNN
from keras_course.pipeline.plots import confusion_matrix, learning_curves, true_against_predicted, worst_mistakes
from keras_course.pipeline.recipe import Baseline, Recipe
from keras_course.recipes.vision import slightly_moved, softmax_regression_on_pixels

__all__ = ["bptt", "deep_rnn", "moved_rows", "row_by_row", "softmax_regression_on_rows"]

PARITY_LENGTH = 10
EPOCHS, BATCH, STEPS_AN_EPOCH = 50, 32, 40  # 1,258 training digits


def deep_rnn() -> Recipe:
    """Handwritten digits read row by row, eight steps of eight pixels, by two LSTM levels.

    The decision falls after the last row, so the upper level has to remember what the first rows held. Every epoch sees
    the digits moved a little.
    """
    return Recipe(
        slug="deep-rnn",
        dataset="digits",
        model=lambda spec, seed: DeepRNN(spec.shape[-1], spec.classes, units=(64, 64), seed=seed),
        compile=lambda spec: {
            "optimizer": keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(5e-3, EPOCHS * STEPS_AN_EPOCH)),
            "loss": SoftmaxLoss(),
            "metrics": ["accuracy"],
            "steps_per_execution": STEPS_AN_EPOCH,
        },
        prepare=row_by_row,
        batch_size=BATCH,
        epochs=EPOCHS,
        augment=moved_rows,
        augment_draws=4,
        baseline=softmax_regression_on_rows,
        floor={"accuracy": 0.96},
        figures=(learning_curves, confusion_matrix, worst_mistakes),
    )


def bptt() -> Recipe:
    """Running parity: is the number of ones so far even or odd? By gradients written out over the copies of W.

    All 1,024 sequences of ten bits, -1 and +1; the target of a step is the product of the bits so far. No window of
    fixed size tells it, one remembered bit does.
    """
    return Recipe(
        slug="bptt",
        dataset=running_parity,
        model=lambda spec, seed: BackpropThroughTime(1, 1, units=16, seed=seed),
        compile=lambda spec: {
            "optimizer": keras.optimizers.Adam(0.01, clipnorm=1.0),
            "metrics": [keras.metrics.MeanAbsoluteError()],
            "steps_per_execution": 23,
        },
        batch_size=32,
        epochs=120,
        baseline=always_even_odds,
        ceiling={"mean_absolute_error": 0.1},
        figures=(learning_curves, true_against_predicted),
    )


def running_parity(seed: int) -> Dataset:
    """Every sequence of ten bits (1024, 10, 1), and the product of the bits up to each step (1024, 10)."""
    numbers = np.arange(2**PARITY_LENGTH)
    bits = 2.0 * (numbers[:, None] >> np.arange(PARITY_LENGTH) & 1) - 1.0
    return from_arrays(bits[:, :, None], np.cumprod(bits, axis=1), name="running-parity", seed=seed)


def always_even_odds(dataset: Any, seed: int) -> Baseline:
    """Output 0 at every step: even and odd are equally likely."""
    return Baseline("even odds", {"mean_absolute_error": float(np.mean(np.abs(dataset.test.y)))})


def row_by_row(dataset: Any) -> Any:
    """Images (N, H, W, 1) as sequences of H rows of W pixels."""

    def rows(split: Any) -> Any:
        return dataclasses.replace(split, x=split.x[..., 0])

    splits = {name: rows(getattr(dataset, name)) for name in ("train", "validation", "test")}
    spec = dataclasses.replace(dataset.spec, shape=dataset.spec.shape[:2])
    return dataclasses.replace(dataset, spec=spec, **splits)


def moved_rows(sequences: Any, uniforms: Any) -> Any:
    """The image that the rows (B, H, W) make, turned, zoomed and shifted a little (`recipes.vision.slightly_moved`)."""
    return slightly_moved(sequences[..., None], uniforms)[..., 0]


def softmax_regression_on_rows(dataset: Any, seed: int) -> Baseline:
    """One linear score a class on all pixels at once."""
    return softmax_regression_on_pixels(dataset, seed)
