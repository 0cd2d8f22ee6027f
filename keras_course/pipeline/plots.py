"""The figures of a run: functions of a `FigureContext` that return a matplotlib `Figure`.

No pyplot, so no global state and no window: a Figure is made, filled and returned. Colours are those of Okabe and Ito,
told apart by every common kind of colour vision; images use viridis or a diverging map that is white at zero.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from keras_course.pipeline.figures import FigureContext

BLUE, ORANGE, GREEN, RED, PURPLE, GREY = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#6E6E6E"

_LABELS = {"loss": "loss (mean over examples)", "accuracy": "accuracy (share of examples)"}


def learning_curves(context: FigureContext) -> Figure | None:
    """Loss and every metric over the epochs, training against validation; the kept epoch is marked."""
    names = [name for name in context.history if not name.startswith("val_")]
    names = sorted(names, key=lambda name: (name != "loss", name))
    if not names or not context.history[names[0]]:
        return None
    figure = Figure(figsize=(4.6 * len(names), 3.4), layout="constrained")
    epochs = np.arange(1, len(context.history[names[0]]) + 1)
    chosen = _kept_epoch(context)
    for axes, name in zip(np.atleast_1d(figure.subplots(1, len(names))), names, strict=True):
        _tidy(axes)
        marker = "o" if len(epochs) < 3 else None  # a line through one point is invisible
        axes.plot(epochs, context.history[name], color=BLUE, marker=marker, label="training")
        if f"val_{name}" in context.history:
            axes.plot(epochs, context.history[f"val_{name}"], color=ORANGE, marker=marker, label="validation")
        if chosen is not None:
            axes.axvline(chosen, color=GREY, linestyle=":", linewidth=1.2, label=f"kept: epoch {chosen}")
        positive = all(value > 0 for value in context.history[name])
        if name == "loss" and positive and max(context.history[name]) > 20 * min(context.history[name]):
            axes.set_yscale("log")
        axes.set_xlabel("epoch")
        label = _LABELS.get(name, name.replace("_", " "))
        labelled = ("examples", "steps", "pixels")[len(context.dataset.spec.label_shape)]
        axes.set_ylabel(label.replace("examples", labelled))
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.legend(frameon=False)
    figure.suptitle(f"{context.recipe.slug}: learning curves")
    return figure


def confusion_matrix(context: FigureContext) -> Figure:
    """How often each true class was given each predicted class, on the test split; pixels of label maps."""
    names = context.class_names
    counts = np.zeros((len(names), len(names)), int)
    np.add.at(counts, (context.labels, context.predicted), 1)
    share = counts / np.maximum(counts.sum(1, keepdims=True), 1)  # of each true class
    size = max(3.8, 0.5 * len(names) + 1.8)
    figure = Figure(figsize=(size + 0.9, size), layout="constrained")
    axes = figure.subplots()
    image = axes.imshow(share, cmap="Blues", vmin=0.0, vmax=1.0)
    for row, column in np.argwhere(counts > 0):
        dark = share[row, column] > 0.55
        axes.text(
            column, row, counts[row, column], ha="center", va="center", color="white" if dark else "black", fontsize=9
        )
    rotation = 45 if max(map(len, names)) > 3 else 0
    axes.set_xticks(range(len(names)), names, rotation=rotation, ha="right" if rotation else "center")
    axes.set_yticks(range(len(names)), names)
    axes.set_xlabel("predicted class")
    axes.set_ylabel("true class")
    right, what = int(np.trace(counts)), "examples" if np.ndim(context.labels) == 1 else "pixels"
    axes.set_title(f"{context.recipe.slug}: {right} of {counts.sum()} test {what} right", fontsize=11)
    bar = figure.colorbar(image, ax=axes, fraction=0.046, pad=0.03)
    bar.set_label("share of the true class")
    bar.outline.set_visible(False)
    return figure


def worst_mistakes(context: FigureContext, count: int = 12) -> Figure | None:
    """The test images whose true class was thought least probable, worst first.

    Args:
        context: `FigureContext` of an image classifier, x (N, H, W, C) or (N, H, W).
        count: how many to show.

    Returns:
        Figure, or None where nothing was misclassified.
    """
    probabilities = context.probabilities
    true = probabilities[np.arange(len(context.labels)), context.labels]
    wrong = np.flatnonzero(context.predicted != context.labels)
    if len(wrong) == 0:
        return None
    worst = wrong[np.argsort(true[wrong], kind="stable")][:count]
    rows, columns = _grid(len(worst), widest=6)
    figure = Figure(figsize=(max(1.75 * columns, 5.0), 2.15 * rows + 0.5), layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False)
    for axes in grid.flat[len(worst) :]:
        axes.set_axis_off()
    names = context.class_names
    for axes, index in zip(grid.flat, worst, strict=False):
        axes.set_xticks([])
        axes.set_yticks([])
        axes.spines[:].set_color("#BBBBBB")
        show_image(axes, context.dataset.test.x[index])
        guess = context.predicted[index]
        axes.set_title(
            f"true {names[context.labels[index]]}  (p = {true[index]:.3f})\n"
            f"predicted {names[guess]}  (p = {probabilities[index, guess]:.3f})",
            fontsize=8,
        )
    shown = f"all {len(wrong)}" if len(worst) == len(wrong) else f"the worst {len(worst)} of {len(wrong)}"
    figure.suptitle(f"{context.recipe.slug}: {shown} mistakes in {len(true)} test examples", fontsize=11)
    return figure


def first_layer_filters(context: FigureContext) -> Figure | None:
    """The kernels of the first layer that has some: convolution kernels as images, dense ones reshaped to the input.

    Red weights are negative, blue positive, white is zero; one scale for all. Kernels over three colour channels are
    shown in colour, where grey is zero.
    """
    filters = first_kernel_images(context.model, context.dataset.spec.shape)
    if filters is None:
        return None
    filters = filters[:32]
    rows, columns = _grid(len(filters), widest=8)
    figure = Figure(figsize=(max(1.15 * columns, 3.6) + 1.0, 1.15 * rows + 0.9), layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False)
    scale = float(np.abs(filters).max()) or 1.0
    for axes in grid.flat:
        axes.set_axis_off()
    image: Any = None
    colour = filters.ndim == 4
    for axes, weights in zip(grid.flat, filters, strict=False):
        shown = 0.5 + 0.5 * weights / scale if colour else weights
        image = axes.imshow(shown, cmap="RdBu", vmin=-scale, vmax=scale, interpolation="nearest")
    if not colour:
        bar = figure.colorbar(image, ax=grid, fraction=0.05, pad=0.02)
        bar.set_label("weight")
        bar.outline.set_visible(False)
    figure.suptitle(f"{context.recipe.slug}: filters of the first layer", fontsize=11)
    return figure


def first_kernel_images(model: Any, shape: Sequence[int]) -> NDArray[np.float64] | None:
    """Kernels of the first layer with one, as images (filters, h, w), or None.

    Averaged over input channels, but for three of them: (filters, h, w, 3), to be seen in colour.
    """
    for weight in model.weights:
        value = np.asarray(weight, "float64")
        if value.ndim == 4:  # (h, w, C in, C out)
            if value.shape[2] == 3:
                return np.asarray(np.moveaxis(value, -1, 0))
            return np.asarray(np.moveaxis(value.mean(2), -1, 0))
        if value.ndim == 2:
            side = round(float(np.sqrt(value.shape[0])))
            if len(shape) >= 2 and value.shape[0] == shape[0] * shape[1]:
                return value.T.reshape(-1, shape[0], shape[1])
            return value.T.reshape(-1, side, side) if side * side == value.shape[0] else None
    return None


def show_image(axes: Axes, image: NDArray[Any]) -> None:
    """Draws one example: grey where it has one channel, colour where it has three, a square where it is flat."""
    image = np.asarray(image)
    side = round(float(np.sqrt(image.size)))
    if image.ndim == 1 and side * side == image.size:
        image = image.reshape(side, side)
    if image.ndim == 3 and image.shape[-1] == 1:
        image = image[..., 0]
    if image.ndim == 1:
        axes.plot(image, color=BLUE)
        return
    axes.imshow(image, cmap="gray_r" if image.ndim == 2 else None, interpolation="nearest")


def true_against_predicted(context: FigureContext) -> Figure:
    """Predicted against true targets of a regression, in the target's own unit, with the line of equality."""
    spec = context.dataset.spec
    true = spec.restore_targets(context.dataset.test.y)
    predicted = spec.restore_targets(np.reshape(context.outputs, np.shape(context.dataset.test.y)))
    figure = Figure(figsize=(4.6, 4.2), layout="constrained")
    axes = figure.subplots()
    _tidy(axes)
    low, high = float(min(true.min(), predicted.min())), float(max(true.max(), predicted.max()))
    axes.plot([low, high], [low, high], color=GREY, linewidth=1, linestyle="--", label="predicted = true")
    axes.scatter(true, predicted, s=16, color=BLUE, alpha=0.7, edgecolors="none", label="test examples")
    axes.set_xlabel("true target")
    axes.set_ylabel("predicted target")
    axes.set_title(f"{context.recipe.slug}: test split", fontsize=11)
    axes.legend(frameon=False)
    return figure


def _kept_epoch(context: FigureContext) -> int | None:
    values = context.history.get(context.recipe.select) if context.recipe.select else None
    if not values:
        return None
    best = np.nanargmin(values) if context.recipe.selects_minimum else np.nanargmax(values)
    return int(best) + 1


def _grid(count: int, widest: int) -> tuple[int, int]:
    """Rows and columns for `count` panels: as few rows as `widest` columns allow, then as few empty places."""
    rows = -(-count // widest)
    return rows, -(-count // rows)


def _tidy(axes: Axes) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.25, linewidth=0.6)
