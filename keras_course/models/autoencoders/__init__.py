"""Autoencoders: plain, denoising, sparse and contractive, with any encoder and decoder; sparse coding."""

from keras_course.models.autoencoders.autoencoder import Autoencoder
from keras_course.models.autoencoders.contractive import ContractiveAutoencoder
from keras_course.models.autoencoders.denoising import DenoisingAutoencoder
from keras_course.models.autoencoders.sparse import SparseAutoencoder
from keras_course.models.autoencoders.sparse_coding import SparseCoding

__all__ = ["Autoencoder", "ContractiveAutoencoder", "DenoisingAutoencoder", "SparseAutoencoder", "SparseCoding"]
