"""Recipes of translation: English to French through one vector, and with attention; dates to ISO 8601."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache, partial
from typing import Any

import keras
import numpy as np

from keras_course.datasets.text import PAD, SPECIAL
from keras_course.models.recurrent.rnn_search import RNNSearch
from keras_course.models.recurrent.seq2seq import Seq2Seq
from keras_course.pipeline.plots import learning_curves
from keras_course.pipeline.recipe import Baseline, Recipe
from keras_course.pipeline.translation_plots import alignment_maps, score_against_length
from keras_course.pipeline.translation_scores import translation_scores

__all__ = [
    "against_fixed_context",
    "bahdanau_attention",
    "dates_by_attention",
    "dates_through_one_vector",
    "fixed_context",
    "most_alike",
    "seq2seq",
]

EPOCHS, ATTENTION_EPOCHS, DATE_EPOCHS, BATCH = 16, 10, 12, 64  # dates through one vector take twice as long
SIZES = {"units": 64, "embedding": 48}


def seq2seq() -> Recipe:
    """English to French, the whole sentence through one vector of 64 numbers.

    4,747 pairs, of which 247 were written by people and the rest by a grammar (`datasets.agreement_grammar`): results
    are mostly results on generated sentences. With so few pairs one vector carries little more than what a translation
    memory finds, and long sentences suffer most: see the figure, and `bahdanau_attention` on the same pairs.
    """
    return Recipe(
        slug="seq2seq",
        dataset="english-french",
        model=partial(_translator, Seq2Seq),
        compile=partial(_compile, epochs=EPOCHS, pairs=3323),
        batch_size=BATCH,
        epochs=EPOCHS,
        baseline=most_alike,
        judge=judged,
        floor={"bleu": 10.0},  # a translation memory has 9.3
        figures=(learning_curves, score_against_length),
    )


def bahdanau_attention() -> Recipe:
    """The same pairs and sizes as `seq2seq`, but the decoder looks at every word of the source.

    Baseline: `seq2seq` trained on the same split, for more epochs. The longer the sentence, the further it is behind.
    """
    return Recipe(
        slug="bahdanau-attention",
        dataset="english-french",
        model=partial(_translator, RNNSearch),
        compile=partial(_compile, epochs=ATTENTION_EPOCHS, pairs=3323),
        batch_size=BATCH,
        epochs=ATTENTION_EPOCHS,
        baseline=fixed_context,
        judge=judged,
        floor={"bleu": 60.0, "bleu_long": 55.0},
        figures=(learning_curves, against_fixed_context, alignment_maps),
    )


def dates_by_attention() -> Recipe:
    """Dates as people write them to ISO 8601, characters, generated: `fit bahdanau-attention --dataset dates`."""
    return _dates("bahdanau-attention", RNNSearch, DATE_EPOCHS, floor=0.9, figures=(alignment_maps,))


def dates_through_one_vector() -> Recipe:
    """The same dates through one vector of 64 numbers, enough for a date: `fit seq2seq --dataset dates`."""
    return _dates("seq2seq", Seq2Seq, 2 * DATE_EPOCHS, floor=0.5)


def _dates(slug: str, kind: Any, epochs: int, floor: float, figures: tuple[Any, ...] = ()) -> Recipe:
    return Recipe(
        slug=slug,
        dataset="dates",
        model=partial(_translator, kind, unit="character"),
        compile=partial(_compile, epochs=epochs, pairs=2800),
        batch_size=BATCH,
        epochs=epochs,
        baseline=most_alike,
        judge=judged,
        floor={"exact_match": floor},
        figures=(learning_curves, score_against_length, *figures),
    )


def _translator(kind: Any, spec: Any, seed: int, unit: str = "word") -> Any:
    source, target = spec.vocabulary[len(SPECIAL) :], spec.class_names[len(SPECIAL) :]
    return kind(source, target, unit=unit, max_length=spec.label_shape[0] + 4, seed=seed, **SIZES)


def _compile(spec: Any, epochs: int, pairs: int) -> dict[str, Any]:
    steps = epochs * -(-pairs // BATCH)
    return {"optimizer": keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(5e-3, steps), clipnorm=5.0)}


def judged(model: Any, dataset: Any, seed: int) -> dict[str, float]:
    """Greedy answers to the test split, scored."""
    return translation_scores(_answers(model, dataset.test.x), dataset.test, dataset.spec, model.unit)


def _answers(model: Any, sources: Any) -> Any:
    return np.asarray(model.predict(sources, batch_size=256, verbose=0))


def most_alike(dataset: Any, seed: int) -> Baseline:
    """A translation memory: the target of the training source that shares most tokens, the shorter of equals."""
    unit = "character" if dataset.spec.name == "dates" else "word"
    known = [Counter(row[row != PAD].tolist()) for row in dataset.train.x]
    sizes = [sum(each.values()) for each in known]
    answers = []
    for row in dataset.test.x:
        asked = Counter(row[row != PAD].tolist())
        pairs = zip(known, sizes, strict=True)
        alike = [2 * sum((asked & each).values()) / (size + asked.total()) for each, size in pairs]
        answers.append(dataset.train.y[int(np.argmax(alike))])
    return Baseline("translation memory", translation_scores(np.stack(answers), dataset.test, dataset.spec, unit))


@lru_cache(maxsize=1)
def _fixed_context(dataset: Any, seed: int) -> tuple[Any, dict[str, float]]:
    """Answers and scores of `Seq2Seq`, trained on the same rows as long."""
    keras.utils.set_random_seed(seed)
    model = _translator(Seq2Seq, dataset.spec, seed)
    model.compile(**_compile(dataset.spec, EPOCHS, len(dataset.train)))
    model.fit(dataset.train.x, dataset.train.y, batch_size=BATCH, epochs=EPOCHS, verbose=0)
    answers = _answers(model, dataset.test.x)
    return answers, translation_scores(answers, dataset.test, dataset.spec)


def fixed_context(dataset: Any, seed: int) -> Baseline:
    """The encoder-decoder without attention."""
    return Baseline("fixed context", _fixed_context(dataset, seed)[1])


def against_fixed_context(context: Any) -> Any:
    """Score over the length of the source, with attention and without."""
    return score_against_length(context, {"fixed context": _fixed_context(context.dataset, context.seed)[0]})
