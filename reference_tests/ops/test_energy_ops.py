"""Energies: contrast, combinations and the sum over a grid, against densities themselves."""

import numpy as np
import pytest

from keras_course.ops.energy_models import (
    conjunction_energy,
    disjunction_energy,
    energy_contrast,
    energy_penalty,
    grid_log_partition,
    negation_energy,
)

ENERGIES = np.random.Generator(np.random.Philox(0)).normal(size=(5, 3))


def test_combined_energies_are_products_sums_and_quotients_of_densities():
    p = np.exp(-ENERGIES)
    np.testing.assert_allclose(np.exp(-np.asarray(conjunction_energy(ENERGIES))), p.prod(axis=1), rtol=1e-12)
    np.testing.assert_allclose(np.exp(-np.asarray(disjunction_energy(ENERGIES))), p.sum(axis=1), rtol=1e-12)
    without = negation_energy(ENERGIES[:, 0], ENERGIES[:, 1], 0.3)
    np.testing.assert_allclose(np.exp(-np.asarray(without)), p[:, 0] / p[:, 1] ** 0.3, rtol=1e-12)


def test_a_disjunction_of_large_energies_neither_over_nor_underflows():
    np.testing.assert_allclose(disjunction_energy([[1000.0, 1000.0], [-1000.0, 0.0]]), [1000 - np.log(2), -1000])


def test_a_constant_in_the_energy_leaves_the_contrast_and_not_the_penalty():
    data, model = ENERGIES[:, 0], ENERGIES[:, 1]
    np.testing.assert_allclose(energy_contrast(data + 7, model + 7), energy_contrast(data, model), rtol=1e-12)
    np.testing.assert_allclose(np.mean(energy_contrast(data, model)), data.mean() - model.mean(), rtol=1e-12)
    np.testing.assert_allclose(np.mean(energy_penalty(data, model)), np.mean(data**2) + np.mean(model**2), rtol=1e-12)


@pytest.mark.parametrize("deviation", [0.4, 1.0])
def test_a_grid_gives_the_partition_function_of_a_gaussian(deviation):
    x = np.linspace(-8, 8, 81)
    energies = (x[:, None] ** 2 + x**2) / (2 * deviation**2)
    wanted = np.log(2 * np.pi * deviation**2)
    np.testing.assert_allclose(float(grid_log_partition(energies, 0.04)), wanted, rtol=1e-10)
