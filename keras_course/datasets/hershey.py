"""Pen strokes of the Hershey fonts: every character as the polylines a plotter's pen draws.

glyph = (left, right, strokes),   stroke = points (n, 2) from pen down to pen up,   x to the right, y up, baseline y = 0

Dr. A. V. Hershey drew them at the U. S. National Bureau of Standards in 1967; the file's format goes back to James
Hurt's. data/hershey/README.md has their acknowledgement, which must go with the data wherever they go.
"""

from __future__ import annotations

import gzip
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from keras_course.core.errors import UnknownSlugError
from keras_course.datasets.bundled import read_verified

__all__ = ["FILE", "Glyph", "font_names", "stroke_font"]

FILE = "hershey/glyphs.tsv.gz"
BASELINE = 9  # of the Latin fonts, in the file's own coordinates, whose y points down


class Glyph(NamedTuple):
    """One character. Capital letters are 21 units high.

    Args:
        left, right: floats, where its box begins and ends; the next glyph's left goes onto this one's right.
        strokes: tuple of float arrays (n, 2), one a stroke; none for a space.
    """

    left: float
    right: float
    strokes: tuple[NDArray[np.float64], ...]


def font_names() -> tuple[str, ...]:
    """Every font of the bundled file: "rowmans" and "futural" are print, "scripts" and "cursive" joined-up writing.

    Example:
        >>> len(font_names()), "scripts" in font_names()
        (32, True)
    """
    return tuple(_fonts())


def stroke_font(name: str) -> dict[str, Glyph]:
    """The glyphs of one font, by the ASCII character whose place they take.

    In the Greek, Cyrillic and symbol fonts that is the key they were filed under, not what they look like.

    Args:
        name: str, one of `font_names()`.

    Returns:
        {character: `Glyph`}.

    Raises:
        UnknownSlugError: if there is no such font; the message suggests the nearest.
        MissingDataError, CorruptDataError: if the file is missing or not the recorded one.

    Example:
        >>> letter = stroke_font("rowmans")["l"]
        >>> [stroke.tolist() for stroke in letter.strokes]
        [[[0.0, 21.0], [0.0, 0.0]]]

    Source: Hershey 1967.
    """
    fonts = _fonts()
    if name not in fonts:
        raise UnknownSlugError(name, fonts, what="stroke font")
    return dict(fonts[name])


@cache
def _fonts() -> dict[str, dict[str, Glyph]]:
    fonts: dict[str, dict[str, Glyph]] = {}
    for line in gzip.decompress(read_verified(FILE)).decode("ascii").splitlines():
        font, code, left, right, strokes = line.split("\t")
        polylines = tuple(_polyline(stroke) for stroke in strokes.split(";") if stroke)
        fonts.setdefault(font, {})[chr(int(code))] = Glyph(float(left), float(right), polylines)
    return fonts


def _polyline(stroke: str) -> NDArray[np.float64]:
    points = np.array([pair.split(",") for pair in stroke.split(" ")], "float64")
    return np.asarray(points * (1, -1) + (0, BASELINE))
