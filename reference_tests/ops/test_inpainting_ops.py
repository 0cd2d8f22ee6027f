"""Holes in images: where they may lie, how large they are, what a filling costs."""

import numpy as np
import pytest
import tensorflow as tf
from scipy import ndimage

from keras_course.ops.inpainting import (
    central_block,
    masked_squared_error,
    random_blocks,
    random_regions,
    reconstruction_weights,
)

RNG = np.random.default_rng(1)


@pytest.mark.parametrize(("height", "width", "side"), [(8, 8, 4), (7, 5, 3), (6, 6, 3), (3, 3, 3)])
def test_the_central_block_is_as_far_from_opposite_edges_as_it_can_be(height, width, side):
    rows, columns = np.nonzero(np.asarray(central_block(height, width, side))[0, ..., 0])
    assert len(rows) == side**2
    for places, length in ((rows, height), (columns, width)):
        before, after = places.min(), length - 1 - places.max()
        assert 0 <= after - before <= 1


def test_random_blocks_are_unions_of_squares_within_the_image():
    uniforms = RNG.uniform(size=(50, 3, 2))
    masks = np.asarray(random_blocks(uniforms, 7, 5, 2))[..., 0]
    for numbers, mask in zip(uniforms, masks, strict=True):
        wanted = np.zeros((7, 5))
        for u, v in numbers:
            top, left = int(u * 6), int(v * 4)
            wanted[top : top + 2, left : left + 2] = 1
        assert np.array_equal(mask, wanted)
    assert masks.sum((1, 2)).max() <= 12


def test_every_place_of_a_block_is_equally_likely_the_last_one_too():
    uniforms = np.stack(np.meshgrid((np.arange(60) + 0.5) / 60, (np.arange(60) + 0.5) / 60), -1).reshape(-1, 1, 2)
    masks = np.asarray(random_blocks(uniforms, 4, 4, 2))
    corners, counts = np.unique(masks.reshape(len(masks), -1), axis=0, return_counts=True)
    assert len(corners) == 9 and np.all(counts == 400)
    assert random_blocks(np.full((1, 1, 2), np.nextafter(np.float32(1), 0)), 4, 4, 2)[0, 3, 3, 0] == 1


@pytest.mark.parametrize("share", [0.1, 0.25, 0.5])
def test_random_regions_have_exactly_the_size_that_was_asked_for(share):
    masks = np.asarray(random_regions(RNG.uniform(size=(20, 9, 8, 1)), share))
    assert set(np.unique(masks)) == {0.0, 1.0}
    assert np.all(masks.sum((1, 2, 3)) == round(share * 72))


def test_more_blur_makes_fewer_islands_and_all_places_are_taken_alike():
    noise = RNG.uniform(size=(400, 12, 12, 1)).astype("float32")
    islands = []
    for sigma in (0.0, 1.5):
        masks = np.asarray(random_regions(noise, 0.25, sigma, radius=3))[..., 0]
        islands.append(np.mean([ndimage.label(mask)[1] for mask in masks]))
        assert np.all(np.abs(masks.mean(0) - 0.25) < 0.2)
    assert islands[1] < 0.5 * islands[0]


@pytest.mark.parametrize("overlap", [0, 1, 2])
def test_the_band_is_what_dilation_adds_to_the_hole(overlap):
    masks = (RNG.uniform(size=(5, 7, 6, 1)) > 0.9).astype("float32")
    weights = np.asarray(reconstruction_weights(masks, overlap, 10.0))[..., 0]
    for mask, weight in zip(masks[..., 0], weights, strict=True):
        window = np.ones((2 * overlap + 1, 2 * overlap + 1))
        dilated = ndimage.binary_dilation(mask, window)
        assert np.array_equal(weight, mask + 10.0 * (dilated & (mask == 0)))


def test_the_error_is_the_weighted_mean_over_places_that_count_and_blind_elsewhere():
    x, y = RNG.normal(size=(2, 3, 4, 5, 2))
    weights = RNG.uniform(size=(3, 4, 5, 1)) * (RNG.uniform(size=(3, 4, 5, 1)) > 0.5)
    errors = np.asarray(masked_squared_error(x, y, weights))
    everywhere = np.broadcast_to(weights, x.shape)
    wanted = [np.average((a - b) ** 2, weights=w) for a, b, w in zip(x, y, everywhere, strict=True)]
    assert np.allclose(errors, wanted, rtol=1e-12)
    elsewhere = np.where(everywhere > 0, y, 99.0)
    assert np.allclose(masked_squared_error(x, elsewhere, weights), errors, rtol=1e-12)
    assert np.allclose(masked_squared_error(x, y, 7 * weights), errors, rtol=1e-12)


def test_an_image_in_which_nothing_counts_costs_nothing_and_has_a_finite_slope():
    y = tf.Variable(np.ones((2, 2, 2, 1), "float32"))
    with tf.GradientTape() as tape:
        cost = tf.reduce_sum(masked_squared_error(np.zeros((2, 2, 2, 1)), y, np.zeros((1, 2, 2, 1))))
    assert float(cost) == 0.0 and np.array_equal(tape.gradient(cost, y), np.zeros((2, 2, 2, 1)))


def test_holes_that_are_none_are_refused_with_what_came():
    with pytest.raises(ValueError, match="within the image of 4 x 6. Received: side=5"):
        central_block(4, 6, 5)
    with pytest.raises(ValueError, match="two numbers a block"):
        random_blocks(np.zeros((1, 2, 3)), 4, 4, 2)
    with pytest.raises(ValueError, match=r"leaves some. Received: share=1.0 of 3 x 3"):
        random_regions(np.zeros((1, 3, 3, 1)), 1.0)
    with pytest.raises(ValueError, match="Received: overlap=-1"):
        reconstruction_weights(np.zeros((1, 3, 3, 1)), -1)
    with pytest.raises(ValueError, match="images of one shape"):
        masked_squared_error(np.zeros((1, 2, 2, 1)), np.zeros((1, 2, 3, 1)), np.zeros((1, 2, 2, 1)))
