"""Models that make their own labels, and what their features are judged by."""

from keras_course.models.selfsupervised.context_encoder import ContextEncoder
from keras_course.models.selfsupervised.context_prediction import ContextPrediction
from keras_course.models.selfsupervised.contrastive import ContrastiveLearning
from keras_course.models.selfsupervised.rotation_prediction import RotationPrediction

__all__ = [
    "ContextEncoder",
    "ContextPrediction",
    "ContrastiveLearning",
    "RotationPrediction",
]
