"""Phenomena and real-data runs of what is no model: each file has a frozen `Config` and `run(config) -> Table`."""

from keras_course.experiments import (
    bias_variance,
    few_label_probes,
    flat_minima,
    foreground_segmentation,
    gradient_over_time,
    ill_conditioning,
    label_efficiency,
    langevin_posterior,
    likelihood_table,
    lr_u_curve,
    neighbour_walk,
    parity,
    saddle_escape,
    sgd_against_gd,
    teacher_forcing,
    vanishing_gradient,
)
from keras_course.experiments.table import Table

__all__ = [
    "Table",
    "bias_variance",
    "few_label_probes",
    "flat_minima",
    "foreground_segmentation",
    "gradient_over_time",
    "ill_conditioning",
    "label_efficiency",
    "langevin_posterior",
    "likelihood_table",
    "lr_u_curve",
    "neighbour_walk",
    "parity",
    "saddle_escape",
    "sgd_against_gd",
    "teacher_forcing",
    "vanishing_gradient",
]
