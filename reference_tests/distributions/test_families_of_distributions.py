"""Every family against SciPy, against integration, and against itself."""

import keras
import numpy as np
import pytest
import scipy.integrate
import scipy.special
import scipy.stats
from keras import ops

from keras_course.core.backend import compiled, execution_mode
from keras_course.distributions import (
    Bernoulli,
    Categorical,
    CategoricalLevels,
    DiagonalGaussian,
    DiscretizedLogistic,
    FullCovarianceGaussian,
    Mixture,
    Normal,
    Poisson,
)
from reference_tests.distributions.scipy_families import scipy_log_prob, scipy_of

FAMILIES = {
    "normal": Normal(1),
    "normal of two": Normal(2, minimum_scale=0.1, scale_offset=0.5),
    "diagonal gaussian": DiagonalGaussian(3),
    "full gaussian": FullCovarianceGaussian(3),
    "full gaussian of one": FullCovarianceGaussian(1),
    "bernoulli": Bernoulli(2),
    "categorical": Categorical(4),
    "poisson": Poisson(2),
    "categorical levels": CategoricalLevels(2, levels=3),
    "discretized logistic": DiscretizedLogistic(2, levels=5),
    "discretized logistics": DiscretizedLogistic(2, levels=4, components=2),
    "mixture of normals": Mixture(3, Normal(1)),
    "mixture of diagonals": Mixture(2, DiagonalGaussian(2)),
    "mixture of full gaussians": Mixture(2, FullCovarianceGaussian(2)),
}
_TWINS = ("normal of two", "full gaussian of one")  # left out where a test is slow
ONE_OF_EACH = {name: family for name, family in FAMILIES.items() if name not in _TWINS}
EACH = pytest.mark.parametrize("family", ONE_OF_EACH.values(), ids=ONE_OF_EACH)
EVERY = pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES)


def parameters_for(family, rows=4, dtype="float64", seed=0):
    return np.random.default_rng(seed).normal(size=(rows, family.parameter_size)).astype(dtype)


@EVERY
def test_log_prob_equals_scipy(family):
    parameters = parameters_for(family)
    labels = ops.convert_to_numpy(family.sample(parameters, seed=1))
    ours = ops.convert_to_numpy(family.log_prob(parameters, labels))
    wanted = [scipy_log_prob(family, row, y) for row, y in zip(parameters, labels, strict=True)]
    np.testing.assert_allclose(ours, wanted, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("name", ["normal", "full gaussian", "categorical", "poisson", "mixture of normals"])
def test_eager_graph_and_xla_agree_on_everything_a_family_does(name):
    family = FAMILIES[name]
    parameters = parameters_for(family, dtype="float32")

    def everything(parameters, q):
        draw = family.sample(parameters, seed=3, n=5)
        answers = {"sample": draw, "log_prob": family.log_prob(parameters, draw[0])}
        answers |= {one: getattr(family, one)(parameters) for one in ("mean", "mode", "stddev") if family.defines(one)}
        return answers | ({"quantile": family.quantile(parameters, q)} if family.defines("quantile") else {})

    answers = {}
    for mode in ("eager", "graph", "xla"):
        with execution_mode(mode):
            answers[mode] = compiled(everything)(parameters, np.float32([0.1, 0.5, 0.9]))
    for mode in ("graph", "xla"):
        for one, value in answers["eager"].items():
            np.testing.assert_allclose(answers[mode][one], value, rtol=2e-5, atol=2e-5, err_msg=f"{mode} {one}")


@pytest.mark.parametrize("name", ["normal", "full gaussian of one", "mixture of normals"])
def test_densities_on_the_line_integrate_to_one(name):
    family = FAMILIES[name]
    row = parameters_for(family, rows=1)
    grid = np.linspace(-60, 60, 24_001)
    density = np.exp(family.log_prob(np.repeat(row, len(grid), 0), grid[:, None]))
    assert scipy.integrate.simpson(density, x=grid) == pytest.approx(1, abs=1e-9)


@pytest.mark.parametrize("name", ["normal of two", "mixture of diagonals", "mixture of full gaussians"])
def test_densities_on_the_plane_integrate_to_one(name):
    family = FAMILIES[name]
    row = parameters_for(family, rows=1)
    side = np.linspace(-18, 18, 451)
    points = np.stack(np.meshgrid(side, side), -1).reshape(-1, 2)
    density = np.exp(family.log_prob(np.repeat(row, len(points), 0), points))
    assert density.sum() * (side[1] - side[0]) ** 2 == pytest.approx(1, abs=1e-7)


@pytest.mark.parametrize(
    "name,support",
    [
        ("bernoulli", [[a, b] for a in (0, 1) for b in (0, 1)]),
        ("categorical", [0, 1, 2, 3]),
        ("poisson", [[a, b] for a in range(40) for b in range(40)]),
        ("categorical levels", [[a, b] for a in range(3) for b in range(3)]),
        ("discretized logistic", [[a, b] for a in range(5) for b in range(5)]),
        ("discretized logistics", [[a, b] for a in range(4) for b in range(4)]),
    ],
)
def test_probabilities_sum_to_one_over_the_support(name, support):
    family = FAMILIES[name]
    row = parameters_for(family, rows=1)
    log_prob = family.log_prob(np.repeat(row, len(support), 0), np.array(support, "float64"))
    assert np.exp(log_prob).sum() == pytest.approx(1, abs=1e-10)


@pytest.mark.parametrize("name", ["normal of two", "diagonal gaussian", "bernoulli", "poisson"])
def test_mean_stddev_and_quantiles_equal_scipy(name):
    family = FAMILIES[name]
    parameters = parameters_for(family)
    known = [scipy_of(family, row) for row in parameters]
    np.testing.assert_allclose(family.mean(parameters), [[one.mean() for one in row] for row in known], rtol=1e-12)
    np.testing.assert_allclose(family.stddev(parameters), [[one.std() for one in row] for row in known], rtol=1e-12)
    for q in (0.003, 0.2, 0.5, 0.77, 0.9999):
        wanted = [[one.ppf(q) for one in row] for row in known]
        np.testing.assert_allclose(family.quantile(parameters, q), wanted, rtol=1e-9, atol=1e-12)


def test_full_gaussian_statistics_are_those_of_each_coordinate():
    family = FAMILIES["full gaussian"]
    parameters = parameters_for(family)
    for row, mean, stddev, high in zip(
        parameters, family.mean(parameters), family.stddev(parameters), family.quantile(parameters, 0.9), strict=False
    ):
        known = scipy_of(family, row)
        np.testing.assert_allclose(mean, known.mean, rtol=1e-12)
        np.testing.assert_allclose(stddev, np.sqrt(np.diag(known.cov)), rtol=1e-12)
        wanted = scipy.stats.norm(known.mean, np.sqrt(np.diag(known.cov))).ppf(0.9)
        np.testing.assert_allclose(high, wanted, rtol=1e-11)


def test_modes_are_where_the_probability_is_highest():
    poisson = Poisson(1)
    log_rate = np.linspace(-1.9, 4.0, 13)[:, None]  # no whole rate: there two counts tie
    counts = np.arange(200)
    wanted = scipy.stats.poisson.pmf(counts, np.exp(log_rate)).argmax(1)
    np.testing.assert_array_equal(poisson.mode(log_rate)[:, 0], wanted)
    np.testing.assert_array_equal(Bernoulli(1).mode([[-0.1], [0.1]])[:, 0], [0, 1])
    logits = parameters_for(Categorical(4))
    np.testing.assert_array_equal(Categorical(4).mode(logits), logits.argmax(1))


@pytest.mark.parametrize("component", [Normal(1), DiagonalGaussian(1), FullCovarianceGaussian(1)], ids=lambda c: c.name)
def test_the_mode_of_a_mixture_is_the_highest_point_of_a_fine_grid(component):
    family = Mixture(3, component)
    parameters = parameters_for(family, rows=6, seed=4)
    grid = np.linspace(-8, 8, 2001)
    for row, mode in zip(parameters, ops.convert_to_numpy(family.mode(parameters)), strict=True):
        height = family.distribution(row[None]).log_prob(grid[:, None, None]).numpy()[:, 0]
        assert mode[0] == pytest.approx(grid[height.argmax()], abs=0.008)
        assert float(family.log_prob(row, mode)) >= height.max() - 1e-12


def test_the_mode_of_a_mixture_in_the_plane_has_no_slope_and_beats_the_component_means():
    import tensorflow as tf

    family = FAMILIES["mixture of full gaussians"]
    parameters = ops.convert_to_tensor(parameters_for(family, seed=2))
    mode = family.mode(parameters)
    with tf.GradientTape() as tape:
        tape.watch(mode)
        height = family.log_prob(parameters, mode)
    np.testing.assert_allclose(tape.gradient(height, mode), 0, atol=1e-6)
    _, each = family.logits_and_components(parameters)
    for m in range(family.components):
        assert np.all(height >= family.log_prob(parameters, each[:, m, :2]) - 1e-12)


def test_quantiles_of_a_mixture_invert_its_distribution_function():
    family = FAMILIES["mixture of normals"]
    parameters = parameters_for(family)
    q = np.array([1e-6, 0.01, 0.3, 0.5, 0.9, 0.999])
    value = ops.convert_to_numpy(family.quantile(parameters, q))
    assert value.shape == (6, 4, 1)
    np.testing.assert_allclose(family.marginal_cdf(parameters, value)[:, :, 0], np.repeat(q[:, None], 4, 1), rtol=1e-9)


@pytest.mark.parametrize("name", ["normal", "full gaussian of one", "mixture of normals"])
def test_quantiles_at_the_ends_are_infinite_and_beyond_them_not_numbers(name):
    family = FAMILIES[name]
    value = ops.convert_to_numpy(family.quantile(parameters_for(family), np.array([0.0, 1.0, -0.1, 1.1])))
    assert np.all(value[0] == -np.inf) and np.all(value[1] == np.inf) and np.all(np.isnan(value[2:]))
    with pytest.raises(ValueError, match=r"Received: q=1\.5"):
        family.quantile(parameters_for(family), 1.5)


def test_the_quantile_of_a_mixture_can_be_differentiated():
    import tensorflow as tf

    family = FAMILIES["mixture of normals"]
    parameters = tf.constant(parameters_for(family, rows=2))
    with tf.GradientTape() as tape:
        tape.watch(parameters)
        total = ops.sum(family.quantile(parameters, np.array([0.2, 0.8])))
    gradient = tape.gradient(total, parameters).numpy()
    step = 1e-5
    for i in (0, 3, 4, 8):  # a weight, a location and two scales
        moved = np.zeros((2, family.parameter_size))
        moved[0, i] = step
        difference = ops.sum(family.quantile(parameters + moved, np.array([0.2, 0.8]))) - ops.sum(
            family.quantile(parameters - moved, np.array([0.2, 0.8]))
        )
        assert gradient[0, i] == pytest.approx(float(difference) / (2 * step), rel=1e-6, abs=1e-8)


@EACH
def test_gradients_of_the_log_likelihood_agree_with_differences(family):
    import tensorflow as tf

    parameters = tf.constant(parameters_for(family, rows=2))
    labels = family.sample(parameters, seed=0)
    theory, numeric = tf.test.compute_gradient(lambda p: family.log_prob(p, labels), [parameters], delta=1e-6)
    np.testing.assert_allclose(theory[0], numeric[0], rtol=1e-6, atol=1e-7)


@EACH
def test_draws_have_the_mean_and_spread_that_the_family_states(family):
    """Fixed seed; 4.5 standard errors for at most 12 numbers: a false alarm in 1 of 10,000 seeds a family."""
    parameters = parameters_for(family, rows=2)
    n = 20_000
    draws = ops.convert_to_numpy(family.sample(parameters, seed=5, n=n)).astype("float64")
    if isinstance(family, Categorical):
        share = np.stack([(draws == k).mean(0) for k in range(4)], -1)
        wanted = ops.convert_to_numpy(family.probabilities(parameters))
        assert np.all(np.abs(share - wanted) < 4.5 * np.sqrt(wanted * (1 - wanted) / n))
        return
    mean, stddev = ops.convert_to_numpy(family.mean(parameters)), ops.convert_to_numpy(family.stddev(parameters))
    assert np.all(np.abs(draws.mean(0) - mean) < 4.5 * stddev / np.sqrt(n))
    fourth = ((draws - mean) ** 4).mean(0)
    error_of_variance = np.sqrt((fourth - stddev**4) / n)
    assert np.all(np.abs(((draws - mean) ** 2).mean(0) - stddev**2) < 4.5 * error_of_variance + 1e-12)


def test_draws_of_a_full_gaussian_have_its_covariance():
    """4.5 standard errors on 6 numbers: a false alarm in 1 of 20,000 seeds."""
    family = FAMILIES["full gaussian"]
    row = parameters_for(family, rows=1)
    n = 40_000
    draws = ops.convert_to_numpy(family.sample(row, seed=1, n=n))[:, 0]
    wanted = ops.convert_to_numpy(family.distribution(row).covariance())[0]
    error = np.sqrt((wanted**2 + np.outer(np.diag(wanted), np.diag(wanted))) / n)
    assert np.all(np.abs(np.cov(draws, rowvar=False) - wanted) < 4.5 * error)


@EVERY
def test_the_same_seed_draws_the_same_and_another_seed_something_else(family):
    parameters = parameters_for(family, rows=50)
    first, again, other = (ops.convert_to_numpy(family.sample(parameters, seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert np.any(first != other)
    np.testing.assert_array_equal(first, family.sample(parameters, np.array([0, 1], "int32")))


@EACH
def test_no_draws_are_an_empty_batch_and_counts_that_cannot_be_are_named(family):
    parameters = parameters_for(family)
    one = ops.convert_to_numpy(family.sample(parameters, 0))
    for n in (0, np.int64(0)):
        none = ops.convert_to_numpy(family.sample(parameters, 0, n))
        assert none.shape == (0, *one.shape) and none.dtype == one.dtype
    for n, told in ((-2, "n=-2"), (2.5, "n=2.5"), (True, "n=True"), (np.ones(2, "int32"), r"n=\(2,\) int32")):
        with pytest.raises(ValueError, match=f"{family.name}.sample needs an integer n of at least 0.*: {told}"):
            family.sample(parameters, 0, n)


@pytest.mark.parametrize("component", [Normal(2), DiagonalGaussian(2), FullCovarianceGaussian(2)], ids=lambda c: c.name)
def test_a_mixture_of_one_component_is_that_component(component):
    family = Mixture(1, component)
    inner = parameters_for(component)
    parameters = np.concatenate([np.full((4, 1), 0.7), inner], 1)
    labels = component.sample(inner, seed=0)
    np.testing.assert_allclose(family.log_prob(parameters, labels), component.log_prob(inner, labels), rtol=1e-12)
    for name in ("mean", "mode", "stddev"):
        np.testing.assert_allclose(getattr(family, name)(parameters), getattr(component, name)(inner), rtol=1e-11)
    np.testing.assert_allclose(family.quantile(parameters, 0.3), component.quantile(inner, 0.3), rtol=1e-11)


def test_normal_diagonal_and_full_gaussian_are_one_density():
    mean, scale = np.random.default_rng(0).normal(size=(5, 2)), np.random.default_rng(1).uniform(0.3, 2, size=(5, 2))
    labels = np.random.default_rng(2).normal(size=(5, 2))
    factor = scale[:, :, None] * np.eye(2)
    full = FullCovarianceGaussian(2)
    values = [
        Normal(2).log_prob(Normal(2).parameters_from(mean, scale), labels),
        DiagonalGaussian(2).log_prob(DiagonalGaussian(2).parameters_from(mean, scale), labels),
        full.log_prob(full.parameters_from(mean, factor), labels),
    ]
    np.testing.assert_allclose(values[1], values[0], rtol=1e-12)
    np.testing.assert_allclose(values[2], values[0], rtol=1e-12)


def test_parameters_from_a_cholesky_factor_give_that_factor_back():
    family = FullCovarianceGaussian(3)
    factor = np.tril(np.random.default_rng(0).normal(size=(4, 3, 3)))
    factor[:, range(3), range(3)] = np.abs(factor[:, range(3), range(3)]) + 0.1
    mean = np.random.default_rng(1).normal(size=(4, 3))
    location, again = family.location_and_factor(family.parameters_from(mean, factor))
    np.testing.assert_allclose(location, mean, rtol=1e-12)
    np.testing.assert_allclose(again, factor, rtol=1e-11, atol=1e-14)


@EACH
@pytest.mark.parametrize("size", [1e4, -1e4, 3e1, -3e1])
def test_extreme_parameters_give_no_nan_neither_in_value_nor_gradient(family, size):
    import tensorflow as tf

    parameters = tf.constant(np.sign(parameters_for(family)).astype("float32") * np.float32(size))
    if abs(size) > 88 and (isinstance(family, Poisson) or family == FullCovarianceGaussian(3)):
        return  # the likelihood itself leaves the range of float32, as the docstrings say
    labels = ops.zeros((4, *family.event_shape))
    with tf.GradientTape() as tape:
        tape.watch(parameters)
        log_prob = family.log_prob(parameters, labels)
    assert not np.any(np.isnan(log_prob))
    # Solving with a full factor of 1e4 over 1e-5, three deep, leaves float32's range: such a row is all but -inf.
    within_range = np.asarray(log_prob) > -1e30
    assert np.all(within_range) or "FullCovariance" in repr(family)
    assert not np.any(np.isnan(tape.gradient(log_prob, parameters)[within_range]))


@pytest.mark.parametrize(
    "family,labels",
    [
        (Bernoulli(1), [[2], [-1], [0.5], [np.nan]]),
        (Categorical(4), [4, -1, 1.5, np.nan]),
        (Poisson(1), [[-1], [-0.5], [2.5], [np.nan]]),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
@pytest.mark.parametrize("mode", ["eager", "xla"])
def test_labels_outside_the_support_have_probability_zero_in_every_mode(family, labels, mode):
    parameters = parameters_for(family, dtype="float32")
    with execution_mode(mode):
        assert np.all(np.isneginf(compiled(family.log_prob)(parameters, np.array(labels, "float32"))))


def test_a_label_that_is_not_a_number_gives_no_number():
    assert np.isnan(Normal(1).log_prob([[0.0, 0.0]], [[np.nan]]))


@EVERY
def test_half_precision_parameters_are_widened_before_any_logarithm(family):
    parameters = ops.cast(parameters_for(family, dtype="float32"), "bfloat16")
    labels = family.sample(ops.cast(parameters, "float32"), seed=0)
    log_prob = family.log_prob(parameters, labels)
    assert keras.backend.standardize_dtype(log_prob.dtype) == "float32"
    np.testing.assert_array_equal(log_prob, family.log_prob(ops.cast(parameters, "float32"), labels))


@EVERY
def test_a_family_comes_back_from_its_config(family):
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(family))
    assert again == family and hash(again) == hash(family)


@EVERY
def test_parameters_of_labels_describe_labels_drawn_from_the_family(family):
    """Fitting the marginal to many draws must come close in log-likelihood to the truth that drew them."""
    row = parameters_for(family, rows=1, seed=3)
    labels = ops.convert_to_numpy(family.sample(row, seed=0, n=3000))[:, 0]
    fitted = np.asarray(family.parameters_of(labels))
    assert fitted.shape == (family.parameter_size,)
    repeated = [np.repeat(np.reshape(p, (1, -1)), 3000, 0) for p in (row, fitted)]
    truth, ours = (float(ops.mean(family.log_prob(p, labels))) for p in repeated)
    assert ours > truth - (0.7 if getattr(family, "components", 1) > 1 else 0.01)  # mixtures start apart
