"""Callbacks for any `model.fit`: exact resume after a kill, early stopping."""

from keras_course.callbacks.global_statistics import GlobalStatistics, fix_global_statistics
from keras_course.pipeline.early_stopping import EarlyStopping
from keras_course.pipeline.exact_resume import ExactResume

__all__ = [
    "EarlyStopping",
    "ExactResume",
    "GlobalStatistics",
    "fix_global_statistics",
]
