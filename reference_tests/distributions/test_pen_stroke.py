"""PenStroke against SciPy's multivariate normals, against integration, and against its own TFP object."""

import keras
import numpy as np
import pytest
import scipy.integrate
import scipy.special
import scipy.stats
from keras import ops

from keras_course.core.backend import compiled, execution_mode
from keras_course.distributions import DistributionOutput, MeanLogLikelihood, NegativeLogLikelihood, get_family
from keras_course.distributions.families.pen_stroke import MOST_CORRELATED, PenStroke, StrokeParts
from keras_course.ops.handwriting import bivariate_mixture_log_density, bivariate_normal_log_density, sharpened

FAMILY = PenStroke(components=3, minimum_scale=0.05)


def parameters_for(rows=4, dtype="float64", seed=0):
    return np.random.default_rng(seed).normal(size=(rows, FAMILY.parameter_size)).astype(dtype)


def labels_for(rows=4, seed=1):
    generator = np.random.default_rng(seed)
    return np.column_stack([generator.normal(size=(rows, 2)), generator.integers(0, 2, rows)])


def scipy_mixture(row):
    """(weights, frozen multivariate normals, P(up)) as the docstring says, written again."""
    m = FAMILY.components
    means, raw = row[1 + m : 1 + 3 * m].reshape(m, 2), row[1 + 3 * m : 1 + 5 * m].reshape(m, 2)
    deviations, rho = FAMILY.minimum_scale + np.logaddexp(0, raw), MOST_CORRELATED * np.tanh(row[1 + 5 * m :])
    covariances = [[[s**2, p * s * r], [p * s * r, r**2]] for (s, r), p in zip(deviations, rho, strict=True)]
    normals = [scipy.stats.multivariate_normal(mean, c) for mean, c in zip(means, covariances, strict=True)]
    return scipy.special.softmax(row[1 : 1 + m]), normals, scipy.special.expit(row[0])


def test_log_prob_equals_a_mixture_of_scipys_multivariate_normals():
    parameters, labels = parameters_for(), labels_for()
    wanted = []
    for row, (dx, dy, up) in zip(parameters, labels, strict=True):
        weights, normals, rises = scipy_mixture(row)
        density = sum(w * normal.pdf((dx, dy)) for w, normal in zip(weights, normals, strict=True))
        wanted.append(np.log(density * (rises if up else 1 - rises)))
    np.testing.assert_allclose(FAMILY.log_prob(parameters, labels), wanted, rtol=1e-11)


def test_log_prob_is_that_of_the_tfp_distribution_with_and_without_bias():
    parameters, labels = parameters_for(), labels_for()
    np.testing.assert_allclose(
        FAMILY.distribution(parameters).log_prob(labels), FAMILY.log_prob(parameters, labels), rtol=1e-11
    )
    distribution = FAMILY.distribution(parameters, bias=0.7)
    assert distribution.event_shape.as_list() == [3] and distribution.batch_shape.as_list() == [4]
    z, logits, mean, scale, rho = FAMILY.parts(parameters)
    sharper = StrokeParts(z, *sharpened(logits, scale, 0.7)[:1], mean, sharpened(logits, scale, 0.7)[1], rho)
    moved = bivariate_mixture_log_density(labels[:, :2], sharper.logits, mean, sharper.scale, rho)
    pen = np.where(labels[:, 2] > 0, scipy.special.log_expit(z), scipy.special.log_expit(-np.asarray(z)))
    np.testing.assert_allclose(distribution.log_prob(labels), moved + pen, rtol=1e-11)


def test_density_integrates_to_one_over_offsets_and_pen():
    row = parameters_for(1, seed=3)[0]
    row[1 + 5 * FAMILY.components :] *= 0.5  # thin ridges ask too much of the quadrature

    def density(dy, dx, up):
        return float(np.exp(FAMILY.log_prob(row[None], np.array([[dx, dy, up]])))[0])

    axis = np.linspace(-12, 12, 801)
    grid = np.stack(np.meshgrid(axis, axis, indexing="ij"), -1).reshape(-1, 2)
    total = 0.0
    for up in (0.0, 1.0):
        labels = np.column_stack([grid, np.full(len(grid), up)])
        values = np.exp(np.asarray(FAMILY.log_prob(np.broadcast_to(row, (len(grid), len(row))), labels)))
        total += scipy.integrate.trapezoid(scipy.integrate.trapezoid(values.reshape(801, 801), axis), axis)
        assert values[0] == pytest.approx(density(grid[0, 1], grid[0, 0], up))
    assert total == pytest.approx(1.0, abs=1e-6)


def test_grave_s_three_terms_equal_the_sum_of_squares():
    generator = np.random.default_rng(5)
    x, mean, scale = generator.normal(size=(50, 2)), generator.normal(size=(50, 2)), generator.uniform(0.1, 2, (50, 2))
    rho = generator.uniform(-0.95, 0.95, 50)
    z = (x - mean) / scale
    terms = z[:, 0] ** 2 + z[:, 1] ** 2 - 2 * rho * z[:, 0] * z[:, 1]
    wanted = -terms / (2 * (1 - rho**2)) - np.log(2 * np.pi * scale.prod(1) * np.sqrt(1 - rho**2))
    np.testing.assert_allclose(bivariate_normal_log_density(x, mean, scale, rho), wanted, rtol=1e-10)
    wrong = bivariate_normal_log_density(x, mean, scale, -rho)
    assert np.abs(np.asarray(wrong) - wanted).max() > 1.0


def test_mean_and_stddev_are_those_of_many_draws():
    parameters, n = parameters_for(2, seed=2), 60_000
    draws = np.asarray(FAMILY.sample(parameters, seed=4, n=n))
    error = 5 * np.asarray(FAMILY.stddev(parameters)) / n**0.5
    assert (np.abs(draws.mean(0) - np.asarray(FAMILY.mean(parameters))) < error).all()
    np.testing.assert_allclose(draws.std(0), FAMILY.stddev(parameters), rtol=0.02)
    for row in range(2):  # correlation of the mixture, from SciPy's components
        weights, normals, _ = scipy_mixture(parameters[row])
        pairs = list(zip(weights, normals, strict=True))
        moments = sum(w * (k.cov_object.covariance + np.outer(k.mean, k.mean)) for w, k in pairs)
        centre = sum(w * k.mean for w, k in pairs)
        wanted = (moments - np.outer(centre, centre))[0, 1]
        spread = np.prod(np.asarray(FAMILY.stddev(parameters))[row, :2])
        assert np.cov(draws[:, row, 0], draws[:, row, 1])[0, 1] == pytest.approx(wanted, abs=0.03 * spread)


def test_the_same_seed_draws_the_same_in_every_mode_and_another_seed_others():
    parameters = parameters_for(dtype="float32")
    found = {}
    for mode in ("eager", "graph", "xla"):
        with execution_mode(mode):
            found[mode] = np.asarray(compiled(lambda p: FAMILY.sample(p, 7, 5, bias=0.3))(parameters))
    np.testing.assert_allclose(found["graph"], found["eager"], rtol=2e-5, atol=2e-5)
    np.testing.assert_allclose(found["xla"], found["eager"], rtol=2e-5, atol=2e-5)
    assert np.abs(np.asarray(FAMILY.sample(parameters, 8, 5)) - found["eager"]).max() > 0.1
    assert FAMILY.sample(parameters, 8, 0, bias=0.3).shape == (0, *found["eager"].shape[1:])
    with pytest.raises(ValueError, match=r"PenStroke.* needs an integer n of at least 0. Received: n=-1"):
        FAMILY.sample(parameters, 8, -1)


def test_bias_narrows_by_its_exponential_and_raises_shares_to_a_power():
    logits, scale = np.array([0.3, -1.0, 0.5]), np.array([[1.0, 2.0], [0.5, 0.1], [3.0, 1.0]])
    sharper, narrower = sharpened(logits, scale, 1.5)
    shares = scipy.special.softmax(logits) ** 2.5
    np.testing.assert_allclose(scipy.special.softmax(np.asarray(sharper)), shares / shares.sum(), rtol=1e-6)
    np.testing.assert_allclose(narrower, scale * np.exp(-1.5), rtol=1e-6)
    parameters = parameters_for(1)
    _, logits, mean, scale, _ = (np.asarray(each)[0] for each in FAMILY.parts(parameters))
    draws = np.asarray(FAMILY.sample(parameters, 1, 20_000, bias=1.5))[:, 0, :2]
    shares = scipy.special.softmax(2.5 * logits)[:, None]
    centre = (shares * mean).sum(0)
    wanted = ((shares * ((scale * np.exp(-1.5)) ** 2 + (mean - centre) ** 2)).sum(0)) ** 0.5
    np.testing.assert_allclose(draws.mean(0), centre, atol=5 * wanted.max() / 20_000**0.5)
    np.testing.assert_allclose(draws.std(0), wanted, rtol=0.03)


def test_a_pen_that_is_neither_up_nor_down_is_impossible():
    parameters = parameters_for(3)
    labels = np.array([[0.0, 0.0, 0.5], [0.0, 0.0, -1.0], [0.0, 0.0, 1.0]])
    assert np.isneginf(FAMILY.log_prob(parameters, labels)[:2]).all()
    assert np.isfinite(FAMILY.log_prob(parameters, labels)[2])
    assert np.asarray(FAMILY.in_support(labels))[:, 2].tolist() == [False, False, True]


@pytest.mark.parametrize("size", [50.0, -50.0])
def test_wild_parameters_give_finite_densities_and_gradients(size):
    import tensorflow as tf

    parameters = tf.constant(size * np.ones((1, FAMILY.parameter_size)), "float32")
    with tf.GradientTape() as tape:
        tape.watch(parameters)
        value = FAMILY.log_prob(parameters, np.float32([[0.3, -0.2, 1.0]]))
    assert np.isfinite(value).all() and np.isfinite(tape.gradient(value, parameters)).all()


def test_parameters_come_back_from_their_parts_and_from_labels():
    parameters = 0.5 * parameters_for()
    np.testing.assert_allclose(FAMILY.parameters_from(FAMILY.parts(parameters)), parameters, rtol=1e-8, atol=1e-9)
    labels = np.asarray(FAMILY.sample(parameters[:1], 0, 500))[:, 0]
    start = FAMILY.parameters_of(labels)
    mean = np.asarray(FAMILY.mean(start[None]))[0]
    np.testing.assert_allclose(mean[:2], labels[:, :2].mean(0), atol=0.02)
    one = PenStroke(1, minimum_scale=0.0)
    ours = np.asarray(one.log_prob(np.broadcast_to(one.parameters_of(labels), (500, 7)), labels)).mean()
    normal = scipy.stats.multivariate_normal(labels[:, :2].mean(0), np.cov(labels[:, :2].T))
    share = labels[:, 2].mean()
    wanted = normal.logpdf(labels[:, :2]).mean() + scipy.stats.bernoulli(share).logpmf(labels[:, 2]).mean()
    assert ours == pytest.approx(wanted, abs=0.01)


def test_a_head_of_the_family_trains_through_the_usual_loss_and_metric():
    keras.utils.set_random_seed(0)
    inputs = keras.Input((2,))
    head = DistributionOutput("pen_stroke", components=2)
    model = keras.Model(inputs, head(inputs))
    model.compile("adam", NegativeLogLikelihood(head), metrics=[MeanLogLikelihood(head)])
    x, y = np.ones((64, 2), "float32"), labels_for(64).astype("float32")
    history = model.fit(x, y, epochs=3, verbose=0).history
    assert history["loss"][-1] < history["loss"][0]
    assert tuple(head.sample(model(x[:2]), seed=0, n=5).shape) == (5, 2, 3)
    again = DistributionOutput.from_config(head.get_config())
    assert again.family == head.family == PenStroke(2)


def test_wrong_arguments_are_named():
    for options, message in (
        ({"components": 0}, "components=0"),
        ({"minimum_scale": -1.0}, "minimum_scale=-1.0"),
    ):
        with pytest.raises(ValueError, match=f"Received: {message}"):
            PenStroke(**options)
    with pytest.raises(ValueError, match="event_size=2"):
        get_family("pen_stroke", 2)
    for statistic in ("mode", "quantile"):
        with pytest.raises(ValueError, match=f"defines no {statistic}"):
            getattr(FAMILY, statistic)(*([parameters_for()] + ([0.5] if statistic == "quantile" else [])))
    with pytest.raises(ValueError, match="parameters of shape"):
        FAMILY.log_prob(ops.zeros((2, 18)), ops.zeros((2, 3)))
