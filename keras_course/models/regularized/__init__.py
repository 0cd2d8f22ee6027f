"""Models of the chapter on regularization."""

from keras_course.models.regularized.dropout_mlp import DropoutMLP
from keras_course.models.regularized.tied_pair import TiedPair

__all__ = ["DropoutMLP", "TiedPair"]
