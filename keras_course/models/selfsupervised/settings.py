"""Settings of the pretext tasks for small images, one place for recipes and the experiment on label efficiency.

    Pretext = how to make the model for images of a shape, its optimizer, batch and epochs

A model here has `encode`: images (B, H, W, C) -> features (B, F), what a linear probe sees.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import keras

from keras_course.models.selfsupervised.context_prediction import ContextPrediction
from keras_course.models.selfsupervised.rotation_prediction import RotationPrediction

__all__ = ["PRETEXTS", "STAGES", "Pretext"]

STAGES = ((64, 64), (32,))  # of the trunk that all share


@dataclass(frozen=True)
class Pretext:
    """How one pretext task is trained on small images.

    Args:
        model: callable(shape, seed) that returns a new model with `encode`.
        batch_size: images a step.
        epochs: passes over the training images.
        rate: of Adam at the first step; it falls along a cosine to 0 at the last.
        steps_per_execution: as `keras.Model.compile`.

    Source: R; C 6.8.
    """

    model: Callable[[tuple[int, ...], int], Any]
    batch_size: int
    epochs: int
    rate: float = 2e-3
    steps_per_execution: int = 10

    def compile_arguments(self, images: int) -> dict[str, Any]:
        """Arguments of `model.compile` for a training set of so many images."""
        steps = self.epochs * -(-images // self.batch_size)
        schedule = keras.optimizers.schedules.CosineDecay(self.rate, steps)
        return {"optimizer": keras.optimizers.Adam(schedule), "steps_per_execution": self.steps_per_execution}


def _positions(shape: tuple[int, ...], seed: int) -> ContextPrediction:
    """3 x 3 pieces of 4 x 4 pixels on digits, of half the image's side: neighbours overlap by half."""
    return ContextPrediction(shape, STAGES, "position", gap=-(min(shape[:2]) // 4), seed=seed)


PRETEXTS: Mapping[str, Pretext] = MappingProxyType(
    {
        "rotation": Pretext(lambda shape, seed: RotationPrediction(shape, STAGES, seed=seed), 64, 8),
        "jigsaw": Pretext(_positions, 64, 25),
    }
)
