"""Recipes of the deep networks: residual and dense blocks on real digits, a minute on one core."""

from __future__ import annotations

from typing import Any

import keras

from keras_course.losses.softmax import SoftmaxLoss
from keras_course.models.vision.densenet import DenseNet
from keras_course.models.vision.resnet import ResNet
from keras_course.pipeline.plots import confusion_matrix, first_layer_filters, learning_curves, worst_mistakes
from keras_course.pipeline.recipe import Recipe
from keras_course.pipeline.vision_plots import feature_maps, saliency_maps
from keras_course.recipes.vision import slightly_moved, softmax_regression_on_pixels

__all__ = ["densenet", "resnet"]

EPOCHS, BATCH, STEPS_AN_EPOCH = 30, 64, 20  # 1,257 training digits
RATE, MOMENTUM = 0.1, 0.9


def resnet() -> Recipe:
    """ResNet of fourteen layers, the form for small images, on 1,797 digits of 8 x 8 pixels.

    The paper's rate 0.1 and momentum 0.9 on a short schedule, shortcuts without weights, images moved a little as for
    LeNet. With dataset="cifar10" and depth 20 it is the paper's own experiment, where Keras has the files.
    """
    return Recipe(
        slug="resnet",
        dataset="digits",
        model=lambda spec, seed: ResNet(14, spec.shape, spec.classes, form="cifar", seed=seed),
        compile=_settings,
        **_shared(),
    )


def densenet() -> Recipe:
    """DenseNet of two blocks of four layers that add eight maps each, on the same digits."""
    return Recipe(
        slug="densenet",
        dataset="digits",
        model=lambda spec, seed: DenseNet(
            None, spec.shape, spec.classes, blocks=(4, 4), growth_rate=8, small_stem=True, seed=seed
        ),
        compile=_settings,
        **_shared(),
    )


def _settings(spec: Any) -> dict[str, Any]:
    """Momentum whose rate falls along a cosine, so that the last weights are kept."""
    schedule = keras.optimizers.schedules.CosineDecay(RATE, EPOCHS * STEPS_AN_EPOCH)
    return {
        "optimizer": keras.optimizers.SGD(schedule, MOMENTUM, nesterov=True),
        "loss": SoftmaxLoss(),
        "metrics": ["accuracy"],
        "jit_compile": False,  # XLA bypasses oneDNN's convolutions, which are faster here
        "steps_per_execution": STEPS_AN_EPOCH,
    }


def _shared() -> dict[str, Any]:
    return {
        "batch_size": BATCH,
        "epochs": EPOCHS,
        "augment": slightly_moved,
        "augment_draws": 4,
        "baseline": softmax_regression_on_pixels,
        "floor": {"accuracy": 0.97},
        "figures": (
            learning_curves,
            confusion_matrix,
            worst_mistakes,
            first_layer_filters,
            feature_maps,
            saliency_maps,
        ),
    }
