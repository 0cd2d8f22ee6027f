"""Worked examples of the chapters on optimization."""

from keras_course.worked_examples.optimization_normalization import (
    batch_normalization_as_printed,
    batch_normalization_gradient,
    moments_of_uneven_batches,
    moving_averages,
    statistics_layer_by_layer,
)

__all__ = [
    "batch_normalization_as_printed",
    "batch_normalization_gradient",
    "moments_of_uneven_batches",
    "moving_averages",
    "statistics_layer_by_layer",
]
