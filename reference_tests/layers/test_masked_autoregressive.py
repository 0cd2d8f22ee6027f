"""The masked autoregressive layer: Jacobian, inverse, density, gradients, and TFP's bijector on the same weights."""

import itertools

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_probability as tfp

from keras_course.layers.flows import FlowChain, MaskedAutoregressive
from keras_course.ops.autoregressive_flow import autoregressive_affine, autoregressive_affine_step

GENERATOR = np.random.Generator(np.random.Philox(8))


def lively(layer, features, condition=None, spread=0.4):
    """The same layer, built, every weight well away from zero."""
    if not layer.built:
        layer.build((None, features), None if condition is None else (None, condition))
    for weight in layer.weights:
        weight.assign(GENERATOR.normal(scale=spread, size=weight.shape))
    return layer


def flows(dtype="float64"):
    """Both directions, with and without a condition: (layer, x, condition)."""
    for fast, condition in itertools.product(("density", "sampling"), (None, 2)):
        layer = MaskedAutoregressive((7, 6), [2, 0, 3, 1], fast, direct=True, activation="tanh", dtype=dtype)
        c = None if condition is None else tf.constant(GENERATOR.normal(size=(5, condition)), dtype)
        yield lively(layer, 4, condition), tf.constant(GENERATOR.normal(size=(5, 4)), dtype), c


def test_log_det_is_that_of_the_jacobian_and_the_jacobian_is_triangular_in_the_order():
    for layer, x, c in flows():
        with tf.GradientTape() as tape:
            tape.watch(x)
            z, log_det = layer.forward(x, c)
        jacobian = tape.batch_jacobian(z, x).numpy()
        np.testing.assert_allclose(log_det, np.linalg.slogdet(jacobian)[1], atol=1e-12)
        degrees = layer.network.input_degrees[0]
        later = degrees > degrees[:, None]  # (d of z, e of x)
        assert not jacobian[:, later].any() and np.all(jacobian[:, ~later] != 0)


@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-10), ("float32", 1e-5)])
def test_inverse_undoes_forward_either_way(dtype, tolerance):
    for layer, x, c in flows(dtype):
        np.testing.assert_allclose(layer.inverse(layer.forward(x, c)[0], c), x, atol=tolerance)
        np.testing.assert_allclose(layer.forward(layer.inverse(x, c), c)[0], x, atol=tolerance)


def test_one_direction_is_the_other_turned_round():
    density = lively(MaskedAutoregressive((6,), dtype="float64"), 3)
    sampling = MaskedAutoregressive((6,), fast="sampling", dtype="float64")
    sampling.build((None, 3))
    sampling.set_weights(density.get_weights())
    x = GENERATOR.normal(size=(4, 3))
    np.testing.assert_allclose(sampling.inverse(x), density.forward(x)[0], atol=1e-13)
    np.testing.assert_allclose(sampling.forward(x)[0], density.inverse(x), atol=1e-13)


def test_a_conditional_density_integrates_to_one_for_every_condition():
    axis = np.linspace(-9, 9, 241)
    points = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    for fast in ("density", "sampling"):
        layers = [MaskedAutoregressive((5,), order, fast, dtype="float64") for order in ("forward", "backward")]
        chain = lively(FlowChain(layers, dtype="float64"), 2, condition=1, spread=0.2)
        totals, peaks = [], []
        for value in (-1.0, 1.5):
            z, log_det = chain.forward(tf.constant(points), tf.fill((len(points), 1), tf.constant(value, "float64")))
            density = np.exp(log_det - np.sum(np.square(z), axis=-1) / 2) / (2 * np.pi)
            totals.append(density.sum() * (axis[1] - axis[0]) ** 2)
            peaks.append(points[density.argmax()])
        np.testing.assert_allclose(totals, 1, rtol=1e-4)
        assert not np.allclose(*peaks)


def test_gradients_go_through_the_loop_of_the_slow_direction():
    """Slopes of sum z**2 by the loop, against those of the same function by differences."""
    layer = lively(MaskedAutoregressive((5,), fast="sampling", activation="tanh", dtype="float64"), 3)
    x = tf.constant(GENERATOR.normal(size=(2, 3)))
    kernel = layer.network.hidden[0].kernel

    def slopes(x):
        with tf.GradientTape() as tape:
            z, log_det = layer.forward(x)
            total = tf.reduce_sum(z**2) + tf.reduce_sum(log_det)
        return total, tape.gradient(total, kernel.value)

    found = slopes(x)[1].numpy()
    start, step = kernel.numpy().copy(), 1e-6
    for i, j in ((0, 0), (1, 3)):
        moved = []
        for sign in (1, -1):
            kernel.assign(start + sign * step * (np.arange(3)[:, None] == i) * (np.arange(5) == j))
            moved.append(float(slopes(x)[0]))
        kernel.assign(start)
        np.testing.assert_allclose(found[i, j], (moved[0] - moved[1]) / (2 * step), rtol=1e-6, atol=1e-9)
        assert found[i, j] != 0


def test_tfp_s_flow_with_the_same_weights_has_the_same_density_and_samples():
    """Its network puts shift before log scale and keeps the numbers of a place together."""
    theirs = tfp.bijectors.AutoregressiveNetwork(params=2, event_shape=[4], hidden_units=[7, 9], activation="tanh")
    theirs.build((None, 4))
    layer = MaskedAutoregressive((7, 9), activation="tanh", log_scale_bound=None)
    layer.build((None, 4))
    network = layer.network
    for number, ours in enumerate((*network.hidden, network.to_outputs)):
        kernel, bias = (weight.numpy() for weight in theirs.trainable_variables[2 * number : 2 * number + 2])
        bias = GENERATOR.normal(size=bias.shape).astype("float32")
        theirs.trainable_variables[2 * number + 1].assign(bias)
        if ours is network.to_outputs:
            kernel, bias = (
                np.swapaxes(each.reshape(*each.shape[:-1], 4, 2)[..., ::-1], -1, -2).reshape(*each.shape[:-1], 8)
                for each in (kernel, bias)
            )
        ours.kernel.assign(kernel)
        ours.bias.assign(bias)
    bijector = tfp.bijectors.MaskedAutoregressiveFlow(theirs)
    base = tfp.distributions.MultivariateNormalDiag(tf.zeros(4))
    x = GENERATOR.normal(size=(6, 4)).astype("float32")
    z, log_det = layer.forward(x)
    np.testing.assert_allclose(z, bijector.inverse(x), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(log_det, bijector.inverse_log_det_jacobian(tf.identity(x), 1), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(layer.inverse(x), bijector.forward(x), rtol=1e-4, atol=1e-5)
    view = tfp.distributions.TransformedDistribution(base, layer.as_bijector())
    wanted = tfp.distributions.TransformedDistribution(base, bijector).log_prob(tf.identity(x))
    np.testing.assert_allclose(view.log_prob(x), wanted, rtol=1e-5)


def test_scales_stay_within_their_bound_and_saturation_tells():
    layer = lively(MaskedAutoregressive((5,), log_scale_bound=0.5), 3, spread=20.0)
    x = GENERATOR.normal(size=(8, 3)).astype("float32")
    s, _ = layer.log_scale_and_shift(x)
    assert np.abs(s).max() <= 0.5
    assert 0.3 < float(layer.saturation(x)) <= 1.0
    assert float(lively(MaskedAutoregressive((5,), log_scale_bound=None), 3).saturation(x)) == 0.0


def test_a_flow_with_start_scale_zero_starts_as_the_identity():
    x = GENERATOR.normal(size=(4, 3)).astype("float32")
    for fast in ("density", "sampling"):
        z, log_det = MaskedAutoregressive((5,), fast=fast, start_scale=0.0)(x)
        np.testing.assert_array_equal(z, x)
        np.testing.assert_array_equal(log_det, 0)


def test_the_affine_map_and_its_step_undo_each_other():
    x, s, t = GENERATOR.normal(size=(3, 5, 4))
    z, log_det = autoregressive_affine(x, s, t)
    np.testing.assert_allclose(autoregressive_affine_step(z, s, t), x, rtol=1e-12)
    np.testing.assert_allclose(log_det, -s.sum(axis=-1))


@pytest.mark.parametrize(
    ("init", "message"),
    [
        ({"fast": "both"}, "'density', 'sampling' as fast.*'both'"),
        ({"log_scale_bound": 0.0}, "positive log_scale_bound.*0.0"),
        ({"start_scale": -1.0}, "start_scale >= 0.*-1.0"),
    ],
)
def test_impossible_layers_are_refused(init, message):
    with pytest.raises(ValueError, match=message):
        MaskedAutoregressive(**init)


def test_images_and_orders_of_another_length_are_refused():
    with pytest.raises(ValueError, match="rank 2"):
        MaskedAutoregressive()(np.zeros((2, 3, 3, 1), "float32"))
    with pytest.raises(ValueError, match="permutation of 0 ... 2"):
        MaskedAutoregressive(order=[1, 0])(np.zeros((2, 3), "float32"))
