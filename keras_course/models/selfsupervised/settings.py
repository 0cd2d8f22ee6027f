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

from keras_course.core.seeds import derive_seed
from keras_course.layers.augmentation.geometry import RandomAffine, RandomRotation, RandomScale, RandomShift
from keras_course.models.selfsupervised.context_encoder import ContextEncoder
from keras_course.models.selfsupervised.context_prediction import ContextPrediction
from keras_course.models.selfsupervised.contrastive import ContrastiveLearning
from keras_course.models.selfsupervised.rotation_prediction import RotationPrediction
from keras_course.models.selfsupervised.trunk import image_trunk

__all__ = ["PRETEXTS", "STAGES", "Pretext", "context_encoder", "contrastive_learning", "distortions", "random_starts"]

STAGES = ((64, 64), (32,))  # of the trunk that all share
RANDOM_TRUNKS = 5  # one alone may be lucky by several points


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


def random_starts(seed: int) -> list[int]:
    """Seeds of the untrained trunks that a trained one is compared with: its own start and four others.

    Example:
        >>> len(random_starts(7)), random_starts(7)[0]
        (5, 7)
    """
    return [seed, *(derive_seed(seed, "random trunk", number) for number in range(1, RANDOM_TRUNKS))]


def distortions(seed: int = 0) -> list[Any]:
    """What a class survives: shifts by a pixel, turns by 17 degrees, sizes between 5/6 and 6/5."""
    shift, turn, size = (derive_seed(seed, "distortion", name) for name in ("shift", "turn", "size"))
    return [RandomShift(1.0, seed=shift), RandomRotation(0.3, seed=turn), RandomScale(0.2, seed=size)]


def context_encoder(shape: tuple[int, ...], seed: int) -> ContextEncoder:
    """Four small squares are missing; the pixels around them count, too, and a little of an adversary."""
    return ContextEncoder(shape, STAGES, hole="blocks", overlap=1, adversarial=0.02, fill=0.3, seed=seed)


def contrastive_learning(shape: tuple[int, ...], seed: int) -> ContrastiveLearning:
    """Two distorted views of every image, told apart from 510 others."""
    return ContrastiveLearning(shape, STAGES, distortions(), projector=(128, 64), temperature=0.5, seed=seed)


def _turned(shape: tuple[int, ...], seed: int) -> RotationPrediction:
    """Each turned image is distorted, too; a wide hidden layer takes what serves rotations alone upon itself."""
    layers = [keras.Input(shape), *distortions(seed), image_trunk(shape[-1], STAGES, seed)]
    return RotationPrediction(shape, keras.Sequential(layers, name="distorted_trunk"), units=512, seed=seed)


def _positions(shape: tuple[int, ...], seed: int) -> ContextPrediction:
    """3 x 3 pieces of 4 x 4 pixels on digits, of half the image's side: neighbours overlap by half.

    The images are a little distorted, and a wide hidden layer takes what serves positions alone upon itself.
    """
    slightly = RandomAffine(0.5, angle=0.2, amount=0.15, shear=0.15, seed=derive_seed(seed, "distortion"))
    gap = -(min(shape[:2]) // 4)
    return ContextPrediction(shape, STAGES, "position", gap=gap, units=512, augmentation=slightly, seed=seed)


PRETEXTS: Mapping[str, Pretext] = MappingProxyType(
    {
        "rotation": Pretext(_turned, 64, 12),
        "jigsaw": Pretext(_positions, 32, 50, rate=1e-3),
        "inpainting": Pretext(context_encoder, 64, 20),
        "contrastive": Pretext(contrastive_learning, 256, 25, rate=3e-3, steps_per_execution=5),
    }
)
