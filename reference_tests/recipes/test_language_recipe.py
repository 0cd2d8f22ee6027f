"""The language model's recipe: counted contexts as its baseline, bits over whole chapters, pages of samples."""

import dataclasses
import math

import numpy as np
import pytest

from keras_course.datasets import load
from keras_course.models import CharacterLM
from keras_course.pipeline.figures import FigureContext
from keras_course.recipes.language import (
    bits_by_place,
    bits_of_test_chapters,
    in_longer_windows,
    lstm,
    samples_at_temperatures,
    test_chapters,
    witten_bell,
    witten_bell_bits,
)

chapters_of_test = test_chapters  # so that pytest does not take it for a test
del test_chapters


@pytest.fixture(scope="module")
def few():
    data = load("king-james")
    parts = {
        name: dataclasses.replace(part, x=part.x[:60], y=part.y[:60])
        for name, part in (("train", data.train), ("test", data.test))
    }
    return dataclasses.replace(data, **parts)


def test_counted_contexts_are_a_distribution_over_the_alphabet():
    for history in ("ab", "zz"):
        assert _total(history) == pytest.approx(1.0)


def _total(history):
    """Sum over the next character of p(next | history), from differences of bits."""
    before = witten_bell_bits("abracadabra", [history], 2, 6)[2] * (len(history) - 1)
    after = [witten_bell_bits("abracadabra", [history + c], 2, 6)[2] * len(history) for c in "abrcdz"]
    return sum(2.0 ** (before - each) for each in after)


def test_counts_of_a_tiny_text_by_hand():
    # n(a) = 2, n(b) = 1, two kinds of three: (n + 2/2) / (3 + 2); after "a" came b once, of one kind
    unigram = {"a": 3 / 5, "b": 2 / 5}
    found = witten_bell_bits("aba", ["ab"], 1, 2)
    assert found == pytest.approx([-math.log2(unigram["b"]), -math.log2((1 + unigram["b"]) / 2)])


def test_bits_over_chapters_weigh_every_character_alike(few):
    model = CharacterLM("".join(few.spec.class_names), units=(4,))
    chapters = chapters_of_test(few)
    assert 0 < sum(map(len, chapters)) <= max(len(chapters[0]), few.test.x.size)
    nats = sum(float(model.log_prob([chapter])["log_prob"][0]) for chapter in chapters)
    wanted = -nats / math.log(2) / sum(len(chapter) - 1 for chapter in chapters)
    assert bits_of_test_chapters(model, few, 0)["bits_per_character"] == pytest.approx(wanted, rel=1e-5)


def test_longer_windows_are_the_same_text_and_its_next_characters(few):
    windows, before = in_longer_windows(load("king-james")), few.train
    assert windows.train.x.shape[1:] == windows.spec.shape == windows.spec.label_shape == (4 * before.x.shape[1],)
    np.testing.assert_array_equal(windows.train.x[:15].ravel(), before.x.ravel())
    np.testing.assert_array_equal(windows.train.x[3, 1:], windows.train.y[3, :-1])


def test_the_recipe_must_beat_the_counts_and_draws_its_figures(few):
    recipe = lstm()
    name, metrics = witten_bell(few, 0)
    assert name == "counts of 6 characters" and metrics["bits_per_character"] < math.log2(63)
    assert recipe.ceiling["bits_per_character"] < math.log2(63) / 3
    model = CharacterLM("".join(few.spec.class_names), units=(4,))
    context = FigureContext(recipe, model, few, {}, {"bits_per_character": 3.0})
    assert bits_by_place(context).axes[0].lines
    page = samples_at_temperatures(context, length=20)
    assert [text.get_text() for text in page.texts if "temperature" in text.get_text()] == [
        f"temperature {temperature}" for temperature in ("0.5", "0.8", "1", "1.2")
    ]
