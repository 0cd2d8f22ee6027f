"""Checks of rates, decays and small constants, where an optimizer or schedule is made.

Schedules and callables pass: what they will return is not known yet.
"""

from __future__ import annotations

import math
from numbers import Real
from typing import Any

__all__ = ["require_fraction", "require_non_negative", "require_positive"]


def require_non_negative(who: str, **values: Any) -> None:
    """Refuses negative, infinite and undefined numbers; schedules pass.

    Raises:
        ValueError: "... Received: learning_rate=-0.1".
    """
    _require(who, "a finite {name} of at least 0", lambda value: 0 <= value < math.inf, values)


def require_positive(who: str, **values: Any) -> None:
    """Refuses anything but finite numbers above 0; schedules pass."""
    _require(who, "a finite {name} above 0", lambda value: 0 < value < math.inf, values)


def require_fraction(who: str, **values: Any) -> None:
    """Refuses numbers outside [0, 1)."""
    _require(who, "{name} in [0, 1)", lambda value: 0 <= value < 1, values)


def _require(who: str, wanted: str, fine: Any, values: dict[str, Any]) -> None:
    for name, value in values.items():
        if callable(value):
            continue
        if isinstance(value, bool) or not isinstance(value, Real) or not fine(value):
            raise ValueError(f"{who} needs {wanted.format(name=name)}. Received: {name}={value!r}")
