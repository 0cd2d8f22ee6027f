"""How good answers in words are: whole answers that are right, and BLEU.

    exact match = share of answers that equal their reference
    BLEU        = brevity penalty * (geometric mean of the precisions of 1- to 4-grams), 0 to 100, over the whole corpus

BLEU is sacrebleu's, with its own tokens ("13a"), so that numbers compare with those of others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from keras_course.core.errors import KerasCourseError
from keras_course.core.shapes import require_positive_int
from keras_course.datasets.text import PAD, SPECIAL, Vocabulary

__all__ = ["bleu", "exact_match", "lengths_of", "scores_by_length", "target_texts", "translation_scores"]


def bleu(answers: Sequence[str], references: Sequence[str]) -> float:
    """Corpus BLEU of answers with one reference each.

    Args:
        answers, references: strings, as many of each.

    Returns:
        float, 0 to 100.

    Raises:
        ValueError: if there is none, or not as many of each.
        KerasCourseError: if sacrebleu is not installed.

    Example:
        >>> bleu(["le chat dort sur la table"], ["le chat dort sur la table"]) > 99.9
        True

    Source: Papineni et al. 2002; Post 2018.
    """
    if len(answers) != len(references) or not len(answers):
        raise ValueError(f"bleu needs as many answers as references. Received: {len(answers)} and {len(references)}")
    try:
        import sacrebleu
    except ImportError:
        raise KerasCourseError("BLEU needs sacrebleu: pip install 'keras-course[text]'") from None
    return float(sacrebleu.corpus_bleu(list(answers), [list(references)]).score)


def exact_match(answers: Sequence[str], references: Sequence[str]) -> float:
    """Share of answers that equal their reference, 0 to 1."""
    return float(np.mean([one == other for one, other in zip(answers, references, strict=True)]))


def lengths_of(ids: Any) -> Any:
    """Tokens of each row of ids, its end among them: integer array (N,)."""
    return (np.asarray(ids) != PAD).sum(1)


def target_texts(ids: Any, spec: Any, unit: str = "word") -> list[str]:
    """Rows of target ids as texts, by the vocabulary of a data set's `Spec`."""
    return Vocabulary(tuple(spec.class_names[len(SPECIAL) :]), unit).decode(ids)


def translation_scores(tokens: Any, split: Any, spec: Any, unit: str = "word") -> dict[str, float]:
    """Scores of answers to a split.

    Args:
        tokens: integer array (N, L), the answers.
        split: `datasets.Split` of source and target ids.
        spec: `datasets.Spec` of the data.
        unit: "word" or "character".

    Returns:
        {"exact_match", "bleu", "bleu_long"}, the last over the third of the sources that is longest; characters have
        "exact_match" and "exact_match_long".
    """
    answers, references = target_texts(tokens, spec, unit), target_texts(split.y, spec, unit)
    lengths = lengths_of(split.x)
    long = np.flatnonzero(lengths >= np.quantile(lengths, 2 / 3))
    some, their = [answers[row] for row in long], [references[row] for row in long]
    found = {"exact_match": exact_match(answers, references)}
    if unit == "character":
        return {**found, "exact_match_long": exact_match(some, their)}
    return {**found, "bleu": bleu(answers, references), "bleu_long": bleu(some, their)}


def scores_by_length(
    tokens: Any, split: Any, spec: Any, unit: str = "word", bins: int = 6
) -> Mapping[str, list[float]]:
    """Scores of answers to sources of about one length.

    Args:
        tokens, split, spec, unit: as `translation_scores`.
        bins: int, groups, of about as many sources each.

    Returns:
        {"length": mean length of the source in tokens, "count", "exact_match", "bleu" (of words)}, a number a group.
    """
    require_positive_int("scores_by_length", bins=bins)
    answers, references = target_texts(tokens, spec, unit), target_texts(split.y, spec, unit)
    lengths = lengths_of(split.x)
    edges = np.unique(np.quantile(lengths, np.linspace(0, 1, bins + 1))[1:-1])
    group = np.searchsorted(edges, lengths, side="left")
    found: dict[str, list[float]] = {name: [] for name in ("length", "count", "exact_match", "bleu")}
    for number in np.unique(group):
        rows = np.flatnonzero(group == number)
        some, their = [answers[row] for row in rows], [references[row] for row in rows]
        found["length"].append(float(lengths[rows].mean()))
        found["count"].append(float(len(rows)))
        found["exact_match"].append(exact_match(some, their))
        if unit == "word":
            found["bleu"].append(bleu(some, their))
    return {name: values for name, values in found.items() if values}
