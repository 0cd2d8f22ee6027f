"""Keras callbacks of the course: give them to `fit`."""

from keras_course.callbacks.global_statistics import GlobalStatistics, fix_global_statistics

__all__ = ["GlobalStatistics", "fix_global_statistics"]
