"""Callbacks for any `model.fit`: exact resume after a kill, early stopping, and what watches a training."""

from keras_course.callbacks.code_watch import (
    CodeReport,
    CodeWatch,
    DecoderScaleCollapse,
    EncoderScaleCollapse,
    PosteriorCollapse,
    code_report,
)
from keras_course.callbacks.discriminator_watch import DiscriminatorLost, DiscriminatorWatch, DiscriminatorWins
from keras_course.callbacks.energy_watch import EnergiesRunAway, EnergyWatch
from keras_course.callbacks.flow_watch import FlowScaleCollapse, FlowWatch, ScaleSaturates
from keras_course.callbacks.global_statistics import GlobalStatistics, fix_global_statistics
from keras_course.callbacks.scale_watch import ConditionalScaleCollapse, ScaleCollapse, ScaleWatch
from keras_course.callbacks.training_reports import ReportingCallback, TrainingReport
from keras_course.callbacks.training_watch import GradientNorms, UnitActivity, UpdateRatios
from keras_course.pipeline.early_stopping import EarlyStopping
from keras_course.pipeline.exact_resume import ExactResume

__all__ = [
    "ScaleSaturates",
    "FlowWatch",
    "FlowScaleCollapse",
    "ScaleWatch",
    "ConditionalScaleCollapse",
    "CodeReport",
    "CodeWatch",
    "DecoderScaleCollapse",
    "DiscriminatorLost",
    "DiscriminatorWatch",
    "DiscriminatorWins",
    "EarlyStopping",
    "EncoderScaleCollapse",
    "EnergiesRunAway",
    "EnergyWatch",
    "ExactResume",
    "GlobalStatistics",
    "GradientNorms",
    "PosteriorCollapse",
    "ReportingCallback",
    "ScaleCollapse",
    "TrainingReport",
    "UnitActivity",
    "UpdateRatios",
    "code_report",
    "fix_global_statistics",
]
