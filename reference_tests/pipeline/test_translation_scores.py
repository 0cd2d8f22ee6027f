"""Scores and figures of answers in words, against references."""

import builtins
import math
from collections import Counter
from types import SimpleNamespace

import numpy as np
import pytest

from keras_course.core.errors import KerasCourseError
from keras_course.datasets.sentence_pairs import sentence_dataset
from keras_course.pipeline.translation_plots import alignment_maps, length_figure, score_against_length
from keras_course.pipeline.translation_scores import bleu, exact_match, scores_by_length, translation_scores

WORDS = "le la un une chat chien dort mange voit petit grand rouge vert ami".split()


@pytest.fixture(scope="module")
def dataset():
    generator = np.random.default_rng(0)
    sentences = [" ".join(generator.choice(WORDS, 4 + n % 9)) for n in range(120)]
    return sentence_dataset([(text, text) for text in sentences], name="echo")


def bleu_by_hand(answers, references):
    """Geometric mean of the n-gram precisions of the whole corpus, times the brevity penalty."""
    right, all_ = np.zeros(4), np.zeros(4)
    for one, other in zip(answers, references, strict=True):
        one, other = one.split(), other.split()
        for n in range(1, 5):
            grams = [Counter(tuple(text[i : i + n]) for i in range(len(text) - n + 1)) for text in (one, other)]
            right[n - 1] += sum((grams[0] & grams[1]).values())
            all_[n - 1] += max(len(one) - n + 1, 0)
    shorter = sum(len(text.split()) for text in answers) / sum(len(text.split()) for text in references)
    return 100 * min(1.0, math.exp(1 - 1 / shorter)) * math.exp(np.mean(np.log(right / all_)))


def test_bleu_is_the_formula_and_100_for_the_reference_itself():
    references = ["le petit chat dort sur la table verte", "un grand chien voit une vache rouge"]
    answers = ["le petit chat dort sur une table verte", "un grand chien voit la vache"]
    assert bleu(references, references) == pytest.approx(100)
    assert bleu(answers, references) == pytest.approx(bleu_by_hand(answers, references), rel=1e-9)
    assert exact_match([*answers, "a"], [*references, "a"]) == pytest.approx(1 / 3)
    with pytest.raises(ValueError, match="1 and 2"):
        bleu(["a"], references)


def test_without_sacrebleu_the_extra_is_named(monkeypatch):
    real = builtins.__import__

    def missing(name, *args, **kwargs):
        if name == "sacrebleu":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(KerasCourseError, match=r"keras-course\[text\]"):
        bleu(["a"], ["a"])


def test_answers_that_fail_on_long_sources_score_worse_there(dataset):
    lengths = (dataset.test.x != 0).sum(1)
    answers = np.where((lengths > 9)[:, None] & (dataset.test.y > 3), 4, dataset.test.y)
    scores = translation_scores(answers, dataset.test, dataset.spec)
    assert scores["exact_match"] == pytest.approx(np.mean(lengths <= 9))
    assert scores["bleu_long"] < scores["bleu"] < 100
    found = scores_by_length(answers, dataset.test, dataset.spec, bins=3)
    assert sum(found["count"]) == len(lengths) and found["length"] == sorted(found["length"])
    assert found["exact_match"][0] == 1.0 and found["exact_match"][-1] == 0.0
    assert found["bleu"][0] == pytest.approx(100) and found["bleu"][-1] < 50


class _Echo:
    unit = "word"

    def __init__(self, spec):
        from keras_course.datasets.text import Vocabulary

        self.source_vocabulary = Vocabulary(spec.vocabulary[4:])
        self.target_vocabulary = Vocabulary(spec.class_names[4:])

    def align(self, source, answer):
        return np.eye(answer.shape[1], source.shape[1])[None]


def test_figures_show_the_scores_and_the_weights(dataset):
    context = SimpleNamespace(
        model=_Echo(dataset.spec), dataset=dataset, outputs=dataset.test.y, recipe=SimpleNamespace(slug="echo")
    )
    figure = score_against_length(context, {"other": np.where(dataset.test.y > 3, 4, dataset.test.y)})
    exact, by_bleu = figure.axes
    own, other = exact.lines
    assert np.all(own.get_ydata() == 1.0) and np.all(other.get_ydata() < 1.0)
    assert [text.get_text() for text in by_bleu.get_legend().get_texts()] == ["echo", "other"]
    maps = alignment_maps(context)
    assert len(maps.axes) == 3
    for axes in maps.axes:
        weights = axes.images[0].get_array()
        assert weights.shape == (len(axes.get_yticks()), len(axes.get_xticks()))
        assert axes.get_yticklabels()[-1].get_text() == "[end]"
        assert axes.get_title() == "answer right"
    assert len(length_figure({"one": {"length": [3.0], "exact_match": [1.0]}}, "character").axes) == 1
