"""Penalties on weights, and the projection that goes with one of them, for Keras's layer arguments."""

from keras_course.regularizers.l1 import L1, SoftThreshold
from keras_course.regularizers.weight_decay import WeightDecay

__all__ = ["L1", "SoftThreshold", "WeightDecay"]
