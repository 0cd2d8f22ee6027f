"""Models of the chapter on regularization."""

from keras_course.models.regularized.adaboost import AdaBoost
from keras_course.models.regularized.adversarial_training import AdversarialTraining
from keras_course.models.regularized.bagging import Bagging
from keras_course.models.regularized.decision_stump import DecisionStump

__all__ = ["AdaBoost", "AdversarialTraining", "Bagging", "DecisionStump"]
