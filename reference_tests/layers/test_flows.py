"""Every flow layer against its own Jacobian, its inverse, its tfp view and its file."""

import keras
import numpy as np
import pytest
import tensorflow as tf
import tensorflow_probability as tfp
from keras import ops

from keras_course.core.backend import jacobian
from keras_course.distributions import flow_bijector
from keras_course.layers.flows import (
    ActNorm,
    AdditiveCoupling,
    AffineCoupling,
    CouplingNetwork,
    FactorOut,
    FlowChain,
    FlowLayer,
    LogitTransform,
    Permutation,
    Squeeze,
    flow_readings,
)

NETWORK = {"units": (5,), "activation": "tanh", "start_scale": 1.0}
LAYERS = {
    "additive, halves": lambda: (AdditiveCoupling("halves", **NETWORK), (5,)),
    "additive, alternating, flipped": lambda: (AdditiveCoupling("alternating", True, **NETWORK), (5,)),
    "affine, halves, flipped": lambda: (AffineCoupling("halves", True, **NETWORK), (5,)),
    "affine, alternating": lambda: (AffineCoupling("alternating", **NETWORK), (4,)),
    "affine, alternating, flipped, odd": lambda: (AffineCoupling("alternating", True, **NETWORK), (5,)),
    "affine, explicit mask": lambda: (AffineCoupling([1, 0, 0, 1], log_scale_bound=None, **NETWORK), (4,)),
    "affine, checkerboard": lambda: (AffineCoupling("checkerboard", **NETWORK), (2, 3, 1)),
    "affine, channels": lambda: (AffineCoupling("halves", True, **NETWORK), (2, 1, 3)),
    "actnorm": lambda: (ActNorm(), (4,)),
    "actnorm of images, no shift": lambda: (ActNorm(center=False), (2, 1, 3)),
    "squeeze": lambda: (Squeeze(), (2, 4, 1)),
    "permutation": lambda: (Permutation("random", seed=3), (5,)),
    "logit": lambda: (LogitTransform(), (4,)),
    "chain": lambda: (FlowChain([ActNorm(), AffineCoupling(**NETWORK), Permutation()]), (4,)),
    "factored out": lambda: (
        FlowChain([Squeeze(), FactorOut([AffineCoupling(**NETWORK), FactorOut([ActNorm()])])]),
        (2, 2, 1),
    ),
}


@pytest.fixture(params=LAYERS, scope="module")
def case(request):
    """A layer in float64 with weights off their start, and data."""
    previous = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float64")
    try:
        layer, shape = LAYERS[request.param]()
        x = np.random.Generator(np.random.Philox(1)).uniform(0.05, 0.95, (3, *shape))
        layer(x)
    finally:
        keras.config.set_dtype_policy(previous)
    draws = np.random.Generator(np.random.Philox(2))
    for variable in layer.trainable_variables:
        variable.assign(variable + 0.3 * draws.normal(size=variable.shape))
    return layer, x


def test_log_det_is_that_of_the_jacobian(case):
    layer, x = case
    z, log_det = layer.forward(x)
    for row in range(len(x)):
        full = jacobian(lambda one: ops.reshape(layer.forward(one[None])[0], (-1,)), ops.convert_to_tensor(x[row]))
        wanted = np.linalg.slogdet(np.reshape(full, (x[row].size, x[row].size)))[1]
        assert abs(wanted - float(log_det[row])) < 1e-9
    assert tuple(z.shape[1:]) == layer.code_shape


def test_the_inverse_undoes_the_layer_to_ten_digits(case):
    layer, x = case
    z, _ = layer.forward(x)
    np.testing.assert_allclose(layer.inverse(z), x, rtol=0, atol=1e-10)
    np.testing.assert_allclose(layer.forward(layer.inverse(z))[0], z, rtol=0, atol=1e-10)


def test_the_inverse_undoes_the_layer_in_single_precision(case, request):
    layer, x = case
    single = LAYERS[request.node.callspec.params["case"]]()[0]
    x = ops.convert_to_tensor(x.astype("float32"))
    single(x)
    single.set_weights(layer.get_weights())
    assert single.forward(x)[0].dtype == tf.float32
    np.testing.assert_allclose(single.inverse(single.forward(x)[0]), x, rtol=0, atol=1e-5)


def test_the_tfp_view_is_the_layer_the_other_way_round(case):
    layer, x = case
    z, log_det = layer.forward(x)
    view = layer.as_bijector()
    stacked = np.stack([x, x[::-1]])  # two leading axes
    np.testing.assert_allclose(view.inverse(stacked)[0], z, atol=1e-12)
    np.testing.assert_allclose(view.forward(view.inverse(stacked)), stacked, atol=1e-10)
    np.testing.assert_allclose(view.inverse_log_det_jacobian(stacked, len(layer.event_shape))[0], log_det, atol=1e-12)
    np.testing.assert_allclose(view.forward_log_det_jacobian(z, len(layer.code_shape)), -log_det, atol=1e-9)
    assert tuple(view.forward_event_shape(layer.code_shape)) == layer.event_shape
    assert tuple(view.inverse_event_shape(layer.event_shape)) == layer.code_shape
    assert len(view.trainable_variables) == len(layer.trainable_variables)


def test_a_coupling_network_of_ones_own_is_used_and_must_keep_an_images_size():
    doubled = keras.layers.Rescaling(2.0)
    layer = CouplingNetwork(3, network=doubled, start_scale=1.0)
    x = ops.ones((2, 4))
    np.testing.assert_allclose(layer(x), 2.0 * ops.matmul(x, layer.last.kernel), rtol=1e-6)
    with pytest.raises(ValueError, match="keeps all axes but the last"):
        CouplingNetwork(3, network=keras.layers.AveragePooling2D(2))(ops.ones((1, 4, 4, 1)))
    with pytest.raises(ValueError, match="built for a condition of None numbers. Received: 2 numbers"):
        layer(x, ops.ones((2, 2)))


def test_readings_name_each_layer_and_see_saturation():
    chain = FlowChain([AffineCoupling(name="first", start_scale=0.0), AffineCoupling(name="second")], name="flow")
    x = ops.ones((2, 4))
    chain(x)
    chain.flows[0].network.last.bias.assign([100.0, 0.0, 0.0, 0.0])
    first, second = flow_readings(chain, x)
    assert (first.name, second.name) == ("flow/first", "flow/second")
    assert first.finite and first.saturated == 0.5 and second.saturated == 0.0
    assert first.least == first.greatest == pytest.approx(2.0)


def test_a_view_needs_a_built_layer_and_is_what_as_bijector_gives():
    with pytest.raises(ValueError, match="must be built first"):
        flow_bijector(ActNorm())
    layer = AffineCoupling(start_scale=1.0)
    x = np.array([[1.0, 2.0], [3.0, 4.0]], "float32")
    layer(x, ops.ones((2, 3)))
    ones = ops.ones(3)  # one condition for all rows
    np.testing.assert_allclose(flow_bijector(layer, ones).inverse(x), layer.forward(x, ops.ones((2, 3)))[0])
    np.testing.assert_allclose(layer.as_bijector().inverse(x, condition=ones), flow_bijector(layer, ones).inverse(x))
    with pytest.raises(TypeError, match="no forward"):
        FlowLayer().forward(x)
    assert tuple(
        tfp.distributions.TransformedDistribution(
            tfp.distributions.MultivariateNormalDiag(tf.zeros(2)), flow_bijector(layer, ones)
        )
        .sample(3, seed=1)
        .shape
    ) == (3, 2)
