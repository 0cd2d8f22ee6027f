"""Networks that see."""

from keras_course.models.vision.convolutional_trunk import ConvolutionalTrunk
from keras_course.models.vision.dense_evaluation import convolutionalize
from keras_course.models.vision.densenet import DenseNet
from keras_course.models.vision.fcn import FCN
from keras_course.models.vision.image_classifier import Blueprint, ImageClassifier, blueprint, parameter_count
from keras_course.models.vision.lenet import LeNet
from keras_course.models.vision.resnet import ResNet
from keras_course.models.vision.stage_maps import StageMaps

__all__ = [
    "FCN",
    "Blueprint",
    "ConvolutionalTrunk",
    "DenseNet",
    "ImageClassifier",
    "LeNet",
    "ResNet",
    "StageMaps",
    "blueprint",
    "convolutionalize",
    "parameter_count",
]
