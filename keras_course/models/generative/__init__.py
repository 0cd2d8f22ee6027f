"""Models that generate: variational autoencoders, one that draws stroke by stroke, masked autoencoders."""

from keras_course.models.generative.conditional_network import ConditionalNetwork
from keras_course.models.generative.draw import DRAW
from keras_course.models.generative.made import MADE
from keras_course.models.generative.stochastic_layers import StochasticLayers
from keras_course.models.generative.variational_autoencoder import VariationalAutoencoder

__all__ = ["DRAW", "MADE", "ConditionalNetwork", "StochasticLayers", "VariationalAutoencoder"]
