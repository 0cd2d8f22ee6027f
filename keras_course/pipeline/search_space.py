"""What a search may try: choices and ranges, by name.

    grid        every combination:  number of trials = product over the hyper-parameters of their number of values
    random      independent draws:  n trials try n different values of EVERY hyper-parameter, a grid only n^(1/d)

A range on a logarithmic axis is cut into equal ratios, on a linear one into equal differences.
"""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from keras_course.core.shapes import require_positive_int

__all__ = ["Choice", "Range", "grid_points", "parse_space"]


@dataclass(frozen=True)
class Choice:
    """One of several values, of any kind that JSON can write.

    Args:
        values: tuple of at least one value, all different.

    Raises:
        ValueError: without values, or for equal ones.

    Example:
        >>> Choice((16, 32)).grid
        (16, 32)

    Source: C 9.1.5.
    """

    values: tuple[Any, ...]

    def __post_init__(self) -> None:
        written = [json.dumps(value) for value in self.values]
        if not written or len(set(written)) < len(written):
            raise ValueError(f"Choice needs different values, at least one. Received: values={self.values}")

    @property
    def grid(self) -> tuple[Any, ...]:
        """What a grid search tries."""
        return self.values


@dataclass(frozen=True)
class Range:
    """Numbers from low to high, both included.

    Args:
        low, high: finite, low < high.
        log: whether equal ratios are equally likely (low > 0).
        integer: whether only integers are meant.
        points: int >= 2, values a grid search tries.

    Raises:
        ValueError: for bounds that are not in order, a logarithm of nothing, or points below 2.

    Example:
        >>> [round(value, 6) for value in Range(1e-4, 1e-1, log=True, points=4).grid]
        [0.0001, 0.001, 0.01, 0.1]

    Source: C 9.1.5.
    """

    low: float
    high: float
    log: bool = False
    integer: bool = False
    points: int = 5

    def __post_init__(self) -> None:
        require_positive_int("Range", points=self.points)
        fine = math.isfinite(self.low) and math.isfinite(self.high) and self.low < self.high and self.points >= 2
        whole = not self.integer or (float(self.low).is_integer() and float(self.high).is_integer())
        if not fine or not whole or (self.log and self.low <= 0):
            raise ValueError(
                "Range needs finite low < high (whole for integers, above 0 for log) and points >= 2. "
                f"Received: low={self.low}, high={self.high}, log={self.log}, points={self.points}"
            )

    @property
    def grid(self) -> tuple[Any, ...]:
        """What a grid search tries: `points` values, fewer where integers coincide."""
        shares = [i / (self.points - 1) for i in range(self.points)]
        if self.log:
            values = [self.low ** (1 - share) * self.high**share for share in shares]
        else:
            values = [self.low * (1 - share) + self.high * share for share in shares]
        values[0], values[-1] = float(self.low), float(self.high)
        return tuple(dict.fromkeys(round(value) for value in values)) if self.integer else tuple(values)


def grid_points(space: Mapping[str, Choice | Range]) -> list[dict[str, Any]]:
    """Every combination of the grid's values, the last hyper-parameter running fastest.

    {(a, b, ...) : a in A, b in B, ...},   |A| |B| ... of them

    Args:
        space: {name: `Choice` or `Range`}.

    Returns:
        List of {name: value}.

    Example:
        >>> grid_points({"rate": Choice((0.1, 0.2)), "units": Choice((8,))})
        [{'rate': 0.1, 'units': 8}, {'rate': 0.2, 'units': 8}]

    Source: C 9.1.5.
    """
    return [
        dict(zip(space, values, strict=True)) for values in itertools.product(*(part.grid for part in space.values()))
    ]


def parse_space(texts: list[str]) -> dict[str, Choice | Range]:
    """Reads a space from the words of a command line.

    NAME=a,b,c            a choice (JSON values, or else texts)
    NAME=low:high[:log][:int][:points]

    Args:
        texts: one a hyper-parameter.

    Returns:
        {name: `Choice` or `Range`}.

    Raises:
        ValueError: for anything else; the message repeats the word.

    Example:
        >>> parse_space(["optimizer.learning_rate=1e-4:1e-1:log:4", "batch_size=16,32"])["batch_size"].values
        (16, 32)

    Source: C 9.1.5.
    """
    space: dict[str, Choice | Range] = {}
    for text in texts:
        name, equals, spec = text.partition("=")
        if not (name and equals and spec):
            raise ValueError(
                f"A hyper-parameter reads NAME=a,b,c or NAME=low:high[:log][:int][:points]. Received: {text!r}"
            )
        if name in space:
            raise ValueError(f"A hyper-parameter stands once. Received: {name!r} twice")
        space[name] = _range(spec, text) if ":" in spec and "[" not in spec else _choice(spec)
    return space


def _range(spec: str, text: str) -> Range:
    low, high, *words = spec.split(":")
    counts = [word for word in words if word.isdigit()]
    if set(words) - {"log", "int", *counts} or len(counts) > 1:
        raise ValueError(f"After low:high come log, int and a number of points. Received: {text!r}")
    try:
        bounds = float(low), float(high)
    except ValueError:
        raise ValueError(f"A range has numbers for low and high. Received: {text!r}") from None
    return Range(*bounds, log="log" in words, integer="int" in words, points=int(counts[0]) if counts else 5)


def _choice(spec: str) -> Choice:
    """Values as JSON ([128, 64], 0.1, true), or as they stand where they are not."""
    try:
        return Choice(tuple(json.loads(f"[{spec}]")))
    except json.JSONDecodeError:
        return Choice(tuple(spec.split(",")))
