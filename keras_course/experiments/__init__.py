"""Phenomena and real-data runs of what is no model: each file has a frozen `Config` and `run(config) -> Table`."""

from keras_course.experiments import (
    foreground_segmentation,
    ill_conditioning,
    label_efficiency,
    langevin_posterior,
    lr_u_curve,
    saddle_escape,
)
from keras_course.experiments.table import Table

__all__ = [
    "Table",
    "foreground_segmentation",
    "ill_conditioning",
    "label_efficiency",
    "langevin_posterior",
    "lr_u_curve",
    "saddle_escape",
]
