"""Text as numbers: words or characters, a vocabulary, rows of ids that end and are padded.

    "L'ami dort."  ->  l'  ami  dort  .  ->  [17, 5, 41, 4, END, PAD, PAD]

Words: lower case, punctuation by itself, an apostrophe ends the word before it (l'ami is l' and ami), hyphens stay.
Putting words together again glues what follows an apostrophe, and full stops and commas; ? and ! keep the space that
French gives them. Characters: every code point as it is. `models.recurrent.text_tables` does the same inside a graph.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from keras_course.core.errors import InvalidDataError
from keras_course.core.shapes import require_one_of

__all__ = [
    "CLEANED",
    "END",
    "JOINED",
    "PAD",
    "SPECIAL",
    "START",
    "UNITS",
    "UNKNOWN",
    "Vocabulary",
    "text_of",
    "tokens_of",
]

UNITS = ("word", "character")
SPECIAL = ("[pad]", "[start]", "[end]", "[unknown]")
PAD, START, END, UNKNOWN = range(4)

# Patterns that Python and RE2 (TensorFlow) read alike, each with what takes its place.
CLEANED = (("[’ʼ]", "'"), (r"([.,?!;:])", r" \1 "), ("'", "' "), ("[ \u00a0\u202f\t\r\n\f\v]+", " "))
JOINED = ((" +", " "), ("' ", "'"), (" ([.,])", r"\1"))


def tokens_of(text: str, unit: str = "word") -> list[str]:
    """The words, or the characters, of a text.

    Args:
        text: str.
        unit: "word" or "character".

    Raises:
        ValueError: for another unit.

    Example:
        >>> tokens_of("L'ami ne dort pas.")
        ["l'", 'ami', 'ne', 'dort', 'pas', '.']
        >>> tokens_of("3/4", "character")
        ['3', '/', '4']
    """
    require_one_of("tokens_of", UNITS, unit=unit)
    if unit == "character":
        return list(text)
    text = text.lower()
    for pattern, replacement in CLEANED:
        text = re.sub(pattern, replacement, text)
    return text.strip(" ").split(" ") if text.strip(" ") else []


def text_of(tokens: Iterable[str], unit: str = "word") -> str:
    """Tokens put together again.

    Example:
        >>> text_of(["l'", "ami", "dort", "."])
        "l'ami dort."
    """
    require_one_of("text_of", UNITS, unit=unit)
    if unit == "character":
        return "".join(tokens)
    text = " ".join(tokens)
    for pattern, replacement in JOINED:
        text = re.sub(pattern, replacement, text)
    return text.strip(" ")


@dataclass(frozen=True)
class Vocabulary:
    """Tokens and their numbers; the first four mean padding, start, end and a token not among them.

    Args:
        tokens: tuple of strings without the four; token i has number i + 4.
        unit: "word" or "character".

    Raises:
        InvalidDataError: if a token is there twice, empty, one of the four, or holds a line break.

    Example:
        >>> vocabulary = Vocabulary.of(["le chat dort .", "le chien dort ."])
        >>> vocabulary.tokens
        ('.', 'dort', 'le', 'chat', 'chien')
        >>> vocabulary.encode(["Le rat dort."]).tolist()
        [[6, 3, 5, 4, 2]]
        >>> vocabulary.decode([[6, 7, 5, 4, 2, 0, 0]])
        ['le chat dort.']
    """

    tokens: tuple[str, ...]
    unit: str = "word"

    def __post_init__(self) -> None:
        require_one_of("Vocabulary", UNITS, unit=self.unit)
        counts = Counter((*SPECIAL, *self.tokens))
        bad = [token for token in self.tokens if not isinstance(token, str) or not token or "\n" in token]
        bad += [token for token, count in counts.items() if count > 1]
        if bad:
            raise InvalidDataError(
                f"A vocabulary needs different, non-empty tokens on one line, none of {', '.join(SPECIAL)}. "
                f"Received: {bad[0]!r}"
            )

    @classmethod
    def of(cls, texts: Iterable[str], unit: str = "word", least: int = 1) -> Vocabulary:
        """The tokens that occur at least `least` times, the most frequent first, equals in their order as strings."""
        counts = Counter(token for text in texts for token in tokens_of(text, unit))
        kept = [token for token, count in counts.items() if count >= least and token != "\n"]
        return cls(tuple(sorted(kept, key=lambda token: (-counts[token], token))), unit)

    def __len__(self) -> int:
        return len(SPECIAL) + len(self.tokens)

    @property
    def names(self) -> tuple[str, ...]:
        """Every token in the order of the numbers, the four first."""
        return (*SPECIAL, *self.tokens)

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return {token: number for number, token in enumerate(self.names)}

    def encode(self, texts: Sequence[str], length: int | None = None) -> NDArray[np.int32]:
        """Rows of ids, each with END, then PAD.

        Args:
            texts: strings.
            length: int, columns; None takes the longest row.

        Returns:
            int32 array (N, length).

        Raises:
            InvalidDataError: if a text needs more than `length` columns.
        """
        rows = [[self._numbers.get(token, UNKNOWN) for token in tokens_of(text, self.unit)] + [END] for text in texts]
        longest = max(map(len, rows), default=1)
        length = longest if length is None else length
        if longest > length:
            text = texts[max(range(len(rows)), key=lambda row: len(rows[row]))]
            raise InvalidDataError(f"Texts must have at most {length - 1} tokens. Received: {longest - 1} in {text!r}")
        ids = np.full((len(rows), length), PAD, "int32")
        for row, numbers in zip(ids, rows, strict=True):
            row[: len(numbers)] = numbers
        return ids

    def decode(self, ids: Any) -> list[str]:
        """Texts of rows of ids, each up to its END; padding and start tokens are left out."""
        texts = []
        for row in np.asarray(ids):
            numbers = [int(number) for number in row]
            numbers = numbers[: numbers.index(END)] if END in numbers else numbers
            texts.append(text_of([self.names[n] for n in numbers if n not in (PAD, START)], self.unit))
        return texts
