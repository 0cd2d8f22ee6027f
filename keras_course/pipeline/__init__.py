"""The way data flows, a file a step: recipe, fit or experiment, evaluate, report, export, verify.

A step, and with it TensorFlow, loads when it is first used.
"""

from __future__ import annotations

import importlib
from typing import Any

from keras_course.pipeline.recipe import Baseline, Recipe

_STEPS = {
    "Evaluated": "evaluate", "Experimented": "experiment", "Exported": "export", "FigureContext": "figures",
    "Fitted": "fit", "Reported": "report",
}  # fmt: skip

__all__ = ["Baseline", "Evaluated", "Experimented", "Exported", "FigureContext", "Fitted", "Recipe", "Reported"]


def __getattr__(name: str) -> Any:
    if name in _STEPS:
        return getattr(importlib.import_module(f"{__name__}.{_STEPS[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
