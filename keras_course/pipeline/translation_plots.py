"""Figures of models that answer a text with a text: score against length, and where the decoder looked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from keras_course.datasets.text import END
from keras_course.pipeline.figures import FigureContext
from keras_course.pipeline.plots import BLUE, GREY, ORANGE
from keras_course.pipeline.translation_scores import lengths_of, scores_by_length

__all__ = ["alignment_maps", "length_figure", "score_against_length"]

SHOWN = 3


def score_against_length(context: FigureContext, others: Mapping[str, Any] | None = None) -> Figure:
    """Exact match, and BLEU of words, over the length of the source, on the test split.

    Args:
        context: the run; `model.unit` says what its tokens are.
        others: {name: answers (N, L)} of other models to the same test split.
    """
    unit, spec, test = context.model.unit, context.dataset.spec, context.dataset.test
    answers = {context.recipe.slug: context.outputs, **(others or {})}
    return length_figure({name: scores_by_length(tokens, test, spec, unit) for name, tokens in answers.items()}, unit)


def length_figure(scores: Mapping[str, Mapping[str, list[float]]], unit: str = "word") -> Figure:
    """One line a model: its scores over the length of the source."""
    kinds = [("exact_match", "share of answers wholly right", 1.0)]
    kinds += [("bleu", "BLEU (sacrebleu)", 100.0)] if unit == "word" else []
    figure = Figure(figsize=(5.0 * len(kinds), 3.8), layout="constrained")
    for axes, (kind, label, most) in zip(np.atleast_1d(figure.subplots(1, len(kinds))), kinds, strict=True):
        for (name, found), colour in zip(scores.items(), (BLUE, ORANGE, GREY), strict=False):
            axes.plot(found["length"], found[kind], color=colour, marker="o", label=name)
        axes.set_ylim(0, 1.04 * most)
        axes.set_xlabel(f"{unit}s of the source, end included\n(a sixth of the test a point)")
        axes.set_ylabel(label)
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(frameon=False)
    figure.suptitle("score against length")
    return figure


def alignment_maps(context: FigureContext) -> Figure:
    """The weights of every word of an answer over the words of its source; light is looked at. Three test sources."""
    model, test = context.model, context.dataset.test
    lengths = lengths_of(test.x)
    middle = np.flatnonzero((lengths >= np.quantile(lengths, 0.5)) & (lengths <= np.quantile(lengths, 0.8)))[:SHOWN]
    figure = Figure(figsize=(5.6 * len(middle), 5.8), layout="constrained")
    for axes, row in zip(np.atleast_1d(figure.subplots(1, len(middle))), middle, strict=True):
        source, answer = (_up_to_end(ids) for ids in (test.x[row], np.asarray(context.outputs)[row]))
        weights = np.asarray(model.align(source[None], answer[None]))[0]  # (T, S)
        axes.imshow(weights, cmap="viridis", vmin=0.0, vmax=1.0, aspect="auto")
        names = (
            [vocabulary.names[number] for number in ids]
            for vocabulary, ids in ((model.source_vocabulary, source), (model.target_vocabulary, answer))
        )
        columns, rows = names
        axes.set_xticks(range(len(columns)), columns, rotation=90)
        axes.set_yticks(range(len(rows)), rows)
        axes.set_xlabel("source")
        axes.set_ylabel("answer, one word a step" if model.unit == "word" else "answer, one character a step")
        right = model.target_vocabulary.decode(answer[None]) == model.target_vocabulary.decode(test.y[row : row + 1])
        axes.set_title("answer right" if right else "answer wrong", fontsize=10)
    figure.suptitle("where the decoder looked (weights, 0 dark to 1 light)")
    return figure


def _up_to_end(ids: Any) -> Any:
    ids = np.asarray(ids)
    ends = np.flatnonzero(ids == END)
    return ids[: ends[0] + 1] if len(ends) else ids
