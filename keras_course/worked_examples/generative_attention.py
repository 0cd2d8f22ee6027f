"""Worked examples of the attention of DRAW: its filters, and what a window shows and draws.

Each function takes a golden's inputs and returns its outputs, through the public API.
"""

from __future__ import annotations

from typing import Any

from keras import ops

from keras_course.core.backend import compiled
from keras_course.ops.draw_attention import filterbank, read_window, window_of, write_window

__all__ = ["draw_filterbank", "draw_windows"]


def draw_filterbank(centre: Any, stride: Any, scale: Any, size: int, length: int) -> dict[str, Any]:
    """Gaussian filters along one axis; each row sums to 1. Source: C 19.4."""
    return {"filters": compiled(filterbank)(centre, stride, scale, size, length)}


def draw_windows(image: Any, parameters: Any, patch: Any) -> dict[str, Any]:
    """Five numbers are a window, which shows a part of an image and draws a patch there. Source: C 19.4."""
    height, width, size = image.shape[1], image.shape[2], patch.shape[-1]

    def look_and_draw(image: Any, parameters: Any, patch: Any) -> dict[str, Any]:
        window = window_of(parameters, height, width, size)
        return {
            "window": ops.stack(window, axis=-1),
            "seen": read_window(image, window, size),
            "drawn": write_window(patch, window, height, width),
        }

    return compiled(look_and_draw)(image, parameters, patch)  # type: ignore[no-any-return]
