"""Metrics of the course; all are Keras metrics over `keras.ops`."""

from keras_course.metrics.bit_error import BitError
from keras_course.metrics.coverage import Coverage
from keras_course.metrics.mean_iou import MeanIoU
from keras_course.metrics.pr_curve import PRCurve
from keras_course.metrics.precision_recall import FBeta, Precision, Recall
from keras_course.metrics.purity import Purity
from keras_course.metrics.total_cost import TotalCost

__all__ = ["BitError", "Coverage", "FBeta", "MeanIoU", "PRCurve", "Precision", "Purity", "Recall", "TotalCost"]
