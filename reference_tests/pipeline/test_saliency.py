"""Saliency is the gradient of a class score by the pixels: exact for a linear model, and it moves with the image."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_course.layers import Convolution2D
from keras_course.models.vision import LeNet
from keras_course.pipeline.saliency import saliency, score_slopes, smooth_saliency


def images(*shape, seed=0, dtype="float32"):
    return np.random.default_rng(seed).random(shape).astype(dtype)


@pytest.fixture(scope="module")
def linear():
    """Logits of a 4 x 3 image of two channels; weights that float32 holds exactly."""
    model = keras.Sequential([keras.Input((4, 3, 2)), keras.layers.Flatten(), keras.layers.Dense(5)])
    weights = np.random.default_rng(1).integers(-8, 9, (24, 5)) / 8.0
    model.set_weights([weights, np.arange(5.0)])
    return model, weights.reshape(4, 3, 2, 5)


@pytest.fixture(scope="module")
def moving():
    """Convolutions, rectifiers, an average over the image: equivariant but at the border."""
    keras.utils.set_random_seed(3)
    return keras.Sequential(
        [
            keras.Input((None, None, 1)),
            Convolution2D(4, 3, padding="zero", activation="relu", bias_initializer="random_normal"),
            Convolution2D(4, 3, padding="zero", activation="relu"),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(3),
        ]
    )


def test_of_a_linear_model_it_is_the_weights_exactly(linear):
    model, weights = linear
    x = images(5, 4, 3, 2)
    for k in range(5):
        slopes = ops.convert_to_numpy(score_slopes(model, x, [k] * 5))
        np.testing.assert_array_equal(slopes, np.broadcast_to(weights[..., k], x.shape))
        np.testing.assert_array_equal(saliency(model, x, [k] * 5), np.abs(slopes).max(-1))
    np.testing.assert_array_equal(score_slopes(model, x, [0, 1, 2, 3, 4]), np.moveaxis(weights, -1, 0))


def test_the_most_probable_class_is_taken_where_none_is_named(linear):
    model, _ = linear
    x = images(6, 4, 3, 2, seed=2)
    chosen = np.argmax(model(x), axis=-1)
    np.testing.assert_array_equal(saliency(model, x), saliency(model, x, chosen))


def test_it_moves_with_the_image(moving):
    x = np.zeros((1, 20, 20, 1), "float32")
    x[0, 5:10, 6:11] = images(5, 5, 1)
    here = ops.convert_to_numpy(saliency(moving, x, [1]))
    there = ops.convert_to_numpy(saliency(moving, np.roll(x, (4, 3), axis=(1, 2)), [1]))
    np.testing.assert_allclose(np.roll(here, (4, 3), axis=(1, 2))[:, 7:17, 6:17], there[:, 7:17, 6:17], atol=1e-8)
    assert np.abs(here[:, 7:17, 6:17] - there[:, 7:17, 6:17]).max() > 1e-3 * here.max()


def test_slopes_equal_finite_differences():
    model = LeNet((8, 8, 1), activation="tanh", dtype="float64")
    x = images(2, 8, 8, 1, dtype="float64")
    slopes = ops.convert_to_numpy(score_slopes(model, x, [7, 2]))
    direction = np.random.default_rng(4).normal(size=x.shape)
    for row, k in enumerate((7, 2)):
        ahead, behind = (ops.convert_to_numpy(model(x + sign * 1e-5 * direction))[row, k] for sign in (1, -1))
        assert np.vdot(slopes[row], direction[row]) == pytest.approx((ahead - behind) / 2e-5, abs=1e-9)


def test_each_image_has_its_own_and_dropout_and_batch_statistics_stay_out():
    keras.utils.set_random_seed(5)
    model = keras.Sequential(
        [
            keras.Input((6, 6, 1)),
            keras.layers.Conv2D(4, 3, activation="relu"),
            keras.layers.BatchNormalization(),
            keras.layers.Dropout(0.5),
            keras.layers.Flatten(),
            keras.layers.Dense(3),
        ]
    )
    x = images(4, 6, 6, 1)
    whole = ops.convert_to_numpy(saliency(model, x, [0, 1, 2, 0]))
    alone = [saliency(model, x[i : i + 1], [k])[0] for i, k in enumerate([0, 1, 2, 0])]
    np.testing.assert_allclose(whole, np.stack(alone), rtol=1e-5, atol=1e-7)
    np.testing.assert_array_equal(whole, saliency(model, x, [0, 1, 2, 0]))


def test_a_score_of_ones_own_may_stand_for_the_output(linear):
    model, weights = linear
    slopes = score_slopes(model, images(2, 4, 3, 2), [0, 0], score=lambda x: ops.sum(model(x), -1, keepdims=True))
    np.testing.assert_allclose(slopes[0], weights.sum(-1), atol=1e-6)


def test_noise_leaves_a_linear_model_alone_and_repeats_by_its_seed(linear, moving):
    model, _ = linear
    x = images(2, 4, 3, 2)
    np.testing.assert_allclose(smooth_saliency(model, x, [1, 3], draws=4), saliency(model, x, [1, 3]), atol=1e-6)
    x = images(2, 8, 8, 1)
    once, again, other = (smooth_saliency(moving, x, [0, 2], draws=3, seed=seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(once, again)
    assert np.abs(ops.convert_to_numpy(once - other)).max() > 0
    np.testing.assert_allclose(
        smooth_saliency(moving, x, [0, 2], draws=2, noise=0.0), saliency(moving, x, [0, 2]), atol=1e-8
    )


def test_averaging_over_noise_comes_near_the_slope_of_the_smoothed_score():
    """For score(x) = |x_0| the smoothed score's slope at 0.1 with sigma is erf(0.1 / (sigma sqrt 2))."""
    from scipy.special import erf

    model = keras.Sequential([keras.Input((1, 2, 1)), keras.layers.Flatten()])

    def score(x):
        return ops.abs(x[:, 0, 0, :])

    x = np.tile(np.array([0.1, 1.1], "float32").reshape(1, 1, 2, 1), (20, 1, 1, 1))  # range 1: sigma is the noise
    smooth = ops.convert_to_numpy(smooth_saliency(model, x, [0] * 20, score, draws=100, noise=0.2))[:, 0, 0]
    assert smooth.mean() == pytest.approx(erf(0.1 / (0.2 * np.sqrt(2))), abs=5 / np.sqrt(20 * 100))
    assert smooth.std() > 0.01  # every image has its own noise
    np.testing.assert_array_equal(saliency(model, x, [0] * 20, score)[:, 0, 0], 1.0)


@pytest.mark.parametrize("classes", [[5], [-1], [0, 1], [0.0], 1], ids=str)
def test_classes_that_do_not_fit_are_refused_with_what_came(linear, classes):
    with pytest.raises(ValueError, match=r"one class in \[0, 5\) for each of 1 images. Received: classes="):
        saliency(linear[0], images(1, 4, 3, 2), classes)


def test_other_wrong_arguments_are_refused(linear):
    with pytest.raises(ValueError, match="rank 4"):
        saliency(linear[0], images(4, 3, 2))
    with pytest.raises(ValueError, match="draws=0"):
        smooth_saliency(linear[0], images(1, 4, 3, 2), draws=0)
    with pytest.raises(ValueError, match="noise=-1"):
        smooth_saliency(linear[0], images(1, 4, 3, 2), noise=-1)
    with pytest.raises(ValueError, match="rank 2"):
        score_slopes(linear[0], images(1, 4, 3, 2), [0], score=lambda x: x)
