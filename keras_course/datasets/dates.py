"""Dates as people write them, and the same dates in ISO 8601: generated pairs of characters.

    "the 3rd of March, 1998"  ->  "1998-03-03"

Dates from 1900 to 2099. Numbers between strokes or dots are day, month, year, as in most of the world. Only raw bits of
Philox are used, so the same seed gives the same dates on every machine.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import numpy as np

from keras_course.core.seeds import derive_seed
from keras_course.core.shapes import require_positive_int
from keras_course.datasets.agreement_grammar import Pair

__all__ = ["generated_date", "generated_dates"]

MONTHS = "January February March April May June July August September October November December".split()
WEEKDAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
FIRST, LAST = date(1900, 1, 1).toordinal(), date(2099, 12, 31).toordinal()


def _ordinal(day: int) -> str:
    ending = "th" if 11 <= day <= 13 else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")
    return f"{day}{ending}"


def _month(d: date) -> str:
    return MONTHS[d.month - 1]


def _weekday(d: date) -> str:
    return WEEKDAYS[d.weekday()]


FORMATS: tuple[Callable[[date], str], ...] = (
    lambda d: f"{d.day} {_month(d)} {d.year}",
    lambda d: f"{_month(d)} {d.day}, {d.year}",
    lambda d: f"{_ordinal(d.day)} of {_month(d)} {d.year}",
    lambda d: f"the {_ordinal(d.day)} of {_month(d)}, {d.year}",
    lambda d: f"{_month(d)} the {_ordinal(d.day)}, {d.year}",
    lambda d: f"{d.day} {_month(d)[:3]} {d.year}",
    lambda d: f"{_month(d)[:3]}. {d.day}, {d.year}",
    lambda d: f"{_weekday(d)}, {d.day} {_month(d)} {d.year}",
    lambda d: f"{_weekday(d)[:3]} {_month(d)[:3]} {d.day} {d.year}",
    lambda d: f"{_weekday(d)} the {_ordinal(d.day)} of {_month(d)} {d.year}",
    lambda d: f"{d.day}/{d.month}/{d.year}",
    lambda d: f"{d.day:02d}/{d.month:02d}/{d.year}",
    lambda d: f"{d.day}.{d.month}.{d.year}",
    lambda d: f"{d.day:02d}.{d.month:02d}.{d.year}",
    lambda d: f"{d.year}, {d.day} {_month(d)}",
    lambda d: f"{d.year}-{d.month:02d}-{d.day:02d}",
)


def generated_date(seed: int, index: int) -> Pair:
    """One date, a pure function of its arguments; one in four is in lower case, one in eight in capitals.

    Args:
        seed, index: ints, which date.

    Returns:
        `Pair` of a date as somebody may write it and "YYYY-MM-DD".

    Example:
        >>> generated_date(0, 0).target
        '1928-04-04'
    """
    raw = np.random.Philox(key=derive_seed(seed, "dates", index)).random_raw(3)
    day, style, case = (int(bits >> np.uint64(32)) for bits in raw)
    d = date.fromordinal(FIRST + (day * (LAST - FIRST + 1) >> 32))
    text = FORMATS[style * len(FORMATS) >> 32](d)
    eighth = case >> 29
    return Pair(text.lower() if eighth < 2 else text.upper() if eighth == 2 else text, d.isoformat())


def generated_dates(count: int, seed: int = 0) -> list[Pair]:
    """The first `count` different dates of a seed; more of them begin with the same ones.

    Args:
        count: int.
        seed: int.

    Returns:
        List of `Pair`, no source twice.

    Raises:
        ValueError: for a count below 1 or above 500,000.

    Example:
        >>> len({pair.source for pair in generated_dates(100)})
        100
    """
    require_positive_int("generated_dates", count=count)
    if count > 500_000:
        raise ValueError(f"generated_dates makes at most 500,000 different dates. Received: count={count}")
    found: dict[str, Pair] = {}
    index = 0
    while len(found) < count:
        pair = generated_date(seed, index)
        found.setdefault(pair.source, pair)
        index += 1
    return list(found.values())
