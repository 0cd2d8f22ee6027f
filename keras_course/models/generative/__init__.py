"""Models that generate: variational autoencoders, DRAW, adversarial and autoregressive networks, flows."""

from keras_course.models.generative.conditional_network import ConditionalNetwork
from keras_course.models.generative.coupling_flows import NICE, RealNVP
from keras_course.models.generative.dcgan import dcgan_networks
from keras_course.models.generative.draw import DRAW
from keras_course.models.generative.gan import GAN
from keras_course.models.generative.generator_networks import AffineGenerator, BernoulliGenerator
from keras_course.models.generative.made import MADE
from keras_course.models.generative.masked_flows import MAF
from keras_course.models.generative.normalizing_flow import NormalizingFlow
from keras_course.models.generative.pixel_cnn import PixelCNN
from keras_course.models.generative.stochastic_layers import StochasticLayers
from keras_course.models.generative.variational_autoencoder import VariationalAutoencoder
from keras_course.models.generative.wgan import WGAN

__all__ = [
    "AffineGenerator",
    "BernoulliGenerator",
    "ConditionalNetwork",
    "DRAW",
    "GAN",
    "MADE",
    "MAF",
    "NICE",
    "NormalizingFlow",
    "PixelCNN",
    "RealNVP",
    "StochasticLayers",
    "VariationalAutoencoder",
    "WGAN",
    "dcgan_networks",
]
