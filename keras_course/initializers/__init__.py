"""Initializers of the course; give one to any Keras layer."""

from keras_course.initializers.bilinear import Bilinear
from keras_course.initializers.liquid_connections import LiquidConnections
from keras_course.initializers.normalized_initialization import NormalizedInitialization
from keras_course.initializers.seeding import seeded
from keras_course.initializers.sparse_reservoir import SparseReservoir
from keras_course.initializers.uniform_fan_in import UniformFanIn

__all__ = ["Bilinear", "LiquidConnections", "NormalizedInitialization", "SparseReservoir", "UniformFanIn", "seeded"]
