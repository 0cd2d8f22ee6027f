"""Learning-rate schedules; give one to any Keras optimizer as its learning_rate."""

from keras_course.optimizers.schedules.exponential import ExponentialDecay
from keras_course.optimizers.schedules.linear import LinearDecay
from keras_course.optimizers.schedules.polynomial import PolynomialDecay

__all__ = ["ExponentialDecay", "LinearDecay", "PolynomialDecay"]
