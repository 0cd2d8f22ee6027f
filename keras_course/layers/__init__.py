"""Keras layers of the course; subclass, fit, save and export them as you would Keras's own."""

from keras_course.layers.convolution import Convolution1D, Convolution2D, Convolution3D
from keras_course.layers.maxout import Maxout
from keras_course.layers.pooling import AveragePooling, MaxPooling
from keras_course.layers.positional_encoding import PositionalEncoding
from keras_course.layers.prelu import PReLU

__all__ = [
    "AveragePooling",
    "Convolution1D",
    "Convolution2D",
    "Convolution3D",
    "MaxPooling",
    "Maxout",
    "PReLU",
    "PositionalEncoding",
]
