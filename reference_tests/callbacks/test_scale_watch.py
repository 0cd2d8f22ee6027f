"""A sigma that runs to 0 is named in densities without codes: masked autoencoders, generators, flows."""

import re
import warnings

import keras
import numpy as np
import pytest

from keras_course.callbacks import (
    ConditionalScaleCollapse,
    FlowScaleCollapse,
    FlowWatch,
    ScaleWatch,
)
from keras_course.core.errors import NonFiniteLossError
from keras_course.distributions.families import FullCovarianceGaussian, Mixture, Normal
from keras_course.models.generative import MADE, MAF, AffineGenerator, BernoulliGenerator, RealNVP

X = np.random.Generator(np.random.Philox(5)).normal(size=(400, 3)).astype("float32")
SHARP = Normal(1, minimum_scale=1e-7)
COPIED = X[:, [0, 1, 0]]  # the last follows from the first: nothing is left to its sigma


@pytest.mark.parametrize(
    ("make", "watch", "kind", "place"),
    [
        (lambda: MADE(3, SHARP, units=(), direct=True), ScaleWatch, ConditionalScaleCollapse, "2"),
        (lambda: AffineGenerator(3), ScaleWatch, ConditionalScaleCollapse, "[02]"),
        (lambda: MAF(3, layers=1, units=(), log_scale_bound=None), FlowWatch, FlowScaleCollapse, "[02]"),
    ],
    ids=["made", "affine", "maf"],
)
def test_a_variable_that_follows_from_another_drives_sigma_into_the_report_once(make, watch, kind, place):
    """The unbounded likelihood itself, seen where a tenth of the spread is left; other data are let alone."""
    model = make()
    model.compile(keras.optimizers.Adam(0.1))
    for x, epochs, reports in ((X, 2, 0), (COPIED, 20, 1)):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            model.fit(x, batch_size=50, epochs=epochs, verbose=0, callbacks=[watch(x, least=0.1)])
        told = [str(each.message) for each in caught if issubclass(each.category, kind)]
        assert len(told) == reports
        for message in told:
            assert re.search(f"sigma has collapsed: .* at value {place} |sigma of value {place} of x given", message)


def test_a_plain_fit_brings_the_watch():
    made = MADE(3, SHARP, units=(4,))
    made.compile(keras.optimizers.SGD(0.0))
    made.network.to_outputs.bias.assign(np.repeat([0.0, -30.0], 3))  # softplus(-30) = 1e-13
    with pytest.warns(ConditionalScaleCollapse, match="epoch 1: a conditional sigma has collapsed: 1.0e-07"):
        made.fit(X, verbose=0)
    flow = MAF(3, layers=1, units=(4,), actnorm=False, log_scale_bound=None)
    flow.compile(keras.optimizers.SGD(0.0))
    flow.flow.flows[0].network.to_outputs.bias.assign(np.repeat([-9.0, 0.0], 3))
    with pytest.warns(FlowScaleCollapse, match="epoch 2: sigma of value . of x .* collapsed: 1.2e-04"):
        flow.fit(X, epochs=2, verbose=0)


def test_the_narrowest_sigma_is_that_of_a_component_in_use_and_of_a_value_given_the_others():
    mixture = Mixture(3, Normal(1, minimum_scale=0.0))
    scales, logits = np.array([[2.0], [0.5], [0.01]], "float32"), np.array([0.0, 0.0, -20.0], "float32")
    parameters = mixture.parameters_from(logits, mixture.component.parameters_from(0 * scales, scales))
    np.testing.assert_allclose(mixture.narrowest_scale(parameters), [0.5], rtol=1e-5)
    factor = np.array([[1.0, 0.0], [0.9, 0.1]], "float32")
    conditional = 1 / np.sqrt(np.diag(np.linalg.inv(factor.astype("float64") @ factor.T.astype("float64"))))
    found = FullCovarianceGaussian(2).narrowest_scale(FullCovarianceGaussian(2).parameters_from([0.0, 0.0], factor))
    np.testing.assert_allclose(found, conditional, rtol=1e-3)
    affine = AffineGenerator(2)
    affine.match(X[:, :2] @ factor.T)
    precision = np.linalg.inv(np.cov((X[:, :2] @ factor.T).astype("float64"), rowvar=False, bias=True))
    np.testing.assert_allclose(affine.conditional_scale(), 1 / np.sqrt(np.diag(precision)), rtol=1e-3)


def test_every_mask_set_is_looked_at_and_discrete_variables_are_not():
    made = MADE(3, "normal", units=(4,), order="random", masks=3)
    each = np.stack([made.family.stddev(made.conditionals(X[:5], k))[..., 0] for k in range(3)])
    np.testing.assert_allclose(made.conditional_scale(X[:5]), each, rtol=1e-6)
    assert MADE(3).conditional_scale(X[:5]) is None


def test_a_flows_sigma_is_its_slope_number_by_number():
    model = RealNVP(3, couplings=2, units=(4,), start_scale=0.0)
    model.flow.flows[0].log_scale.assign([0.0, 1.0, 2.0])
    watch = FlowWatch(X)
    watch.set_model(model)
    scale, spread = watch._scales()
    np.testing.assert_allclose(scale, np.tile(np.exp([0.0, -1.0, -2.0]), (85, 1)), rtol=1e-3)
    np.testing.assert_allclose(spread, X.std(axis=0), rtol=1e-5)
    images = RealNVP((16, 16, 2), couplings=2, units=(2,), scales=1)  # more numbers than are moved
    wide = FlowWatch(np.zeros((2, 16, 16, 2), "float32") + np.arange(2)[:, None, None, None])
    wide.set_model(images)
    assert np.isfinite(wide._scales()[0]).sum() == 256


def test_a_loss_that_is_not_finite_is_an_error_in_models_without_a_watch_of_their_own():
    model = BernoulliGenerator(3, 2)
    model.compile(keras.optimizers.SGD(0.1))
    model.network[0].bias.assign([0.0, np.nan, 0.0])
    with pytest.raises(NonFiniteLossError, match=f"' of the model '{model.name}'; .* end of epoch 1"):
        model.fit((X > 0).astype("float32"), epochs=2, verbose=0)


def test_bad_arguments_are_refused_with_what_came():
    for watch in (ScaleWatch, FlowWatch):
        with pytest.raises(ValueError, match=f"{watch.__name__} needs least > 0. Received: least=0"):
            watch(X, least=0)
