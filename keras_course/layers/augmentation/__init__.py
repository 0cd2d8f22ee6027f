"""Layers that change examples at random in training and leave them alone afterwards."""

from keras_course.layers.augmentation.augmentation import Augmentation
from keras_course.layers.augmentation.colour import RandomColourShift
from keras_course.layers.augmentation.focus import RandomBlur, RandomSharpen
from keras_course.layers.augmentation.geometry import RandomAffine, RandomRotation, RandomScale, RandomShift
from keras_course.layers.augmentation.sound import RandomEcho, RandomNoise
from keras_course.layers.augmentation.text import RandomOmissions, RandomTypos
from keras_course.layers.augmentation.weighted_choice import WeightedChoice

__all__ = [
    "Augmentation",
    "RandomAffine",
    "RandomBlur",
    "RandomColourShift",
    "RandomEcho",
    "RandomNoise",
    "RandomOmissions",
    "RandomRotation",
    "RandomScale",
    "RandomSharpen",
    "RandomShift",
    "RandomTypos",
    "WeightedChoice",
]
