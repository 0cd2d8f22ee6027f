"""Optimizers of the course, all keras.optimizers.Optimizer; schedules, a weight constraint, second-order minimisers."""

from keras_course.optimizers.adagrad import AdaGrad
from keras_course.optimizers.adam import Adam
from keras_course.optimizers.averaged_momentum import AveragedMomentum
from keras_course.optimizers.conjugate_gradient import conjugate_gradient_minimize
from keras_course.optimizers.decoupled_weight_decay import DecoupledWeightDecay
from keras_course.optimizers.delta_bar_delta import DeltaBarDelta
from keras_course.optimizers.gradient_descent import GradientDescent
from keras_course.optimizers.momentum import Momentum
from keras_course.optimizers.nesterov import Nesterov
from keras_course.optimizers.newton import newton_minimize
from keras_course.optimizers.rmsprop import RMSProp
from keras_course.optimizers.schedules import ExponentialDecay, LinearDecay, PolynomialDecay
from keras_course.optimizers.weight_clip import WeightClip
from keras_course.optimizers.windowed_adagrad import WindowedAdaGrad

__all__ = [
    "AdaGrad",
    "Adam",
    "AveragedMomentum",
    "DecoupledWeightDecay",
    "DeltaBarDelta",
    "ExponentialDecay",
    "GradientDescent",
    "LinearDecay",
    "Momentum",
    "Nesterov",
    "PolynomialDecay",
    "RMSProp",
    "WeightClip",
    "WindowedAdaGrad",
    "conjugate_gradient_minimize",
    "newton_minimize",
]
