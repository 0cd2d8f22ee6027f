"""The restricted Boltzmann machine against enumeration of all its states, and its chains against its distribution."""

import keras
import numpy as np
import pytest
from keras import ops
from scipy.special import logsumexp
from sklearn.neural_network import BernoulliRBM

from keras_course.core.errors import InvalidDataError
from keras_course.models.energy.annealing import annealed_log_partition
from keras_course.models.energy.rbm import RBM
from keras_course.ops.boltzmann import binary_states, rbm_log_partition

GENERATOR = np.random.Generator(np.random.Philox(0))


def machine(features=5, units=3, spread=0.8, seed=0, **kwargs):
    """A machine whose parameters are all well away from zero."""
    model = RBM(features, units, seed=seed, **kwargs)
    draws = np.random.Generator(np.random.Philox(seed))
    for weight in model.trainable_variables:
        weight.assign(draws.normal(scale=spread, size=weight.shape))
    return model


def values(tensor):
    """A copy: what NumPy shows of a variable may move with it."""
    return ops.convert_to_numpy(tensor).copy()


def test_probabilities_of_all_states_sum_to_one_whichever_layer_is_enumerated():
    for features, units in ((5, 3), (3, 5)):
        model = machine(features, units)
        total = np.exp(np.asarray(model.log_prob(binary_states(features)))).sum()
        np.testing.assert_allclose(total, 1, rtol=1e-5)


def test_log_partition_in_blocks_is_log_partition_at_once():
    kernel = GENERATOR.normal(scale=0.3, size=(17, 14))
    b, c = GENERATOR.normal(size=17), GENERATOR.normal(size=14)
    hidden = np.asarray(binary_states(14, "float64"))
    wanted = logsumexp(hidden @ c + np.logaddexp(0, b + hidden @ kernel.T).sum(axis=1))
    np.testing.assert_allclose(float(rbm_log_partition(kernel, b, c)), wanted, rtol=1e-12)
    with pytest.raises(ValueError, match="at most 20 units.*Received: 21 units"):
        rbm_log_partition(np.zeros((30, 21)), np.zeros(30), np.zeros(21))


def test_a_gaussian_machine_integrates_to_one():
    model = machine(2, 3, visible="gaussian", scale=0.7)
    grid = np.linspace(-12, 12, 601)
    points = np.stack(np.meshgrid(grid, grid), axis=-1).reshape(-1, 2).astype("float32")
    total = np.exp(np.asarray(model.log_prob(points), "float64")).sum() * (grid[1] - grid[0]) ** 2
    np.testing.assert_allclose(total, 1, rtol=1e-4)


def test_the_slopes_of_the_contrast_are_those_of_the_log_likelihood_when_the_chains_hold_the_model_itself():
    """Weighted by P, all states in place of chains: -d/dW log-likelihood exactly, so a wrong sign is caught."""
    model = machine(4, 3, dtype="float64")
    states = binary_states(4, "float64")
    data = ops.convert_to_tensor(GENERATOR.integers(0, 2, size=(6, 4)), dtype="float64")
    probabilities = ops.exp(model.log_prob(states))
    import tensorflow as tf

    with tf.GradientTape(persistent=True) as tape:
        contrast = ops.mean(model.free_energy(data)) - ops.sum(probabilities * model.free_energy(states))
        likelihood = ops.mean(model.log_prob(data))
    for weight in model.trainable_variables:
        np.testing.assert_allclose(
            tape.gradient(contrast, weight.value), -tape.gradient(likelihood, weight.value), rtol=1e-9, atol=1e-12
        )


def test_a_training_step_moves_by_the_difference_of_data_and_chains():
    model = machine(5, 3, chains=4, gibbs_steps=2)
    x = GENERATOR.integers(0, 2, size=(6, 5)).astype("float32")
    before = [values(weight) for weight in model.trainable_variables]
    states = values(model.chain_states)
    model.compile(keras.optimizers.SGD(1.0))
    v = values(model.negative_phase(model.hidden_logits(x))[0])
    model.chain_states.assign(states)
    model.train_on_batch(x)

    def hidden(v):
        return 1 / (1 + np.exp(-(v @ before[0] + before[2])))

    rises = [x.T @ hidden(x) / 6 - v.T @ hidden(v) / 4, x.mean(0) - v.mean(0), hidden(x).mean(0) - hidden(v).mean(0)]
    for weight, start, rise in zip(model.trainable_variables, before, rises, strict=True):
        np.testing.assert_allclose(np.asarray(weight), start + rise, rtol=1e-4, atol=1e-5)
    assert not np.array_equal(np.asarray(model.chain_states), states)


@pytest.mark.parametrize("visible", ["bernoulli", "gaussian"])
def test_samples_have_the_moments_of_the_distribution(visible):
    model = machine(3, 2, visible=visible, scale=0.7, sampling_steps=60)
    n = 20_000
    samples = np.asarray(model.sample(seed=3, n=n))
    if visible == "bernoulli":
        states = np.asarray(binary_states(3))
        weights = np.exp(np.asarray(model.log_prob(states)))
    else:
        grid = np.linspace(-9, 9, 61)
        states = np.stack(np.meshgrid(grid, grid, grid), axis=-1).reshape(-1, 3).astype("float32")
        weights = np.exp(np.asarray(model.log_prob(states), "float64"))
        weights /= weights.sum()
    mean, second = weights @ states, (states * weights[:, None]).T @ states
    spread = np.sqrt(np.diag(second) - mean**2)
    np.testing.assert_array_less(np.abs(samples.mean(axis=0) - mean), 5 * spread / np.sqrt(n))
    np.testing.assert_array_less(np.abs(samples.T @ samples / n - second), 0.02 * (1 + np.abs(second).max()))
    np.testing.assert_array_equal(samples, model.sample(seed=3, n=n))


def test_the_interval_of_annealing_covers_the_exact_log_partition():
    """3 standard errors: a miss of one in forty runs would be odd (its chance is below one per cent a run)."""
    covered = 0
    for seed in range(5):
        for visible in ("bernoulli", "gaussian"):
            model = machine(6, 4, seed=seed, visible=visible, scale=0.6)
            found = model.annealed_log_partition(steps=200, chains=50, seed=seed)
            assert found.low < found.value < found.high < found.low + 1.5
            covered += found.low <= float(model.log_partition()) <= found.high
    assert covered >= 9
    biased = model.annealed_log_partition(steps=300, chains=100, visible_bias=np.ones(6))
    assert biased.low <= float(model.log_partition()) <= biased.high


def test_annealing_refuses_what_it_cannot_do():
    with pytest.raises(ValueError, match="two chains.*Received: chains=1"):
        annealed_log_partition(np.zeros((2, 2)), np.zeros(2), np.zeros(2), chains=1)
    with pytest.raises(ValueError, match=r"base bias of shape \(2,\)"):
        annealed_log_partition(np.zeros((2, 2)), np.zeros(2), np.zeros(2), base_bias=np.zeros(3))


def test_free_energies_and_features_are_those_of_scikit_learn():
    model = machine(6, 4)
    theirs = BernoulliRBM(n_components=4)
    theirs.components_ = np.asarray(model.kernel).T
    theirs.intercept_visible_, theirs.intercept_hidden_ = np.asarray(model.visible_bias), np.asarray(model.hidden_bias)
    x = GENERATOR.integers(0, 2, size=(7, 6)).astype("float32")
    np.testing.assert_allclose(model.free_energy(x), theirs._free_energy(x), rtol=1e-5)
    np.testing.assert_allclose(model.predict(x, verbose=0), theirs.transform(x), rtol=1e-5)


def test_the_pseudo_log_likelihood_is_that_of_the_conditionals():
    model = machine(4, 3)
    states = np.asarray(binary_states(4))
    log_prob = dict(zip(map(tuple, states), np.asarray(model.log_prob(states)), strict=True))
    for x in states[[0, 5, 11]]:
        wanted = 0.0
        for i in range(4):
            flipped = x.copy()
            flipped[i] = 1 - x[i]
            wanted += log_prob[tuple(x)] - np.logaddexp(log_prob[tuple(x)], log_prob[tuple(flipped)])
        np.testing.assert_allclose(np.asarray(model.pseudo_log_likelihood(x[None]))[0], wanted, rtol=1e-4)


def test_training_raises_the_likelihood_of_two_patterns():
    x = np.tile(np.array([[1, 1, 0, 0], [0, 0, 1, 1]], "float32"), (20, 1))
    for chains in (None, 20):
        model = RBM(4, 4, chains=chains, kernel_scale=0.1)
        model.compile(keras.optimizers.SGD(0.3), steps_per_execution=20)
        start = float(ops.mean(model.log_prob(x)))
        model.fit(x, batch_size=2, epochs=5, verbose=0)
        end = float(ops.mean(model.log_prob(x)))
        assert start < -2.5 and -1.5 < end < -np.log(2)  # log 1/2 is the best there is


def test_sample_weights_count_as_repetitions():
    """The step divides by the rows and not by the weights, as Keras does: 1 + 3 on two rows is twice a mean of four."""
    x = GENERATOR.integers(0, 2, size=(2, 5)).astype("float32")
    moves = []
    for rows, weights in (([0, 1], [1.0, 3.0]), ([0, 1, 1, 1], None)):
        model = machine(5, 3, chains=4)
        before = [values(weight) for weight in model.trainable_variables]
        model.compile(keras.optimizers.SGD(0.5))
        weights = None if weights is None else np.array(weights)
        model.fit(x[rows], sample_weight=weights, batch_size=4, shuffle=False, verbose=0)
        moves.append([np.asarray(w) - start for w, start in zip(model.trainable_variables, before, strict=True)])
    for weighted, repeated in zip(*moves, strict=True):
        np.testing.assert_allclose(weighted, 2 * repeated, rtol=1e-4, atol=1e-6)


def test_bad_input_is_refused_with_the_row_it_came_in():
    model = RBM(3, 2)
    model.compile()
    with pytest.raises(InvalidDataError, match=r"\[0, 1\].*Received: 2\.0 in row 1, and 1 such rows of 2"):
        model.fit(np.array([[0, 1, 0], [0, 2, 0]], "float32"))
    with pytest.raises(InvalidDataError, match="Received: nan in row 0"):
        model.evaluate(np.full((2, 3), np.nan, "float32"))
    with pytest.raises(ValueError, match=r"shape \(B, 3\). Received: x.shape=\(2, 4\)"):
        model.free_energy(np.zeros((2, 4), "float32"))
    with pytest.raises(ValueError, match="brings its own loss"):
        model.compile(loss="mse")
    with pytest.raises(ValueError, match="'bernoulli', 'gaussian'.*Received: visible='binary'"):
        RBM(3, 2, visible="binary")
    with pytest.raises(ValueError, match="binary units alone"):
        RBM(3, 2, visible="gaussian").pseudo_log_likelihood(np.zeros((1, 3)))
    assert "log_prob" not in RBM(30, 21).endpoints() and "log_prob" in RBM(30, 20).endpoints()
