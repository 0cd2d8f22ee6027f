"""Formulas of deep belief networks and deep Boltzmann machines against sums over all their states."""

import itertools

import numpy as np
import pytest
from keras import ops

from keras_course.ops.boltzmann import rbm_energy, rbm_free_energy, rbm_log_partition
from keras_course.ops.deep_belief import belief_bound, belief_log_prob, belief_log_weight, units_log_prob
from keras_course.ops.deep_boltzmann import as_restricted, deep_energy, deep_log_partition, deep_unnormalised

DRAWS = np.random.Generator(np.random.Philox(3))


def states(units):
    return np.array(list(itertools.product((0.0, 1.0), repeat=units)))


def test_log_probabilities_of_independent_units_are_those_of_their_means():
    logits = np.array([-1.0, 0.5, 2.0])
    means = 1 / (1 + np.exp(-logits))
    wanted = np.log(np.where(states(3) == 1, means, 1 - means)).sum(axis=1)
    np.testing.assert_allclose(units_log_prob(states(3), logits), wanted, rtol=1e-12)
    assert np.isfinite(float(units_log_prob([1.0, 0.0], [-500.0, 500.0])))


def test_log_weights_have_the_bound_as_their_mean_and_the_probability_as_the_mean_of_their_exponential():
    down, up = [[(DRAWS.normal(size=(3, 2)), DRAWS.normal(size=size))] for size in (3, 2)]
    top = (DRAWS.normal(size=(2, 4)), DRAWS.normal(size=2), DRAWS.normal(size=4))
    x, hidden = states(3)[[1, 6]], states(2)
    layers = [np.repeat(x[:, None], 4, axis=1), np.repeat(hidden[None], 2, axis=0)]  # (2, 4, ...)
    logits = layers[0] @ up[0][0] + up[0][1]
    chances = np.exp(units_log_prob(layers[1], logits))
    weights = np.asarray(belief_log_weight(layers, down, up, top, rbm_log_partition(*top)))
    np.testing.assert_allclose(np.sum(chances * weights, axis=1), belief_bound(x, down, up, top), rtol=1e-10)
    np.testing.assert_allclose(np.log(np.sum(chances * np.exp(weights), axis=1)), belief_log_prob(x, down, top))


@pytest.mark.parametrize("sizes", [(3, 2, 2), (2, 2, 1, 2)])
def test_a_deep_machine_is_a_restricted_one_with_blocks_of_zeros(sizes):
    kernels = [DRAWS.normal(size=shape) for shape in itertools.pairwise(sizes)]
    biases = [DRAWS.normal(size=size) for size in sizes]
    together = states(sum(sizes))
    layers = np.split(together, np.cumsum(sizes)[:-1], axis=1)
    energies = np.asarray(deep_energy(layers, kernels, biases))
    restricted = as_restricted(kernels, biases)
    even, odd = np.concatenate(layers[0::2], axis=1), np.concatenate(layers[1::2], axis=1)
    np.testing.assert_allclose(rbm_energy(even, odd, *restricted), energies, rtol=1e-10)
    np.testing.assert_allclose(float(deep_log_partition(kernels, biases)), float(ops.logsumexp(-energies)), rtol=1e-12)
    x = states(sizes[0])
    summed = -energies.reshape(len(x), -1)  # the first units change slowest
    np.testing.assert_allclose(deep_unnormalised(x, kernels, biases), ops.logsumexp(summed, axis=1), rtol=1e-12)
    alone = rbm_free_energy(even, *restricted)
    assert np.all(np.asarray(alone) <= energies + 1e-12)
