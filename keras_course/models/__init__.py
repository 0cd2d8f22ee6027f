"""Models of the course, a folder a topic; all are Keras models with endpoints (`keras_course.core.model.Model`)."""

from keras_course.models.densities import DistributionRegression
from keras_course.models.perceptrons import (
    MLP,
    BackpropMLP,
    LinearRegression,
    LogisticRegression,
    Perceptron,
    SoftmaxRegression,
)
from keras_course.models.vision import LeNet

__all__ = [
    "MLP",
    "BackpropMLP",
    "DistributionRegression",
    "LeNet",
    "LinearRegression",
    "LogisticRegression",
    "Perceptron",
    "SoftmaxRegression",
]
