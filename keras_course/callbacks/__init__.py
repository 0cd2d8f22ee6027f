"""Callbacks of the course; all are Keras callbacks that keep plain values."""

from keras_course.callbacks.training_watch import GradientNorms, UnitActivity, UpdateRatios

__all__ = ["GradientNorms", "UnitActivity", "UpdateRatios"]
