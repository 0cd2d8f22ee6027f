"""Models of the chapter on regularization."""

from keras_course.models.regularized.adaboost import AdaBoost
from keras_course.models.regularized.adversarial_training import AdversarialTraining
from keras_course.models.regularized.bagging import Bagging
from keras_course.models.regularized.decision_stump import DecisionStump
from keras_course.models.regularized.dropout_mlp import DropoutMLP
from keras_course.models.regularized.multi_task import MultiTask
from keras_course.models.regularized.semi_supervised import SemiSupervised
from keras_course.models.regularized.tied_pair import TiedPair
from keras_course.models.regularized.transfer import Transfer

__all__ = [
    "AdaBoost",
    "AdversarialTraining",
    "Bagging",
    "DecisionStump",
    "DropoutMLP",
    "MultiTask",
    "SemiSupervised",
    "TiedPair",
    "Transfer",
]
