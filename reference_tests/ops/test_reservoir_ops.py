"""Formulas of reservoir computing: leaky units, plasticity, memory, errors."""

import numpy as np
import pytest
from keras import ops

from keras_course.ops.reservoir import intrinsic_plasticity_step, leaky_step, spectral_radius
from keras_course.ops.reservoir_measures import (
    exponential_divergence,
    linear_memory_curve,
    normalised_rmse,
    squared_correlation,
)

RNG = np.random.default_rng(0)


def test_a_leak_of_one_is_a_recurrent_network_in_both_forms_and_less_stays_or_leaves_the_range():
    a, h, W = RNG.normal(size=(2, 4)), RNG.normal(size=(2, 4)), RNG.normal(size=(4, 4))
    for form in ("averaged", "printed"):
        np.testing.assert_allclose(leaky_step(a, h, W, 1.0, form), np.tanh(a + h @ W), rtol=1e-12)
    inside = outside = ops.zeros((2, 4), "float64")
    for _ in range(200):
        inside, outside = leaky_step(a, inside, 0 * W, 0.1), leaky_step(a, outside, 0 * W, 0.1, "printed")
    np.testing.assert_allclose(inside, np.tanh(a), rtol=1e-8)
    np.testing.assert_allclose(outside, 10 * np.tanh(a), rtol=1e-8)
    np.testing.assert_allclose(leaky_step(a, h, W, seen=2 * h), np.tanh(a + 2 * h @ W), rtol=1e-12)
    with pytest.raises(ValueError, match="form='summed'"):
        leaky_step(a, h, W, 0.5, "summed")


def test_plasticity_descends_the_divergence_of_a_unit_from_an_exponential():
    """For a single unit and normal inputs, histograms agree with what the rule is derived from; its sign matters."""
    x = RNG.normal(size=(4000, 1))
    gain, bias = ops.ones((1,), "float64"), ops.zeros((1,), "float64")

    def gap(gain, bias):
        return float(exponential_divergence(ops.sigmoid(gain * x + bias), 0.2))

    gaps = [gap(gain, bias)]
    for _ in range(3):
        for _ in range(100):
            gain, bias = intrinsic_plasticity_step(x, ops.sigmoid(gain * x + bias), gain, bias, 0.2, 0.05)
        gaps.append(gap(gain, bias))
    assert gaps[0] > gaps[1] > gaps[2] >= gaps[3] - 1e-3 and gaps[3] < 0.1 * gaps[0]
    assert abs(float(ops.mean(ops.sigmoid(gain * x + bias))) - 0.2) < 0.03
    turned = gap(gain, -bias)
    assert turned > gaps[0]
    for words, arguments in (("mean=1.5", (1.5, 0.1)), ("rate=0", (0.2, 0))):
        with pytest.raises(ValueError, match=words):
            intrinsic_plasticity_step(x, x, gain, bias, *arguments)


@pytest.mark.parametrize("units", [3, 12])
def test_a_linear_reservoir_holds_as_many_inputs_as_it_has_units_and_no_more(units):
    W = RNG.normal(size=(units, units))
    W *= 0.8 / np.abs(np.linalg.eigvals(W)).max()
    u = RNG.normal(size=units)
    curve = np.asarray(linear_memory_curve(ops.convert_to_tensor(W), ops.convert_to_tensor(u), 200))
    assert (curve >= 0).all() and (curve <= 1 + 1e-9).all() and curve.sum() <= units + 1e-9
    np.testing.assert_allclose(curve.sum(), units, rtol=1e-6)
    if units == 3:  # by simulation and least squares
        x = RNG.uniform(-1, 1, 40_000)
        h, states = np.zeros(3), []
        for value in x:
            h = h @ W + value * u
            states.append(h)
        states = np.array(states)[20:]
        for k in (0, 1, 4):
            past = x[20 - k : len(x) - k]
            read = states @ np.linalg.lstsq(states, past, rcond=None)[0]
            assert abs(np.corrcoef(past, read)[0, 1] ** 2 - curve[k]) < 0.02


def test_correlations_and_errors_are_those_of_numpy():
    a, b = RNG.normal(size=(50, 3)), RNG.normal(size=(50, 3))
    b[:, 2] = 7.0
    found = np.asarray(squared_correlation(a, b))
    np.testing.assert_allclose(found[:2], [np.corrcoef(a[:, k], b[:, k])[0, 1] ** 2 for k in range(2)], rtol=1e-10)
    assert found[2] == 0
    np.testing.assert_allclose(normalised_rmse(a, b), np.sqrt(((a - b) ** 2).mean() / a.var()), rtol=1e-12)
    assert float(normalised_rmse(a, a)) == 0
    np.testing.assert_allclose(float(normalised_rmse(a, np.full_like(a, a.mean()))), 1.0)


def test_divergence_vanishes_on_exponential_draws_and_grows_off_them():
    draws = RNG.exponential(0.2, 200_000)
    draws = ops.convert_to_tensor(draws[draws < 1])
    assert float(exponential_divergence(draws, 0.2)) < 1e-3
    assert float(exponential_divergence(draws, 0.4)) > 0.1 and float(exponential_divergence(1 - draws, 0.2)) > 1
    for words, arguments in (("mean=0", (0, 20)), ("bins=1", (0.2, 1))):
        with pytest.raises(ValueError, match=words):
            exponential_divergence(draws, *arguments)


def test_only_square_matrices_have_a_radius():
    with pytest.raises(ValueError, match=r"shape=\(2, 3\)"):
        spectral_radius(np.zeros((2, 3)))
