"""Figures of label maps: images beside their truth and prediction, and how well each class is covered.

IoU_k = TP_k / (TP_k + FP_k + FN_k),   pixels counted over the whole test split
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import BoundaryNorm, ListedColormap
from matplotlib.figure import Figure
from numpy.typing import NDArray

from keras_course.pipeline.figures import FigureContext
from keras_course.pipeline.plots import BLUE, ORANGE, show_image

__all__ = ["class_colours", "iou_of_classes", "name_colours", "overlaps", "segmented_images", "show_labels"]


def segmented_images(context: FigureContext, count: int = 6, worst: bool = False) -> Figure:
    """Test images with their true and predicted label maps, one column an image.

    Args:
        context: `FigureContext` of a model that gives scores (N, H, W, K).
        count: how many to show.
        worst: the images with most wrong pixels, worst first, instead of the first ones.

    Returns:
        Figure.
    """
    truth, guess, names = context.labels, context.predicted, context.class_names
    wrong = (truth != guess).mean(axis=(1, 2))
    chosen = np.argsort(-wrong, kind="stable")[:count] if worst else np.arange(min(count, len(truth)))
    figure = Figure(figsize=(1.7 * len(chosen) + 1.4, 5.6), layout="constrained")
    grid = figure.subplots(3, len(chosen), squeeze=False)
    shown: Any = None
    for column, index in zip(grid.T, chosen, strict=True):
        show_image(column[0], context.dataset.test.x[index])
        column[0].set_title(f"{100 * wrong[index]:.1f} % wrong", fontsize=8)
        show_labels(column[1], truth[index], len(names))
        shown = show_labels(column[2], guess[index], len(names))
        for axes in column:
            axes.set_xticks([])
            axes.set_yticks([])
    for axes, row in zip(grid[:, 0], ("image", "truth", "prediction"), strict=True):
        axes.set_ylabel(row)
    name_colours(figure, shown, grid, names)
    which = f"the {len(chosen)} worst" if worst else f"the first {len(chosen)}"
    figure.suptitle(f"{context.recipe.slug}: {which} of {len(truth)} test images", fontsize=11)
    return figure


def iou_of_classes(context: FigureContext) -> Figure:
    """Intersection over union of every class on the test split, and their mean."""
    names = context.class_names
    values = overlaps(context.labels, context.predicted, len(names))
    mean = float(np.nanmean(values))
    figure = Figure(figsize=(max(4.6, 0.5 * len(names) + 1.2), 3.4), layout="constrained")
    axes = figure.subplots()
    axes.spines[["top", "right"]].set_visible(False)
    axes.bar(range(len(names)), np.nan_to_num(values), color=BLUE, width=0.7)
    for place, value in enumerate(values):
        axes.text(place, np.nan_to_num(value) + 0.015, f"{value:.2f}", ha="center", fontsize=8)
    axes.axhline(mean, color=ORANGE, linestyle="--", linewidth=1.2, label=f"mean {mean:.3f}")
    rotation = 45 if max(map(len, names)) > 3 else 0
    axes.set_xticks(range(len(names)), names, rotation=rotation, ha="right" if rotation else "center")
    axes.set_ylim(0.0, 1.12)
    axes.set_ylabel("intersection over union")
    axes.legend(frameon=False, loc="upper right")
    axes.set_title(f"{context.recipe.slug}: classes, test split", fontsize=11)
    return figure


def overlaps(truth: NDArray[Any], guess: NDArray[Any], classes: int) -> NDArray[np.float64]:
    """Intersection over union of every class.

    IoU_k = |truth = k and guess = k| / |truth = k or guess = k|

    Args:
        truth, guess: int arrays of one shape, classes in [0, classes).
        classes: int K.

    Returns:
        float64 array (K,), NaN for a class that is in neither.

    Example:
        >>> overlaps(np.array([0, 0, 1]), np.array([0, 1, 1]), 2).tolist()
        [0.5, 0.5]

    Source: C 8.1.12.
    """
    table = np.bincount(classes * truth.reshape(-1).astype(int) + guess.reshape(-1).astype(int), minlength=classes**2)
    table = table.reshape(classes, classes).astype("float64")  # rows the truth, columns the guess
    union = table.sum(0) + table.sum(1) - np.diag(table)
    return np.asarray(np.divide(np.diag(table), union, out=np.full(classes, np.nan), where=union > 0))


def show_labels(axes: Axes, labels: NDArray[Any], classes: int) -> Any:
    """Draws a label map in `class_colours`; returns what a colour bar needs."""
    norm = BoundaryNorm(np.arange(classes + 1) - 0.5, classes)
    return axes.imshow(labels, cmap=class_colours(classes), norm=norm, interpolation="nearest")


def name_colours(figure: Figure, shown: Any, grid: Any, names: Sequence[str]) -> None:
    """A bar beside `grid` that says which class has which colour; `shown` is what `show_labels` returned."""
    bar = figure.colorbar(shown, ax=grid, fraction=0.04, pad=0.02, ticks=range(len(names)))
    bar.minorticks_off()
    bar.ax.set_yticklabels(names, fontsize=8)
    bar.outline.set_visible(False)


def class_colours(classes: int) -> ListedColormap:
    """White for class 0, the background, and a colour for every other class."""
    from matplotlib import colormaps

    others = [colormaps["tab10" if classes <= 11 else "viridis"](k if classes <= 11 else k / (classes - 2)) for k in
              range(classes - 1)]  # fmt: skip
    return ListedColormap([(1.0, 1.0, 1.0, 1.0), *others])
