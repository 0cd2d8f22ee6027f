"""Who wrote what: the letters that sources use, resolved to author, title and year."""

from __future__ import annotations

from typing import NamedTuple


class Source(NamedTuple):
    """One course document."""

    author: str
    title: str
    year: int | None

    def __str__(self) -> str:
        return f"{self.author}, {self.title}" + (f" ({self.year})" if self.year else "")


SOURCES = {
    "N": Source("Northeastern University", "CS 7140 Advanced Machine Learning", None),
    "B": Source("Joan Bruna", "Stat 212b Topics in Deep Learning, lecture 14", 2016),
    "R": Source("Andrej Risteski", "10707 Deep Learning, course review", 2020),
    "S": Source("Alexander Smola", "10-701 Introduction to Machine Learning, chapter 9", 2015),
    "C": Source("Cappi", "Deep Learning Notes", None),
}


def describe(reference: str) -> str:
    """A reference in words.

    Args:
        reference: a letter, then the section where the document has numbers: "C 8.1", "S 9.1", "N".

    Raises:
        ValueError: for a letter that is not in SOURCES.

    Example:
        >>> describe("S 9.1")
        'Alexander Smola, 10-701 Introduction to Machine Learning, chapter 9 (2015), section 9.1'
    """
    letter, _, section = reference.partition(" ")
    if letter not in SOURCES:
        raise ValueError(f"A source starts with one of {', '.join(SOURCES)}. Received: {reference!r}")
    return str(SOURCES[letter]) + (f", section {section}" if section else "")
