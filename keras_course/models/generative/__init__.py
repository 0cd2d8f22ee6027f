"""Models that generate: variational autoencoders, and one that draws stroke by stroke."""

from keras_course.models.generative.conditional_network import ConditionalNetwork
from keras_course.models.generative.draw import DRAW
from keras_course.models.generative.stochastic_layers import StochasticLayers
from keras_course.models.generative.variational_autoencoder import VariationalAutoencoder

__all__ = ["DRAW", "ConditionalNetwork", "StochasticLayers", "VariationalAutoencoder"]
