"""Reservoirs as layers: the echo state property, radii, streams, masks; neurons that fire when the formula says."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_course.core.loops import traced
from keras_course.initializers import LiquidConnections, SparseReservoir
from keras_course.initializers.sparse_reservoir import radius_of
from keras_course.layers import Reservoir, ReservoirCell, SpikingReservoir, SpikingReservoirCell
from keras_course.ops.reservoir import spectral_radius

X = np.random.default_rng(0).uniform(-1, 1, (3, 40, 2)).astype("float32")


def distance_of_two_starts(radius, form="averaged", leak=1.0, scale=1.0):
    layer = Reservoir(
        60, spectral_radius=radius, density=0.2, leak=leak, leak_form=form, input_scaling=0.1, return_sequences=True,
        dtype="float64",
    )  # fmt: skip
    x = 0.1 * np.random.default_rng(1).normal(size=(1, 300, 1))
    starts = [scale * np.random.default_rng(seed).uniform(-1, 1, (1, 60)) for seed in (2, 3)]
    one, other = (np.asarray(layer(x, initial_state=[start])) for start in starts)
    return np.linalg.norm(one - other, axis=-1)[0]


@pytest.mark.parametrize("leak", [1.0, 0.5])
def test_two_starts_converge_below_radius_one_and_a_wrong_scale_is_caught(leak):
    below = distance_of_two_starts(0.8, leak=leak)
    assert below[-1] < 1e-10 < below[0]
    above = distance_of_two_starts(1.6, leak=leak)
    assert above[-1] > 0.1


def test_weights_are_sparse_scaled_to_the_radius_and_a_function_of_the_seed():
    for units, density in ((40, 0.2), (605, 0.02)):  # all eigenvalues, and ARPACK
        weights = SparseReservoir(0.85, density, seed=4).draw(units)
        assert ((weights != 0).sum(axis=1) == round(density * units)).all()
        assert abs(np.abs(np.linalg.eigvals(weights)).max() - 0.85) < 1e-9
    again, other = SparseReservoir(0.85, 0.2, seed=4).draw(40), SparseReservoir(0.85, 0.2, seed=5).draw(40)
    np.testing.assert_array_equal(SparseReservoir(0.85, 0.2, seed=4).draw(40), again)
    assert (again != other).any()
    wanted = SparseReservoir(0.5, 0.2, seed=1)
    made = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(wanted))
    np.testing.assert_array_equal(made((9, 9)), wanted((9, 9)))


def test_one_connection_a_row_makes_a_cycle_and_other_shapes_are_refused():
    for seed in range(20):
        assert abs(radius_of(SparseReservoir(0.9, 0.1, seed=seed).draw(3)) - 0.9) < 1e-9
    with pytest.raises(ValueError, match="square matrices"):
        SparseReservoir()((3, 4))
    with pytest.raises(ValueError, match=r"shape=\(2, 3\)"):
        radius_of(np.zeros((2, 3)))
    with pytest.raises(ValueError, match="radius=-1"):
        SparseReservoir(-1.0)


@pytest.mark.parametrize("units", [1, 5, 40])
def test_squarings_find_the_radius_that_eigenvalues_have(units):
    matrix = np.random.default_rng(units).normal(size=(units, units))
    exact = np.abs(np.linalg.eigvals(matrix)).max()
    np.testing.assert_allclose(float(spectral_radius(ops.convert_to_tensor(matrix))), exact, rtol=1e-9)
    assert float(spectral_radius(ops.convert_to_tensor(np.triu(matrix, 1)))) == 0.0


def test_states_carry_from_call_to_call():
    layer = Reservoir(12, density=0.4, leak=0.3, return_sequences=True, return_state=True, seed=1)
    whole, last = layer(X)
    first, state = layer(X[:, :15])
    rest, end = layer(X[:, 15:], initial_state=[state])
    np.testing.assert_allclose(np.concatenate([first, rest], axis=1), whole, atol=1e-6)
    np.testing.assert_allclose(end, last, atol=1e-6)
    stateful = Reservoir(12, density=0.4, leak=0.3, return_sequences=True, stateful=True, seed=1)
    kept = np.concatenate([stateful(X[:, :15]), stateful(X[:, 15:])], axis=1)
    np.testing.assert_allclose(kept, whole, atol=1e-6)


def test_unequal_lengths_in_a_batch_equal_one_by_one():
    for layer in (
        Reservoir(12, density=0.4, seed=1),
        SpikingReservoir((2, 2, 3), input_strength=9.0, seed=1),
    ):
        mask = np.arange(40) < np.array([[40], [7], [0]])
        together = np.asarray(layer(np.abs(X), mask=ops.convert_to_tensor(mask)))
        for row, length in ((0, 40), (1, 7)):
            alone = layer(np.abs(X[row : row + 1, :length]))
            np.testing.assert_allclose(together[row : row + 1], alone, atol=1e-6)
        np.testing.assert_array_equal(together[2], 0.0)
        assert np.isfinite(layer(np.abs(X[:, :0]))).all()


def test_cells_run_in_keras_s_own_loop():
    for cell, layer in (
        (ReservoirCell(8, density=0.5, matrix_seed=2), Reservoir(8, density=0.5, seed=2)),
        (SpikingReservoirCell((2, 2, 2), drive=2.0, matrix_seed=2), SpikingReservoir((2, 2, 2), drive=2.0, seed=2)),
    ):
        np.testing.assert_allclose(keras.layers.RNN(cell)(X), layer(X), atol=1e-6)


def test_a_neuron_fires_at_the_period_of_its_current_and_rests():
    from keras_course.ops.integrate_and_fire import decay_of, firing_interval, integrate_and_fire_step, synapse_step

    assert firing_interval(0.99, 20.0) == np.inf
    layer = SpikingReservoir(
        (1, 1, 2), output="spikes", drive=1.5, step_size=0.05, refractory=40, return_sequences=True, dtype="float64"
    )
    layer.build((1, 1600, 1))
    layer.cell.recurrent_kernel.assign(np.zeros((2, 2)))
    times = np.nonzero(np.asarray(traced(layer)(np.zeros((1, 1600, 1))))[0, :, 0])[0] * 0.05
    period = firing_interval(1.5, 20.0, refractory=2.0)
    np.testing.assert_allclose(np.diff(times), period, atol=0.1)
    np.testing.assert_allclose(times[0], period - 2.0, atol=0.1)
    v = ops.convert_to_tensor([[0.5]])
    moved, _, fired = integrate_and_fire_step(v, ops.zeros((1, 1)), ops.zeros((1, 1)), decay_of(20.0, 1.0))
    assert float(fired[0, 0]) == 0 and abs(float(moved[0, 0]) - 0.5 * np.exp(-1 / 20)) < 1e-7
    assert float(synapse_step(v, v, 0.5)[0, 0]) == 0.75
    for words, settings in (("threshold=0.0", {"threshold": 0.0}), ("refractory=-1", {"refractory": -1})):
        with pytest.raises(ValueError, match=words):
            integrate_and_fire_step(v, v, v, 0.9, **settings)
    with pytest.raises(ValueError, match="time_constant=0"):
        decay_of(0, 1.0)


def test_connections_thin_out_with_distance_and_follow_dale():
    wiring = LiquidConnections((6, 6, 6), inhibitory=0.25, reach=2.0, strength=2.0, balance=1.5, seed=3)
    weights, kinds = wiring.draw(), wiring.is_inhibitory()
    assert kinds.sum() == 54 and (np.diag(weights) == 0).all()
    assert (weights[kinds] <= 0).all() and (weights[~kinds] >= 0).all()
    sizes = np.abs(weights[weights != 0])
    assert 1.0 <= sizes.min() and sizes.max() <= 4.5
    place = wiring.positions()
    distance = np.linalg.norm(place[:, None] - place[None], axis=-1)
    expected = wiring.probabilities()
    for low, high in ((0.5, 1.5), (1.5, 2.5), (2.5, 3.5)):
        ring = (distance > low) & (distance <= high)
        spread = np.sqrt((expected[ring] * (1 - expected[ring])).sum())
        assert abs((weights[ring] != 0).sum() - expected[ring].sum()) < 5 * spread
    np.testing.assert_allclose(expected[~kinds][:, ~kinds].max(), 0.3 * np.exp(-0.25))
    np.testing.assert_array_equal(LiquidConnections.from_config(wiring.get_config()).draw(), weights)
    with pytest.raises(ValueError, match="reach=0"):
        LiquidConnections((2, 2, 2), reach=0)
    with pytest.raises(ValueError, match=r"shape \(8, 8\)"):
        LiquidConnections((2, 2, 2))((4, 4))


def test_outputs_of_a_liquid_are_one_run_seen_three_ways():
    settings = {"input_strength": 9.0, "return_sequences": True, "seed": 5}
    spikes, trace, potential = (
        np.asarray(SpikingReservoir((2, 3, 3), output=output, **settings)(np.abs(X)))
        for output in ("spikes", "trace", "potential")
    )
    assert set(np.unique(spikes)) == {0.0, 1.0}
    filtered, kept = np.zeros_like(spikes[:, 0]), []
    for t in range(40):
        filtered = np.exp(-1 / 20) * filtered + spikes[:, t]
        kept.append(filtered)
    np.testing.assert_allclose(trace, np.stack(kept, axis=1), atol=1e-5)
    assert (potential < 1).all() and (potential[spikes == 1] == 0).all()
    with pytest.raises(ValueError, match="output='rate'"):
        SpikingReservoir((2, 2, 2), output="rate")
    with pytest.raises(ValueError, match="refractory=0.5"):
        SpikingReservoir((2, 2, 2), refractory=0.5)


def test_plasticity_needs_logistic_units():
    with pytest.raises(ValueError, match="activation='tanh'"):
        Reservoir(5, density=0.5).adapt_plasticity(X)
