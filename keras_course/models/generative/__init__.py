"""Models that generate: variational autoencoders, masked autoencoders."""

from keras_course.models.generative.conditional_network import ConditionalNetwork
from keras_course.models.generative.made import MADE
from keras_course.models.generative.stochastic_layers import StochasticLayers
from keras_course.models.generative.variational_autoencoder import VariationalAutoencoder

__all__ = ["MADE", "ConditionalNetwork", "StochasticLayers", "VariationalAutoencoder"]
