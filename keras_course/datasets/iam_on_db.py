"""The IAM on-line handwriting database, read where the user has it: real lines, written on a whiteboard.

    FOLDER/lineStrokes/a01/a01-000/a01-000u-01.xml   the pen's path of line 1 of the form a01-000u
    FOLDER/ascii/a01/a01-000/a01-000u.txt            the form's text; below "CSR:", one line a written line

It may be used for research after registration with its authors and is neither shipped nor fetched. Unpack its
archives lineStrokes-all and ascii-all into one folder; that is FOLDER, or `iam_on_db` below KERAS_COURSE_DATA.
"""

from __future__ import annotations

import os
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray

from keras_course.core.errors import InvalidDataError, MissingDataError
from keras_course.core.resources import data_path
from keras_course.datasets.arrays import digest
from keras_course.datasets.dataset import Dataset, Spec, Split
from keras_course.datasets.pen_lines import PenLine, pack_lines
from keras_course.datasets.split import split_rows

__all__ = ["iam_lines", "iam_on_db"]


def iam_lines(
    folder: str | os.PathLike[str] | None = None, *, most_points: int = 1200, unit: float | None = None
) -> dict[str, list[PenLine]]:
    """Every line with its text, form by form.

    Args:
        folder: where lineStrokes and ascii lie, None for `iam_on_db` below the data folder.
        most_points: int, longer lines are left out.
        unit: float > 0, the database's units that make one of the offsets; None takes the standard deviation of all
            offsets, so that theirs is 1.

    Returns:
        {form: list of `PenLine`}, sorted by name. The first offset of a line is (0, 0).

    Raises:
        MissingDataError: if the folder does not hold both parts.
        InvalidDataError: if a file is not what it should be; the message names it.

    Example:
        >>> iam_lines("nowhere")
        Traceback (most recent call last):
            ...
        keras_course.core.errors.MissingDataError: The IAM on-line database is not in nowhere: it has no lineStrokes ...

    Source: Liwicki and Bunke 2005.
    """
    root = _root(folder)
    forms: dict[str, list[PenLine]] = {}
    for path in sorted((root / "lineStrokes").glob("*/*/*.xml")):
        form, _, number = path.stem.rpartition("-")
        if not number.isdecimal():
            raise InvalidDataError(f"Line files are called FORM-NUMBER.xml. Received: {path}")
        texts = _texts(root / "ascii" / path.parent.parent.name / path.parent.name / f"{form}.txt")
        points = _points(path)
        if 1 <= int(number) <= len(texts) and len(points) <= most_points:  # some lines lack their text
            forms.setdefault(form, []).append(PenLine(points, texts[int(number) - 1]))
    if not forms:
        raise InvalidDataError(f"The IAM on-line database has lines with texts. Received: none below {root}")
    every = np.concatenate([line.points[:, :2] for lines in forms.values() for line in lines])
    scale = float(every.std()) if unit is None else unit
    return {
        form: [PenLine(line.points * np.float32([1 / scale, 1 / scale, 1]), line.text) for line in lines]
        for form, lines in forms.items()
    }


def iam_on_db(
    seed: int = 0,
    folder: str | os.PathLike[str] | None = None,
    *,
    validation: float = 0.1,
    test: float = 0.2,
    most_points: int = 1200,
) -> tuple[Dataset, str]:
    """The database as a data set of packed lines, and its alphabet; no form is in two parts.

    Args:
        seed: int, of the split of the forms.
        folder, most_points: as `iam_lines`.
        validation, test: floats, shares of the forms.

    Returns:
        Tuple (`Dataset` with x (N, T, 4) and the form as label, str of the characters that occur).

    Raises:
        MissingDataError, InvalidDataError: as `iam_lines`.
        ValueError: if there are too few forms to split.

    Source: Liwicki and Bunke 2005.
    """
    forms = iam_lines(folder, most_points=most_points)
    names = tuple(forms)
    alphabet = "".join(sorted({character for lines in forms.values() for line in lines for character in line.text}))
    longest = max(max(len(line.points), len(line.text)) for lines in forms.values() for line in lines)
    parts, sums = {}, {}
    for part, rows in split_rows(len(names), seed, validation, test)._asdict().items():
        chosen = [(line, form) for form in rows for line in forms[names[form]]]
        x = pack_lines([line for line, _ in chosen], alphabet, longest)
        parts[part] = Split(x, np.array([form for _, form in chosen], "int32"))
        sums[part] = digest(x)
    spec = Spec(
        "iam-on-db",
        task="classification",
        shape=(longest, 4),
        classes=len(names),
        class_names=names,
        seed=seed,
        sha256=sums,
    )
    return Dataset(parts["train"], parts["validation"], parts["test"], spec), alphabet


def _root(folder: str | os.PathLike[str] | None) -> Path:
    if folder is None:
        try:
            folder = data_path("iam_on_db")
        except MissingDataError as error:
            raise MissingDataError(
                f"The IAM on-line database is not here; it needs registration with its authors, then lineStrokes and "
                f"ascii in one folder, given as folder or as iam_on_db below KERAS_COURSE_DATA. {error}"
            ) from None
    root = Path(folder)
    lacking = [name for name in ("lineStrokes", "ascii") if not (root / name).is_dir()]
    if lacking:
        raise MissingDataError(f"The IAM on-line database is not in {root}: it has no {' and no '.join(lacking)}")
    return root


def _points(path: Path) -> NDArray[np.float32]:
    """Offsets, y turned up."""
    try:
        strokes = ElementTree.parse(path).getroot().findall("StrokeSet/Stroke")
        lists = [[(float(p.attrib["x"]), -float(p.attrib["y"])) for p in stroke.findall("Point")] for stroke in strokes]
    except (ElementTree.ParseError, KeyError, ValueError) as error:
        raise InvalidDataError(f"{path} is no line of strokes: {type(error).__name__}: {error}") from None
    lists = [points for points in lists if points]
    if not lists:
        raise InvalidDataError(f"{path} is no line of strokes: it has no point")
    places = np.array([point for points in lists for point in points])
    up = np.concatenate([[0.0] * (len(points) - 1) + [1.0] for points in lists])
    return np.column_stack([np.diff(places, axis=0, prepend=places[:1]), up]).astype("float32")


def _texts(path: Path) -> list[str]:
    """The lines below "CSR:"."""
    try:
        content = path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        raise MissingDataError(f"The IAM on-line database lacks a text: {path}") from None
    _, found, below = content.partition("CSR:")
    if not found:
        raise InvalidDataError(f"{path} is no text of a form: it has no line 'CSR:'")
    return [line.strip() for line in below.splitlines() if line.strip()]
