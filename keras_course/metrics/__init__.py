"""Metrics of the course; all are Keras metrics over `keras.ops`."""

from keras_course.metrics.purity import Purity

__all__ = ["Purity"]
