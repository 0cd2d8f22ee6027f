"""Denoising: what the corruptions do, and the score of a Gaussian in the field that undoing them leaves."""

import keras
import numpy as np
import pytest

from keras_course.models import DenoisingAutoencoder
from keras_course.ops.corruption import corrupted, score_of_reconstruction


def test_each_corruption_changes_the_share_it_says_and_nothing_else():
    x = np.full((200, 100), 0.25)
    uniforms = np.random.default_rng(0).uniform(size=x.shape)
    masked = np.asarray(corrupted(x, uniforms, "masking", 0.3))
    assert set(np.unique(masked)) == {0.0, 0.25} and abs((masked == 0).mean() - 0.3) < 0.02
    salted = np.asarray(corrupted(x, uniforms, "salt-and-pepper", 0.3))
    assert set(np.unique(salted)) == {0.0, 0.25, 1.0}
    assert abs((salted == 0).mean() - 0.15) < 0.02 and abs((salted == 1).mean() - 0.15) < 0.02
    noise = np.random.default_rng(1).normal(size=x.shape)
    np.testing.assert_allclose(corrupted(x, noise, "gaussian", 0.5), x + 0.5 * noise)


@pytest.mark.parametrize("corruption", ["gaussian", "masking", "salt-and-pepper"])
def test_an_amount_of_zero_leaves_x_alone(corruption):
    x = np.random.default_rng(0).uniform(0.1, 0.9, size=(3, 4))
    np.testing.assert_array_equal(corrupted(x, np.full((3, 4), 0.5), corruption, 0.0), x)


def gaussian(rows=4000):
    """Correlated points in the plane, and their covariance."""
    factor = np.array([[1.5, 0.0], [0.8, 0.6]])
    return np.random.default_rng(0).normal(size=(rows, 2)) @ factor.T, factor @ factor.T


def test_the_field_of_a_trained_model_is_the_score_of_the_noisy_gaussian():
    x, sigma = gaussian()[0].astype("float32"), 0.5
    model = DenoisingAutoencoder(2, code=2, amount=sigma, seed=0)
    rate = keras.optimizers.schedules.CosineDecay(0.02, 1000)
    model.compile(keras.optimizers.Adam(rate), steps_per_execution=8)
    model.fit(x, batch_size=500, epochs=125, verbose=0)
    smoothed = np.cov(x.T, bias=True) + sigma**2 * np.eye(2)
    points = np.array([[2.0, 0.0], [0.0, 1.0], [-1.0, -1.5], [1.0, 1.0]], "float32")
    score = -(points - x.mean(axis=0)) @ np.linalg.inv(smoothed)
    found = np.asarray(model.score(points))
    assert np.abs(found - score).max() < 0.1 * np.abs(score).max()
    cosines = np.sum(found * score, 1) / np.linalg.norm(found, axis=1) / np.linalg.norm(score, axis=1)
    assert cosines.min() > 0.98


def test_the_best_linear_reconstruction_of_a_gaussian_gives_the_score_exactly():
    _, covariance = gaussian()
    sigma = 0.4
    smoothed = covariance + sigma**2 * np.eye(2)
    model = DenoisingAutoencoder(2, code=2, amount=sigma, dtype="float64")
    kernel, bias, back_bias, back = model.trainable_weights
    assert [tuple(each.shape) for each in (kernel, bias, back_bias, back)] == [(2, 2), (2,), (2,), (2, 2)]
    kernel.assign(np.linalg.inv(smoothed) @ covariance)  # E[clean | noisy] = S (S + sigma^2)^-1 x
    back.assign(np.eye(2))
    points = np.random.default_rng(3).normal(size=(5, 2))
    np.testing.assert_allclose(model.score(points), -points @ np.linalg.inv(smoothed), atol=1e-12)


def test_training_noise_is_new_at_every_step_and_evaluation_noise_never():
    x = np.random.default_rng(0).normal(size=(6, 3)).astype("float32")
    model = DenoisingAutoencoder(3, code=2, amount=0.5, seed=1)
    model.compile(keras.optimizers.SGD(0.0))
    losses = model.fit(x, epochs=2, verbose=0, shuffle=False).history["loss"]
    assert losses[0] != losses[1]
    whole = model.evaluate(x, verbose=0)
    assert model.evaluate(x, verbose=0) == whole
    assert model.evaluate(x, batch_size=2, verbose=0)[0] == pytest.approx(whole[0], rel=1e-5)
    clean, noisy = model.examples(x, training=False)
    assert tuple(clean.shape) == (24, 3)  # four patterns, each over all rows
    change = np.reshape(noisy - clean, (4, 6, 3))
    np.testing.assert_allclose(change, np.broadcast_to(change[:, :1], change.shape), atol=1e-6)


def test_what_cannot_be_undone_is_refused():
    for arguments, message in (
        ({"corruption": "rain"}, "corruption='rain'"),
        ({"amount": -1.0}, "amount=-1"),
        ({"corruption": "masking", "amount": 1.0}, "amount=1"),
        ({"evaluation_draws": 0}, "evaluation_draws=0"),
    ):
        with pytest.raises(ValueError, match=message):
            DenoisingAutoencoder(3, code=2, **arguments)
    model = DenoisingAutoencoder(3, code=2, corruption="masking")
    assert "score" not in model.endpoints()
    with pytest.raises(ValueError, match="corruption='masking'"):
        model.score(np.ones((1, 3)))
    with pytest.raises(ValueError, match="stddev=0"):
        score_of_reconstruction(np.ones((1, 2)), np.ones((1, 2)), 0)
