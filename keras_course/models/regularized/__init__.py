"""Models of the chapter on regularization."""

from keras_course.models.regularized.dropout_mlp import DropoutMLP
from keras_course.models.regularized.multi_task import MultiTask
from keras_course.models.regularized.semi_supervised import SemiSupervised
from keras_course.models.regularized.tied_pair import TiedPair
from keras_course.models.regularized.transfer import Transfer

__all__ = ["DropoutMLP", "MultiTask", "SemiSupervised", "TiedPair", "Transfer"]
