"""Networks that see."""

from keras_course.models.vision.alexnet import AlexNet
from keras_course.models.vision.convolutional_trunk import ConvolutionalTrunk
from keras_course.models.vision.dense_evaluation import convolutionalize
from keras_course.models.vision.densenet import DenseNet
from keras_course.models.vision.fcn import FCN
from keras_course.models.vision.googlenet import Decisions, GoogLeNet
from keras_course.models.vision.image_classifier import Blueprint, ImageClassifier, blueprint, parameter_count
from keras_course.models.vision.keras_weights import from_keras_application, to_keras_application
from keras_course.models.vision.lenet import LeNet
from keras_course.models.vision.resnet import ResNet
from keras_course.models.vision.stage_maps import StageMaps
from keras_course.models.vision.vgg import VGG

__all__ = [
    "FCN",
    "VGG",
    "AlexNet",
    "Blueprint",
    "ConvolutionalTrunk",
    "Decisions",
    "DenseNet",
    "GoogLeNet",
    "ImageClassifier",
    "LeNet",
    "ResNet",
    "StageMaps",
    "blueprint",
    "convolutionalize",
    "from_keras_application",
    "parameter_count",
    "to_keras_application",
]
