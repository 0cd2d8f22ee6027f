"""Autoencoders: plain, denoising, sparse and contractive, with any encoder and decoder."""

from keras_course.models.autoencoders.autoencoder import Autoencoder
from keras_course.models.autoencoders.contractive import ContractiveAutoencoder
from keras_course.models.autoencoders.denoising import DenoisingAutoencoder
from keras_course.models.autoencoders.sparse import SparseAutoencoder

__all__ = ["Autoencoder", "ContractiveAutoencoder", "DenoisingAutoencoder", "SparseAutoencoder"]
