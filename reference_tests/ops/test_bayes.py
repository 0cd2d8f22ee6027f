"""Most likely hypotheses and classes."""

import numpy as np
import pytest
from keras import ops

from keras_course.core import backend
from keras_course.ops import bayes

POSTERIOR = np.array([0.4, 0.3, 0.3])
SAYS = np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 1.0]])


def numbers(tensor):
    return ops.convert_to_numpy(ops.cast(tensor, "float64"))


def test_the_most_likely_hypothesis_may_be_outvoted():
    np.testing.assert_allclose(numbers(bayes.class_probabilities(SAYS, POSTERIOR)), [0.4, 0.6], rtol=1e-15)
    assert int(bayes.bayes_optimal_class(SAYS, POSTERIOR)) == 1
    assert int(np.argmax(SAYS[np.argmax(POSTERIOR)])) == 0


def test_map_is_maximum_likelihood_under_a_uniform_prior():
    generator = np.random.default_rng(0)
    for _ in range(20):
        likelihoods = generator.uniform(size=5)
        assert int(bayes.maximum_a_posteriori(likelihoods, np.full(5, 0.2))) == int(
            bayes.maximum_likelihood(likelihoods)
        )


def test_a_strong_prior_overrules_the_likelihood():
    assert int(bayes.maximum_likelihood([0.2, 0.7, 0.1])) == 1
    assert int(bayes.maximum_a_posteriori([0.2, 0.7, 0.1], [0.9, 0.05, 0.05])) == 0


def test_the_posterior_is_bayes_rule():
    likelihoods, priors = np.array([0.2, 0.7, 0.1]), np.array([0.5, 0.2, 0.3])
    expected = likelihoods * priors / (likelihoods * priors).sum()
    np.testing.assert_allclose(numbers(bayes.posterior_probabilities(likelihoods, priors)), expected, rtol=1e-15)


def test_two_thousand_examples_do_not_underflow():
    """Their product is 0 in any float type; the sum of their logarithms is not."""
    likelihoods = np.tile([[0.1, 0.2, 0.15]], (2000, 1))
    assert np.prod(likelihoods, axis=0).max() == 0
    assert int(bayes.maximum_likelihood(likelihoods)) == 1
    np.testing.assert_allclose(numbers(bayes.log_likelihood(likelihoods)), 2000 * np.log([0.1, 0.2, 0.15]), rtol=1e-13)
    np.testing.assert_allclose(
        numbers(bayes.posterior_probabilities(likelihoods, np.full(3, 1 / 3))), [0, 1, 0], atol=1e-200
    )


def test_one_impossible_example_rules_a_hypothesis_out():
    assert int(bayes.maximum_likelihood([[0.9, 0.1], [0.0, 0.1]])) == 1


def test_several_instances_vote_at_once():
    several = np.stack([SAYS, 1 - SAYS])
    assert numbers(bayes.bayes_optimal_class(several, POSTERIOR)).tolist() == [1, 0]


@pytest.mark.parametrize("mode", ["graph", "xla"])
def test_compiled_votes_equal_eager_ones(mode):
    with backend.execution_mode(mode):
        assert int(backend.compiled(bayes.bayes_optimal_class)(SAYS, POSTERIOR)) == 1
        assert int(backend.compiled(bayes.maximum_a_posteriori)(np.array([0.2, 0.7]), np.array([0.9, 0.1]))) == 0


def test_what_does_not_fit_is_refused_with_what_came():
    with pytest.raises(ValueError, match=r"posterior.shape=\(2,\)"):
        bayes.bayes_optimal_class(SAYS, POSTERIOR[:2])
    with pytest.raises(ValueError, match="Received: a sum of 0.7"):
        bayes.bayes_optimal_class(SAYS[:2], POSTERIOR[:2])
    with pytest.raises(ValueError, match="3 likelihoods|3,"):
        bayes.maximum_a_posteriori([0.1, 0.2, 0.3], [0.5, 0.5])
    with pytest.raises(ValueError, match="Received: an entry -0.1"):
        bayes.maximum_likelihood([-0.1, 0.2])
    with pytest.raises(ValueError, match="rank 1 or 2"):
        bayes.maximum_likelihood(np.ones((2, 2, 2)))
