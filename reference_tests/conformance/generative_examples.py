"""How the conformance suite trains generative models (`model_examples.TRAINING` and `OTHERS`)."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from keras_course import catalog
from keras_course.testing.model_case import ModelCase


def with_adam() -> dict[str, Any]:
    return {"optimizer": keras.optimizers.Adam(0.01)}


def with_a_slow_generator() -> dict[str, Any]:
    """Two optimizers whose moments must survive; the discriminator's loss is seen to fall."""
    judge = keras.optimizers.SGD(0.3, momentum=0.5)
    return {"optimizer": keras.optimizers.SGD(0.001, momentum=0.9), "discriminator_optimizer": judge}


def quadrants(x: np.ndarray) -> np.ndarray:
    """Which quadrant, 0 to 3."""
    return ((x[:, 0] > 0) * 2 + (x[:, 1] > 0)).astype("int32")


def sum_of_two_pixels(x: np.ndarray) -> np.ndarray:
    """A class 0 to 3 of an image of levels."""
    return (x[:, 0, 0, 0] + x[:, 1, 1, 1]) % 4


def with_momentum() -> dict[str, Any]:
    """Where Adam would magnify the last bits of slopes that nearly cancel."""
    return {"optimizer": keras.optimizers.SGD(0.02, momentum=0.5)}


# EMPTY: a convolution with a bias cannot be trained on an empty share of a batch in a graph where oneDNN is on
# (TF_ENABLE_ONEDNN_OPTS=1): TensorFlow fuses the slopes of kernel and bias, and the fused kernel leaves the second out.
# keras.layers.Conv2D fails alike. Eagerly its maps of no rows then have the channels of the input. Under XLA, and with
# oneDNN off, all is well.
GENERATIVE_TRAINING: dict[str, dict[str, Any]] = {
    "made": {"compile": with_adam, "any_split": True},
    "maf": {"compile": with_adam, "any_split": True},
    "draw": {"compile": with_adam, "any_split": True},
    "nice": {"compile": with_momentum, "any_split": True},
    "real-nvp": {"compile": with_momentum, "any_split": True},
    "gan": {
        "targets": quadrants,
        "compile": with_a_slow_generator,
        "objective": "discriminator_loss",
        "any_split": True,
    },
    "wgan": {"compile": with_a_slow_generator, "objective": "discriminator_loss", "any_split": True},
    "pixel-cnn": {"compile": with_adam},  # images: see EMPTY
    "generator-networks": {"compile": with_adam, "any_split": True},
    "AffineGenerator": {"init": {"features": 3}, "inputs": (12, 3), "compile": with_adam, "any_split": True},
}

GENERATIVE_CASES: dict[str, ModelCase] = {
    "critic-in-a-box": ModelCase(
        catalog.resolve("wgan"),
        {**catalog.get("wgan").init, "penalty": None, "clip": 1.0},
        (4, 3),
        None,
        with_a_slow_generator,
        objective="discriminator_loss",
        any_split=True,
    ),
    "coloured-pixels-of-a-class": ModelCase(
        catalog.resolve("pixel-cnn"),
        {"shape": (2, 2, 2), "levels": 3, "filters": 2, "blocks": 1, "gated": False, "first_kernel": 3, "classes": 4},
        {"x": {"shape": [12, 2, 2, 2], "dtype": "int32", "max": 3}},
        sum_of_two_pixels,
        with_adam,
    ),
    # Without ActNorm, whose start gives its outputs the mean 0: the slopes of its shift are sums that cancel, and their
    # last bits are those of the order of summation. The vectors' "real-nvp" has it. No empty shares: see EMPTY.
    "flow-of-images": ModelCase(
        catalog.resolve("real-nvp"),
        {"shape": (4, 4, 1), "couplings": 2, "units": (), "actnorm": False, "levels": 2, "evaluation_samples": 1},
        {"x": {"shape": [12, 4, 4, 1], "dtype": "int32", "max": 2}},
        None,
        with_momentum,
    ),
}
