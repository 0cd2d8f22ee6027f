"""Stories of short sentences, a question to each, and their form as numbers.

    x (S + 1, W): rows 0 ... S - 1 the sentences, the latest in row S - 1, unused rows in front; row S the question
    entry: 1 + place of the word in the vocabulary, 0 where there is none; the words of a row come first

A story longer than S sentences keeps the latest ones. `read_babi` reads the text format of the bAbI tasks (Weston and
others 2015) from a file of yours; this package ships none.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from keras_course.core.errors import InvalidDataError, MissingDataError

__all__ = ["Story", "encode_stories", "longest", "read_babi", "vocabulary_of", "words_of"]


class Story(NamedTuple):
    """A story with its question.

    Args:
        sentences: tuple of strings, in the order in which things happened.
        question: str.
        answer: str, one answer: several things of a list are one string with commas.
        supports: tuple of ints, which sentences the answer follows from.
        task: str, what kind of question it is.
    """

    sentences: tuple[str, ...]
    question: str
    answer: str
    supports: tuple[int, ...] = ()
    task: str = ""


def words_of(sentence: str) -> list[str]:
    """The words of a sentence: in lower case, without . , ? ! and the rest of punctuation.

    Example:
        >>> words_of("Is Ada's lamp in the attic?")
        ['is', 'ada', 's', 'lamp', 'in', 'the', 'attic']
    """
    return re.sub("[^0-9a-z]+", " ", sentence.lower()).split()


def vocabulary_of(stories: Iterable[Story]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """All words of stories and questions, and all answers, each in the order of the alphabet.

    Example:
        >>> vocabulary_of([Story(("Ada sleeps.",), "Who sleeps?", "Ada")])
        (('ada', 'sleeps', 'who'), ('Ada',))
    """
    stories = list(stories)
    sentences = [line for story in stories for line in (*story.sentences, story.question)]
    return tuple(sorted({word for line in sentences for word in words_of(line)})), tuple(
        sorted({s.answer for s in stories})
    )


def longest(stories: Iterable[Story]) -> tuple[int, int]:
    """Most sentences of a story, and most words of a sentence or question."""
    stories = list(stories)
    return (
        max(len(story.sentences) for story in stories),
        max(len(words_of(line)) for story in stories for line in (*story.sentences, story.question)),
    )


def encode_stories(
    stories: Sequence[Story], vocabulary: Sequence[str], answers: Sequence[str], sentences: int, words: int
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Stories as numbers.

    Args:
        stories: sequence of N stories.
        vocabulary: words that have a number; others are left out, as if they were not there.
        answers: all possible answers.
        sentences: int, S.
        words: int, W; the first W words of a sentence are kept.

    Returns:
        Tuple of x int32 (N, S + 1, W) and y int32 (N,), places of the answers.

    Raises:
        InvalidDataError: for an answer that is none of `answers`, or no story.

    Example:
        >>> stories = [Story(("Ada sleeps.",), "Who sleeps?", "Ada")]
        >>> x, y = encode_stories(stories, ("ada", "sleeps", "who"), ("Ada",), 2, 3)
        >>> x[0].tolist(), y.tolist()
        ([[0, 0, 0], [1, 2, 0], [3, 2, 0]], [0])
    """
    if not stories:
        raise InvalidDataError("encode_stories needs at least one story. Received: none")
    number = {word: 1 + place for place, word in enumerate(vocabulary)}
    place_of = {answer: place for place, answer in enumerate(answers)}
    x = np.zeros((len(stories), sentences + 1, words), "int32")
    y = np.zeros(len(stories), "int32")
    for row, story in enumerate(stories):
        if story.answer not in place_of:
            raise InvalidDataError(f"Story {row} needs one of the {len(answers)} answers. Received: {story.answer!r}")
        y[row] = place_of[story.answer]
        kept = story.sentences[-sentences:]
        for line, text in enumerate((*kept, story.question), sentences - len(kept)):
            known = [number[word] for word in words_of(text) if word in number][:words]
            x[row, line, : len(known)] = known
    return x, y


def read_babi(path: str | os.PathLike[str], task: str | None = None) -> list[Story]:
    """Reads a file in the text format of the bAbI tasks.

    A line is a number and a sentence, or a number and a question, a tab, the answer, a tab and the numbers of the
    sentences that the answer follows from. The number 1 begins a new story; a story goes on after a question.

    Args:
        path: the file, UTF-8.
        task: name of the task; None takes the file's.

    Returns:
        List of `Story`, one a question, with all sentences before it.

    Raises:
        MissingDataError: if there is no such file.
        InvalidDataError: for a line of another form; names it.

    Source: Weston et al. 2015.
    """
    file = Path(path)
    try:
        lines = file.read_text("utf-8").splitlines()
    except FileNotFoundError:
        raise MissingDataError(f"{file} is not there; bAbI tasks are read from a file of yours.") from None
    found: list[Story] = []
    sentences: dict[int, str] = {}
    for at, line in enumerate(lines, 1):
        if not line.strip():
            continue
        number, _, text = line.strip().partition(" ")
        fields = text.split("\t")
        if not number.isdecimal() or not text or len(fields) not in (1, 2, 3):
            raise InvalidDataError(
                f"{file}:{at} needs 'number sentence' or 'number question<tab>answer'. Received: {line!r}"
            )
        if int(number) == 1:
            sentences = {}
        if len(fields) == 1:
            sentences[int(number)] = text.strip()
            continue
        order = {name: index for index, name in enumerate(sentences)}
        named = fields[2].split() if len(fields) == 3 else []
        if not all(name.isdecimal() and int(name) in order for name in named):
            raise InvalidDataError(f"{file}:{at} names sentences that are not there. Received: {fields[2]!r}")
        supports = tuple(order[int(name)] for name in named)
        question, answer = fields[0].strip(), fields[1].strip()
        found.append(Story(tuple(sentences.values()), question, answer, supports, task or file.stem))
    return found
