"""Inference: Markov chain Monte Carlo kernels."""

from keras_course.inference.mcmc import (
    MarkovChain,
    MetropolisLangevin,
    StochasticGradientLangevin,
    UnadjustedLangevin,
)

__all__ = ["MarkovChain", "MetropolisLangevin", "StochasticGradientLangevin", "UnadjustedLangevin"]
