"""Losses as Keras losses: compile with them, save models that carry them; the formulas are in `keras_course.ops`."""

from keras_course.losses.asked_bits import AskedBitsLoss
from keras_course.losses.half_squared import HalfSquaredLoss
from keras_course.losses.label_smoothing import LabelSmoothingLoss
from keras_course.losses.logistic import LogisticLoss
from keras_course.losses.nt_xent import NTXentLoss
from keras_course.losses.preference import PreferenceLoss
from keras_course.losses.softmax import SoftmaxLoss
from keras_course.losses.top_k_ranking import TopKRankingLoss

__all__ = [
    "AskedBitsLoss",
    "HalfSquaredLoss",
    "LabelSmoothingLoss",
    "LogisticLoss",
    "NTXentLoss",
    "PreferenceLoss",
    "SoftmaxLoss",
    "TopKRankingLoss",
]
