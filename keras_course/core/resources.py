"""Where data files and goldens lie: the one module that knows.

Looked for in this order: the folder named by KERAS_COURSE_DATA (data only), the checkout this package was imported
from (`data/`, `reference_tests/goldens/` beside `keras_course/`), the copy bundled in the wheel (`keras_course/data`,
`keras_course/goldens`). An editable install has no bundled copy, a wheel has no checkout; both work.
"""

from __future__ import annotations

import os
from pathlib import Path

from keras_course.core.errors import MissingDataError

_PACKAGE = Path(__file__).resolve().parent.parent


def _candidates(bundled: str, *checkout: str) -> list[Path]:
    root = _PACKAGE.parent
    in_checkout = [root.joinpath(*checkout)] if (root / "setup.cfg").is_file() else []
    return [*in_checkout, _PACKAGE / bundled]


def data_path(*parts: str) -> Path:
    """The path of a bundled data file or folder.

    Args:
        *parts: path below the data folder, `data_path("digits", "digits.csv.gz")`.

    Raises:
        MissingDataError: if it lies in none of the places looked in.
    """
    override = os.environ.get("KERAS_COURSE_DATA")
    places = ([Path(override)] if override else []) + _candidates("data", "data")
    for place in places:
        if place.joinpath(*parts).exists():
            return place.joinpath(*parts)
    looked = ", ".join(str(place) for place in places)
    raise MissingDataError(f"Data file {'/'.join(parts)!r} is missing; looked in {looked}.")


def golden_folder() -> Path:
    """The folder of golden cases, a sub-folder a topic.

    Raises:
        MissingDataError: if the installation holds none.
    """
    places = _candidates("goldens", "reference_tests", "goldens")
    for place in places:
        if (place / "manifest.json").is_file():
            return place
    raise MissingDataError(f"No golden cases found; looked in {', '.join(str(place) for place in places)}.")


def golden_paths() -> list[Path]:
    """Every golden case, sorted by topic and name."""
    return sorted(golden_folder().glob("*/*.json"))
