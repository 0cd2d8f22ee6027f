"""The recipe of the captioner: its baseline is as large, its maps are measured where the digits lie."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from keras_course.datasets import digit_captions as scenes
from keras_course.datasets import load
from keras_course.pipeline.figures import FigureContext
from keras_course.recipes import captioning as recipes
from keras_course.recipes.captioning import (
    attended_words,
    attention_on_digits,
    captioning,
    without_attention,
    wrong_captions,
)


@pytest.fixture(scope="module")
def dataset():
    with pytest.MonkeyPatch.context() as patch:
        for part, count in (("train", 50), ("validation", 20), ("test", 30)):
            patch.setitem(scenes.SCENES, part, count)
        yield load("digit-captions")


class Pointer:
    """Looks at one pixel of the feature map, which is 9 x 9."""

    def __init__(self, places):
        self.places = places

    def score(self, x, words):
        maps = np.zeros((*words.shape, 9, 9), "float32")
        for row in maps:
            for t, (down, right) in enumerate(self.places.pop(0)):
                row[t, down, right] = 1.0
        return None, maps


def test_attention_on_digits_is_the_share_on_the_digit_that_is_named(dataset):
    first, words = scenes.caption_scenes(0, "test", 30), dataset.test.y
    right, wrong = [], []
    for scene, row in zip(first, words, strict=True):
        right.append([(0, 0)] * len(row))
        wrong.append([(0, 0)] * len(row))
        digits = np.flatnonzero([scenes.CAPTION_VOCABULARY.names[word] in "0123456789" for word in row])
        for t, k in zip(digits, scenes.caption_order(scene), strict=True):
            middle = [int((corner[k] + scene.size[k] / 2) // 4) for corner in (scene.top, scene.left)]
            right[-1][t] = tuple(middle)
            wrong[-1][t] = tuple((place + 5) % 9 for place in middle)
    found = attention_on_digits(Pointer(right), dataset, 0)
    assert found["attention_on_digit"] == 1.0 and 0.05 < found["places_on_digit"] < 0.3
    assert attention_on_digits(Pointer(wrong), dataset, 0)["attention_on_digit"] == 0.0


def test_the_baseline_has_no_fewer_parameters_and_no_attention(dataset, monkeypatch):
    ours = captioning().model(dataset.spec, 0)
    theirs = recipes._network(dataset.spec, 0, None, recipes.UNITS_WITHOUT)
    assert theirs.attend is None and 1.0 <= theirs.count_params() / ours.count_params() < 1.02
    monkeypatch.setattr(recipes, "EPOCHS", 1)
    name, metrics = without_attention(dataset, 0)
    assert name == "no attention" and metrics["exact_match"] < 0.3 and metrics["loss"] > 5


def test_figures_show_words_and_mistakes(dataset):
    recipe = captioning()
    model = recipe.model(dataset.spec, 0)
    context = FigureContext(recipe, model, dataset, {})
    words = attended_words(context)
    assert isinstance(words, Figure) and words.axes[1].get_title() in scenes.CAPTION_VOCABULARY.names
    mistakes = wrong_captions(context, count=5)
    assert "true: a " in mistakes.axes[0].get_title()
    context.outputs = dataset.test.y
    assert wrong_captions(context) is None
    titles = [axes.get_title() for axes in attended_words(context).axes]
    assert titles.count("[end]") == 3 and titles.count("a") == 6  # one, two and three digits
