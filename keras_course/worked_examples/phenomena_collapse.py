"""Worked example of mode collapse: counting the heaps that samples are on."""

from __future__ import annotations

from typing import Any

from keras_course.core.backend import arithmetic
from keras_course.experiments.mode_collapse import heaps_covered

__all__ = ["heaps_with_samples"]


@arithmetic
def heaps_with_samples(samples: Any, heaps: int, radius: float, spread: float) -> dict[str, Any]:
    """Eight heaps, and samples on some of them. Source: R."""
    covered, share = heaps_covered(samples, heaps, radius, spread)
    return {"covered": covered, "on_a_heap": share}
