"""Layers of normalizing flows: invertible maps that know the logarithm of their determinant.

z, log_det = layer(x, condition), x = layer.inverse(z, condition), layer.as_bijector() for TensorFlow Probability.
"""

from keras_course.layers.flows.actnorm import ActNorm
from keras_course.layers.flows.chain import FactorOut, FlowChain
from keras_course.layers.flows.coupling import AdditiveCoupling, AffineCoupling
from keras_course.layers.flows.coupling_network import CouplingNetwork
from keras_course.layers.flows.diagnosis import FlowReading, flow_readings
from keras_course.layers.flows.flow_layer import FlowLayer
from keras_course.layers.flows.rearrangements import LogitTransform, Permutation, Squeeze

__all__ = [
    "ActNorm",
    "AdditiveCoupling",
    "AffineCoupling",
    "CouplingNetwork",
    "FactorOut",
    "FlowChain",
    "FlowLayer",
    "FlowReading",
    "LogitTransform",
    "Permutation",
    "Squeeze",
    "flow_readings",
]
