"""MAF as a model: it learns a density that no diagonal one has, draws from it, and turns its orders round."""

import keras
import numpy as np
import pytest

from keras_course.models.generative import MAF


def ridge(n, seed):
    """A bent ridge: the second number is the square of the first, and some noise."""
    draws = np.random.Generator(np.random.Philox(seed))
    first = draws.normal(size=n)
    return np.stack([first, first**2 + 0.3 * draws.normal(size=n)], axis=1).astype("float32")


@pytest.fixture(scope="module")
def trained():
    """A flow of two layers on the ridge."""
    model = MAF(2, layers=2, units=(16,), order="alternating", activation="tanh", seed=1)
    model.compile(keras.optimizers.Adam(0.02), steps_per_execution=20)
    model.fit(ridge(2000, 0), batch_size=100, epochs=12, verbose=0)
    return model


def test_a_flow_learns_a_bent_density_that_a_gaussian_misses(trained):
    x, test = ridge(2000, 0), ridge(500, 1)
    centred, covariance = test - x.mean(axis=0), np.cov(x.T)
    quadratic = np.einsum("nd,de,ne->n", centred, np.linalg.inv(covariance), centred)
    gaussian = -0.5 * (quadratic + np.linalg.slogdet(2 * np.pi * covariance)[1])
    assert np.mean(trained.log_prob(test)) > gaussian.mean() + 0.7


def test_samples_lie_on_the_ridge_and_repeat_with_their_seed(trained):
    drawn = np.asarray(trained.sample(seed=3, n=1000))
    assert np.std(drawn[:, 1] - drawn[:, 0] ** 2) < 0.6 * np.std(drawn[:, 1])
    np.testing.assert_array_equal(drawn[:5], trained.sample(seed=3, n=1000)[:5])
    np.testing.assert_allclose(trained.decode(trained.encode(drawn)), drawn, atol=1e-4)


def test_orders_turn_round_or_are_drawn_a_layer():
    def degrees(**how):
        return [flow.network.input_degrees[0].tolist() for flow in MAF(4, layers=2, actnorm=False, **how).flow.flows]

    assert degrees() == [[1, 2, 3, 4], [4, 3, 2, 1]]
    assert degrees(order=[2, 0, 1, 3]) == [[2, 3, 1, 4], [3, 2, 4, 1]]
    first, second = degrees(order="random", seed=2)
    assert first != second and sorted(first) == sorted(second) == [1, 2, 3, 4]
    with pytest.raises(ValueError, match="'alternating', 'random' as order.*'up'"):
        MAF(4, order="up")
    with pytest.raises(ValueError, match="layers of at least 1"):
        MAF(4, layers=0)


def test_the_inverse_flow_trains_through_its_loop():
    model = MAF(2, layers=1, units=(8,), fast="sampling", activation="tanh", actnorm=False, start_scale=1.0)
    x = ridge(100, 0)
    model.compile(keras.optimizers.Adam(0.02), jit_compile=False)
    before = model.evaluate(x, verbose=0)[0]
    model.fit(x, batch_size=50, epochs=5, verbose=0)
    assert model.evaluate(x, verbose=0)[0] < before - 0.2
