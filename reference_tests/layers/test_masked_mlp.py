"""Who hears whom: Jacobians of masked networks, TFP's network on the same weights, refusals."""

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_probability as tfp
from keras import ops

from keras_course.layers.autoregressive import MaskedDense, MaskedMLP

GENERATOR = np.random.Generator(np.random.Philox(5))


def lively(layer):
    """The same layer, built, every weight well away from zero."""
    layer.build()
    for weight in layer.weights:
        weight.assign(GENERATOR.normal(size=weight.shape))
    return layer


def jacobian(function, x):
    """(outputs of every variable, inputs), of one row."""
    x = tf.constant(x[None])
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = function(x)
    return np.asarray(tape.jacobian(y, x))[0, ..., 0, :]


@pytest.mark.parametrize(
    "init",
    [
        {"units": (16,)},
        {"units": (16, 12), "order": "backward", "outputs": 2},
        {"units": (), "order": [2, 0, 3, 1]},
        {"units": (9, 11), "order": "random", "degrees": "random", "masks": 3, "direct": True},
        {"units": (12,), "degrees": "random", "masks": 2},
        {"units": (12,), "inputs": 3, "order": [1, 3, 2, 0]},
        {"units": (13,), "condition": 2},
    ],
    ids=lambda init: "-".join(init),
)
def test_the_zeros_of_the_jacobian_are_those_of_the_order(init):
    network = lively(MaskedMLP(4, activation="tanh", dtype="float64", **init))
    each = network.inputs_each
    for k in range(network.masks):
        condition = {"condition": GENERATOR.normal(size=(1, 2))} if network.condition else {}
        slopes = jacobian(lambda x, k=k, c=condition: network(x, which=k, **c), GENERATOR.normal(size=4 * each))
        heard = np.abs(slopes).reshape(4, network.outputs, 4, each).max(axis=(1, 3))  # (D of outputs, D of inputs)
        degrees = network.input_degrees[k]
        full = network.direct or network.degrees == "even"
        wanted = degrees[:, None] > degrees
        assert not heard[~wanted].any()
        assert not full or np.all(heard[wanted] > 0)


def test_every_variable_hears_the_condition_through_hidden_units_too():
    network = lively(MaskedMLP(3, units=(8,), condition=2, activation="tanh", dtype="float64"))
    x = np.zeros((1, 3))
    slopes = [jacobian(lambda c: network(x, condition=c), GENERATOR.normal(size=2)) for _ in range(2)]
    assert all(np.abs(each).min() > 0 for each in slopes)
    assert np.abs(slopes[0] - slopes[1]).min() > 1e-6  # not linear in it


def test_several_mask_sets_at_once_are_each_of_them():
    network = lively(MaskedMLP(4, outputs=2, units=(6, 5), order="random", degrees="random", masks=3, direct=True))
    x = GENERATOR.normal(size=(5, 4)).astype("float32")
    at_once = network(x[None], which=ops.convert_to_tensor([2, 0]))
    for row, k in enumerate((2, 0)):
        np.testing.assert_allclose(at_once[row], network(x, which=k), rtol=1e-5, atol=1e-6)
    assert len({tuple(order) for order in network.input_degrees.tolist()}) == 3


@pytest.mark.parametrize("order", ["left-to-right", "right-to-left", [3, 1, 4, 2]])
def test_the_masks_and_outputs_are_those_of_tfp_s_network(order):
    theirs = tfp.bijectors.AutoregressiveNetwork(
        params=2, event_shape=[4], hidden_units=[7, 9], input_order=order, activation="tanh",
        kernel_initializer=lambda shape, dtype: GENERATOR.normal(size=shape).astype("float32"),
    )  # fmt: skip
    theirs.build((None, 4))
    named = {"left-to-right": "forward", "right-to-left": "backward"}
    ours = MaskedMLP(
        4, 2, (7, 9), order=named[order] if isinstance(order, str) else np.argsort(order), activation="tanh"
    )
    ours.build()
    for layer, (kernel, bias) in zip(
        (*ours.hidden, ours.to_outputs), np.reshape(np.array(theirs.trainable_variables, object), (3, 2)), strict=True
    ):
        kernel, bias = kernel.numpy(), GENERATOR.normal(size=bias.shape)
        if layer is ours.to_outputs:  # they keep the numbers of a variable together
            kernel, bias = (each.reshape(*each.shape[:-1], 4, 2) for each in (kernel, bias))
            kernel, bias = (np.swapaxes(each, -1, -2).reshape(*each.shape[:-2], 8) for each in (kernel, bias))
        layer.kernel.assign(np.ones_like(kernel))
        np.testing.assert_array_equal(layer.masked_kernel(), kernel != 0)
        layer.kernel.assign(kernel)
    x = GENERATOR.normal(size=(6, 4)).astype("float32")
    np.testing.assert_allclose(ours(x), theirs(x), rtol=1e-5, atol=1e-6)


def test_a_seed_draws_orders_degrees_and_kernels_and_another_draws_others():
    made = [MaskedMLP(5, units=(6,), order="random", degrees="random", masks=2, seed=seed) for seed in (1, 1, 2)]
    for network in made:
        network.build()
    first, same, other = made
    np.testing.assert_array_equal(first.input_degrees, same.input_degrees)
    np.testing.assert_array_equal(first.hidden[0].kernel, same.hidden[0].kernel)
    assert not np.array_equal(first.input_degrees, other.input_degrees)
    assert not np.allclose(first.hidden[0].kernel, other.hidden[0].kernel)


@pytest.mark.parametrize(
    ("init", "message"),
    [
        ({"features": 0}, "features of at least 1. Received: features=0"),
        ({"features": 3, "order": [0, 1, 1]}, r"permutation of 0 ... 2.*order=\[0, 1, 1\]"),
        ({"features": 3, "order": "sideways"}, "permutation.*'sideways'"),
        ({"features": 3, "masks": 2}, "order='random', or degrees='random'.*masks=2"),
        ({"features": 3, "degrees": "odd"}, "'even', 'random' as degrees.*'odd'"),
        ({"features": 3, "units": (4, 0)}, r"units\[1\] of at least 1"),
    ],
)
def test_impossible_networks_are_refused(init, message):
    with pytest.raises(ValueError, match=message):
        MaskedMLP(**init)


def test_a_condition_that_is_missing_or_not_asked_for_is_refused():
    with pytest.raises(ValueError, match="condition of width 2. Received: condition=None"):
        MaskedMLP(3, condition=2)(np.ones((1, 3)))
    with pytest.raises(ValueError, match=r"condition of width 0. Received: condition=\(1, 2\)"):
        MaskedMLP(3)(np.ones((1, 3)), condition=np.ones((1, 2)))


def test_degrees_that_do_not_go_together_are_refused():
    with pytest.raises(ValueError, match=r"Received: shapes \(2,\) and \(1, 3\)"):
        MaskedDense([1, 2], [[1, 1, 2]])
    with pytest.raises(ValueError, match="integer degrees of rank 1 or 2"):
        MaskedDense([1.0, 2.0], [1, 2])
