"""Callbacks for any `model.fit`: exact resume after a kill, early stopping, and what watches a training."""

from keras_course.callbacks.discriminator_watch import DiscriminatorWatch
from keras_course.callbacks.energy_watch import EnergyWatch
from keras_course.callbacks.global_statistics import GlobalStatistics, fix_global_statistics
from keras_course.callbacks.training_watch import GradientNorms, UnitActivity, UpdateRatios
from keras_course.pipeline.early_stopping import EarlyStopping
from keras_course.pipeline.exact_resume import ExactResume

__all__ = [
    "DiscriminatorWatch",
    "EarlyStopping",
    "EnergyWatch",
    "ExactResume",
    "GlobalStatistics",
    "GradientNorms",
    "UnitActivity",
    "UpdateRatios",
    "fix_global_statistics",
]
