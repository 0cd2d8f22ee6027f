"""Lines of pen points with their texts, and the one array both fit into.

    point = (dx, dy, up):   offset from the point before (the first: from the line's origin), x right, y up;
                            up = 1 where the pen leaves the paper after this point, else 0
    packed line (T, 4):     rows (dx, dy, up, code);   up = -1 where there is no point any more
                            code of row u = 1 + place in the alphabet of the text's character u, 0 beyond its end

Points and characters share the rows only to travel as one tensor: character u has nothing to do with point u.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from keras_course.core.errors import InvalidDataError

__all__ = ["NO_POINT", "PenLine", "pack_lines", "unpack_lines"]

NO_POINT = -1.0


class PenLine(NamedTuple):
    """A written line.

    Args:
        points: float32 (T, 3), rows (dx, dy, up).
        text: str, what it says.
    """

    points: NDArray[np.float32]
    text: str


def pack_lines(lines: Sequence[Any], alphabet: str, length: int | None = None) -> NDArray[np.float32]:
    """Lines of any lengths as one array, in rows that models and `datasets` take.

    Args:
        lines: `PenLine`s, or pairs (points (T, 3), text).
        alphabet: str, the characters that may occur, each once.
        length: int T of the array, None for that of the longest points or text.

    Returns:
        float32 (N, T, 4).

    Raises:
        InvalidDataError: for a character outside the alphabet, points that are not (T, 3) with up 0 or 1, or a line
            longer than `length`.
        ValueError: for an alphabet that repeats a character.

    Example:
        >>> pack_lines([([[1.0, 2.0, 0.0], [0.5, 0.0, 1.0]], "b")], "ab", length=3)[0].tolist()
        [[1.0, 2.0, 0.0, 2.0], [0.5, 0.0, 1.0, 0.0], [0.0, 0.0, -1.0, 0.0]]
    """
    if len(set(alphabet)) != len(alphabet):
        raise ValueError(f"pack_lines needs every character of the alphabet once. Received: alphabet={alphabet!r}")
    code = {character: 1 + place for place, character in enumerate(alphabet)}
    checked = [_checked(line, code, row) for row, line in enumerate(lines)]
    needed = max((max(len(points), len(text)) for points, text in checked), default=0)
    length = needed if length is None else length
    if needed > length:
        raise InvalidDataError(f"pack_lines needs lines of at most {length} points and characters. Received: {needed}")
    packed = np.zeros((len(checked), length, 4), "float32")
    packed[:, :, 2] = NO_POINT
    for row, (points, text) in enumerate(checked):
        packed[row, : len(points), :3] = points
        packed[row, : len(text), 3] = [code[character] for character in text]
    return packed


def unpack_lines(packed: ArrayLike, alphabet: str) -> list[PenLine]:
    """What `pack_lines` packed.

    Args:
        packed: array (N, T, 4).
        alphabet: str, as there.

    Returns:
        List of `PenLine`.

    Raises:
        InvalidDataError: for another shape.

    Example:
        >>> unpack_lines(pack_lines([([[1.0, 2.0, 1.0]], "ba")], "ab"), "ab")[0].text
        'ba'
    """
    packed = np.asarray(packed, "float32")
    if packed.ndim != 3 or packed.shape[-1] != 4:
        raise InvalidDataError(f"Packed lines have the shape (N, T, 4). Received: shape={packed.shape}")
    found = []
    for line in packed:
        codes = line[:, 3].astype(int)
        text = "".join(alphabet[code - 1] for code in codes[codes > 0])
        found.append(PenLine(line[line[:, 2] > NO_POINT / 2, :3], text))
    return found


def _checked(line: Any, code: dict[str, int], row: int) -> tuple[NDArray[np.float32], str]:
    points, text = np.asarray(line[0], "float32"), str(line[1])
    if points.ndim != 2 or points.shape[1] != 3:
        raise InvalidDataError(f"Points are rows (dx, dy, up). Received: line {row} of shape {points.shape}")
    if not np.isfinite(points).all() or not np.isin(points[:, 2], (0, 1)).all():
        raise InvalidDataError(f"Points are finite, with up 0 or 1. Received: others in line {row}, {text!r}")
    unknown = sorted(set(text) - set(code))
    if unknown:
        raise InvalidDataError(
            f"The alphabet has {''.join(code)!r}. Received: {''.join(unknown)!r} in line {row}, {text!r}"
        )
    return points, text
