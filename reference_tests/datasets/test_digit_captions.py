"""Scenes of digits and the one sentence that describes each."""

import re

import numpy as np
import pytest

from keras_course.datasets import Scene, load
from keras_course.datasets.arrays import digest
from keras_course.datasets.digit_captions import (
    CAPTION_VOCABULARY,
    LENGTH,
    SCENES,
    caption_order,
    caption_scenes,
    describe,
    is_plain,
)
from keras_course.datasets.text import END, PAD

RECORDED = ("8e7aaee822f950af", "ddf335db8f390825")  # sha256 of the first test images and words
DIGIT = "a (small|large) ([0-9])"
MORE = f" (left of|right of|above|below) {DIGIT}"
SENTENCE = re.compile(f"^{DIGIT}(?:{MORE}(?:{MORE})?)?$")


@pytest.fixture(scope="module")
def captions():
    return load("digit-captions", seed=3)


@pytest.fixture(scope="module")
def scenes():
    return caption_scenes(3, "test", 200)


def scene(*placed):
    """(digit, top, left, size) each."""
    return Scene(np.zeros(0), np.zeros(0), *(np.array(column) for column in zip(*placed, strict=True)))


@pytest.mark.parametrize(
    ("placed", "sentence"),
    [
        ([(7, 0, 20, 9), (3, 2, 1, 15)], "a large 3 left of a small 7"),
        ([(3, 2, 20, 15), (7, 0, 1, 9)], "a large 3 right of a small 7"),
        ([(3, 20, 2, 15), (7, 0, 1, 9)], "a large 3 below a small 7"),
        ([(3, 0, 2, 15), (7, 20, 8, 15)], "a large 3 above a large 7"),
        ([(3, 0, 8, 15), (7, 20, 2, 15)], "a large 7 below a large 3"),  # of one size the left one is named first
        ([(1, 20, 0, 8), (2, 20, 25, 8), (5, 0, 12, 16)], "a large 5 above a small 1 left of a small 2"),
        ([(0, 1, 1, 10)], "a small 0"),
    ],
)
def test_a_sentence_names_size_digit_and_place(placed, sentence):
    assert describe(scene(*placed)) == sentence


def test_what_could_be_said_in_two_ways_is_not_plain():
    assert is_plain(scene((7, 0, 20, 9), (3, 2, 1, 15)))
    assert not is_plain(scene((7, 0, 20, 12)))  # neither small nor large
    assert not is_plain(scene((7, 0, 0, 9), (3, 20, 20, 9)))  # as far below as to the right
    assert not is_plain(scene((7, 0, 0, 9), (3, 20, 2, 9)))  # of one size, and hardly one left of the other


def test_every_sentence_fits_its_scene(captions, scenes):
    texts = CAPTION_VOCABULARY.decode(captions.test.y)
    for index, (one, text) in enumerate(zip(scenes, texts, strict=False)):
        np.testing.assert_array_equal(one.image, captions.test.x[index])
        found = SENTENCE.match(text)
        assert found, text
        words = [group for group in found.groups() if group]
        assert is_plain(one) and len(words) == 3 * len(one.digits) - 1
        order = caption_order(one)
        centres = np.stack([2 * one.top + one.size, 2 * one.left + one.size], axis=1)[order]
        for place, index in enumerate(order):
            size, digit = words[3 * place : 3 * place + 2]
            assert digit == str(one.digits[index]) and (size == "large") == (one.size[index] >= 14)
            if place:
                down, right = centres[place] - centres[place - 1]
                wanted = {"left of": right, "right of": -right, "above": down, "below": -down}
                assert words[3 * place - 1] == max(wanted, key=wanted.get)


def test_rows_end_and_are_padded(captions):
    spec, y = captions.spec, captions.train.y
    assert [len(part) for part in (captions.train, captions.validation, captions.test)] == [*SCENES.values()]
    assert spec.shape == (36, 36, 1) and spec.label_shape == (LENGTH,) and spec.classes == len(CAPTION_VOCABULARY) == 22
    ends = np.argmax(y == END, axis=1)
    assert np.all(np.sum(y == END, axis=1) == 1)
    np.testing.assert_array_equal(y != PAD, np.arange(LENGTH) <= ends[:, None])
    assert set(np.unique(y)) == {PAD, END, *range(4, 22)}


def test_no_digit_of_one_part_is_drawn_in_another():
    """Every digit at its own size without noise is an image of its part's split, and of no other."""
    digits = load("digits", seed=3)
    images = {part: getattr(digits, part).x[..., 0] for part in SCENES}
    for part in SCENES:
        seen = 0
        for one in caption_scenes(3, part, 60):
            for top, left, size in zip(one.top, one.left, one.size, strict=True):
                if size == 8:  # no enlargement: the pixels are the digit's own, under noise of at most 0.2
                    ink = one.image[top : top + 8, left : left + 8, 0] - 0.1
                    nearest = {name: np.abs(ink - 0.8 * kept).max(axis=(1, 2)).min() for name, kept in images.items()}
                    assert nearest[part] <= 0.1 + 1e-6
                    assert all(distance > 0.1 + 1e-6 for name, distance in nearest.items() if name != part)
                    seen += 1
        assert seen > 5


def test_the_bits_are_the_recorded_ones_and_more_scenes_begin_with_the_same(captions, scenes):
    first = caption_scenes(0, "test", 20)
    words = CAPTION_VOCABULARY.encode([describe(one) for one in first], LENGTH)
    assert digest(np.stack([one.image for one in first])).startswith(RECORDED[0])
    assert digest(words).startswith(RECORDED[1])
    np.testing.assert_array_equal(caption_scenes(3, "test", 3)[2].image, scenes[2].image)
    with pytest.raises(ValueError, match="part='all'"):
        caption_scenes(0, "all")
