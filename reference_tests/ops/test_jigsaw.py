"""Pieces of images, and sets of orders: exact pixels, and distances that brute force cannot better."""

import itertools
import math

import numpy as np
import pytest

from keras_course.ops.jigsaw import image_pieces, least_distance, permutation_set, shuffled_pieces

X = np.random.default_rng(0).normal(size=(3, 6, 9, 2)).astype("float32")


def test_pieces_without_gaps_put_together_are_the_image():
    pieces = np.asarray(image_pieces(X, 3))
    rows = [np.concatenate(list(np.moveaxis(pieces[:, 3 * a : 3 * a + 3], 1, 0)), axis=2) for a in range(3)]
    assert np.array_equal(np.concatenate(rows, axis=1), X)


def test_pieces_with_gaps_share_no_edge_and_lie_in_the_middle():
    pieces = np.asarray(image_pieces(X, 2, gap=1))  # 6 = 0 + 2 + 1 + 2 + 1, 9 = 0 + 4 + 1 + 4
    assert pieces.shape == (3, 4, 2, 4, 2)
    assert np.array_equal(pieces[:, 3], X[:, 3:5, 5:9])


def test_pieces_with_a_gap_below_zero_overlap_by_as_much():
    pieces = np.asarray(image_pieces(X[:, :, :6], 2, gap=-2))  # 6 = 4 + 4 - 2
    assert pieces.shape == (3, 4, 4, 4, 2)
    assert np.array_equal(pieces[:, 0, :, 2:], pieces[:, 1, :, :2])
    assert np.array_equal(pieces[:, 3], X[:, 2:6, 2:6])


@pytest.mark.parametrize(("grid", "gap"), [(7, 0), (3, 3), (2, -20)])
def test_a_raster_that_leaves_no_pixel_is_refused(grid, gap):
    with pytest.raises(ValueError, match=f"Received: shape=.*grid={grid}, gap={gap}"):
        image_pieces(X, grid, gap)


def test_shuffling_by_an_order_and_by_its_inverse_gives_the_pieces_back():
    pieces = image_pieces(X, 3)
    orders = np.array([np.random.default_rng(k).permutation(9) for k in range(3)])
    shuffled = shuffled_pieces(pieces, orders)
    assert np.array_equal(shuffled, np.stack([np.asarray(p)[o] for p, o in zip(pieces, orders, strict=True)]))
    assert np.array_equal(shuffled_pieces(shuffled, np.argsort(orders, axis=1)), pieces)
    assert np.array_equal(shuffled_pieces(pieces, orders[0])[0], shuffled[0])


@pytest.mark.parametrize(("pieces", "count"), [(2, 2), (3, 3), (3, 4), (3, 6), (4, 4), (4, 5), (4, 12), (4, 13)])
def test_no_set_of_orders_is_further_apart(pieces, count):
    """All sets with the identity are tried, by extending them while they are further apart."""
    every = list(itertools.permutations(range(pieces)))

    def extends(size, rest, wanted):
        return size == count or any(
            extends(size + 1, [q for q in rest[i + 1 :] if sum(map(int.__ne__, p, q)) >= wanted], wanted)
            for i, p in enumerate(rest)
            if size + len(rest) - i >= count
        )

    found = least_distance(permutation_set(pieces, count))
    further = [p for p in every[1:] if sum(map(int.__ne__, every[0], p)) > found]
    assert not extends(1, further, found + 1)


def test_an_order_stands_once_and_the_identity_first():
    orders = permutation_set(4, 24)
    assert orders[0].tolist() == [0, 1, 2, 3]
    assert sorted(map(tuple, orders)) == list(itertools.permutations(range(4)))
    assert least_distance(orders) == 2


def test_nine_orders_of_nine_pieces_agree_nowhere():
    assert least_distance(permutation_set(9, 9)) == 9


@pytest.mark.parametrize(("pieces", "count"), [(1, 2), (10, 3), (3, 7), (3, 1)])
def test_more_orders_than_there_are_are_refused(pieces, count):
    with pytest.raises(ValueError, match=f"Received: pieces={pieces}, count={count}"):
        permutation_set(pieces, count)
    with pytest.raises(ValueError, match=r"two orders or more.*shape=\(1, 3\)"):
        least_distance([[0, 1, 2]])


def test_all_orders_of_p_pieces_are_p_factorial():
    assert len(permutation_set(5, math.factorial(5))) == 120
