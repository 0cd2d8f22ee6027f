"""The Boltzmann machine against enumeration of all its states."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from keras_course.core.errors import InvalidDataError
from keras_course.models.energy.boltzmann_machine import BoltzmannMachine
from keras_course.models.energy.rbm import RBM
from keras_course.ops.boltzmann import binary_states, boltzmann_energy, boltzmann_log_partition

GENERATOR = np.random.Generator(np.random.Philox(1))


def machine(features=4, hidden=2, seed=0, **kwargs):
    model = BoltzmannMachine(features, hidden, seed=seed, **kwargs)
    draws = np.random.Generator(np.random.Philox(seed))
    for weight in model.trainable_variables:
        weight.assign(draws.normal(scale=0.8, size=weight.shape))
    return model


@pytest.mark.parametrize("hidden", [0, 2])
def test_probabilities_of_all_visible_states_sum_to_one(hidden):
    total = np.exp(np.asarray(machine(4, hidden).log_prob(binary_states(4)))).sum()
    np.testing.assert_allclose(total, 1, rtol=1e-5)


def test_log_partition_in_blocks_is_the_sum_over_all_states():
    kernel = np.triu(GENERATOR.normal(scale=0.5, size=(14, 14)), 1)
    kernel, bias = kernel + kernel.T, GENERATOR.normal(size=14)
    energies = np.asarray(boltzmann_energy(binary_states(14, "float64"), kernel, bias))
    np.testing.assert_allclose(float(boltzmann_log_partition(kernel, bias)), np.logaddexp.reduce(-energies), rtol=1e-12)
    with pytest.raises(ValueError, match="at most 20 units"):
        machine(21, 0).log_prob(np.zeros((1, 21)))


def test_a_machine_without_couplings_inside_its_layers_is_a_restricted_one():
    restricted = RBM(3, 2)
    kernel = GENERATOR.normal(size=(3, 2))
    restricted.kernel.assign(kernel)
    restricted.visible_bias.assign([0.3, -0.2, 0.5])
    restricted.hidden_bias.assign([-0.4, 0.1])
    full = BoltzmannMachine(3, 2)
    couplings = np.zeros((5, 5))
    couplings[:3, 3:] = kernel
    full.couplings.assign(couplings[np.triu_indices(5, 1)])
    full.bias.assign([0.3, -0.2, 0.5, -0.4, 0.1])
    states = binary_states(3)
    np.testing.assert_allclose(full.log_prob(states), restricted.log_prob(states), rtol=1e-5)
    np.testing.assert_allclose(full.mean_field(states), restricted.encode(states), rtol=1e-5)


def test_without_hidden_units_the_slopes_are_those_of_the_log_likelihood():
    model = machine(4, 0, dtype="float64")
    states = binary_states(4, "float64")
    data = ops.convert_to_tensor(GENERATOR.integers(0, 2, size=(6, 4)), dtype="float64")
    probabilities = ops.exp(model.log_prob(states))
    with tf.GradientTape(persistent=True) as tape:
        contrast = ops.mean(model.energy(data)) - ops.sum(probabilities * model.energy(states))
        likelihood = ops.mean(model.log_prob(data))
    for weight in model.trainable_variables:
        np.testing.assert_allclose(
            tape.gradient(contrast, weight.value), -tape.gradient(likelihood, weight.value), rtol=1e-9, atol=1e-12
        )


def test_every_sweep_of_the_mean_field_raises_the_bound_and_the_bound_stays_below():
    x = np.asarray(binary_states(4))
    bounds = []
    for steps in (1, 2, 5, 50):
        model = machine(4, 3, mean_field_steps=steps)
        m = np.asarray(model.mean_field(x), "float64")
        entropy = -(m * np.log(m) + (1 - m) * np.log1p(-m)).sum(axis=1)
        energy = np.asarray(model.energy(np.concatenate([x, m.astype("float32")], axis=1)), "float64")
        bounds.append(-energy + entropy - float(model.log_partition()))
        assert np.all(bounds[-1] <= np.asarray(model.log_prob(x)) + 1e-5)
    for earlier, later in zip(bounds, bounds[1:], strict=False):
        assert np.all(later >= earlier - 1e-5)


def test_a_sweep_visits_unit_after_unit():
    model = machine(3, 1)
    units = GENERATOR.integers(0, 2, size=(5, 4)).astype("float32")
    uniforms = GENERATOR.uniform(size=(5, 4)).astype("float32")
    kernel, bias, wanted = np.asarray(model.kernel), np.asarray(model.bias), units.copy()
    for i in range(4):
        wanted[:, i] = uniforms[:, i] < 1 / (1 + np.exp(-(wanted @ kernel[:, i] + bias[i])))
    np.testing.assert_array_equal(model.sweep(units, uniforms), wanted)


def test_samples_have_the_moments_of_the_distribution():
    model = machine(3, 2, sampling_steps=60)
    n = 20_000
    samples = np.asarray(model.sample(seed=2, n=n))
    states = np.asarray(binary_states(3))
    weights = np.exp(np.asarray(model.log_prob(states)))
    for moment, wanted in ((samples.mean(0), weights @ states), (samples.T @ samples / n, states.T * weights @ states)):
        np.testing.assert_array_less(np.abs(moment - wanted), 5 * 0.5 / np.sqrt(n))
    np.testing.assert_array_equal(samples, model.sample(seed=2, n=n))


def test_training_finds_the_couplings_of_its_own_samples():
    """The likelihood of fresh data comes near what the machine that drew them gives them."""
    teacher = machine(4, 0, seed=5)
    x = np.asarray(teacher.sample(seed=1, n=2000))
    student = BoltzmannMachine(4, chains=500)
    student.compile(keras.optimizers.SGD(0.3), steps_per_execution=5)
    student.fit(x, batch_size=400, epochs=20, verbose=0)
    states = binary_states(4)
    truth, found = np.asarray(teacher.log_prob(states)), np.asarray(student.log_prob(states))
    assert (np.exp(truth) * (truth - found)).sum() < 0.02  # KL(teacher || student), nats


def test_bad_input_is_refused():
    model = BoltzmannMachine(3)
    model.compile()
    with pytest.raises(InvalidDataError, match="units of 0 and 1.*Received: 0.5 in row 1, and 1 such rows of 2"):
        model.fit(np.array([[0, 1, 0], [0, 0.5, 0]], "float32"))
    with pytest.raises(ValueError, match=r"shape \(B, 3\). Received: x.shape=\(2, 4\)"):
        model.log_prob(np.zeros((2, 4), "float32"))
    with pytest.raises(ValueError, match="brings its own loss"):
        model.compile(loss="mse")
    with pytest.raises(ValueError, match="hidden of at least 0.*Received: hidden=-1"):
        BoltzmannMachine(3, -1)
