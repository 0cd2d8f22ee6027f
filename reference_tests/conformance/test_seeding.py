"""The kit's seeds are Keras's, though TensorFlow keeps its kernels."""

import random

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_course.testing import seeding
from keras_course.testing.seeding import set_seeds

DRAWS = {
    "Python": random.random,
    "NumPy": lambda: np.random.uniform(size=3),
    "Keras": lambda: keras.random.normal((3,)),
    "an initializer": lambda: keras.initializers.GlorotUniform()((2, 3)),
    "TensorFlow, the operation unseeded": lambda: tf.random.normal((3,)),
    "TensorFlow, the operation seeded": lambda: tf.random.uniform((3,), seed=4),
    "a graph": tf.function(lambda: tf.random.normal((3,), seed=5) + tf.random.normal((3,))),
}


@pytest.fixture(autouse=True)
def nothing_drawn_yet():
    set_seeds(0)
    before, seeding._streams[:] = seeding._streams[0], [False]
    yield
    seeding._streams[0] |= before


def drawn(draw, seed):
    seed()
    return [np.asarray(draw()).tolist() for _ in range(2)]


@pytest.mark.parametrize("name", DRAWS)
def test_draws_are_those_after_keras_own_seeds_however_often(name):
    draw = DRAWS[name]
    first, again = (drawn(draw, lambda: set_seeds(3)) for _ in range(2))
    wanted = drawn(draw, lambda: keras.utils.set_random_seed(3))
    assert first == again == wanted
    assert first[0] != first[1]
    assert name == "a graph" or drawn(draw, lambda: set_seeds(4)) != wanted  # a graph keeps the seed it was traced with


def test_kernels_are_forgotten_only_once_an_operation_keeps_a_stream():
    set_seeds(1)
    keras.random.normal((3,))
    assert not seeding._streams[0]
    tf.random.normal((3,))
    assert seeding._streams[0]
