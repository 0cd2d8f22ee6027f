"""Crops of the photographs: pure functions of (seed, part, index), and no pixel in two parts."""

import numpy as np
import pytest

from keras_course.datasets import load, load_photograph
from keras_course.datasets.photograph_crops import COLUMNS, HEIGHT, ROWS, WIDTH, tiles_of_parts


def test_every_tile_of_a_photograph_belongs_to_one_part_and_lies_within_it():
    for seed in range(3):
        parts = tiles_of_parts(seed, "china", 0.1, 0.2)
        assert sorted(np.concatenate(list(parts.values()))) == list(range(ROWS * COLUMNS))
    height, width, _ = load_photograph("china").shape
    assert ROWS * HEIGHT <= height and COLUMNS * WIDTH <= width


def test_every_crop_lies_in_the_photograph_of_its_label_within_a_tile_of_its_part():
    data = load("photograph-crops", seed=1)
    for part in ("train", "validation", "test"):
        split = getattr(data, part)
        for k, name in enumerate(("china", "flower")):
            picture = load_photograph(name).astype("float32") / 255
            tiles = tiles_of_parts(1, name, 0.1, 0.2)[part]
            for crop in split.x[split.y == k][:5]:
                places = [
                    (tile, window)
                    for tile in tiles
                    for window in [_found(picture, int(tile), crop)]
                    if window is not None
                ]
                assert places


def _found(picture, tile, crop):
    top, left = tile // COLUMNS * HEIGHT, tile % COLUMNS * WIDTH
    region = picture[top : top + HEIGHT, left : left + WIDTH]
    windows = np.lib.stride_tricks.sliding_window_view(region, crop.shape)[:, :, 0]
    hits = np.argwhere((windows == crop).all((2, 3, 4)))
    return tuple(hits[0]) if len(hits) else None


def test_the_same_seed_gives_the_same_bits_and_another_seed_other_crops():
    first, again, other = (load("photograph-crops", seed=seed) for seed in (2, 2, 3))
    assert np.array_equal(first.train.x, again.train.x) and np.array_equal(first.test.y, again.test.y)
    assert not np.array_equal(first.train.x, other.train.x)
    assert np.array_equal(np.bincount(first.test.y), [180, 180])


def test_shares_that_leave_no_tile_to_train_on_are_refused():
    with pytest.raises(ValueError, match=r"tiles to train on. Received: validation=0.5, test=0.5"):
        load("photograph-crops", validation=0.5, test=0.5)
