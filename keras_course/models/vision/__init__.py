"""Networks that see."""

from keras_course.models.vision.alexnet import AlexNet
from keras_course.models.vision.googlenet import Decisions, GoogLeNet
from keras_course.models.vision.image_classifier import Blueprint, ImageClassifier, blueprint, parameter_count
from keras_course.models.vision.keras_weights import from_keras_application, to_keras_application
from keras_course.models.vision.lenet import LeNet
from keras_course.models.vision.vgg import VGG

__all__ = [
    "VGG",
    "AlexNet",
    "Blueprint",
    "Decisions",
    "GoogLeNet",
    "ImageClassifier",
    "LeNet",
    "blueprint",
    "from_keras_application",
    "parameter_count",
    "to_keras_application",
]
