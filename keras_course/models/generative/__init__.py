"""Models that generate: variational autoencoders, masked autoencoders."""

from keras_course.models.generative.conditional_network import ConditionalNetwork
from keras_course.models.generative.made import MADE
from keras_course.models.generative.masked_flows import MAF
from keras_course.models.generative.stochastic_layers import StochasticLayers
from keras_course.models.generative.variational_autoencoder import VariationalAutoencoder

__all__ = ["MADE", "MAF", "ConditionalNetwork", "StochasticLayers", "VariationalAutoencoder"]
