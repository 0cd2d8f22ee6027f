"""Purity: a count of majorities that no batch size changes."""

import keras
import numpy as np
import pytest

from keras_course.metrics.purity import Purity


def test_purity_counts_the_majority_of_every_cluster():
    purity = Purity(3, 2)
    purity.update_state([0, 0, 1, 1, 1], [0, 0, 0, 2, 2])
    assert float(purity.result()) == pytest.approx(4 / 5)


def test_batches_of_any_size_give_the_same_purity():
    y, k = np.random.default_rng(0).integers(0, 4, 100), np.random.default_rng(1).integers(0, 5, 100)
    whole, parts = Purity(5, 4), Purity(5, 4)
    whole.update_state(y, k)
    for start in range(0, 100, 7):
        parts.update_state(y[start : start + 7], k[start : start + 7])
    assert float(whole.result()) == float(parts.result())


def test_responsibilities_count_for_their_largest():
    purity = Purity(2, 2)
    purity.update_state([[0], [1]], [[0.9, 0.1], [0.2, 0.8]])
    assert float(purity.result()) == 1.0


def test_weights_count_and_no_samples_give_zero():
    purity = Purity(1, 2)
    assert float(purity.result()) == 0.0
    purity.update_state([0, 1], [0, 0], sample_weight=[3.0, 1.0])
    assert float(purity.result()) == 0.75


def test_config_comes_back_and_bad_arguments_are_refused():
    again = keras.metrics.deserialize(keras.metrics.serialize(Purity(3, 2)))
    assert (again.clusters, again.classes) == (3, 2)
    with pytest.raises(ValueError, match="clusters=0"):
        Purity(0, 2)
