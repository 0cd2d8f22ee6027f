"""Recipes of the chapters on recurrent networks."""

from __future__ import annotations

import dataclasses
from typing import Any

import keras

from keras_course.losses.softmax import SoftmaxLoss
from keras_course.models.recurrent.deep_rnn import DeepRNN
from keras_course.pipeline.plots import confusion_matrix, learning_curves, worst_mistakes
from keras_course.pipeline.recipe import Baseline, Recipe
from keras_course.recipes.vision import slightly_moved, softmax_regression_on_pixels

__all__ = ["deep_rnn", "moved_rows", "row_by_row", "softmax_regression_on_rows"]

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
