"""Deep belief networks and deep Boltzmann machines against enumeration of all their states."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from keras_course.core.errors import InvalidDataError
from keras_course.models.energy.dbm import DBM
from keras_course.models.energy.dbn import DBN
from keras_course.ops.boltzmann import binary_states, rbm_free_energy
from keras_course.ops.deep_boltzmann import deep_energy, deep_mean_field, mean_field_bound

GENERATOR = np.random.Generator(np.random.Philox(5))
DATA = GENERATOR.integers(0, 2, size=(6, 4)).astype("float32")


def machine(kind, units=(3, 2), spread=0.8, seed=0, **kwargs):
    """A model whose parameters are all well away from zero."""
    model = kind(4, units, seed=seed, **kwargs)
    draws = np.random.Generator(np.random.Philox(seed))
    for weight in model.trainable_variables:
        weight.assign(draws.normal(scale=spread, size=weight.shape))
    return model


def values(tensor):
    """A copy: what NumPy shows of a variable may move with it."""
    return ops.convert_to_numpy(tensor).copy()


def logistic(x):
    return 1 / (1 + np.exp(-x))


@pytest.mark.parametrize("kind", [DBN, DBM])
@pytest.mark.parametrize("units", [(3, 2), (2, 3, 2)])
def test_probabilities_sum_to_one_and_no_bound_is_above_them(kind, units):
    model = machine(kind, units)
    states = binary_states(4)
    exact = np.asarray(model.log_prob(states))
    np.testing.assert_allclose(np.exp(exact).sum(), 1, rtol=1e-5)
    gap = exact - np.asarray(model.bound(states))
    assert gap.min() > -1e-5 and gap.max() > 0.01


@pytest.mark.parametrize("kind", [DBN, DBM])
def test_samples_have_the_moments_of_the_distribution(kind):
    model = machine(kind, sampling_steps=40)
    n = 8000
    samples = np.asarray(model.sample(seed=3, n=n))
    states = np.asarray(binary_states(4))
    weights = np.exp(np.asarray(model.log_prob(states)))
    mean, second = weights @ states, (states * weights[:, None]).T @ states
    np.testing.assert_array_less(np.abs(samples.mean(axis=0) - mean), 5 / np.sqrt(4 * n))
    np.testing.assert_array_less(np.abs(samples.T @ samples / n - second), 5 / np.sqrt(4 * n))
    np.testing.assert_array_equal(samples[:9], model.sample(seed=3, n=n)[:9])


def test_draws_of_the_recognition_network_find_the_bound_and_together_come_nearer():
    model = machine(DBN)
    exact, bound = float(ops.mean(model.log_prob(DATA))), float(ops.mean(model.bound(DATA)))
    drawn = np.asarray(model.sampled_bound(DATA, seed=1, samples=3000))
    np.testing.assert_allclose(drawn.mean(), bound, atol=0.05)
    together = float(ops.mean(model.sampled_bound(DATA, seed=1, samples=3000, together=True)))
    assert bound + 0.1 < together < exact + 0.02


def test_the_mean_field_climbs_to_a_point_where_no_mean_can_be_bettered():
    """Every mean on a grid against the best it can be, all others held: the bound itself, no slope of it."""
    model = machine(DBM, (3, 2), dtype="float64")
    x = DATA[:2].astype("float64")

    def bound(means):
        return np.asarray(mean_field_bound(x, means, model.kernels, model.biases))

    rises = [bound(deep_mean_field(x, model.kernels, model.biases, sweeps)) for sweeps in (0, 1, 2, 4, 200)]
    assert np.min(np.diff(rises, axis=0)) >= -1e-12 and np.max(rises[-1] - rises[0]) > 1e-4
    means = [np.asarray(mean) for mean in deep_mean_field(x, model.kernels, model.biases, 200)]
    for layer, mean in enumerate(means):
        for unit in range(mean.shape[1]):
            for value in (*np.linspace(0, 1, 21), mean[:, unit] + 1e-3, mean[:, unit] - 1e-3):
                other = [each.copy() for each in means]
                other[layer][:, unit] = value
                assert np.all(bound(other) <= rises[-1] + 1e-12)


def test_slopes_under_the_exact_posterior_and_model_are_those_of_the_log_likelihood():
    """All states in place of mean field and chains: -d/dtheta log P exactly, so that a wrong sign is caught."""
    model = machine(DBM, dtype="float64")
    x = DATA[:1].astype("float64")
    hidden, even = binary_states(5, "float64"), binary_states(6, "float64")
    layers = [ops.repeat(x, 32, axis=0), hidden[:, :3], hidden[:, 3:]]
    posterior = ops.softmax(-deep_energy(layers, model.kernels, model.biases))
    chances = ops.exp(-rbm_free_energy(even, *model.restricted()) - model.log_partition())
    np.testing.assert_allclose(float(ops.sum(chances)), 1, rtol=1e-12)
    with tf.GradientTape(persistent=True) as tape:
        data = ops.sum(posterior * deep_energy(layers, model.kernels, model.biases))
        contrast = data - ops.sum(chances * rbm_free_energy(even, *model.restricted()))
        likelihood = ops.sum(model.log_prob(x))
    for weight in model.trainable_variables:
        np.testing.assert_allclose(
            tape.gradient(contrast, weight.value), -tape.gradient(likelihood, weight.value), rtol=1e-9, atol=1e-12
        )


def test_a_training_step_of_the_deep_machine_moves_by_the_difference_of_data_and_chains():
    model = machine(DBM, chains=5, gibbs_steps=2)
    model.compile(keras.optimizers.SGD(1.0))
    before = [values(weight) for weight in model.trainable_variables]
    states = values(model.chain_states)
    v, h2 = np.split(values(model.advance_chains()), [4], axis=1)
    model.chain_states.assign(states)
    m1, m2 = (values(mean) for mean in model.mean_field(DATA))
    model.train_on_batch(DATA)
    w1, w2, _, b1, _ = before
    h1 = logistic(b1 + v @ w1 + h2 @ w2.T)
    rises = [
        DATA.T @ m1 / 6 - v.T @ h1 / 5, m1.T @ m2 / 6 - h1.T @ h2 / 5,
        DATA.mean(0) - v.mean(0), m1.mean(0) - h1.mean(0), m2.mean(0) - h2.mean(0),
    ]  # fmt: skip
    for weight, start, rise in zip(model.trainable_variables, before, rises, strict=True):
        np.testing.assert_allclose(np.asarray(weight), start + rise, rtol=1e-4, atol=1e-5)
    assert not np.array_equal(values(model.chain_states), states)


def test_wake_and_sleep_move_each_network_by_what_it_failed_to_predict():
    model = machine(DBN, (3, 2, 2))
    layers = [GENERATOR.integers(0, 2, size=(5, size)).astype("float32") for size in (4, 3, 2)]
    with tf.GradientTape(persistent=True) as tape:
        wake, sleep = ops.mean(model.wake_losses(layers)), ops.mean(model.sleep_losses(layers))
    for below, above, (down, low), (up, high) in zip(
        layers[:-1], layers[1:], model.generative, model.recognition, strict=True
    ):
        missed = below - logistic(above @ np.asarray(down).T + np.asarray(low))
        np.testing.assert_allclose(tape.gradient(wake, down.value), -missed.T @ above / 5, rtol=1e-4, atol=1e-6)
        missed = above - logistic(below @ np.asarray(up) + np.asarray(high))
        np.testing.assert_allclose(tape.gradient(sleep, up.value), -below.T @ missed / 5, rtol=1e-4, atol=1e-6)
        assert tape.gradient(wake, up.value) is None and tape.gradient(sleep, down.value) is None


@pytest.mark.parametrize("kind", [DBN, DBM])
def test_greedy_levels_and_then_all_layers_raise_the_likelihood_of_two_patterns(kind):
    x = np.tile(np.array([[1, 1, 0, 0], [0, 0, 1, 1]], "float32"), (20, 1))
    model = kind(4, (4, 3), chains=40, kernel_scale=0.1)
    start = float(ops.mean(model.log_prob(x)))
    errors = model.pretrain(x, epochs=5, batch_size=4, optimizer=lambda: keras.optimizers.SGD(0.3))
    assert [len(each) for each in errors] == [5, 5] and errors[0][-1] < errors[0][0]
    greedy = float(ops.mean(model.log_prob(x)))
    model.compile(keras.optimizers.SGD(0.05), steps_per_execution=10)
    model.fit(x, batch_size=4, epochs=20, verbose=0)
    end = float(ops.mean(model.log_prob(x)))
    assert start + 0.1 < greedy and greedy + 0.2 < end < -np.log(2)  # log 1/2 is the best there is


def test_the_interval_of_annealing_covers_the_exact_log_partition():
    """3 standard errors: a second miss in six runs would be odd (the chance of one is below one per cent a run)."""
    covered = 0
    for seed in range(6):
        model = machine(DBM, seed=seed, spread=0.6)
        found = model.annealed_log_partition(steps=150, chains=50, seed=seed, visible_bias=np.zeros(4))
        assert found.low < found.value < found.high < found.low + 1.5
        covered += found.low <= float(model.log_partition()) <= found.high
    assert covered >= 5


def test_the_classifier_starts_from_the_recognition_network():
    model = machine(DBN)
    network = model.classifier(3)
    h = DATA
    for layer, wanted in zip(network.layers[:2], model.layer_means(DATA), strict=True):
        h = layer(h)
        np.testing.assert_allclose(h, wanted, rtol=1e-5)
    assert tuple(network(DATA).shape) == (6, 3)


def test_bad_input_is_refused():
    for kind in (DBN, DBM):
        with pytest.raises(ValueError, match=r"two hidden layers.*Received: units=\[3\]"):
            kind(4, [3])
        with pytest.raises(InvalidDataError, match=r"\[0, 1\].*Received: 2\.0 in row 1"):
            kind(2, (2, 2)).pretrain(np.array([[0, 1], [0, 2]], "float32"), epochs=1)
    with pytest.raises(ValueError, match="tabulates at most 12 units.*Received: layers of .13"):
        DBN(4, (13, 2)).log_prob(DATA)
    with pytest.raises(ValueError, match="at most 14 units in the odd layers. Received: 15 units"):
        DBM(4, (8, 2, 7)).log_prob(DATA)
    assert "log_prob" not in DBN(4, (13, 2)).endpoints() and "log_prob" in DBM(4, (14, 2)).endpoints()


def test_both_phases_of_a_step_see_the_weights_that_it_began_with():
    """The graph optimizer let the dream see the generative weights of the next step, once in ten to fifty steps."""

    seen = tf.Variable(tf.zeros((4, 4)))

    class Watched(DBN):
        def dreamt(self, h, noise):
            kernel, bias = self.generative[0]
            told = ops.sigmoid(ops.matmul(h, ops.transpose(kernel)) + bias)
            seen.assign(told)
            return [ops.cast(noise[0] < told, told.dtype), h]

    model = Watched(4, (3, 2), chains=4, kernel_scale=1.0)
    model.compile(keras.optimizers.SGD(0.5, momentum=0.9))
    x, h = np.repeat(DATA, 2, axis=0), np.asarray(binary_states(3))
    for _ in range(100):
        kernel, bias = map(values, model.generative[0])
        model.train_on_batch(x)
        possible = logistic(h @ kernel.T + bias)
        apart = np.abs(seen.numpy()[:, None] - possible).max(axis=-1).min(axis=-1)
        assert apart.max() < 1e-6
