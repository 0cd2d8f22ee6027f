"""Conditional distributions as the output of Keras models, and information theory on any distribution."""

from keras_course.distributions.distribution_output import DistributionOutput
from keras_course.distributions.families import (
    FAMILIES,
    Bernoulli,
    Categorical,
    CategoricalLevels,
    DiagonalGaussian,
    DiscretizedLogistic,
    Family,
    FullCovarianceGaussian,
    Mixture,
    Normal,
    Poisson,
    get_family,
    register_family,
)
from keras_course.distributions.flow_bijector import flow_bijector
from keras_course.distributions.information import cross_entropy, entropy, kl_divergence, self_information
from keras_course.distributions.mean_log_likelihood import MeanLogLikelihood
from keras_course.distributions.negative_log_likelihood import NegativeLogLikelihood

__all__ = [
    "FAMILIES",
    "Bernoulli",
    "Categorical",
    "CategoricalLevels",
    "DiagonalGaussian",
    "DiscretizedLogistic",
    "DistributionOutput",
    "Family",
    "FullCovarianceGaussian",
    "MeanLogLikelihood",
    "Mixture",
    "NegativeLogLikelihood",
    "Normal",
    "Poisson",
    "cross_entropy",
    "entropy",
    "flow_bijector",
    "get_family",
    "kl_divergence",
    "register_family",
    "self_information",
]
