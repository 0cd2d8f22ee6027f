"""DRAW against enumeration: all images of four pixels, one code unit a stroke."""

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

from keras_course.core.errors import InvalidDataError
from keras_course.models.generative import DRAW

IMAGES = np.array(list(itertools.product([0.0, 1.0], repeat=4))).reshape(-1, 2, 2)  # every x there is


def lively(model, scale=0.7):
    generator = np.random.Generator(np.random.Philox(3))
    for variable in model.trainable_variables:
        variable.assign(generator.normal(size=variable.shape) * scale)
    return model


@pytest.fixture(scope="module")
def small():
    """Two strokes, one code unit each, both windows, float64."""
    return lively(DRAW((2, 2), steps=2, latent=1, units=3, read=2, write=2, dtype="float64"))


@pytest.fixture(scope="module")
def evidence(small):
    """log p(x) of every image by the trapezoidal rule over the plane of codes: decoder and prior alone."""
    axis = np.linspace(-7, 7, 81)
    plane = np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1).reshape(-1, 2, 1)
    probability = small.decode(plane).numpy().reshape(-1, 1, 4)
    flat = IMAGES.reshape(16, 4)
    likelihood = np.prod(np.where(flat == 1, probability, 1 - probability), axis=-1)  # (P, 16)
    weight = stats.norm.pdf(plane[..., 0]).prod(axis=1) * (axis[1] - axis[0]) ** 2
    return np.log(weight @ likelihood)


def test_strokes_are_a_distribution_over_images_and_the_elbo_lies_below_it(small, evidence):
    assert np.exp(evidence).sum() == pytest.approx(1, abs=1e-6)
    noise = stats.qmc.MultivariateNormalQMC([0, 0], rng=1).random(2048).reshape(-1, 1, 2, 1)
    elbo = small.elbo(IMAGES, noise).numpy()
    assert np.all(elbo < evidence - 1e-3)
    log_likelihood, _, log_ratio = (term.numpy() for term in small.terms(IMAGES, noise))
    np.testing.assert_allclose((log_likelihood + log_ratio).mean(0), elbo, atol=0.05)  # with no closed form in it


def test_the_mean_weight_of_all_draws_is_the_evidence(small, evidence):
    """An integral over the plane of noise: any wrong density of q or p shows."""
    axis = np.linspace(-12, 12, 97)
    plane = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 1, 2, 1)
    log_likelihood, _, log_ratio = (term.numpy() for term in small.terms(IMAGES[:8], plane))
    log_terms = log_likelihood + log_ratio + stats.norm.logpdf(plane).sum((2, 3))
    mean_weight = np.exp(log_terms).sum(axis=0) * (axis[1] - axis[0]) ** 2
    np.testing.assert_allclose(mean_weight, np.exp(evidence[:8]), rtol=1e-4)


def test_the_importance_weighted_bound_climbs_towards_the_evidence(small, evidence):
    """500 repetitions: standard errors below a fifth of the steps asked for."""
    x = np.repeat(IMAGES, 500, axis=0)
    bounds = [small.log_prob_importance_weighted(x, 3, n).numpy().mean() for n in (1, 6)]
    assert bounds[0] + 0.02 < bounds[1] < evidence.mean() + 0.01


def test_samples_are_as_frequent_as_the_evidence_says(small, evidence):
    """Chi-squared over sixteen images; the seed is fixed, so this p-value does not change."""
    drawn = small.sample(seed=5, n=20000).numpy().reshape(-1, 4) @ [8, 4, 2, 1]
    counts = np.bincount(drawn.astype(int), minlength=16)
    expected = np.exp(evidence)
    assert stats.chisquare(counts, 20000 * expected / expected.sum()).pvalue > 1e-3


def test_canvases_end_in_the_reconstruction_and_their_strokes_add_up(small):
    canvases = small.canvases(IMAGES).numpy()
    assert canvases.shape == (16, 2, 2, 2)
    np.testing.assert_allclose(canvases[:, -1], small(IMAGES), rtol=1e-12)
    code = small.encode(IMAGES)
    np.testing.assert_allclose(small.decode(code["mean"]), small(IMAGES), rtol=1e-9)
    drawn = small.draw(seed=4, n=3)
    assert drawn["windows"].shape == (3, 2, 5) and np.all(drawn["windows"].numpy()[..., 2:] > 0)
    again = small.draw(seed=tf.constant([0, 4]), n=3)
    np.testing.assert_array_equal(drawn["canvases"], again["canvases"])


def test_the_gradient_of_the_bound_passes_through_all_strokes_windows_and_draws():
    """Directional differences in float64, in a graph whose loop is differentiated, of every weight at once."""
    model = lively(DRAW((3, 4), steps=3, latent=2, units=(3, 2), read=2, write=3, dtype="float64"), 0.4)
    x = (np.random.Generator(np.random.Philox(1)).random((2, 3, 4)) < 0.5).astype("float64")

    @tf.function(autograph=False)
    def slopes():
        with tf.GradientTape() as tape:
            total = tf.reduce_sum(model.elbo(x))
        return tape.gradient(total, [variable.value for variable in model.trainable_variables])

    gradient = [each.numpy() for each in slopes()]
    assert all(np.any(each != 0) for each in gradient)
    start, generator = [v.numpy().copy() for v in model.trainable_variables], np.random.Generator(np.random.Philox(2))
    for _ in range(2):
        way = [generator.normal(size=value.shape) for value in start]
        ends = []
        for step in (1e-5, -1e-5):
            for variable, value, move in zip(model.trainable_variables, start, way, strict=True):
                variable.assign(value + step * move)
            ends.append(float(tf.reduce_sum(model.elbo(x))))
        wanted = (ends[0] - ends[1]) / 2e-5
        assert sum((g * move).sum() for g, move in zip(gradient, way, strict=True)) == pytest.approx(wanted, rel=1e-6)


def test_it_learns_two_images_with_attention_at_one_end_alone():
    model = DRAW((2, 2), steps=2, latent=1, units=8, read=2)
    assert model.looking is not None and model.drawing is None
    x = np.repeat(IMAGES[[5, 10]], 40, axis=0).astype("float32")
    model.compile(keras.optimizers.Adam(0.05), jit_compile=False)
    before = model.evaluate(x, verbose=0, return_dict=True)["elbo"]
    model.fit(x, epochs=20, batch_size=40, verbose=0)
    after = model.evaluate(x, verbose=0, return_dict=True)
    assert before < -2 and after["elbo"] > -1.2  # two images, equally likely: log 1/2 is the best there is
    assert after["elbo"] == pytest.approx(after["reconstruction"] - after["divergence"], rel=1e-4)
    assert np.all(model.draw(1, 2)["windows"].numpy() == 0)


def test_bad_arguments_and_pixels_are_refused_with_what_came():
    for arguments, message in (
        ({"shape": 0}, "Received: shape=0"),
        ({"shape": (2, 2, 1)}, "Received: shape="),
        ({"steps": 0}, "Received: steps=0"),
        ({"read": 1}, "Received: size=1"),
        ({"write": True}, "Received: size=True"),
    ):
        with pytest.raises(ValueError, match=message):
            DRAW(**{"shape": (2, 2), **arguments})
    model = DRAW((2, 2), steps=1, latent=1, units=2)
    model.compile()
    with pytest.raises(InvalidDataError, match="DRAW needs pixels of 0 and 1. Received: 0.5 in row 0"):
        model.fit(np.full((3, 2, 2), 0.5, "float32"), verbose=0)
    with pytest.raises(ValueError, match=r"x of shape \(B, 2, 2\)"):
        model.elbo(np.zeros((3, 4), "float32"))
    with pytest.raises(ValueError, match="Received: n=0"):
        model.log_prob_importance_weighted(IMAGES, 1, 0)
