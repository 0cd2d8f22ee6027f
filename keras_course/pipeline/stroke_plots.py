"""Pen strokes as pictures: polylines from offsets, axes that show them, and SVG text that any browser shows.

place_t = offset_1 + ... + offset_t,   a stroke ends with the point after which the pen is up
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from xml.sax.saxutils import escape

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike, NDArray

__all__ = ["draw_strokes", "strokes_of", "svg_of_lines"]

INK = "#1A1A1A"


def strokes_of(points: ArrayLike) -> list[NDArray[np.float64]]:
    """The polylines of a line.

    Args:
        points: array (T, 3), rows (dx, dy, up); rows with up < 0 are no points.

    Returns:
        List of arrays (n, 2), y up.

    Example:
        >>> [stroke.tolist() for stroke in strokes_of([[1, 0, 0], [1, 1, 1], [0, 1, 1], [0, 0, -1]])]
        [[[1.0, 0.0], [2.0, 1.0]], [[2.0, 2.0]]]
    """
    points = np.asarray(points, "float64").reshape(-1, 3)
    points = points[points[:, 2] > -0.5]
    places = np.cumsum(points[:, :2], axis=0)
    ends = np.flatnonzero(points[:, 2] > 0.5) + 1
    return [part for part in np.split(places, ends) if len(part)]


def draw_strokes(axes: Axes, points: ArrayLike, colours: Sequence[Any] | None = None, **style: Any) -> None:
    """Draws a line into axes of equal scales without ticks.

    Args:
        axes: matplotlib axes.
        points: array (T, 3).
        colours: a colour for every point, or None for ink.
        **style: as axes.plot.
    """
    style = {"linewidth": 1.3, "solid_capstyle": "round", "solid_joinstyle": "round", **style}
    first = 0
    for stroke in strokes_of(points):
        if len(stroke) == 1:
            axes.plot(*stroke.T, ".", color=INK if colours is None else colours[first], markersize=3)
        elif colours is None:
            axes.plot(*stroke.T, color=INK, **style)
        else:
            for number in range(len(stroke) - 1):
                axes.plot(*stroke[number : number + 2].T, color=colours[first + number + 1], **style)
        first += len(stroke)
    axes.set_aspect("equal")
    axes.set_axis_off()


def svg_of_lines(
    lines: Sequence[ArrayLike], titles: Sequence[str] = (), height: float = 7.0, scale: float = 12.0
) -> str:
    """Lines below each other as an SVG document.

    Args:
        lines: arrays (T, 3).
        titles: what stands small above each, or ().
        height: of a row, in units of the offsets.
        scale: pixels a unit.

    Returns:
        str, a whole document.

    Example:
        >>> svg_of_lines([[[0.0, 0.0, 0.0], [1.0, 1.0, 1.0]]]).count("<polyline")
        1
    """
    rows, width = [], 0.0
    for row, points in enumerate(lines):
        strokes = strokes_of(points)
        base = (row + 0.65) * height
        if strokes:
            every = np.concatenate(strokes)
            left, width = every[:, 0].min() - 1, max(width, float(np.ptp(every[:, 0])) + 2)
        if row < len(titles):
            top = scale * row * height + 0.12 * scale * height
            rows.append(f'<text x="{scale:.0f}" y="{top:.1f}" class="t">{escape(titles[row])}</text>')
        for stroke in strokes:
            stroke = stroke if len(stroke) > 1 else np.repeat(stroke, 2, axis=0)  # a dot
            places = " ".join(f"{scale * (x - left):.1f},{scale * (base - y):.1f}" for x, y in stroke)
            rows.append(f'<polyline points="{places}"/>')
    size = f'width="{scale * max(width, 1):.0f}" height="{scale * height * max(len(lines), 1):.0f}"'
    style = (
        f"polyline{{fill:none;stroke:{INK};stroke-width:1.8;stroke-linecap:round;stroke-linejoin:round}}"
        ".t{font:10px sans-serif;fill:#6E6E6E}"
    )
    body = "\n".join(rows)
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}>\n<style>{style}</style>\n{body}\n</svg>\n'
