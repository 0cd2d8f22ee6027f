"""What the strength of a penalty may be."""

from __future__ import annotations

import math
from typing import Any

__all__ = ["require_strength"]


def require_strength(who: str, **values: Any) -> None:
    """Refuses anything but finite numbers of at least 0.

    Args:
        who: name of the caller, for the message.
        **values: what came, by name.

    Raises:
        ValueError: naming the first that is out of range.
    """
    for name, value in values.items():
        numeric = isinstance(value, int | float) and not isinstance(value, bool)
        if not numeric or not math.isfinite(value) or value < 0:
            raise ValueError(f"{who} needs a finite {name} of at least 0. Received: {name}={value!r}")
