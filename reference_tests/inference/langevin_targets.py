"""Targets that the tests of the Langevin kernels share, and the mistake that they must see."""

import tensorflow as tf

from keras_course.inference.mcmc.langevin import MetropolisLangevin


def double_well(w):
    return -tf.reduce_sum((w**2 - 1.0) ** 2, -1) - 0.25 * w[..., 0]


def quartic(w):
    return -0.25 * w**4


class WithoutHastings(MetropolisLangevin):
    """The classical mistake: accept by the densities alone."""

    def _log_accept_ratio(self, previous, value, gradient, noise, steps):
        return value - previous.target_log_prob
