"""Networks that see."""

from keras_course.models.vision.image_classifier import Blueprint, ImageClassifier, blueprint, parameter_count
from keras_course.models.vision.lenet import LeNet

__all__ = ["Blueprint", "ImageClassifier", "LeNet", "blueprint", "parameter_count"]
