"""Dropout's mathematics by enumeration of every mask."""

import numpy as np
import pytest
from keras import ops

from keras_course.ops.dropout import (
    all_masks,
    arithmetic_ensemble,
    drop_units,
    dropout_mask,
    expected_units,
    geometric_ensemble,
    mask_probabilities,
)

RNG = np.random.default_rng(0)
RULES = ("inverted", "weight-scaling")


def softmax(z):
    powers = np.exp(z - z.max(-1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True)


def array(tensor):
    return np.asarray(ops.convert_to_numpy(tensor))


def test_masks_are_all_there_once_and_their_probabilities_sum_to_one():
    masks = all_masks(5)
    assert masks.shape == (32, 5) and len(np.unique(masks, axis=0)) == 32
    rate = np.array([0.0, 0.2, 0.5, 0.9, 0.25])
    chances = array(mask_probabilities(masks, rate))
    np.testing.assert_allclose(chances.sum(), 1, rtol=1e-14)
    np.testing.assert_allclose(chances @ masks, 1 - rate, rtol=1e-14)  # each unit stays with its own probability


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("rate", [0.2, 0.5, 0.75])
def test_the_mean_of_a_linear_net_over_all_masks_is_the_deterministic_net(rule, rate):
    x, w = RNG.normal(size=6), RNG.normal(size=(6, 2))
    masks = all_masks(6)
    chances = array(mask_probabilities(masks, np.full(6, rate)))
    outputs = array(drop_units(x, masks, rate, rule)) @ w
    np.testing.assert_allclose(chances @ outputs, array(expected_units(x, rate, rule)) @ w, rtol=1e-12)


@pytest.mark.parametrize("rate", [0.2, 0.5, 0.75])
def test_the_variance_of_a_unit_is_x_squared_times_rate_over_keep_or_times_both(rate):
    x, chances = 3.0, np.array([rate, 1 - rate])
    for rule, factor in (("inverted", rate / (1 - rate)), ("weight-scaling", rate * (1 - rate))):
        outcomes = array(drop_units(np.full(2, x), [False, True], rate, rule))
        variance = chances @ outcomes**2 - (chances @ outcomes) ** 2
        np.testing.assert_allclose(variance, x**2 * factor, rtol=1e-12)


def test_dropout_of_inputs_is_an_adaptive_weight_decay():
    """E (w.(mu x / pi) - t)^2 = (w.x - t)^2 + rate/keep sum_i x_i^2 w_i^2."""
    x, w, t, rate = RNG.normal(size=5), RNG.normal(size=5), 0.7, 0.4
    masks = all_masks(5)
    chances = array(mask_probabilities(masks, np.full(5, rate)))
    errors = (array(drop_units(x, masks, rate)) @ w - t) ** 2
    wanted = (w @ x - t) ** 2 + rate / (1 - rate) * np.sum(x**2 * w**2)
    np.testing.assert_allclose(chances @ errors, wanted, rtol=1e-12)


@pytest.mark.parametrize("seed", range(4))
def test_the_geometric_ensemble_of_softmax_regression_is_weight_scaling_for_random_weights(seed):
    rng = np.random.default_rng(seed)
    d, k = 7, 4
    x, w, b, rate = rng.normal(size=d), 3 * rng.normal(size=(d, k)), rng.normal(size=k), rng.uniform(0, 0.9, d)
    masks = all_masks(d)
    logits = (masks * x) @ w + b
    came = array(geometric_ensemble(np.log(softmax(logits)), mask_probabilities(masks, rate)))
    np.testing.assert_allclose(came, softmax(((1 - rate) * x) @ w + b), rtol=1e-10)
    unnormalized = array(geometric_ensemble(logits, mask_probabilities(masks, rate)))
    np.testing.assert_allclose(unnormalized, came, rtol=1e-10)


def test_the_printed_root_is_another_distribution():
    """The d-th root in place of the 2^d-th (d = 3) is the ensemble to the power 8/3, far too sure."""
    x, w, b = RNG.normal(size=3), RNG.normal(size=(3, 3)), RNG.normal(size=3)
    probabilities = softmax((all_masks(3) * x) @ w + b)
    right = array(geometric_ensemble(np.log(probabilities)))
    product = probabilities.prod(0)
    np.testing.assert_allclose(right, product ** (1 / 8) / np.sum(product ** (1 / 8)), rtol=1e-12)
    printed = product ** (1 / 3) / np.sum(product ** (1 / 3))
    assert printed.max() > right.max() + 0.01


def test_the_ensembles_differ_and_both_are_distributions():
    probabilities = softmax(2 * RNG.normal(size=(8, 5, 3)))
    arithmetic, geometric = array(arithmetic_ensemble(probabilities)), array(geometric_ensemble(np.log(probabilities)))
    for ensemble in (arithmetic, geometric):
        np.testing.assert_allclose(ensemble.sum(-1), 1, rtol=1e-12)
    np.testing.assert_allclose(arithmetic, probabilities.mean(0), rtol=1e-12)
    assert np.abs(arithmetic - geometric).max() > 0.01


def test_a_dropped_unit_gives_no_nan_and_takes_no_gradient():
    x = np.array([np.inf, 1.0])
    assert array(drop_units(x, [False, True], 0.5)).tolist() == [0.0, 2.0]


def test_the_share_that_is_dropped_is_the_rate_and_not_the_keep_probability():
    uniforms = (np.arange(1000) + 0.5) / 1000
    assert array(dropout_mask(uniforms, rate=0.2)).mean() == 0.8
    assert array(dropout_mask([0.0], rate=0.0)).all()


@pytest.mark.parametrize("rate", [-0.1, 1.0, 1, True, "0.5", float("nan")])
def test_a_rate_outside_zero_to_one_is_refused_with_what_came(rate):
    for call in (lambda: dropout_mask([0.5], rate), lambda: drop_units([1.0], [True], rate), lambda: expected_units([1.0], rate)):  # fmt: skip  # noqa: E501
        with pytest.raises(ValueError, match=f"Received: rate={rate!r}"):
            call()


def test_other_bad_arguments_are_refused_with_what_came():
    with pytest.raises(ValueError, match="'inverted', 'weight-scaling'"):
        drop_units([1.0], [True], 0.5, rule="printed")
    with pytest.raises(ValueError, match="units=21"):
        all_masks(21)
