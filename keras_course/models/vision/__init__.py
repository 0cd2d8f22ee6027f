"""Networks that see."""

from keras_course.models.vision.densenet import DenseNet
from keras_course.models.vision.image_classifier import Blueprint, ImageClassifier, blueprint, parameter_count
from keras_course.models.vision.lenet import LeNet
from keras_course.models.vision.resnet import ResNet

__all__ = ["Blueprint", "DenseNet", "ImageClassifier", "LeNet", "ResNet", "blueprint", "parameter_count"]
