"""The first models: sign unit, linear, logistic and softmax regression, multilayer perceptrons."""

from keras_course.models.perceptrons.backprop import BackpropMLP
from keras_course.models.perceptrons.linear_regression import LinearRegression
from keras_course.models.perceptrons.logistic_regression import LogisticRegression
from keras_course.models.perceptrons.mlp import MLP
from keras_course.models.perceptrons.perceptron import Perceptron
from keras_course.models.perceptrons.softmax_regression import SoftmaxRegression

__all__ = [
    "MLP",
    "BackpropMLP",
    "LinearRegression",
    "LogisticRegression",
    "Perceptron",
    "SoftmaxRegression",
]
