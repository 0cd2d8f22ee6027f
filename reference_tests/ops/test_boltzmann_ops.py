"""Energies and conditionals of Boltzmann machines against sums over all states."""

import keras
import numpy as np
import pytest

from keras_course.ops.boltzmann import (
    binary_states,
    free_energy_of_logits,
    pseudo_log_likelihood,
    rbm_energy,
    rbm_free_energy,
    rbm_hidden_logits,
    rbm_visible_parameters,
)

GENERATOR = np.random.Generator(np.random.Philox(2))
KERNEL, B, C = GENERATOR.normal(size=(4, 3)), GENERATOR.normal(size=4), GENERATOR.normal(size=3)
VISIBLE, HIDDEN = np.asarray(binary_states(4, "float64")), np.asarray(binary_states(3, "float64"))


@pytest.mark.parametrize("scale", [None, 0.6])
def test_the_free_energy_sums_out_the_hidden_units(scale):
    energies = np.stack([np.asarray(rbm_energy(VISIBLE, h, KERNEL, B, C, scale)) for h in HIDDEN])
    wanted = -np.logaddexp.reduce(-energies, axis=0)
    np.testing.assert_allclose(rbm_free_energy(VISIBLE, KERNEL, B, C, scale), wanted, rtol=1e-12)
    logits = rbm_hidden_logits(VISIBLE, KERNEL, C, scale)
    np.testing.assert_allclose(free_energy_of_logits(VISIBLE, logits, B, scale), wanted, rtol=1e-12)


def test_the_log_odds_of_a_unit_are_what_switching_it_on_lowers_the_energy_by():
    for v, h in zip(VISIBLE[3:11], HIDDEN, strict=True):
        for j in range(3):
            on, off = h.copy(), h.copy()
            on[j], off[j] = 1, 0
            rise = rbm_energy(v, off, KERNEL, B, C) - rbm_energy(v, on, KERNEL, B, C)
            np.testing.assert_allclose(rbm_hidden_logits(v, KERNEL, C)[j], rise, rtol=1e-10)
        for i in range(4):
            on, off = v.copy(), v.copy()
            on[i], off[i] = 1, 0
            rise = rbm_energy(off, h, KERNEL, B, C) - rbm_energy(on, h, KERNEL, B, C)
            np.testing.assert_allclose(rbm_visible_parameters(h, KERNEL, B)[i], rise, rtol=1e-10)


def test_the_mean_of_a_gaussian_unit_has_the_least_energy():
    h = HIDDEN[5]
    mean = np.asarray(rbm_visible_parameters(h, KERNEL, B, 0.6))
    least = float(rbm_energy(mean, h, KERNEL, B, C, 0.6))
    for move in 1e-3 * np.concatenate([np.eye(4), -np.eye(4)]):
        assert float(rbm_energy(mean + move, h, KERNEL, B, C, 0.6)) > least


def test_formulas_keep_the_dtype_and_stay_finite_where_units_saturate():
    x = np.array([[1.0, 0.0], [1.0, 1.0]], "float32")
    parameters = np.array([[900.0], [-900.0]], "float32"), np.zeros(2, "float32"), np.zeros(1, "float32")
    for function in (rbm_free_energy, pseudo_log_likelihood):
        found = function(x, *parameters)
        assert keras.backend.standardize_dtype(found.dtype) == "float32" and np.all(np.isfinite(found))
        assert keras.backend.standardize_dtype(function(VISIBLE, KERNEL, B, C).dtype) == "float64"
