"""Six books of the King James Version as windows of characters, for language models.

    text of a part = its chapters in the order of the book, verses parted by "\\n", chapters by "\\n\\n"
    window i       = characters [i T, (i + 1) T) of it,   its target = characters [i T + 1, (i + 1) T + 1)

A chapter belongs to train, validation or test as a whole: no verse of the test text was read in training, although
some psalms repeat others. Characters are numbers, places in `ALPHABET`, which is sorted by code point.
"""

from __future__ import annotations

import gzip
from typing import Any

import numpy as np
from numpy.typing import NDArray

from keras_course.core.errors import InvalidDataError
from keras_course.core.seeds import derive_seed
from keras_course.datasets.bundled import SHA256, read_verified
from keras_course.datasets.dataset import Dataset, Spec, Split
from keras_course.datasets.split import epoch_order

__all__ = ["ALPHABET", "BOOKS", "WINDOW", "codes_of", "king_james", "king_james_texts", "text_of", "windows"]

FILE = "king_james/king_james.tsv.gz"
BOOKS = ("Genesis", "Ruth", "Psalms", "Ecclesiastes", "Jonah", "Mark")
ALPHABET = "\n !'(),-.:;?ABCDEFGHIJKLMNOPQRSTUVWYZabcdefghijklmnopqrstuvwxyz"
WINDOW = 64
PARTS = ("train", "validation", "test")


def king_james(seed: int, validation: float, test: float) -> Dataset:
    """Windows of 64 characters (N, 64), int32 places in `ALPHABET`; the label of each is the character after it."""
    texts = king_james_texts(seed, validation, test)
    splits = {part: Split(*windows(codes_of(texts[part]), WINDOW)) for part in PARTS}
    spec = Spec(
        name="king-james",
        task="classification",
        shape=(WINDOW,),
        classes=len(ALPHABET),
        label_shape=(WINDOW,),
        class_names=tuple(ALPHABET),
        seed=seed,
        sha256={FILE: SHA256[FILE]},
    )
    return Dataset(splits["train"], splits["validation"], splits["test"], spec)


def king_james_texts(seed: int = 0, validation: float = 0.1, test: float = 0.2) -> dict[str, str]:
    """The text of each part.

    Args:
        seed: int, decides which chapters a part has.
        validation, test: floats in (0, 1), shares of the chapters.

    Returns:
        {"train", "validation", "test": text}.

    Raises:
        ValueError: if no chapter is left to train on, or to measure with.
        MissingDataError, CorruptDataError: if the file is missing or is not the recorded one.

    Example:
        >>> king_james_texts()["train"][:30]
        'Now the serpent was more subti'
    """
    chapters: dict[tuple[str, str], list[str]] = {}
    for line in gzip.decompress(read_verified(FILE)).decode("utf-8").splitlines():
        book, chapter, _, verse = line.split("\t")
        chapters.setdefault((book, chapter), []).append(verse)
    texts = ["\n".join(verses) for verses in chapters.values()]
    counts = [round(share * len(texts)) for share in (test, validation)]
    if min(counts) < 1 or sum(counts) >= len(texts):
        raise ValueError(
            f"king-james needs chapters in every part. Received: validation={validation}, test={test} of {len(texts)}"
        )
    order = epoch_order(derive_seed(seed, "chapters"), 0, len(texts))
    parts = zip(("test", "validation", "train"), np.split(order, np.cumsum(counts)), strict=True)
    return {part: "\n\n".join(texts[i] for i in sorted(own)) + "\n" for part, own in parts}


def codes_of(text: str) -> NDArray[np.int32]:
    """The place of each character in `ALPHABET`.

    Raises:
        InvalidDataError: for a character that is not in it.

    Example:
        >>> codes_of("\\n A").tolist()
        [0, 1, 12]
    """
    places = {character: place for place, character in enumerate(ALPHABET)}
    unknown = sorted(set(text) - set(places))
    if unknown:
        raise InvalidDataError(f"king-james knows the {len(ALPHABET)} characters of ALPHABET. Received: {unknown}")
    return np.array([places[character] for character in text], "int32")


def text_of(codes: Any) -> str:
    """`codes_of` undone.

    Example:
        >>> text_of(codes_of("Selah."))
        'Selah.'
    """
    return "".join(ALPHABET[int(code)] for code in np.asarray(codes).reshape(-1))


def windows(codes: NDArray[np.int32], length: int) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """A text cut into windows side by side, and the characters that follow; what fills no window is left out.

    Args:
        codes: int array (L,).
        length: int, T.

    Returns:
        Two int arrays (N, T), N = floor((L - 1) / T).

    Raises:
        ValueError: if the text is shorter than a window and its next character.

    Example:
        >>> x, y = windows(np.arange(8), 3)
        >>> x.tolist(), y.tolist()
        ([[0, 1, 2], [3, 4, 5]], [[1, 2, 3], [4, 5, 6]])
    """
    count = (len(codes) - 1) // length
    if count < 1:
        raise ValueError(f"windows of {length} need a longer text. Received: {len(codes)} characters")
    end = count * length
    return codes[:end].reshape(count, length), codes[1 : end + 1].reshape(count, length)
