"""Gaussian and binomial mixtures: scikit-learn from the same start, EM's law, sampling, bad data."""

import numpy as np
import pytest
import tensorflow as tf
from scipy import stats
from scipy.integrate import trapezoid
from sklearn.datasets import load_iris
from sklearn.mixture import GaussianMixture as PeerMixture

from keras_course.core.errors import InvalidDataError
from keras_course.core.serial import load, save_model
from keras_course.models.latent import BinomialMixture, GaussianMixture
from keras_course.ops.expectation_maximization import expectation_maximization

PEER = {"full": "full", "tied": "tied", "diagonal": "diag", "spherical": "spherical"}


@pytest.fixture(scope="module")
def flowers():
    return load_iris().data


def fitted(x, covariance="full", epochs=12, batch_size=None, dtype="float64", how=None, **kwargs):
    model = GaussianMixture(3, x.shape[1], covariance, tolerance=0.0, dtype=dtype, **kwargs)
    model.initialise(x)
    start = [np.asarray(each, "float64") for each in (model.mixing, model.means, model.covariances)]
    model.compile(**(how or {}))
    return model, start, model.fit(x, epochs=epochs, batch_size=batch_size, verbose=0).history["log_likelihood"]


def peer(x, start, covariance, iterations, regularisation):
    """scikit-learn after as many iterations from the same parameters."""
    precisions = np.linalg.inv(start[2])
    precisions = {
        "full": precisions, "tied": precisions[0], "diagonal": np.stack([np.diag(p) for p in precisions]),
        "spherical": precisions[:, 0, 0],
    }[covariance]  # fmt: skip
    model = PeerMixture(
        3, covariance_type=PEER[covariance], weights_init=start[0] / start[0].sum(), means_init=start[1],
        precisions_init=precisions, max_iter=iterations, tol=0, reg_covar=regularisation,
    )  # fmt: skip
    with pytest.warns(UserWarning):
        return model.fit(x)


@pytest.mark.parametrize("covariance", PEER)
@pytest.mark.parametrize(("dtype", "precision"), [("float64", 1e-10), ("float32", 1e-5)])
def test_parameters_and_likelihood_are_those_of_scikit_learn(flowers, covariance, dtype, precision):
    model, start, _ = fitted(flowers, covariance, dtype=dtype, regularisation=1e-6)
    other = peer(flowers, start, covariance, 12, 1e-6)
    assert model.evaluate(flowers, verbose=0) == pytest.approx(other.score(flowers), rel=precision)
    assert np.allclose(model.means, other.means_, atol=100 * precision)
    assert np.allclose(model.predict(flowers, verbose=0), other.predict_proba(flowers), atol=1000 * precision)


@pytest.mark.parametrize("covariance", PEER)
def test_the_likelihood_never_falls(flowers, covariance):
    likelihood = fitted(flowers, covariance, epochs=60, regularisation=0.0)[2]
    assert np.all(np.diff(likelihood) >= -1e-12)


@pytest.mark.parametrize("how", [{"jit_compile": True}, {"run_eagerly": True}])
@pytest.mark.parametrize("batch_size", [150, 40])
def test_batches_and_modes_give_the_same_iterations(flowers, how, batch_size):
    one = fitted(flowers, epochs=5)[0]
    other = fitted(flowers, epochs=5, batch_size=batch_size, how=how)[0]
    for ours, theirs in zip(one.parameters, other.parameters, strict=True):
        assert np.allclose(ours, theirs, rtol=1e-10, atol=1e-12)


def test_the_steps_of_the_model_are_those_of_the_generic_driver(flowers):
    model, _, likelihood = fitted(flowers, epochs=6, regularisation=0.0)
    start = GaussianMixture(3, 4, regularisation=0.0, dtype="float64")
    start.initialise(flowers)
    x = tf.constant(flowers)
    parameters, objective = expectation_maximization(start.log_joint, start.m_step, x, start.parameters, 6)
    assert np.all(np.diff(objective) >= -1e-9)
    assert np.allclose(np.asarray(objective[::2]) / len(flowers), likelihood, rtol=1e-10)
    for ours, theirs in zip(model.parameters, parameters, strict=True):
        assert np.allclose(ours, theirs, rtol=1e-8)


def test_fit_ends_when_the_likelihood_rests(flowers):
    model = GaussianMixture(2, 4, tolerance=1e-4)
    model.compile()
    likelihood = model.fit(flowers, epochs=500, verbose=0).history["log_likelihood"]
    assert len(likelihood) < 200 and abs(likelihood[-1] - likelihood[-2]) <= 1e-4 < abs(likelihood[-2] - likelihood[-3])


def test_density_integrates_to_one_on_a_line():
    model = GaussianMixture(2, 1, dtype="float64")
    model.start([0.3, 0.7], [[-1.0], [2.0]], [[[0.25]], [[1.5]]])
    grid = np.linspace(-12, 14, 20001)[:, None]
    assert trapezoid(np.exp(model.log_prob(grid)), grid[:, 0]) == pytest.approx(1, abs=1e-9)


def test_samples_repeat_by_seed_and_follow_the_density():
    model = GaussianMixture(2, 1)
    model.start([0.3, 0.7], [[-1.0], [2.0]], [[[0.25]], [[1.5]]])
    first, again = (model.sample(tf.constant([5, 6]), 4000).numpy() for _ in range(2))
    assert np.array_equal(first, again)

    def distribution(x):
        return 0.3 * stats.norm(-1, 0.5).cdf(x) + 0.7 * stats.norm(2, np.sqrt(1.5)).cdf(x)

    assert stats.kstest(first[:, 0], distribution).pvalue > 1e-3


def test_a_saved_mixture_goes_on_where_it_stopped(flowers, tmp_path):
    model = fitted(flowers, epochs=4)[0]
    save_model(model, tmp_path / "model.keras")
    again = load(tmp_path / "model.keras")
    for each in (model, again):
        each.fit(flowers, epochs=3, verbose=0)
    for ours, theirs in zip(model.get_weights(), again.get_weights(), strict=True):
        assert np.array_equal(ours, theirs)


def test_a_singular_covariance_is_one_clear_error_and_keeps_the_parameters():
    x = np.concatenate([np.zeros((20, 2)), np.random.default_rng(0).normal(size=(20, 2)) + 9])
    model = GaussianMixture(2, 2, regularisation=0.0, dtype="float64")
    model.start([0.5, 0.5], [[0.0, 0.1], [9.0, 9.0]], [np.eye(2), np.eye(2)])
    model.compile()
    with pytest.raises(InvalidDataError, match="covariance of component 0 became singular.*regularisation"):
        model.fit(x, epochs=50, verbose=0)
    assert all(np.all(np.isfinite(each)) for each in model.parameters)
    model = GaussianMixture(2, 2, regularisation=1e-6, dtype="float64")
    model.compile()
    model.fit(x, epochs=50, verbose=0)
    assert np.isfinite(model.evaluate(x, verbose=0))


@pytest.mark.parametrize("covariance", PEER)
def test_the_start_by_k_means_is_the_m_step_of_its_clusters(flowers, covariance):
    model = GaussianMixture(3, 4, covariance, regularisation=1e-6, initial="k-means", seed=2, dtype="float64")
    model.initialise(flowers)
    centres = np.asarray(model.means)
    nearest = np.argmin(np.sum((flowers[:, None] - centres) ** 2, axis=-1), axis=1)
    q = np.eye(3)[nearest]
    assert np.allclose(centres, q.T @ flowers / q.sum(0)[:, None], atol=1e-6)  # the centres rest
    first_step = PeerMixture(3, covariance_type=PEER[covariance], reg_covar=1e-6, means_init=centres)
    first_step._initialize(flowers, q)
    wanted = first_step.covariances_
    if covariance in ("diagonal", "spherical"):
        wanted = np.stack([np.diag(np.broadcast_to(variance, 4)) for variance in wanted])
    assert np.allclose(model.covariances, wanted, atol=1e-6) and np.allclose(model.mixing, q.mean(0), atol=1e-6)
    assert GaussianMixture.from_config(model.get_config()).initial == "k-means"


@pytest.mark.parametrize("covariance", ["full", "diagonal", "spherical"])
def test_a_cluster_of_few_samples_asks_for_regularisation(covariance):
    x = np.concatenate([np.zeros((3, 2)), np.random.default_rng(0).normal(size=(20, 2)) + 90])
    model = GaussianMixture(2, 2, covariance, regularisation=0.0, initial="k-means", dtype="float64")
    with pytest.raises(InvalidDataError, match="cluster of k-means.*regularisation > 0.*sizes=.*3[.]0"):
        model.initialise(x)
    with pytest.raises(ValueError, match="initial='random'"):
        GaussianMixture(2, 2, initial="random")


def test_a_constant_feature_needs_regularisation():
    x = np.column_stack([np.arange(30.0), np.ones(30)])
    model = GaussianMixture(2, 2, regularisation=0.0)
    model.compile()
    with pytest.raises(InvalidDataError, match="singular.*regularisation > 0"):
        model.fit(x, verbose=0)


def test_nan_and_too_few_samples_are_one_clear_error_each(flowers):
    bad = flowers.copy()
    bad[4, 1] = np.nan
    model = GaussianMixture(3, 4)
    model.compile()
    with pytest.raises(InvalidDataError, match="first in row 4"):
        model.fit(bad, verbose=0)
    with pytest.raises(InvalidDataError, match="3 components needs at least as many samples. Received: 2 samples"):
        model.fit(flowers[:2], verbose=0)


def test_wrong_arguments_of_mixtures_are_refused():
    with pytest.raises(ValueError, match="covariance='round'"):
        GaussianMixture(2, 2, "round")
    with pytest.raises(ValueError, match="regularisation=-1"):
        GaussianMixture(2, 2, regularisation=-1)
    model = GaussianMixture(2, 2)
    with pytest.raises(ValueError, match="positive definite"):
        model.start([0.5, 0.5], np.zeros((2, 2)), [np.eye(2), -np.eye(2)])
    with pytest.raises(ValueError, match="sum to 1"):
        model.start([0.5, 0.9], np.zeros((2, 2)), [np.eye(2)] * 2)
    with pytest.raises(ValueError, match="shapes"):
        model.start([1.0], np.zeros((2, 2)), [np.eye(2)] * 2)


def test_two_coins_come_to_the_published_frequencies():
    heads = np.array([[5.0], [9.0], [8.0], [4.0], [7.0]])
    model = BinomialMixture(2, 1, trials=10, learn_weights=False, tolerance=0.0)
    model.start([0.5, 0.5], [[0.6], [0.5]])
    model.compile()
    likelihood = model.fit(heads, epochs=10, verbose=0).history["log_likelihood"]
    assert np.allclose(model.probabilities[:, 0], [0.80, 0.52], atol=0.005)
    assert np.all(np.diff(likelihood) > 0) and np.allclose(model.mixing, 0.5)


def test_a_fair_dozen_of_certain_coins_is_told_apart():
    heads = np.array([[0.0], [0.0], [12.0], [12.0], [12.0]])
    model = BinomialMixture(2, 1, trials=12, dtype="float64")
    model.compile()
    model.fit(heads, epochs=60, verbose=0)
    assert np.allclose(np.sort(model.probabilities[:, 0]), [0, 1]) and np.allclose(np.sort(model.mixing), [0.4, 0.6])
    assert np.allclose(model.sample(tf.constant([0, 1]), 500).numpy().mean() / 12, 0.6, atol=0.1)


def test_counts_out_of_range_are_refused():
    model = BinomialMixture(2, 1, trials=3)
    model.compile()
    with pytest.raises(InvalidDataError, match=r"counts in \[0, 3\]. Received: values from 0.0 to 4.0"):
        model.fit(np.array([[0.0], [4.0]]), verbose=0)
