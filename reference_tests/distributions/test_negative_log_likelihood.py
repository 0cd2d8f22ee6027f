"""The loss: its values, its refusals, and what labels outside the support cost."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_course.core.backend import compiled, execution_mode
from keras_course.distributions import DistributionOutput, MeanLogLikelihood, NegativeLogLikelihood, Normal, get_family

RNG = np.random.default_rng(0)


def test_for_a_unit_normal_it_is_half_the_squared_error_and_a_constant():
    family = Normal(1, minimum_scale=0.0)
    mean, y = RNG.normal(size=(6, 1)).astype("float32"), RNG.normal(size=(6, 1)).astype("float32")
    loss = NegativeLogLikelihood(family, reduction=None)(y, family.parameters_from(mean, np.ones_like(mean)))
    np.testing.assert_allclose(loss, (0.5 * (y - mean) ** 2 + 0.5 * np.log(2 * np.pi))[:, 0], rtol=1e-5)


def test_for_bernoulli_and_categorical_it_is_keras_crossentropy_from_logits():
    logits = RNG.normal(size=(6, 1)).astype("float32")
    y = RNG.integers(0, 2, size=(6, 1))
    assert float(NegativeLogLikelihood("bernoulli")(y, logits)) == pytest.approx(
        float(keras.losses.BinaryCrossentropy(from_logits=True)(y.astype("float32"), logits)), rel=1e-5
    )
    logits, y = RNG.normal(size=(6, 4)).astype("float32"), RNG.integers(0, 4, size=6)
    assert float(NegativeLogLikelihood("categorical", 4)(y, logits)) == pytest.approx(
        float(keras.losses.SparseCategoricalCrossentropy(from_logits=True)(y, logits)), rel=1e-5
    )


def test_for_poisson_it_is_keras_poisson_and_the_log_factorial():
    log_rate, y = RNG.normal(size=(6, 1)).astype("float32"), RNG.integers(0, 9, size=(6, 1)).astype("float32")
    from scipy.special import gammaln

    keras_loss = float(keras.losses.Poisson()(y, np.exp(log_rate)))
    assert float(NegativeLogLikelihood("poisson")(y, log_rate)) == pytest.approx(
        keras_loss + gammaln(y + 1).mean(), rel=1e-4
    )


def test_sample_weights_and_reductions_follow_keras():
    parameters, y = RNG.normal(size=(4, 2)).astype("float32"), RNG.normal(size=(4, 1)).astype("float32")
    each = ops.convert_to_numpy(NegativeLogLikelihood("normal", reduction=None)(y, parameters))
    weight = np.array([1.0, 0.0, 2.0, 0.5], "float32")
    assert each.shape == (4,)
    assert float(NegativeLogLikelihood("normal")(y, parameters)) == pytest.approx(each.mean(), rel=1e-5)
    assert float(NegativeLogLikelihood("normal", reduction="sum")(y, parameters)) == pytest.approx(each.sum(), rel=1e-5)
    weighted = float(NegativeLogLikelihood("normal")(y, parameters, sample_weight=weight))
    assert weighted == pytest.approx((each * weight).sum() / 4, rel=1e-5)
    metric = MeanLogLikelihood("normal")
    metric.update_state(y, parameters, sample_weight=weight)
    assert float(metric.result()) == pytest.approx(-(each * weight).sum() / weight.sum(), rel=1e-5)


@pytest.mark.parametrize(
    "family,size,labels",
    [
        ("categorical", 3, [[3], [-1], [0.5]]),
        ("poisson", 1, [[-1], [-3], [0.5]]),
        ("bernoulli", 1, [[2], [-1], [0.5]]),
    ],
)
@pytest.mark.parametrize("mode", ["eager", "graph", "xla"])
def test_labels_outside_the_support_cost_infinity_in_every_mode(family, size, labels, mode):
    loss = NegativeLogLikelihood(family, size, reduction=None)
    parameters = np.zeros((3, size), "float32")
    with execution_mode(mode):
        assert np.all(np.isposinf(compiled(loss)(np.array(labels, "float32"), parameters)))


def test_an_infinite_poisson_rate_costs_infinity():
    assert np.isposinf(NegativeLogLikelihood("poisson")([[3.0]], [[1e4]]))


@pytest.mark.parametrize(
    "family,size,y,parameters",
    [
        ("normal", 2, (4, 3), (4, 4)),
        ("normal", 2, (4,), (4, 4)),
        ("normal", 1, (3, 1), (4, 2)),
        ("normal", 1, (4, 1, 1), (4, 2)),
        ("categorical", 3, (4, 3), (4, 3)),
        ("normal", 1, (4, 1), (4, 3)),
    ],
)
def test_labels_and_parameters_that_do_not_fit_are_refused(family, size, y, parameters):
    with pytest.raises(ValueError, match=r"Received: .*shape=\("):
        NegativeLogLikelihood(family, size)(np.zeros(y, "float32"), np.zeros(parameters, "float32"))


def test_one_coordinate_may_come_with_or_without_its_axis():
    parameters = RNG.normal(size=(4, 2)).astype("float32")
    y = RNG.normal(size=4).astype("float32")
    loss = NegativeLogLikelihood("normal")
    assert float(loss(y, parameters)) == float(loss(y[:, None], parameters))
    classes = np.array([0, 2, 1, 1])
    loss = NegativeLogLikelihood("categorical", 3)
    logits = RNG.normal(size=(4, 3)).astype("float32")
    assert float(loss(classes, logits)) == float(loss(classes[:, None], logits))


def test_it_takes_the_dtype_of_a_float64_head_and_never_less_than_float32():
    head = DistributionOutput("normal", dtype="float64")
    y = np.array([[1 + 1e-12]])
    value = NegativeLogLikelihood(head)(y, head.family.parameters_from(np.ones((1, 1)), np.full((1, 1), 1e-3)))
    assert value.dtype == "float64"
    assert NegativeLogLikelihood("normal", dtype="bfloat16").dtype == "float32"


@pytest.mark.parametrize("family", ["normal", "poisson", "mixture", "categorical"])
def test_loss_and_metric_come_back_from_their_configs(family):
    for made in (NegativeLogLikelihood(family, 2, reduction="sum"), MeanLogLikelihood(family, 2)):
        again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(made))
        assert again.family == get_family(family, 2) and again.get_config() == made.get_config()
