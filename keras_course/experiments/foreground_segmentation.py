"""The dahlia cut out of its photograph: colours learned from scribbles, an outline found by a minimum cut.

    argmax_y  sum_i log p(y_i | x_i) + w sum_{(i,j)} C(x_i, x_j) [y_i != y_j],    w <= 0

Real pixels, 273,280 of them, solved exactly: value and bound agree to the rounding of float64.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from keras_course.core.shapes import require_positive_int
from keras_course.datasets import load_photograph
from keras_course.experiments.table import Table
from keras_course.structured.graph_cut import graph_cut
from keras_course.structured.segmentation import colour_log_probabilities, contrast, foreground_problem, grid_edges

__all__ = ["Config", "run", "scribbles_on_the_flower"]


@dataclass(frozen=True)
class Config:
    """What to run.

    Args:
        stride: every how many pixels of the photograph are kept, along both axes; 1 takes all.
        weights: values of w <= 0 to compare.
        model: colour model, "histogram" or "gaussian".
        neighbours: 4 or 8.
    """

    stride: int = 1
    weights: tuple[float, ...] = (0.0, -2.0, -8.0)
    model: str = "histogram"
    neighbours: int = 8

    def __post_init__(self) -> None:
        require_positive_int("Config", stride=self.stride)
        if not self.weights or max(self.weights) > 0:
            raise ValueError(f"Config needs weights w <= 0. Received: weights={self.weights}")

    @classmethod
    def tiny(cls) -> Config:
        """The same in a second, on every eighth pixel."""
        return cls(stride=8)


def scribbles_on_the_flower(height: int, width: int) -> NDArray[np.int64]:
    """What is known beforehand: a disc in the blossom, and the left, right and upper border of the picture.

    Args:
        height: rows of the photograph.
        width: its columns.

    Returns:
        int array (height, width): 1 foreground, 0 background, -1 unknown (the small second blossom, below, is left
        unknown, too).
    """
    row, column = np.mgrid[:height, :width]
    marks = np.full((height, width), -1)
    marks[(row < 40) | (column < 100) | (column >= 560)] = 0
    marks[np.hypot(row - 220, column - 307) < 60] = 1
    return marks


def run(config: Config) -> Table:
    """Cuts the blossom out, once for each weight.

        argmax_y  sum_i log p(y_i | x_i) + w sum_{(i,j)} C(x_i, x_j) [y_i != y_j]

    Args:
        config: `Config`; `Config.tiny()` runs in a second, the full photograph in about ten.

    Returns:
        `Table` with columns weight, value, bound, rounds, foreground (share of the pixels), outline (the sum of C
        along it). Its figure shows the photograph, the scribbles, p(y = 1 | x) and the cuts.

    Example:
        >>> table = run(Config.tiny())
        >>> bool(np.all(table["bound"] - table["value"] < 1e-9))
        True

    Source: N (Graph Cuts).
    """
    photograph = load_photograph("flower")
    scribbles = scribbles_on_the_flower(*photograph.shape[:2])[:: config.stride, :: config.stride]
    image = photograph[:: config.stride, :: config.stride]
    scores = colour_log_probabilities(image, scribbles, config.model)
    edges = grid_edges(*image.shape[:2], config.neighbours)
    alike = contrast(image, edges)
    names = ("weight", "value", "bound", "rounds", "foreground", "outline")
    columns: dict[str, list[Any]] = {name: [] for name in names}
    masks = []
    for weight in config.weights:
        solution = graph_cut(foreground_problem(scores, image, weight, config.neighbours, scribbles))
        labels = solution.assignment
        outline = float(alike[labels[edges[:, 0]] != labels[edges[:, 1]]].sum())
        row = (weight, solution.value, solution.bound, solution.steps, float(labels.mean()), outline)
        for name, value in zip(names, row, strict=True):
            columns[name].append(value)
        masks.append(labels.reshape(image.shape[:2]))
    headline = {}
    for name, column in (("share of foreground", "foreground"), ("outline, sum of C", "outline")):
        headline |= {f"{name}, w = {w:g}": value for w, value in zip(config.weights, columns[column], strict=True)}
    headline["largest gap between value and bound"] = max(np.subtract(columns["bound"], columns["value"]).tolist())
    draw = partial(_draw, image=image, scribbles=scribbles, probability=np.exp(scores[..., 1]), masks=masks)
    return Table("graph-cut", columns, draw, headline)


def _draw(table: Table, image: Any, scribbles: Any, probability: Any, masks: list[Any]) -> Any:
    from matplotlib.figure import Figure

    panels = 3 + len(masks)
    columns = min(3, panels)
    rows = -(-panels // columns)
    figure = Figure(figsize=(3.6 * columns, 2.75 * rows + 0.3), layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False)
    for axes in grid.flat:
        axes.set_axis_off()
    marked = image.copy()
    marked[scribbles == 1] = (0.4 * marked[scribbles == 1] + 0.6 * np.array([255, 255, 255])).astype("uint8")
    marked[scribbles == 0] = (0.4 * marked[scribbles == 0] + 0.6 * np.array([0, 0, 255])).astype("uint8")
    grid.flat[0].imshow(image)
    grid.flat[0].set_title(f"photograph, {image.shape[0]} x {image.shape[1]} pixels", fontsize=9)
    grid.flat[1].imshow(marked)
    grid.flat[1].set_title("scribbles: white foreground, blue background", fontsize=9)
    shown = grid.flat[2].imshow(probability, cmap="viridis", vmin=0, vmax=1)
    grid.flat[2].set_title("p(foreground | colour)", fontsize=9)
    figure.colorbar(shown, ax=grid.flat[2], fraction=0.035, pad=0.02)
    for axes, mask, weight, share in zip(grid.flat[3:], masks, table["weight"], table["foreground"], strict=False):
        axes.imshow(np.where(mask[..., None] == 1, image, image // 5))
        axes.contour(mask, levels=[0.5], colors="white", linewidths=0.7)
        axes.set_title(f"cut with w = {weight:g}: {100 * share:.1f} % foreground", fontsize=9)
    figure.suptitle("graph-cut: foreground of a photograph")
    return figure
