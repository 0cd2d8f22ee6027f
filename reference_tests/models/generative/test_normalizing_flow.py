"""Flows as models: densities that integrate to 1, agree with tfp, survive files, and complain by name."""

import keras
import numpy as np
import pytest
import tensorflow as tf
import tensorflow_probability as tfp
from keras import ops

from keras_course.callbacks.flow_watch import FlowWatch, ScaleSaturates
from keras_course.core.errors import InvalidDataError, NonFiniteLossError
from keras_course.layers.flows import ActNorm, AffineCoupling, Permutation
from keras_course.models.generative.conditions import Condition
from keras_course.models.generative.coupling_flows import NICE, RealNVP
from keras_course.models.generative.masked_flows import MAF
from keras_course.models.generative.normalizing_flow import NormalizingFlow


def wild(model, size=0.2):
    """The same model, its weights far from the identity."""
    draws = np.random.Generator(np.random.Philox(5))
    for variable in model.trainable_variables:
        variable.assign(variable + size * draws.normal(size=variable.shape))
    return model


def plane(reach, points):
    line = np.linspace(-reach, reach, points)
    return np.stack(np.meshgrid(line, line), -1).reshape(-1, 2).astype("float32"), (line[1] - line[0]) ** 2


@pytest.fixture(scope="module")
def real_nvp():
    return wild(RealNVP(2, couplings=3, units=(6,), mask="halves", activation="tanh", start_scale=1.0))


def test_the_density_sums_to_one_over_the_plane(real_nvp):
    grid, area = plane(24.0, 801)
    for model in (real_nvp, wild(NICE(2, couplings=3, units=(6,), start_scale=1.0, base="normal"))):
        assert abs(float(np.exp(model.log_prob(grid)).sum() * area) - 1.0) < 2e-3


def test_a_wrong_sign_of_the_log_det_does_not_sum_to_one(real_nvp):
    grid, area = plane(14.0, 301)
    z, log_det = real_nvp.flow.forward(grid)
    base = np.exp(-0.5 * np.sum(np.square(z), axis=-1)) / (2 * np.pi)
    assert abs(float(np.sum(base * np.exp(-log_det)) * area) - 1.0) > 0.05


def test_real_nvp_is_tfps_real_nvp_with_the_same_networks():
    model = wild(RealNVP(4, couplings=2, units=(5,), mask="halves", actnorm=False, start_scale=1.0))
    x = np.random.Generator(np.random.Philox(1)).normal(size=(6, 4)).astype("float32")
    tfb = tfp.bijectors

    def shift_and_log_scale(coupling):
        def told(kept, units, **_):
            s, t = coupling.log_scale_and_shift(kept)
            return t, s

        return told

    chain = tfb.Chain(
        [  # the last is the first to read z, and reads x last when inverted
            tfb.Invert(tfb.RealNVP(num_masked=places, shift_and_log_scale_fn=shift_and_log_scale(coupling)))
            for places, coupling in zip((2, -2), model.flow.flows, strict=True)
        ]
    )
    theirs = tfp.distributions.TransformedDistribution(tfp.distributions.MultivariateNormalDiag(tf.zeros(4)), chain)
    np.testing.assert_allclose(model.log_prob(x), theirs.log_prob(x), rtol=1e-5)
    np.testing.assert_allclose(model.distribution().log_prob(x), theirs.log_prob(x), rtol=1e-5)
    np.testing.assert_allclose(model.encode(x), chain.inverse(x), rtol=1e-5, atol=1e-5)


def test_samples_have_the_mean_that_the_density_has(real_nvp):
    grid, area = plane(14.0, 301)
    density = np.exp(np.asarray(real_nvp.log_prob(grid)))
    mean = (density[:, None] * grid).sum(0) * area
    drawn = np.asarray(real_nvp.sample(seed=3, n=4000))
    assert np.all(np.abs(drawn.mean(0) - mean) < 4.5 * drawn.std(0) / np.sqrt(len(drawn)))
    np.testing.assert_array_equal(drawn, real_nvp.sample(seed=3, n=4000))


def test_chances_of_all_tiny_images_sum_to_one():
    """E_u of the density, over the noise, is a probability: here over 3 x 3 levels, with much noise."""
    model = wild(NICE(2, couplings=2, units=(4,), levels=3, evaluation_samples=2, start_scale=1.0), 0.3)
    side = 400  # y on a fine grid of (0, 1) x (0, 1)
    y = (np.arange(side) + 0.5) / side
    grid = np.stack(np.meshgrid(y, y), -1).reshape(-1, 2).astype("float32")
    z, log_det = model.flow.forward(grid)
    density = np.exp(np.asarray(log_det) - np.sum(np.logaddexp(0, z) + np.logaddexp(0, -np.asarray(z)), -1))
    inside = density.reshape(side, side).mean()  # the logit's image of (0, 1) leaves out what alpha cuts off
    assert 0.5 < inside <= 1.0 + 1e-3
    images = np.stack(np.meshgrid([0, 0.5, 1], [0, 0.5, 1]), -1).reshape(-1, 2).astype("float32")
    bound = np.exp(np.asarray(model.log_prob(images))).sum()
    assert bound <= inside + 1e-3  # Jensen: E log p below log E p, at every image


def test_pixels_come_back_from_their_codes_and_samples_are_intensities():
    model = wild(RealNVP((4, 4, 1), couplings=2, units=(3,), levels=17), 0.05)
    x = np.random.Generator(np.random.Philox(2)).integers(0, 17, (3, 4, 4, 1)).astype("float32") / 16
    np.testing.assert_allclose(model.decode(model.encode(x)), x, atol=1e-6)
    drawn = np.asarray(model.sample(seed=1, n=4)) * 16
    assert drawn.shape == (4, 4, 4, 1) and np.allclose(drawn, np.round(drawn), atol=1e-4)
    assert drawn.min() >= 0 and drawn.max() <= 16
    np.testing.assert_allclose(model.bits_per_dimension(x), -model.log_prob(x) / (16 * np.log(2)), rtol=1e-5)


def test_half_of_the_channels_leave_at_each_scale_but_the_last():
    model = RealNVP((4, 4, 1), couplings=2, units=(2,), actnorm=False, scales=2)
    names = [reading.name for reading in model.readings(np.zeros((1, 4, 4, 1), "float32"))]
    assert [name.split("/")[-1] for name in names] == [
        "coupling1_board_0", "coupling1_board_1", "squeeze1", "coupling1_channels_0", "coupling1_channels_1",
        "coupling2_board_0", "coupling2_board_1",
    ]  # fmt: skip
    assert model.flow.code_shape == (16,)


@pytest.mark.parametrize("given", [{"classes": 3}, {"condition_size": 2}])
def test_a_condition_moves_the_density_and_is_fitted_as_y(given):
    draws = np.random.Generator(np.random.Philox(4))
    classes = np.arange(96) % 3
    centres = np.array([[-4.0, 0.0], [0.0, 4.0], [4.0, 0.0]])[classes]
    x = (centres + 0.3 * draws.normal(size=(96, 2))).astype("float32")
    y = classes if "classes" in given else (centres / 4).astype("float32")
    model = RealNVP(2, couplings=2, units=(16,), mask="halves", start_scale=1.0, **given)
    model.compile(keras.optimizers.Adam(0.03))
    model.fit(x, y, batch_size=32, epochs=8, verbose=0)
    own, wrong = model.log_prob(x, y), model.log_prob(x, np.roll(y, 1, axis=0))
    assert np.mean(own) > np.mean(wrong) + 1.0
    assert model.evaluate(x, y, verbose=0, return_dict=True)["loss"] == pytest.approx(-np.mean(own), rel=1e-4)
    np.testing.assert_allclose(model.predict((x, y), verbose=0), own, rtol=1e-4)
    assert tuple(model.sample(seed=1, y=y).shape) == (96, 2)
    view = model.as_bijector(y)
    np.testing.assert_allclose(view.forward(view.inverse(x)), x, atol=1e-4)
    with pytest.raises(ValueError, match="needs a condition"):
        model.log_prob(x)


@pytest.mark.parametrize("kind", [RealNVP, NICE, MAF])
def test_halves_of_a_large_batch_go_apart_under_xla_with_the_same_log_p(kind, monkeypatch):
    model = wild(kind(4, units=(5,), condition_size=2))
    draws = np.random.Generator(np.random.Philox(2))
    x, y = (draws.normal(size=(256, size)).astype("float32") for size in (4, 2))
    seen, whole = [], model.flow.forward
    monkeypatch.setattr(model.flow, "forward", lambda x, *rest: seen.append(x.shape[0]) or whole(x, *rest))
    model.compile("sgd", jit_compile=True)
    np.testing.assert_allclose(model((x, y), training=True), model.log_prob(x, y), rtol=1e-5, atol=1e-4)
    model((x[:255], y[:255]), training=True)
    model.compile("sgd", jit_compile=False)
    model((x, y), training=True)
    assert seen == [128, 128, 256, 255, 256]
    assert not NormalizingFlow.rows_apart  # a network of the user's may look at other rows


def test_a_view_trains_inside_a_keras_model_and_asks_for_the_weights_of_the_day():
    class Density(keras.Model):
        """Any Keras model: the flow layer is held, its view made where it is used."""

        def __init__(self):
            super().__init__()
            self.flow = AffineCoupling(units=(4,), start_scale=1.0)
            self.flow.build((None, 2))

        def call(self, x):
            base = tfp.distributions.MultivariateNormalDiag(tf.zeros(2))
            return tfp.distributions.TransformedDistribution(base, self.flow.as_bijector()).log_prob(x)

    model = Density()
    x = tf.constant(np.random.Generator(np.random.Philox(6)).normal(3.0, 2.0, (64, 2)).astype("float32"))
    before = [np.array(variable) for variable in model.trainable_variables]
    view = model.flow.as_bijector()
    old = np.array(view.inverse(x))
    model.compile(keras.optimizers.SGD(0.05), loss=lambda y, log_prob: -log_prob)
    losses = model.fit(x, tf.zeros(64), epochs=5, verbose=0).history["loss"]
    assert losses[-1] < losses[0] and len(model.trainable_variables) == 4
    assert all(np.any(variable != start) for variable, start in zip(model.trainable_variables, before, strict=True))
    np.testing.assert_allclose(view.inverse(x), model.flow.forward(x)[0], atol=1e-6)  # not what TFP remembers of x
    assert np.abs(view.inverse(x) - old).max() > 0.01


def test_the_first_fit_starts_actnorm_and_no_later_one_does(tmp_path):
    x = (5.0 + 3.0 * np.random.Generator(np.random.Philox(7)).normal(size=(64, 3))).astype("float32")
    model = RealNVP(3, couplings=2, units=(3,), start_scale=0.0)
    assert float(model(x).numpy().mean()) < -30.0
    model.compile(keras.optimizers.SGD(0.0))
    model.fit(x, batch_size=32, epochs=1, verbose=0)
    z = np.asarray(model.encode(x))
    np.testing.assert_allclose([z.mean(0), z.std(0)], [[0.0] * 3, [1.0] * 3], atol=1e-4)
    model.save(tmp_path / "flow.keras")
    loaded = keras.saving.load_model(tmp_path / "flow.keras")
    loaded.fit(10.0 * x, batch_size=32, epochs=1, verbose=0)
    np.testing.assert_array_equal(loaded.encode(x), z)


def test_a_flow_of_images_in_scales_takes_its_start_from_data_and_runs_backwards():
    """Checkerboards, squeeze, channel halves and channels that leave; the kit trains, saves and serves them."""
    x = np.random.Generator(np.random.Philox(9)).normal(size=(8, 4, 4, 1)).astype("float32")
    model = RealNVP((4, 4, 1), couplings=2, units=(2,), start_scale=1.0)
    model.start_at(x)
    z = model.encode(x)
    np.testing.assert_allclose(model.decode(z), x, atol=1e-4)
    assert z.shape == (8, 16) and model.sample(1, 0).shape == (0, 4, 4, 1)


def test_saturated_scales_and_numbers_that_are_none_are_reported_by_the_layers_name():
    x = np.random.Generator(np.random.Philox(8)).normal(size=(32, 2)).astype("float32")
    model = RealNVP(2, couplings=2, units=(4,), actnorm=False)
    model.compile(keras.optimizers.SGD(0.0))
    coupling = model.flow.flows[1]
    coupling.network.last.bias.assign([100.0, 0.0])
    with pytest.warns(ScaleSaturates, match="coupling1.*stand at their bound"):
        model.fit(x, epochs=2, verbose=0)
    coupling.network.last.bias.assign([np.nan, 0.0])
    with pytest.raises(NonFiniteLossError, match="log det or the codes of the flow layer 'flow/coupling1'"):
        model.fit(x, epochs=1, verbose=0)
    with pytest.raises(ValueError, match="limit"):
        FlowWatch(x, limit=0.0)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: RealNVP(4, couplings=1), "2 couplings or more"),
        (lambda: RealNVP((3, 4, 1), couplings=2, units=(2,)), "height and width that 2 divides"),
        (lambda: RealNVP(1), "something to keep and something to move"),
        (lambda: NormalizingFlow(2, []), "one or more flow layers"),
        (lambda: NormalizingFlow(2, [ActNorm()], base="cauchy"), "'normal' or 'logistic'"),
        (lambda: NormalizingFlow(2, [ActNorm()], base=tfp.distributions.Normal(0.0, 1.0)), "built once"),
        (lambda: NormalizingFlow(2, [ActNorm()], levels=1), "at least 2 levels"),
        (lambda: NormalizingFlow(2, [Permutation([0, 0])]), "order of 0 ... 1"),
        (lambda: NICE(4, classes=2, condition_size=3), "condition_size or classes"),
        (lambda: AffineCoupling(log_scale_bound=-1.0), "positive log_scale_bound"),
        (lambda: AffineCoupling("stripes"), "'halves', 'alternating', 'checkerboard'"),
        (lambda: NICE(3)(np.zeros((2, 4))), "expects x of shape"),
        (lambda: NICE(3).compile("sgd", loss="mse"), "its own loss"),
        (lambda: NICE(3).sample(1), "needs n, or a condition"),
        (lambda: Condition("Mine", size=2).parted(np.zeros(3)), "takes the pair \\(x, condition\\)"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line(make, words):
    with pytest.raises(ValueError, match=words):
        make()


@pytest.mark.parametrize(
    ("model", "x", "y", "words"),
    [
        (lambda: NICE(2), [[0.0, np.nan]], None, "finite values. Received: nan in row 0"),
        (lambda: NICE(2, levels=3), [[0.0, 0.5], [0.3, 1.0]], None, "intensities k / 2.*row 1"),
        (lambda: NICE(2, classes=2), [[0.0, 0.5]], [2], "classes 0 ... 1. Received: 2 in row 0"),
    ],
)
def test_data_without_a_density_are_refused_by_row(model, x, y, words):
    flow = model()
    flow.compile("sgd")
    with pytest.raises(InvalidDataError, match=words):
        flow.fit(np.array(x, "float32"), None if y is None else np.array(y), verbose=0)


def test_a_base_of_ones_own_is_drawn_from_and_scored(real_nvp):
    @keras.saving.register_keras_serializable(package="tests")
    def far_away():
        return tfp.distributions.MultivariateNormalDiag(tf.fill((2,), 3.0), tf.ones(2))

    model = NormalizingFlow(2, [ActNorm()], base=far_away)
    x = np.array([[3.0, 3.0], [2.0, 4.0]], "float32")
    np.testing.assert_allclose(model.log_prob(x), [-np.log(2 * np.pi), -np.log(2 * np.pi) - 1.0], rtol=1e-5)
    assert float(ops.mean(model.sample(seed=0, n=2000))) == pytest.approx(3.0, abs=0.15)
    copy = NormalizingFlow.from_config(model.get_config())
    np.testing.assert_allclose(copy.log_prob(x), model.log_prob(x))
