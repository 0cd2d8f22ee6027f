"""Gradients by depth: products of slopes, what width makes of them, and who learns."""

import math

import numpy as np
import pytest
import tensorflow as tf
from matplotlib.figure import Figure

from keras_course.experiments.deep_gradients import (
    NETWORKS,
    chain_derivatives,
    deep_loss,
    gradient_by_depth,
    hidden_layers,
    wide_factors,
)
from keras_course.experiments.vanishing_gradient import Config, factor_a_layer, run


@pytest.fixture(scope="module")
def table():
    return run(Config.tiny())


@pytest.fixture(scope="module")
def deep():
    """x, labels, 8 matrices of 16 x 16 for each of two networks, V; float64."""
    rng = np.random.default_rng(3)
    return (
        rng.normal(size=(12, 16)), rng.integers(0, 4, 12), rng.normal(size=(2, 8, 16, 16)) / 4,
        rng.normal(size=(2, 4, 16)) / 4,
    )  # fmt: skip


def test_a_tiny_run_repeats_exactly_and_draws_its_figure(table):
    assert run(Config.tiny()).to_csv() == table.to_csv()
    assert isinstance(table.figure(), Figure)
    assert len(table.headline) == 3 * 3 * len(NETWORKS) and np.all(np.isfinite(list(table.headline.values())))


def test_nothing_but_a_sure_slope_reaches_the_bound_of_a_chain():
    weights = [0.5, -2.0, 1.5, 0.25]
    for activation, reached in (("linear", True), ("relu", False), ("tanh", False), ("logistic", False)):
        found = {name: value.numpy() for name, value in chain_derivatives(0.75, weights, activation).items()}
        assert np.all(np.abs(found["derivative"]) <= found["bound"])
        assert np.array_equal(np.abs(found["derivative"]), found["bound"]) == reached
        assert found["derivative"][-1] == found["bound"][-1] == 1.0


def test_a_logistic_network_obeys_the_bound_of_norms(deep):
    x, labels, weights, output = deep
    norms = gradient_by_depth(x, labels, weights, output, "logistic", "plain")["layers"].numpy()
    most = np.linalg.norm(weights, 2, axis=(-2, -1)) / 4  # (2, L)
    for layer in range(8):
        bound = norms[:, -1] * np.prod(most[:, layer:], axis=1)
        assert np.all(norms[:, layer] <= bound * (1 + 1e-12)) and np.all(norms[:, layer] > 0.001 * bound)


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("activation", ["logistic", "tanh", "relu"])
def test_networks_side_by_side_are_networks_alone_and_slopes_are_differences(activation, network, deep):
    x, labels, weights, output = deep
    together = gradient_by_depth(x, labels, weights, output, activation, network)
    alone = gradient_by_depth(x, labels, weights[1], output[1], activation, network)
    for name in ("loss", "layers", "weights"):
        np.testing.assert_allclose(together[name][1], alone[name], rtol=1e-10)

    def loss(x):
        return float(deep_loss(hidden_layers(x, list(weights[1]), activation, network)[-1], labels, output[1]))

    direction, h = np.random.default_rng(0).normal(size=x.shape), 1e-6
    with tf.GradientTape() as tape:
        moving = tf.constant(x)
        tape.watch(moving)
        top = hidden_layers(moving, tf.unstack(tf.constant(weights[1])), activation, network)[-1]
        value = deep_loss(top, labels, tf.constant(output[1]))
    slope = tape.gradient(value, moving).numpy()
    np.testing.assert_allclose(np.linalg.norm(slope), alone["layers"][0], rtol=1e-10)
    difference = (loss(tf.constant(x + h * direction)) - loss(tf.constant(x - h * direction))) / (2 * h)
    np.testing.assert_allclose(np.sum(slope * direction), difference, rtol=1e-5, atol=1e-9)


def test_a_normalized_unit_has_mean_0_and_variance_1_over_the_batch(deep):
    x, _, weights, _ = deep
    layers = hidden_layers(tf.constant(x), list(weights[0]), "linear", "normalized")
    for layer in layers[1:]:
        np.testing.assert_allclose(np.mean(layer, 0), 0, atol=1e-12)
        np.testing.assert_allclose(np.var(layer, 0), 1, rtol=1e-10)
    still = hidden_layers(tf.ones((4, 16), "float64"), list(weights[0]), "logistic", "normalized")
    np.testing.assert_array_equal(still[-1], np.full((4, 16), 0.5))  # a unit that stands still is 0, not NaN


def test_a_layer_as_wide_as_a_thousand_does_what_an_infinite_one_does():
    rng, width = np.random.default_rng(0), 1000
    x = rng.normal(size=(40, width))
    x -= x.mean(1, keepdims=True)  # wide_factors takes inputs of mean 0
    for activation, gain in (("logistic", 1.0), ("tanh", 1 / 3), ("relu", 2.0)):
        weights = rng.normal(size=(3, width, width)) * math.sqrt(gain / width)
        output = rng.normal(size=(10, width)) / math.sqrt(width)
        for network in NETWORKS:
            norms = gradient_by_depth(x, rng.integers(0, 10, 40), weights, output, activation, network)[
                "layers"
            ].numpy()
            wide = wide_factors(activation, network, gain, 3, (x**2).mean(), x.var(0).mean())
            # What normalization projects out, a share of 2 in 40, is no part of the formula.
            room = 0.12 if network.startswith("normalized") else 0.06
            np.testing.assert_allclose((norms[:-1] / norms[1:]) ** 2, wide, rtol=room)


def test_normalization_never_lets_a_wide_network_vanish():
    assert wide_factors("linear", "normalized", 1.0, 3)[1:] == [1.0, 1.0]
    for activation in ("logistic", "tanh", "relu"):
        for gain in (0.01, 1.0, 2.0):
            found = wide_factors(activation, "normalized", gain, 4)
            assert found[1] > 1.0 and found == wide_factors(activation, "normalized", 1.0, 4)
    assert wide_factors("relu", "normalized", 1.0, 2)[1] == pytest.approx(math.pi / (math.pi - 1), rel=1e-12)


def test_rectifiers_and_residuals_keep_one_number_through_all_layers(deep):
    x, labels, weights, output = (tf.constant(part) for part in deep)
    matrices = tf.unstack(weights[0])
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        layers = hidden_layers(x, matrices, "relu", "residual")
        loss = deep_loss(layers[-1], labels, output[0])
    products = [float(tf.reduce_sum(h * g)) for h, g in zip(layers, tape.gradient(loss, layers), strict=True)]
    np.testing.assert_allclose(products, products[-1], rtol=1e-10)  # Euler: the network is homogeneous


def test_the_course_s_claims_hold_at_the_start(table):
    def factor(activation, start, network):
        rows = table.where(activation=activation, initialization=start, network=network)
        return factor_a_layer(rows["gradient"]), factor_a_layer(rows["predicted"])

    assert factor("logistic", "normalized", "plain")[0] < 0.25
    assert 0.9 < factor("relu", "he", "plain")[0] < 1.1  # C 7.2.5: rectifiers largely avoid it ...
    assert factor("relu", "fan-in", "plain")[0] < 0.5  # ... with the right weights, not with those of C 7.4
    for network in ("normalized", "residual", "normalized residual"):
        assert factor("logistic", "normalized", network)[0] > 0.85
    for activation in ("logistic", "tanh", "relu"):
        for start in ("fan-in", "normalized", "he"):
            for network in NETWORKS:
                if (activation, network) != ("relu", "residual"):  # of finite width: Euler's number
                    measured, predicted = factor(activation, start, network)
                    assert measured == pytest.approx(predicted, rel=0.08)


def test_what_does_not_arrive_does_not_teach(table):
    def accuracy(network):
        return table.where(activation="logistic", initialization="normalized", network=network)["accuracy"][0]

    assert accuracy("plain") < 0.2 < 0.45 < accuracy("normalized residual")
    assert accuracy("normalized") > 0.9


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"depth": 0}, "depth=0"),
        ({"networks": ()}, "at least one of networks"),
        ({"networks": ("recursive",)}, "networks='recursive'"),
        ({"activations": ("sine",)}, "activations='sine'"),
        ({"initializations": ("zeros",)}, "initializations='zeros'"),
        ({"learning_rates": (0.0,)}, "learning_rates"),
        ({"seeds": ()}, "seeds"),
    ],
)
def test_settings_are_checked(arguments, message):
    with pytest.raises(ValueError, match=message):
        Config(**arguments)


def test_unknown_names_are_refused():
    for wrong in (
        lambda: chain_derivatives(0.0, [1.0], "sine"),
        lambda: hidden_layers(tf.ones((2, 3)), [], "relu", "recursive"),
        lambda: wide_factors("relu", "recursive", 1.0, 2),
        lambda: wide_factors("relu", "plain", 1.0, 0),
    ):
        with pytest.raises(ValueError, match="Received: "):
            wrong()
