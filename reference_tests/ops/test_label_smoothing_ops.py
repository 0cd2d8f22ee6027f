"""Smoothed labels in both conventions, label noise by enumeration, noise on numbers."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_course.losses import LabelSmoothingLoss
from keras_course.ops.label_smoothing import label_smoothing_loss, smooth_labels
from keras_course.ops.losses import softmax_loss
from keras_course.ops.noise import corrupt_labels, inject_noise

RNG = np.random.default_rng(0)
F, Y = 3 * RNG.normal(size=(9, 5)), RNG.integers(0, 5, 9)


def array(tensor):
    return np.asarray(ops.convert_to_numpy(tensor))


@pytest.mark.parametrize("k", [2, 3, 10])
@pytest.mark.parametrize("epsilon", [0.0, 0.1, 0.6])
def test_targets_sum_to_one_and_the_conventions_meet_at_eps_k_over_k_minus_one(k, epsilon):
    hard = np.eye(k)
    notes = array(smooth_labels(hard, epsilon))
    np.testing.assert_allclose(notes.sum(-1), 1, rtol=1e-14)
    np.testing.assert_allclose(np.diag(notes), 1 - epsilon)
    np.testing.assert_allclose(notes[0, 1:], epsilon / (k - 1))
    if epsilon * k / (k - 1) < 1:
        np.testing.assert_allclose(array(smooth_labels(hard, epsilon * k / (k - 1), "keras")), notes, rtol=1e-13)


@pytest.mark.parametrize("epsilon", [0.0, 0.1, 0.5])
def test_the_loss_is_kerass_categorical_crossentropy(epsilon):
    hard = np.eye(5)[Y]
    stock = keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=epsilon, dtype="float64")
    ours = LabelSmoothingLoss(epsilon, "keras", dtype="float64")
    np.testing.assert_allclose(float(ours(Y, F)), float(stock(hard, F)), rtol=1e-12)
    equal = keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=epsilon * 5 / 4, dtype="float64")
    np.testing.assert_allclose(float(LabelSmoothingLoss(epsilon, dtype="float64")(hard, F)), float(equal(hard, F)))


def test_the_least_loss_is_the_entropy_of_the_target():
    q = array(smooth_labels(np.eye(5)[2], 0.2))
    least = float(label_smoothing_loss(2, np.log(q), 0.2))
    np.testing.assert_allclose(least, -np.sum(q * np.log(q)), rtol=1e-12)
    for moved in np.log(q) + 0.1 * RNG.normal(size=(20, 5)):
        assert float(label_smoothing_loss(2, moved, 0.2)) > least


def test_being_surer_costs_more_in_the_end():
    """Without smoothing the scores may grow for ever; with it the loss turns up again."""
    scores = np.array([[s, 0.0, 0.0] for s in (1.0, 4.0, 40.0)])
    hard, smooth = array(softmax_loss([0, 0, 0], scores)), array(label_smoothing_loss([0, 0, 0], scores, 0.1))
    assert hard[0] > hard[1] > hard[2] and smooth[1] < smooth[0] < smooth[2]


def test_labels_that_mean_nothing_give_nan():
    assert np.isnan(array(label_smoothing_loss([7], F[:1], 0.1))).all()


@pytest.mark.parametrize("epsilon", [0.25, 0.5, 1.0])
def test_label_noise_is_label_smoothing_on_average(epsilon):
    """Each of the 64 cells of [0, 1) once: the mean over them is the expectation."""
    uniforms = (np.arange(64) + 0.5) / 64
    noisy = [array(softmax_loss(corrupt_labels(Y, np.full(9, u), 5, epsilon), F)) for u in uniforms]
    counts = np.stack([array(corrupt_labels(Y, np.full(9, u), 5, epsilon)) for u in uniforms])
    for j in range(5):
        share = np.mean(counts == j, axis=0)
        np.testing.assert_allclose(share, np.where(Y == j, 1 - epsilon, epsilon / 4), atol=1e-12)
    if epsilon < 1:
        np.testing.assert_allclose(np.mean(noisy, 0), array(label_smoothing_loss(Y, F, epsilon)), rtol=1e-12)


def test_noise_on_inputs_of_a_linear_model_is_weight_decay_in_the_mean():
    x, w, t, sigma = RNG.normal(size=4), RNG.normal(size=4), 0.3, 0.7
    points, weights = np.polynomial.hermite_e.hermegauss(3)  # exact for the squared error of normal noise
    weights = weights / weights.sum()
    grids = np.stack(np.meshgrid(*[points] * 4), -1).reshape(-1, 4)
    chances = np.stack(np.meshgrid(*[weights] * 4), -1).reshape(-1, 4).prod(-1)
    errors = (array(inject_noise(x, grids, sigma)) @ w - t) ** 2
    np.testing.assert_allclose(chances @ errors, (w @ x - t) ** 2 + sigma**2 * w @ w, rtol=1e-12)


def test_bad_arguments_are_refused_with_what_came():
    for call, message in (
        (lambda: smooth_labels([1.0, 0.0], 1.0), "epsilon=1.0"),
        (lambda: smooth_labels([1.0], 0.1), "at least 2 classes"),
        (lambda: smooth_labels([1.0, 0.0], 0.1, "course"), "convention='course'"),
        (lambda: LabelSmoothingLoss(-0.1), "epsilon=-0.1"),
        (lambda: corrupt_labels([0], [0.5], 1, 0.1), "classes=1"),
        (lambda: corrupt_labels([0], [0.5], 3, 1.5), "epsilon=1.5"),
        (lambda: inject_noise([1.0], [1.0], float("nan")), "stddev=nan"),
    ):
        with pytest.raises(ValueError, match=message):
            call()
