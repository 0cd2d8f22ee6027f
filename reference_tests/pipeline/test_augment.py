"""Augmented data are a pure function of (seed, epoch, index), whatever makes them."""

import numpy as np
import pytest
import tensorflow as tf

from keras_course.datasets import Split
from keras_course.layers import RandomNoise, RandomRotation, RandomShift, WeightedChoice
from keras_course.pipeline.augment import augmented, uniforms_of_example
from keras_course.pipeline.batches import TrainingBatches

IMAGES = np.random.default_rng(0).normal(size=(23, 5, 6, 2)).astype("float32")
LABELS = np.arange(23)
LAYER = WeightedChoice([RandomShift(2), RandomRotation(1.0)], [1.0, 2.0])


def examples():
    return tf.data.Dataset.from_tensor_slices((IMAGES, LABELS))


def gathered(dataset):
    x, y = zip(*dataset.as_numpy_iterator(), strict=True)
    return np.concatenate(x) if x[0].ndim == 4 else np.stack(x), np.concatenate(y) if y[0].ndim else np.stack(y)


def test_workers_batches_and_order_change_no_bit_of_an_example():
    alone, labels = gathered(augmented(examples(), LAYER, seed=7, epoch=2))
    assert np.array_equal(labels, LABELS) and not np.array_equal(alone, IMAGES)
    for workers, size in ((1, 23), (2, 4), (5, 1)):
        came, labels = gathered(augmented(examples(), LAYER, seed=7, epoch=2, workers=workers).batch(size))
        np.testing.assert_array_equal(came, alone)
    came, labels = gathered(augmented(examples(), LAYER, seed=7, epoch=2).shuffle(23, seed=1).batch(5))
    assert not np.array_equal(labels, LABELS)
    np.testing.assert_array_equal(came, alone[labels])


def test_another_seed_or_epoch_is_another_draw_and_a_variable_tells_the_epoch():
    epoch = tf.Variable(0, dtype=tf.int64)
    dataset = augmented(examples(), LAYER, seed=7, epoch=epoch)
    drawn = {}
    for value in (0, 1, 0):
        epoch.assign(value)
        came, _ = gathered(dataset)
        np.testing.assert_array_equal(came, drawn.setdefault(value, came))
        np.testing.assert_array_equal(came, gathered(augmented(examples(), LAYER, seed=7, epoch=value))[0])
    other, _ = gathered(augmented(examples(), LAYER, seed=8))
    assert not np.array_equal(drawn[0], drawn[1]) and not np.array_equal(drawn[0], other)


def test_the_layer_gets_the_numbers_of_the_examples_own_index():
    came, _ = gathered(augmented(examples(), LAYER, seed=3, epoch=1))
    u = tf.stack([uniforms_of_example(3, 1, index, LAYER.draws(IMAGES.shape)) for index in range(23)])
    np.testing.assert_allclose(came, LAYER(IMAGES, u).numpy(), atol=2e-6)
    assert u.numpy().min() >= 0 and u.numpy().max() < 1 and len(np.unique(u)) == u.numpy().size


def test_examples_need_not_be_pairs_but_need_a_known_shape():
    sound = tf.data.Dataset.from_tensor_slices(np.ones((3, 9), "float32"))
    noisy = list(augmented(sound, RandomNoise((0.0, 0.0)), seed=1).as_numpy_iterator())
    assert len(noisy) == 3 and not np.allclose(noisy[0], noisy[1])
    unknown = tf.data.Dataset.from_generator(lambda: iter([]), output_signature=tf.TensorSpec((None,), tf.float32))
    with pytest.raises(ValueError, match="known shape. Received: shape="):
        augmented(unknown, RandomNoise(), seed=1)


def test_a_layer_is_what_a_recipe_takes_as_augment():
    drawn = {}
    for size in (4, 23, None):
        batches = TrainingBatches(Split(IMAGES, LABELS), size, 5, LAYER, LAYER.draws(IMAGES.shape))
        batches.epoch = 3
        came, labels = gathered(batches.dataset())
        drawn[size] = came[np.argsort(labels)]
        assert not np.array_equal(drawn[size], IMAGES)
    np.testing.assert_array_equal(drawn[4], drawn[23])
    np.testing.assert_array_equal(drawn[4], drawn[None])
    wanted = LAYER(IMAGES, batches.uniforms(3)).numpy()
    np.testing.assert_allclose(drawn[4], wanted, atol=2e-6)
