"""The head as a Keras citizen: configs, dtypes, training, saving, and that nothing in it freezes."""

import dataclasses

import keras
import numpy as np
import pytest
from keras import ops

from keras_course.core.backend import compiled, execution_mode
from keras_course.core.serial import load, save_model
from keras_course.distributions import (
    DistributionOutput,
    Family,
    FullCovarianceGaussian,
    Mixture,
    NegativeLogLikelihood,
    Normal,
    register_family,
)
from keras_course.distributions.families.family import tfp_distributions

HEADS = {
    "normal": {"family": "normal", "event_size": 1},
    "full": {"family": "full_covariance_gaussian", "event_size": 2},
    "bernoulli": {"family": "bernoulli", "event_size": 3},
    "categorical": {"family": "categorical", "event_size": 4},
    "poisson": {"family": "poisson", "event_size": 1},
    "mixture": {"family": "mixture", "event_size": 2, "components": 3, "component_family": "diagonal_gaussian"},
}
EVERY = pytest.mark.parametrize("arguments", HEADS.values(), ids=HEADS)


@register_family("laplace_of_this_test", package="test_distribution_output_layer")
@dataclasses.dataclass(frozen=True)
class Laplace(Family):
    """A family as a user would add it."""

    event_size: int = 1
    continuous = True

    @property
    def parameter_size(self):
        return 2 * self.event_size

    def distribution(self, parameters):
        tfd = tfp_distributions()
        location, raw = ops.split(self.checked(parameters), 2, axis=-1)
        return tfd.Independent(tfd.Laplace(location, 0.01 + ops.softplus(raw)), 1)


def functional_model(arguments):
    inputs = keras.Input((5,))
    hidden = keras.layers.Dense(8, activation="tanh")(inputs)
    head = DistributionOutput(**arguments)
    return keras.Model(inputs, head(hidden)), head


def data_for(head, rows=64):
    x = np.random.default_rng(0).normal(size=(rows, 5)).astype("float32")
    raw = np.random.default_rng(1).normal(size=(1, head.family.parameter_size)).astype("float32")
    return x, ops.convert_to_numpy(head.sample(np.repeat(raw, rows, 0), seed=0))


@pytest.mark.parametrize("name", ["full", "categorical", "mixture"])
def test_a_functional_model_trains_moves_every_weight_and_survives_a_save(name, tmp_path):
    model, head = functional_model(HEADS[name])
    x, y = data_for(head)
    model.compile(keras.optimizers.Adam(0.02), NegativeLogLikelihood(head))
    before = [w.copy() for w in model.get_weights()]
    history = model.fit(x, y, epochs=6, batch_size=32, verbose=0).history["loss"]
    assert history[-1] < history[0]
    for weight, old, new in zip(model.weights, before, model.get_weights(), strict=True):
        assert np.any(old != new), weight.path

    save_model(model, tmp_path / "model.keras")
    again = load(tmp_path / "model.keras")
    np.testing.assert_array_equal(again.predict(x, verbose=0), model.predict(x, verbose=0))
    assert again.loss.family == head.family
    assert again.evaluate(x, y, verbose=0) == pytest.approx(model.evaluate(x, y, verbose=0), rel=1e-6)


@EVERY
def test_config_round_trip_gives_an_equal_layer(arguments):
    head = DistributionOutput(
        **arguments, kernel_initializer="he_normal", kernel_regularizer=keras.regularizers.L2(0.1), name="head"
    )
    again = DistributionOutput.from_config(head.get_config())
    assert again.get_config() == head.get_config()
    assert again.family == head.family


@pytest.mark.parametrize(
    "policy,wanted",
    [
        ("float32", "float32"),
        ("mixed_bfloat16", "float32"),
        ("mixed_float16", "float32"),
        ("bfloat16", "float32"),
        ("float64", "float64"),
    ],
)
def test_parameters_are_never_narrower_than_float32(policy, wanted):
    head = DistributionOutput("mixture", components=2, dtype=policy)
    parameters = head(ops.ones((3, 4), dtype="bfloat16"))
    symbolic = DistributionOutput("mixture", components=2, dtype=policy)(keras.Input((4,)))
    assert keras.backend.standardize_dtype(parameters.dtype) == wanted == symbolic.dtype
    for answer in (head.mean(parameters), head.log_prob(parameters, np.zeros((3, 1))), head.quantile(parameters, 0.5)):
        assert keras.backend.standardize_dtype(answer.dtype) == wanted


def test_a_mixed_precision_model_trains():
    keras.config.set_dtype_policy("mixed_bfloat16")
    model, head = functional_model(HEADS["mixture"])
    x, y = data_for(head)
    model.compile("adam", NegativeLogLikelihood(head))
    history = model.fit(x, y, epochs=4, batch_size=32, verbose=0).history["loss"]
    assert np.all(np.isfinite(history)) and history[-1] < history[0]


def test_the_distribution_is_rebuilt_from_the_present_weights_on_every_call():
    model, head = functional_model(HEADS["normal"])
    x = np.ones((2, 5), "float32")
    first = head.distribution(model(x)).mean().numpy()
    head.projection.bias.assign_add([3.0, 0.0])
    np.testing.assert_allclose(head.distribution(model(x)).mean(), first + 3, rtol=1e-5)


def test_batch_and_event_shapes_are_those_documented():
    for arguments, event in zip(HEADS.values(), [(1,), (2,), (3,), (), (1,), (2,)], strict=True):
        head = DistributionOutput(**arguments)
        for batch in ((7,), (7, 4)):
            distribution = head.distribution(head(ops.ones((*batch, 5))))
            assert tuple(distribution.batch_shape) == batch and tuple(distribution.event_shape) == event


def test_symbolic_and_eager_shapes_agree_with_unknown_batch_and_time():
    head = DistributionOutput("mixture", components=3)
    assert head(keras.Input((None, 6))).shape == (None, None, 9)
    assert tuple(head(ops.ones((2, 3, 6))).shape) == (2, 3, 9)


def test_without_projection_the_layer_has_no_weights_and_passes_its_input_on():
    size = DistributionOutput.parameter_size("normal", 2)
    head = DistributionOutput("normal", 2, project=False)
    x = np.random.default_rng(0).normal(size=(3, size)).astype("float32")
    np.testing.assert_array_equal(head(x), x)
    assert head.weights == []
    with pytest.raises(ValueError, match=r"expects 4 features .* Received: shape=\(3, 5\)"):
        DistributionOutput("normal", 2, project=False)(np.ones((3, 5), "float32"))


def test_parameter_size_counts_as_tfp_layers_does():
    assert DistributionOutput.parameter_size("normal", 3) == 6
    assert DistributionOutput.parameter_size("full_covariance_gaussian", 3) == 9
    assert DistributionOutput.parameter_size("categorical", 10) == 10
    full = {"components": 4, "component_family": "full_covariance_gaussian"}
    assert DistributionOutput.parameter_size("mixture", 2, **full) == 24


def test_a_head_started_at_labels_predicts_their_distribution_where_features_are_zero():
    labels = np.random.default_rng(0).gamma(2.0, 3.0, size=(2000, 1))
    head = DistributionOutput("mixture", components=4)
    head.build((None, 3))
    head.start_at(labels)
    parameters = head(np.zeros((1, 3), "float32"))
    assert float(head.mean(parameters)[0, 0]) == pytest.approx(labels.mean(), rel=0.01)
    assert float(head.quantile(parameters, 0.5)[0, 0]) == pytest.approx(np.median(labels), rel=0.1)
    with pytest.raises(ValueError, match="built=False"):
        DistributionOutput("normal").start_at(labels)


def test_graph_and_xla_give_the_eager_parameters():
    head = DistributionOutput("mixture", components=2)
    x = np.random.default_rng(0).normal(size=(4, 3)).astype("float32")
    wanted = head(x)
    for mode in ("graph", "xla"):
        with execution_mode(mode):
            np.testing.assert_allclose(compiled(head)(x), wanted, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    "arguments,message",
    [
        ({"family": "cauchy"}, "Received: family='cauchy'"),
        ({"family": "normal", "event_size": 0}, "Received: event_size=0"),
        ({"family": "normal", "components": 3}, "Received: {'components': 3"),
        ({"family": "bernoulli", "minimum_scale": 0.1}, "Received: {'minimum_scale': 0.1"),
        ({"family": "normal", "minimum_scale": -1.0}, "Received: minimum_scale=-1.0"),
        ({"family": "mixture", "components": 0}, "Received: components=0"),
        ({"family": "mixture", "component_family": "poisson"}, "needs a continuous component"),
        ({"family": Normal(2), "event_size": 3}, "Received: {'event_size': 3}"),
        ({"family": 7}, "Received: family=7"),
    ],
)
def test_bad_arguments_are_refused_with_the_value_that_came(arguments, message):
    with pytest.raises(ValueError, match=message.replace("{", r"\{").replace("}", r"\}")):
        DistributionOutput(**arguments)


def test_an_input_without_a_feature_axis_is_refused():
    with pytest.raises(ValueError, match=r"Received: input_shape=\(4,\)"):
        DistributionOutput("normal")(np.ones((4,), "float32"))


@pytest.mark.parametrize("statistic", ["mean", "stddev"])
def test_classes_have_no_mean_and_the_message_says_so(statistic):
    head = DistributionOutput("categorical", 3)
    with pytest.raises(ValueError, match=f"Categorical family defines no {statistic}"):
        getattr(head, statistic)(np.zeros((2, 3), "float32"))
    with pytest.raises(ValueError, match="defines no quantile"):
        head.quantile(np.zeros((2, 3), "float32"), 0.5)


def test_parameters_of_the_wrong_width_are_refused():
    with pytest.raises(ValueError, match=r"shape \(\.\.\., 2\)\. Received: parameters\.shape=\(3, 3\)"):
        DistributionOutput("normal").mean(np.zeros((3, 3), "float32"))


def test_a_family_of_ones_own_works_in_a_head_a_loss_and_a_mixture(tmp_path):
    model, head = functional_model({"family": "laplace_of_this_test", "event_size": 2})
    x, y = data_for(head)
    model.compile("adam", NegativeLogLikelihood(head))
    assert np.isfinite(model.fit(x, y, verbose=0).history["loss"][0])
    save_model(model, tmp_path / "model.keras")
    assert load(tmp_path / "model.keras", allow=(Laplace,)).loss.family == Laplace(2)
    pair = Mixture(2, Laplace(1))
    assert pair.log_prob(np.zeros((3, pair.parameter_size)), np.zeros((3, 1))).shape == (3,)
    with pytest.raises(ValueError, match="defines no mode"):
        pair.mode(np.zeros((3, pair.parameter_size)))


def test_a_taken_family_name_is_refused():
    with pytest.raises(ValueError, match="'normal' is taken"):

        @register_family("normal", package="another")
        class Other(Family):
            pass


def test_a_family_instance_serves_as_well_as_its_name():
    by_name = DistributionOutput("mixture", 2, components=3, component_family="full_covariance_gaussian")
    assert by_name.family == DistributionOutput(Mixture(3, FullCovarianceGaussian(2))).family
