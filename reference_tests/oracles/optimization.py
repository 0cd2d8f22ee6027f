"""Oracles of the chapter on optimization, by golden case; see the modules they come from."""

from reference_tests.oracles.optimization_normalization import (
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
