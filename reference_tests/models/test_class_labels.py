"""Labels that are no classes are refused by name wherever a model is told a class; bad codes and data too."""

import numpy as np
import pytest
import tensorflow as tf

from keras_course.core.errors import InvalidDataError
from keras_course.models import GAN, MAF, Autoencoder, EnergyModel, PixelCNN, VariationalAutoencoder
from keras_course.models.class_labels import one_hot_classes, require_classes

X = np.zeros((2, 3), "float32")
BAD = np.array([0, 5])
SMALL = {"latent": 2, "generator": (4,), "discriminator": (4,)}


def pixels():
    return PixelCNN((2, 2), filters=2, blocks=0, first_kernel=3, classes=2)


def energies():
    return EnergyModel(3, units=(4,), classes=2, base_scale=1.0, buffer_size=4, negatives=2, langevin_steps=1)


@pytest.mark.parametrize(
    "ask",
    [
        lambda: MAF(3, layers=1, units=(4,), classes=2).sample(1, y=BAD),
        lambda: MAF(3, layers=1, units=(4,), classes=2).log_prob(X, tf.constant(BAD)),
        lambda: pixels().sample(1, condition=BAD),
        lambda: pixels().log_prob(np.zeros((2, 2, 2)), BAD),
        lambda: energies().sample_class(1, BAD, 2),
        lambda: GAN(3, **SMALL, classes=2).generate(X[:, :2], BAD),
        lambda: GAN(3, **SMALL, classes=2).fit(X, BAD),
    ],
)
def test_an_impossible_class_is_refused_where_it_would_be_all_zeros(ask):
    with pytest.raises(InvalidDataError, match=r"needs classes 0 \.\.\. 1\. Received: 5 in row 1, and 1 such"):
        ask()


def test_labels_of_any_number_type_and_shape_are_classes_and_graphs_are_let_alone():
    np.testing.assert_array_equal(one_hot_classes("Mine", np.array([[1.0], [0.0]]), 2, "float32"), [[0, 1], [1, 0]])
    for wrong in ([-1], [0.5], [np.nan]):
        with pytest.raises(InvalidDataError, match="Mine needs classes 0"):
            require_classes("Mine", wrong, 2)
    traced = tf.function(lambda y: one_hot_classes("Mine", y, 2, "float32"))
    np.testing.assert_array_equal(traced(tf.constant([7])), [[0, 0]])


@pytest.mark.parametrize(
    ("ask", "kind", "words"),
    [
        (lambda: GAN(3, **SMALL).generate(X), ValueError, r"codes z of shape \(B, 2\). Received: \(2, 3\)"),
        (lambda: Autoencoder(6, 2).pretrain(X, 1), ValueError, "expects x of shape"),
        (lambda: Autoencoder(3, 2, likelihood="bernoulli").fit(X + 2), InvalidDataError, "Received: 2.0 in row 0"),
        (lambda: Autoencoder(3, 2).fit(X * np.nan), InvalidDataError, "finite x. Received: nan in row 0"),
        (lambda: energies().sample(1, 2, 1, lambda e: e), ValueError, r"an energy a row.*, 2\)"),
        (lambda: MAF(3, layers=1, units=(4,), classes=2).fit(X), ValueError, "fit.x, condition.*Received: x alone"),
        (lambda: _prior_of_three().sample(1, 2), ValueError, r"prior of 2 code units.*event_shape=\(3,\)"),
    ],
)
def test_what_does_not_fit_is_told_before_anything_is_traced(ask, kind, words):
    with pytest.raises(kind, match=words):
        ask()


def _prior_of_three():
    import tensorflow_probability as tfp

    return VariationalAutoencoder(3, 2, prior=lambda: tfp.distributions.MultivariateNormalDiag(tf.zeros(3)))
