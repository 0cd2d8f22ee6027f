"""Figures of what an image classifier looks at: its maps layer by layer, and the pixels its scores hang on.

Functions of a `FigureContext`, as those of `plots.py`, for any classifier of images (N, H, W, C) that gives logits.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from keras import ops
from matplotlib.figure import Figure
from numpy.typing import NDArray

from keras_course.pipeline.figures import FigureContext
from keras_course.pipeline.plots import show_image
from keras_course.pipeline.probe import layer_outputs
from keras_course.pipeline.saliency import saliency, smooth_saliency

__all__ = ["feature_maps", "saliency_maps"]


def feature_maps(context: FigureContext, layers: int = 5, maps: int = 8) -> Figure | None:
    """What the convolutions make of one test image: a row a layer, the first maps of each.

    S_l[i, j, f] = layer_l(... layer_1(x))[i, j, f]

    Args:
        context: `FigureContext` of an image model of any kind.
        layers: how many layers to show; of more, as many at equal distances, the first and the last among them.
        maps: how many maps of each.

    Returns:
        Figure, each row with its own scale (white is 0 where the layer has negative values), or None where no layer
        gives maps.
    """
    image = context.dataset.test.x[:1]
    found = [
        (path.removeprefix(f"{context.model.name}/"), ops.convert_to_numpy(ops.cast(output, "float32"))[0])
        for path, output in layer_outputs(context.model, image).items()
        if len(output.shape) == 4 and output.shape[1] * output.shape[2] > 1
    ]
    if not found:
        return None
    if len(found) > layers:
        found = [found[k] for k in np.unique(np.linspace(0, len(found) - 1, layers).round().astype(int))]
    columns = 1 + max(min(maps, values.shape[-1]) for _, values in found)
    figure = Figure(figsize=(1.1 * columns + 0.6, 1.3 * len(found) + 0.6), layout="constrained")
    grid = figure.subplots(len(found), columns, squeeze=False)
    for axes in grid.flat:
        axes.set_axis_off()
    show_image(grid[0, 0], image[0])
    grid[0, 0].set_title(f"true {context.class_names[context.labels[0]]}", fontsize=8)
    for row, (name, values) in enumerate(found):
        height, width, count = values.shape
        bottom, top = float(values.min()), float(values.max())
        if bottom < 0:
            colours, top = "RdBu", max(-bottom, top)
            bottom = -top
        else:
            colours, bottom = "viridis", 0.0
        for axes, shown in zip(grid[row, 1:], np.moveaxis(values, -1, 0), strict=False):
            axes.imshow(shown, cmap=colours, vmin=bottom, vmax=top or 1.0, interpolation="nearest")
        left = f"{name}: {min(maps, count)} of {count} maps, {height} x {width}, {bottom:.2g} to {top:.2g}"
        grid[row, 1].set_title(left, fontsize=8, loc="left")
    figure.suptitle(f"{context.recipe.slug}: maps of the first test image", fontsize=11)
    return figure


def saliency_maps(context: FigureContext, count: int = 10) -> Figure:
    """The pixels that the score of the predicted class hangs on, for one test image of each class.

    saliency = max_c |d logit / d pixel|, at the image and averaged over noise

    Args:
        context: `FigureContext` of a classifier of images (N, H, W, C) whose output are logits.
        count: how many images at most: the first of each class, then the next.

    Returns:
        Figure of three rows: images, saliency, smoothed saliency; each map with its own scale, from 0 (dark).
    """
    chosen = _one_of_each(context.labels, count)
    images = context.dataset.test.x[chosen]
    classes = context.predicted[chosen]
    rows = {
        "": images,
        "saliency": ops.convert_to_numpy(saliency(context.model, images, classes)),
        "averaged\nover noise": ops.convert_to_numpy(smooth_saliency(context.model, images, classes)),
    }
    figure = Figure(figsize=(1.25 * len(chosen) + 1.0, 4.6), layout="constrained")
    grid = figure.subplots(3, len(chosen), squeeze=False)
    for (name, shown), line in zip(rows.items(), grid, strict=True):
        for axes, one in zip(line, shown, strict=True):
            axes.set_xticks([])
            axes.set_yticks([])
            axes.spines[:].set_color("#BBBBBB")
            if name:
                axes.imshow(one, cmap="inferno", vmin=0.0, vmax=float(one.max()) or 1.0, interpolation="nearest")
            else:
                show_image(axes, one)
        line[0].set_ylabel(name, fontsize=9)
    names = context.class_names
    for axes, index in zip(grid[0], chosen, strict=True):
        guess = context.predicted[index]
        wrong = "" if guess == context.labels[index] else f"\n(true {names[context.labels[index]]})"
        axes.set_title(f"{names[guess]}, p = {context.probabilities[index, guess]:.2f}{wrong}", fontsize=8)
    figure.suptitle(f"{context.recipe.slug}: |d score of the predicted class / d pixel|", fontsize=11)
    return figure


def _one_of_each(labels: NDArray[Any], count: int) -> NDArray[Any]:
    """Row numbers: the first example of every class, then the second, up to `count`, ordered by class."""
    rank = np.zeros(len(labels), int)
    for k in np.unique(labels):
        rank[labels == k] = np.arange(int((labels == k).sum()))
    rows = np.lexsort((labels, rank))[:count]
    return np.asarray(rows[np.argsort(labels[rows], kind="stable")])
