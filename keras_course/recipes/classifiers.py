"""Recipes of the classifiers made for large photographs, at reduced width on real digits, enlarged.

1,797 digits of 8 x 8 pixels are enlarged bilinearly to the least image that the architecture takes, and turned, zoomed
and shifted a little in training. What these networks were made for, a million photographs, is no thing of minutes; that
each of them learns, with all its parts at work, is shown here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import keras
import numpy as np

from keras_course.losses.softmax import SoftmaxLoss
from keras_course.models.vision.alexnet import AlexNet
from keras_course.models.vision.googlenet import GoogLeNet
from keras_course.models.vision.vgg import VGG
from keras_course.pipeline.plots import confusion_matrix, first_layer_filters, learning_curves, worst_mistakes
from keras_course.pipeline.recipe import Recipe
from keras_course.recipes.vision import slightly_moved, softmax_regression_on_pixels

__all__ = ["alexnet", "enlarged", "googlenet", "vgg"]

BATCH, STEPS_AN_EPOCH = 64, 20  # 1,257 training digits


def alexnet() -> Recipe:
    """AlexNet, two towers, an eighth as wide, on digits of 67 x 67 pixels."""
    return _recipe(
        "alexnet",
        67,
        lambda spec, seed: AlexNet(spec.shape, spec.classes, width=1 / 8, kernel_initializer="he_normal", seed=seed),
        epochs=20,
        rate=2e-3,
        floor=0.97,
    )


def vgg() -> Recipe:
    """VGG A, an eighth as wide, on digits of 32 x 32 pixels."""
    return _recipe(
        "vgg",
        32,
        lambda spec, seed: VGG("A", spec.shape, spec.classes, 1 / 8, kernel_initializer="he_normal", seed=seed),
        epochs=20,
        rate=2e-3,
        floor=0.97,
    )


def googlenet() -> Recipe:
    """GoogLeNet with its auxiliary classifiers, a quarter as wide, on digits of 32 x 32 pixels."""
    return _recipe(
        "googlenet",
        32,
        lambda spec, seed: GoogLeNet(
            spec.shape, spec.classes, width=1 / 4, dropout=0.2, kernel_initializer="he_normal", seed=seed
        ),
        epochs=20,
        rate=1.5e-3,
        floor=0.97,
    )


def enlarged(dataset: Any, side: int) -> Any:
    """Images of side x side pixels, bilinear.

    Args:
        dataset: Dataset of images (N, H, W, C).
        side: int, pixels along both axes.

    Returns:
        Dataset.
    """

    def resized(part: Any) -> Any:
        return replace(part, x=np.asarray(keras.ops.image.resize(part.x, (side, side), data_format="channels_last")))

    return replace(
        dataset,
        spec=replace(dataset.spec, shape=(side, side, dataset.spec.shape[-1])),
        **{name: resized(getattr(dataset, name)) for name in ("train", "validation", "test")},
    )


def _recipe(slug: str, side: int, model: Callable[[Any, int], Any], epochs: int, rate: float, floor: float) -> Recipe:
    schedule = partial(keras.optimizers.schedules.CosineDecay, rate, epochs * STEPS_AN_EPOCH)
    return Recipe(
        slug=slug,
        dataset="digits",
        model=model,
        compile=lambda spec: {
            "optimizer": keras.optimizers.Adam(schedule()),
            "loss": SoftmaxLoss(),
            "metrics": ["accuracy"],
            "jit_compile": False,  # XLA bypasses oneDNN's convolutions, which are faster here
            "steps_per_execution": STEPS_AN_EPOCH,
        },
        batch_size=BATCH,
        epochs=epochs,
        prepare=partial(enlarged, side=side),
        augment=slightly_moved,
        augment_draws=4,
        baseline=softmax_regression_on_pixels,
        floor={"accuracy": floor},
        figures=(learning_curves, confusion_matrix, worst_mistakes, first_layer_filters),
    )
