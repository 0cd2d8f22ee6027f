"""Degrees and masks against their definitions, and what paths through them leave."""

import itertools

import numpy as np
import pytest

from keras_course.ops.autoregressive_masks import connections, even_degrees, order_degrees, random_degrees


def test_masks_leave_paths_from_earlier_variables_alone_whatever_the_degrees():
    """Every order of three variables, every choice of degrees of two hidden layers of two units."""
    for order in itertools.permutations(range(3)):
        inputs = np.asarray(order_degrees(order))
        assert [order[place - 1] for place in inputs] == [0, 1, 2]
        earlier = inputs[:, None] < inputs
        for first, second in itertools.product(itertools.product((1, 2), repeat=2), repeat=2):
            layers = [inputs, np.array(first), np.array(second)]
            masks = [np.asarray(connections(*pair)) for pair in itertools.pairwise(layers)]
            masks.append(np.asarray(connections(layers[-1], inputs, strict=True)))
            paths = np.linalg.multi_dot([mask.astype(int) for mask in masks])
            assert not paths[~earlier].any()
    assert paths.any()


def test_with_all_degrees_in_every_layer_each_earlier_variable_has_a_path():
    inputs = np.asarray(order_degrees([3, 1, 0, 2]))
    hidden = np.asarray(even_degrees(7, features=4))
    into, out = (np.asarray(connections(*pair)) for pair in ((inputs, hidden), (hidden, hidden)))
    last = np.asarray(connections(hidden, inputs, strict=True))
    paths = np.linalg.multi_dot([into.astype(int), out.astype(int), last.astype(int)])
    np.testing.assert_array_equal(paths > 0, inputs[:, None] < inputs)


def test_even_degrees_are_within_one_of_equally_many_and_ascend():
    for units, features, lowest in itertools.product((1, 3, 8, 30), (2, 3, 7), (0, 1)):
        degrees = np.asarray(even_degrees(units, features, lowest))
        assert np.all(np.diff(degrees) >= 0) and degrees.min() >= lowest and degrees.max() <= features - 1
        counts = np.bincount(degrees - lowest, minlength=features - lowest)
        assert counts.max() - counts.min() <= 1


def test_random_degrees_are_uniform_shares_of_the_unit_interval():
    uniform = (np.arange(600) + 0.5) / 600
    degrees = np.asarray(random_degrees(uniform, features=5, lowest=2))
    np.testing.assert_array_equal(np.bincount(degrees), [0, 0, 200, 200, 200])
    assert np.asarray(random_degrees(np.float32([1 - 2**-24]), features=5)).tolist() == [4]


def test_a_bank_of_degrees_makes_a_bank_of_masks():
    inputs, outputs = np.array([[1, 2], [2, 1]]), np.array([[1, 1, 2], [1, 2, 2]])
    bank = np.asarray(connections(inputs, outputs))
    for k in range(2):
        np.testing.assert_array_equal(bank[k], connections(inputs[k], outputs[k]))


def test_no_degree_between_the_lowest_and_the_last_is_refused():
    with pytest.raises(ValueError, match="0 <= lowest < features.*lowest=1, features=1"):
        even_degrees(3, features=1)
    with pytest.raises(ValueError, match="lowest=-1"):
        random_degrees([0.5], features=3, lowest=-1)
