"""Quarter turns are numpy.rot90, form a group of four, and draw nothing between the pixels."""

import numpy as np
import pytest

from keras_course.ops.rotations import all_quarter_turns, quarter_turn, quarter_turns

X = np.random.default_rng(0).normal(size=(5, 6, 6, 2)).astype("float32")


@pytest.mark.parametrize("turns", range(-2, 6))
def test_a_quarter_turn_is_rot90_on_the_image_axes(turns):
    wide = X[:, :4]
    assert np.array_equal(quarter_turn(wide, turns), np.rot90(wide, turns, axes=(1, 2)))


def test_four_quarter_turns_are_the_identity_and_turns_add_up():
    turned = X
    for _ in range(4):
        turned = quarter_turn(turned, 1)
    assert np.array_equal(turned, X)
    assert np.array_equal(quarter_turn(quarter_turn(X, 1), 2), quarter_turn(X, 3))


def test_each_image_turns_by_its_own_number():
    turns = np.array([0, 1, 2, 3, 1])
    wanted = np.stack([np.rot90(x, k) for x, k in zip(X, turns, strict=True)])
    assert np.array_equal(quarter_turns(X, turns), wanted)


def test_all_turns_stand_in_the_order_of_their_labels():
    copies, labels = all_quarter_turns(X)
    assert np.array_equal(labels, np.tile(np.arange(4), 5))
    assert np.array_equal(copies, np.stack([np.rot90(x, k) for x in X for k in range(4)]))


@pytest.mark.parametrize("function", [all_quarter_turns, lambda x: quarter_turns(x, np.zeros(5))])
def test_images_that_are_not_square_are_refused(function):
    with pytest.raises(ValueError, match=r"square images.*Received: shape=\(5, 4, 6, 2\)"):
        function(X[:, :4])
