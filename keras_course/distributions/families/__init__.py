"""Families of distributions: the table that `DistributionOutput` looks names up in."""

from keras_course.distributions.families.bernoulli import Bernoulli
from keras_course.distributions.families.categorical import Categorical
from keras_course.distributions.families.diagonal_gaussian import DiagonalGaussian
from keras_course.distributions.families.family import Family
from keras_course.distributions.families.full_covariance_gaussian import FullCovarianceGaussian
from keras_course.distributions.families.levels import CategoricalLevels, DiscretizedLogistic
from keras_course.distributions.families.mixture import Mixture
from keras_course.distributions.families.normal import Normal
from keras_course.distributions.families.poisson import Poisson
from keras_course.distributions.families.scale import positive_scale
from keras_course.distributions.families.table import FAMILIES, get_family, register_family

__all__ = [
    "FAMILIES",
    "Bernoulli",
    "Categorical",
    "CategoricalLevels",
    "DiagonalGaussian",
    "DiscretizedLogistic",
    "Family",
    "FullCovarianceGaussian",
    "Mixture",
    "Normal",
    "Poisson",
    "get_family",
    "positive_scale",
    "register_family",
]
