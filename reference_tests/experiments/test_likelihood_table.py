"""The table of log-likelihoods: its baselines against direct computation, its estimates against enumeration."""

import numpy as np
import pytest
from matplotlib.figure import Figure
from scipy.stats import bernoulli, multivariate_normal

from keras_course.experiments import likelihood_table
from keras_course.experiments.likelihood_table import Config, bits_per_value, factorised_log_likelihood, run
from keras_course.ops.boltzmann import rbm_log_partition
from keras_course.pipeline.batches import recipe_data
from keras_course.pipeline.recipe import recipe_of


@pytest.fixture(scope="module")
def digits():
    return recipe_data(recipe_of("vae"), 0, 300)


def test_a_tiny_run_has_a_row_a_model_and_repeats_exactly():
    table = run(Config.tiny())
    assert list(table["model"][-2:]) == ["vae", "rbm"] and np.isfinite(table["nats"]).all()
    np.testing.assert_allclose(table["bits_per_pixel"], bits_per_value(table["nats"], 64))
    np.testing.assert_allclose(bits_per_value(-np.log(2) * 64, 64), 1)
    assert isinstance(table.figure(), Figure)
    again = run(Config(**{**vars(Config.tiny()), "models": ("vae",)}))
    np.testing.assert_array_equal(again["nats"], table["nats"][:-1])


def test_the_baselines_are_the_distributions_that_they_say(digits):
    p = (digits.train.x.sum(axis=0) + 0.5) / (len(digits.train.x) + 1)
    found = factorised_log_likelihood(digits.train.x, digits.test.x)
    np.testing.assert_allclose(found, bernoulli.logpmf(digits.test.x, p).sum(axis=1), rtol=1e-4)
    config = Config(components=64)
    generator = np.random.Generator(np.random.Philox(key=0))
    x, test_x = (part.x + generator.random(part.x.shape) for part in (digits.train, digits.test))
    wanted = multivariate_normal(x.mean(axis=0), np.cov(x.T)).logpdf(test_x)
    np.testing.assert_allclose(likelihood_table._principal_components(digits, config), wanted, rtol=1e-6)


def test_a_small_machine_is_scored_as_enumeration_scores_it(digits):
    generator = np.random.Generator(np.random.Philox(0))
    parameters = [generator.normal(scale=0.3, size=size).astype("float32") for size in ((64, 5), 64, 5)]
    config = Config(temperatures=300, runs=100)
    found = likelihood_table._annealed(*parameters, digits, config)
    kernel, b, c = parameters
    free = -digits.test.x @ b - np.logaddexp(0, digits.test.x @ kernel + c).sum(axis=1)
    np.testing.assert_allclose(found, -free - float(rbm_log_partition(*parameters)), atol=0.2)


def test_an_unknown_model_is_refused():
    with pytest.raises(ValueError, match="'made', 'pixel-cnn' as models. Received: models='gan'"):
        Config(models=("gan",))
    with pytest.raises(ValueError, match="at most 64 components. Received: components=65"):
        Config(components=65)
