"""Markov chain Monte Carlo kernels for `tfp.mcmc.sample_chain`, and finite Markov chains."""

from keras_course.inference.mcmc.graph_walk import neighbour_links, second_modulus, walk_on
from keras_course.inference.mcmc.langevin import (
    LangevinResults,
    MetropolisLangevin,
    UnadjustedLangevin,
    hastings_log_ratio,
    langevin_coefficients,
    langevin_proposal,
)
from keras_course.inference.mcmc.markov_chain import MarkovChain, MarkovChainResults
from keras_course.inference.mcmc.stochastic_gradient_langevin import (
    StochasticGradientLangevin,
    StochasticGradientLangevinResults,
)

__all__ = [
    "LangevinResults",
    "MarkovChain",
    "MarkovChainResults",
    "MetropolisLangevin",
    "StochasticGradientLangevin",
    "StochasticGradientLangevinResults",
    "UnadjustedLangevin",
    "hastings_log_ratio",
    "langevin_coefficients",
    "langevin_proposal",
    "neighbour_links",
    "second_modulus",
    "walk_on",
]
