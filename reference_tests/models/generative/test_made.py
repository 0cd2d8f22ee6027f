"""MADE against enumeration and integration: it is a distribution, its samples are of it, its mask sets come in turn."""

import itertools

import keras
import numpy as np
import pytest

from keras_course.core.errors import InvalidDataError
from keras_course.distributions.families import Categorical, Mixture, Normal
from keras_course.models.generative import MADE

BANK = {"order": "random", "degrees": "random", "masks": 3, "direct": True, "units": (6, 5)}


def lively(model, spread=1.0):
    """The same model, every weight well away from zero."""
    draws = np.random.Generator(np.random.Philox(3))
    for weight in model.trainable_variables:
        weight.assign(draws.normal(scale=spread, size=weight.shape))
    return model


def states(features, classes=2):
    """Every x there is."""
    return np.array(list(itertools.product(range(classes), repeat=features)), "float32")


@pytest.fixture(scope="module")
def bank():
    """Four binary variables, three mask sets."""
    return lively(MADE(4, **BANK))


def test_probabilities_of_all_states_sum_to_one(bank):
    for model, classes in ((bank, 2), (lively(MADE(3, Categorical(3), units=(7,), order=[1, 2, 0])), 3)):
        x = states(model.features, classes)
        each = np.exp(np.asarray(model.log_prob_of_masks(x, np.arange(model.network.masks))))
        np.testing.assert_allclose(each.sum(axis=-1), 1, rtol=1e-5)
        np.testing.assert_allclose(np.exp(np.asarray(model.log_prob(x))), each.mean(axis=0), rtol=1e-5)


@pytest.mark.parametrize("family", ["normal", Mixture(2, Normal(1))], ids=["normal", "mixture"])
def test_densities_of_real_variables_integrate_to_one(family):
    model = lively(MADE(2, family, units=(5,), order="random", masks=2, activation="tanh"), spread=0.4)
    grid = np.linspace(-9, 9, 361)
    points = np.stack(np.meshgrid(grid, grid), axis=-1).reshape(-1, 2).astype("float32")
    total = np.exp(np.asarray(model.log_prob(points), "float64")).sum() * (grid[1] - grid[0]) ** 2
    np.testing.assert_allclose(total, 1, rtol=2e-4)


def test_a_factor_is_the_conditional_of_the_joint(bank):
    """P(x_d | before d) as a quotient of sums over the states, in each set's own order."""
    x = states(4)
    for k in range(3):
        joint = np.exp(np.asarray(bank.log_prob_of_masks(x, k), "float64"))
        black = 1 / (1 + np.exp(-np.asarray(bank.conditionals(x, k), "float64")[..., 0]))
        degrees = bank.network.input_degrees[k]
        for d in range(4):
            before = degrees < degrees[d]
            for row in (0, 6, 13):
                alike = np.all(x[:, before] == x[row, before], axis=1)
                wanted = joint[alike & (x[:, d] == 1)].sum() / joint[alike].sum()
                np.testing.assert_allclose(black[row, d], wanted, rtol=1e-4)


def test_samples_have_the_frequencies_of_the_states(bank):
    """Each within five standard deviations: sixteen states, so a false alarm has a chance of 1e-5."""
    n = 4000
    for model, classes in ((bank, 2), (lively(MADE(3, Categorical(3), units=(7,), order=[1, 2, 0])), 3)):
        x = states(model.features, classes)
        wanted = np.exp(np.asarray(model.log_prob(x), "float64"))
        drawn = np.asarray(model.sample(seed=4, n=n))
        found = (drawn[:, None] == x).all(axis=-1).mean(axis=0)
        assert found.sum() == 1.0
        np.testing.assert_array_less(np.abs(found - wanted), 5 * np.sqrt(wanted * (1 - wanted) / n) + 1e-9)
        np.testing.assert_array_equal(model.sample(seed=4, n=50), model.sample(seed=4, n=50))
        assert not np.array_equal(model.sample(seed=5, n=50), model.sample(seed=4, n=50))


def test_real_samples_have_the_moments_of_the_density():
    model = lively(MADE(2, "normal", units=(5,), order="backward", activation="tanh"), spread=0.4)
    grid = np.linspace(-9, 9, 361)
    points = np.stack(np.meshgrid(grid, grid), axis=-1).reshape(-1, 2)
    density = np.exp(np.asarray(model.log_prob(points.astype("float32")), "float64"))
    density /= density.sum()
    mean, n = density @ points, 4000
    spread = np.sqrt(density @ (points - mean) ** 2)
    drawn = np.asarray(model.sample(seed=2, n=n))
    np.testing.assert_array_less(np.abs(drawn.mean(axis=0) - mean), 5 * spread / np.sqrt(n))
    np.testing.assert_array_less(np.abs(drawn.std(axis=0) / spread - 1), 0.1)


def test_training_takes_the_mask_sets_in_turn_and_evaluation_all_of_them():
    x = states(4)
    model = lively(MADE(4, **BANK), spread=0.5)
    model.compile(keras.optimizers.SGD(0.0))
    losses = [model.train_on_batch(x, return_dict=True)["loss"] for _ in range(4)]
    wanted = [-np.asarray(model.log_prob_of_masks(x, k)).mean() for k in (0, 1, 2, 0)]
    np.testing.assert_allclose(losses, wanted, rtol=1e-5)
    assert np.ptp(wanted) > 0.1
    measured = model.evaluate(x, verbose=0, return_dict=True)
    np.testing.assert_allclose(measured["log_likelihood"], np.asarray(model.log_prob(x)).mean(), rtol=1e-5)
    assert measured["loss"] == -measured["log_likelihood"] < np.mean(wanted[:3])  # Jensen: the mixture knows more


def test_the_network_learns_a_dependence_that_no_factorised_density_has():
    """Copies of one coin: log 2 nats a row at best, 3 log 2 for independent pixels."""
    x = np.repeat(np.array([[0.0], [1.0]], "float32"), 3, axis=1)
    model = MADE(3, units=(8,), order="random", masks=2, activation="tanh")
    model.compile(keras.optimizers.Adam(0.1))
    model.fit(np.tile(x, (200, 1)), batch_size=10, epochs=2, verbose=0)
    assert model.evaluate(x, verbose=0, return_dict=True)["log_likelihood"] > -1.1 * np.log(2)
    np.testing.assert_array_equal(np.asarray(model.sample(seed=0, n=20)).std(axis=1), 0)


def test_impossible_arguments_and_data_are_refused_by_name():
    with pytest.raises(ValueError, match="a family of one value.*Normal\\(event_size=2"):
        MADE(2, Normal(2))
    with pytest.raises(ValueError, match="features of at least 1"):
        MADE(0)
    model = MADE(2, Categorical(3))
    model.compile("sgd")
    with pytest.raises(InvalidDataError, match="Categorical family can produce. Received: 3.0 in row 1"):
        model.fit(np.array([[0.0, 2.0], [3.0, 1.0]]))
    with pytest.raises(ValueError, match=r"x of shape \(B, 2\)"):
        model.log_prob(np.ones((2, 3)))
    with pytest.raises(ValueError, match="brings its own loss"):
        model.compile(loss="mse")
