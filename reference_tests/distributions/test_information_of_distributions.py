"""Information on TFP distributions: exact where TFP knows, estimated with an error where it does not."""

import numpy as np
import pytest
import scipy.stats
import tensorflow_probability as tfp

from keras_course.core.backend import compiled, execution_mode
from keras_course.distributions.information import cross_entropy, entropy, kl_divergence, self_information
from keras_course.ops import information as formulas

tfd = tfp.distributions
BIMODAL = tfd.MixtureSameFamily(tfd.Categorical(probs=[0.3, 0.7]), tfd.Normal([-2.0, 1.0], [0.5, 1.0]))


def test_arrays_go_to_the_formulas():
    p, q = np.array([[0.5, 0.25, 0.25]]), np.array([[0.2, 0.3, 0.5]])
    for base in (2, "e"):
        np.testing.assert_array_equal(entropy(p, base=base), formulas.entropy(p, base=base))
        np.testing.assert_array_equal(cross_entropy(p, q, base=base), formulas.cross_entropy(p, q, base=base))
        np.testing.assert_array_equal(kl_divergence(p, q, base=base), formulas.kl_divergence(p, q, base=base))
    np.testing.assert_array_equal(self_information(p), formulas.self_information(p))


def test_a_categorical_distribution_and_its_probabilities_tell_the_same():
    p, q = np.array([0.5, 0.25, 0.25]), np.array([0.2, 0.3, 0.5])
    one, other = tfd.Categorical(probs=p), tfd.Categorical(probs=q)
    np.testing.assert_allclose(entropy(one), entropy(p), rtol=1e-12)
    np.testing.assert_allclose(kl_divergence(one, other), kl_divergence(p, q), rtol=1e-12)
    np.testing.assert_allclose(cross_entropy(one, other), cross_entropy(p, q), rtol=1e-12)
    np.testing.assert_allclose(self_information(one, 1), 2.0, rtol=1e-12)


def test_a_normal_has_the_entropy_of_scipy_and_no_error():
    value, error = entropy(tfd.Normal(np.zeros(3), np.array([0.1, 1.0, 5.0])), base="e", return_standard_error=True)
    np.testing.assert_allclose(value, scipy.stats.norm(0, [0.1, 1.0, 5.0]).entropy(), rtol=1e-12)
    np.testing.assert_array_equal(error, np.zeros(3))


def test_where_tfp_knows_no_entropy_the_estimate_is_within_its_error():
    """4.5 standard errors: a false alarm in 1 of 150,000 seeds."""
    with pytest.raises(NotImplementedError):
        BIMODAL.entropy()
    grid = np.linspace(-9, 9, 20_001)
    density = 0.3 * scipy.stats.norm(-2, 0.5).pdf(grid) + 0.7 * scipy.stats.norm(1, 1).pdf(grid)
    truth = -(density * np.log(density)).sum() * (grid[1] - grid[0])
    value, error = entropy(BIMODAL, base="e", samples=20_000, seed=1, return_standard_error=True)
    assert 0 < float(error) < 0.01 and abs(float(value) - truth) < 4.5 * float(error)


def test_divergence_from_a_mixture_is_estimated_and_cross_entropy_is_entropy_plus_divergence():
    """The three estimates share their draws, so the identity holds to rounding."""
    normal = tfd.Normal(0.0, 2.0)
    settings = {"samples": 5000, "seed": 3}
    total = entropy(BIMODAL, **settings) + kl_divergence(BIMODAL, normal, **settings)
    np.testing.assert_allclose(cross_entropy(BIMODAL, normal, **settings), total, rtol=1e-5)


def test_the_standard_error_is_the_spread_over_seeds():
    """40 seeds: the ratio has a relative error of 11 %; bounds of 50 % give a false alarm in less than 1 of 100,000."""
    estimates = [entropy(BIMODAL, samples=500, seed=seed, return_standard_error=True) for seed in range(40)]
    spread = np.std([float(value) for value, _ in estimates], ddof=1)
    assert 0.5 < spread / np.mean([float(error) for _, error in estimates]) < 1.5


def test_the_same_seed_gives_the_same_estimate_in_every_mode():
    def divergence(mean):
        return kl_divergence(BIMODAL, tfd.Normal(mean, 1.0), seed=5)

    values = []
    for mode in ("eager", "graph"):
        with execution_mode(mode):
            values.append(float(compiled(divergence)(np.zeros((), "float32"))))
    assert values[0] == pytest.approx(values[1], rel=1e-6)
    assert values[0] == float(divergence(np.zeros((), "float32")))


def test_bits_and_nats_differ_by_log_two():
    p, q = tfd.Normal(0.0, 1.0), tfd.Normal(1.0, 2.0)
    assert float(kl_divergence(p, q, base="e")) == pytest.approx(float(kl_divergence(p, q)) * np.log(2), rel=1e-6)


def test_misuse_is_refused():
    with pytest.raises(ValueError, match="not one of each"):
        kl_divergence(tfd.Normal(0.0, 1.0), [0.5, 0.5])
    with pytest.raises(ValueError, match="needs the event"):
        self_information(tfd.Normal(0.0, 1.0))
    with pytest.raises(ValueError, match="with a distribution alone"):
        self_information([0.5], event=1)
    with pytest.raises(ValueError, match="Received: samples=1"):
        entropy(BIMODAL, samples=1)
    with pytest.raises(ValueError, match="Received: base=1"):
        entropy(tfd.Normal(0.0, 1.0), base=1)
