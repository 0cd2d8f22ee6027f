"""Latent-variable models trained in closed form: k-means, Gaussian and binomial mixtures, principal components."""

from keras_course.models.latent.binomial_mixture import BinomialMixture
from keras_course.models.latent.gaussian_mixture import GaussianMixture
from keras_course.models.latent.k_means import KMeans
from keras_course.models.latent.pca import PCA

__all__ = ["BinomialMixture", "GaussianMixture", "KMeans", "PCA"]
