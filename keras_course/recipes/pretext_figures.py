"""What context encoders and contrastive learning have learned, as figures; and what filling holes is measured against.

mean image             the mean of all training images, in the hole
nearest training image the training image that agrees best with what is seen, in the hole
similarity             cosines of embeddings, images sorted by class: blocks along the diagonal are classes found
"""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.figure import Figure
from numpy.typing import NDArray

from keras_course.core.seeds import stateless_seed
from keras_course.datasets import Dataset
from keras_course.models.selfsupervised.settings import PRETEXTS
from keras_course.pipeline.figures import FigureContext

__all__ = ["classes_of_embeddings", "filled_holes", "fillings", "hole_errors", "two_views"]

FILLINGS = ("context encoder", "nearest training image", "mean image")


def fillings(model: Any, dataset: Dataset, seed: int, rows: int | None = None) -> tuple[Any, Any, dict[str, Any]]:
    """Test images, a hole in each, and the images with their holes filled in three ways.

    Args:
        model: `ContextEncoder`; its holes are drawn from the seed, not from its own evaluation.
        dataset: `Dataset` of images.
        seed: int.
        rows: int, the first so many test images, or None for all.

    Returns:
        Tuple of arrays x (N, H, W, C), mask (N, H, W, 1) and {name in FILLINGS: (N, H, W, C)}.
    """
    x, known = dataset.test.x[:rows], dataset.train.x
    mask = np.array(model.draw_masks(stateless_seed(seed, "test holes", 0), len(x)))
    mask = np.broadcast_to(mask, (len(x), *mask.shape[1:]))
    seen = 1 - mask
    others = {
        "nearest training image": known[_nearest(x, seen, known)],
        "mean image": np.broadcast_to(known.mean(0), x.shape),
    }
    filled = {name: seen * x + mask * other for name, other in others.items()}
    return x, mask, {"context encoder": np.asarray(model.inpaint(x, mask)), **filled}


def _nearest(x: NDArray[Any], seen: NDArray[Any], known: NDArray[Any]) -> NDArray[np.int64]:
    """For each image the row of `known` nearest to it over the pixels that are seen."""
    seen = np.broadcast_to(seen, x.shape).reshape(len(x), -1)
    x, known = x.reshape(len(x), -1), known.reshape(len(known), -1)
    # sum of seen (x - k)**2, less what is the same for every k
    return np.asarray((seen @ known.T**2 - 2 * (seen * x) @ known.T).argmin(1))


def hole_errors(model: Any, dataset: Dataset, seed: int) -> dict[str, float]:
    """Mean squared error over the missing pixels of all test images, for each filling.

    Args:
        model, dataset, seed: as `fillings`.

    Returns:
        {"hole_error": of the model, "hole_error_nearest", "hole_error_mean"}, and "hole_error_ratio", the first over
        the last.
    """
    x, mask, filled = fillings(model, dataset, seed)
    missing = mask.sum() * x.shape[-1]
    errors = [float(np.sum(mask * (filled[name] - x) ** 2) / missing) for name in FILLINGS]
    names = ("hole_error", "hole_error_nearest", "hole_error_mean")
    return {**dict(zip(names, errors, strict=True)), "hole_error_ratio": errors[0] / errors[2]}


def filled_holes(context: FigureContext, columns: int = 14) -> Figure:
    """Test images, what is seen of them, and three fillings of the holes."""
    x, mask, filled = fillings(context.model, context.dataset, context.seed, columns)
    columns = len(x)
    figure = Figure(figsize=(0.72 * columns + 1.6, 4.1), layout="constrained")
    grid = figure.subplots(5, columns, squeeze=False)
    rows = {"image": x, "seen": np.where(mask > 0, np.nan, x), **filled}
    for axes_of_row, (name, images) in zip(grid, rows.items(), strict=True):
        for axes, image, hole in zip(axes_of_row, images, mask, strict=True):
            _show(axes, image)
            if name not in ("image", "seen"):
                _outline(axes, hole[..., 0])
        axes_of_row[0].set_ylabel(name, rotation=0, ha="right", va="center", fontsize=9)
    error = context.metrics.get("hole_error")
    told = "" if error is None else f", mean squared error in the holes {error:.3f}"
    figure.suptitle(f"{context.recipe.slug}: test images{told}", fontsize=11)
    return figure


def two_views(context: FigureContext, columns: int = 14) -> Figure:
    """Test images and two distorted views of each: what shall be one and the same to the trunk."""
    x = context.dataset.test.x[:columns]
    views = context.model.views(x, stateless_seed(context.seed, "figure", 0))
    figure = Figure(figsize=(0.72 * len(x) + 1.0, 2.6), layout="constrained")
    grid = figure.subplots(3, len(x), squeeze=False)
    rows = {"image": x, "one view": views[0], "another": views[1]}
    for axes_of_row, (name, images) in zip(grid, rows.items(), strict=True):
        for axes, image in zip(axes_of_row, np.asarray(images), strict=True):
            _show(axes, image)
        axes_of_row[0].set_ylabel(name, rotation=0, ha="right", va="center", fontsize=9)
    figure.suptitle(f"{context.recipe.slug}: the pairs that belong together", fontsize=11)
    return figure


def classes_of_embeddings(context: FigureContext, per_class: int = 12) -> Figure:
    """Cosines of embeddings before and after training, sorted by classes that were never shown; features in a plane."""
    dataset, model = context.dataset, context.model
    x, y = dataset.test.x, np.asarray(dataset.test.y).reshape(-1)
    classes = np.unique(y)
    chosen = np.concatenate([np.flatnonzero(y == k)[:per_class] for k in classes])
    before = PRETEXTS[context.recipe.slug].model(dataset.spec.shape, context.seed)
    figure = Figure(figsize=(13.0, 4.3), layout="constrained")
    *matrices, plane = figure.subplots(1, 3)
    for axes, network, title in zip(matrices, (before, model), ("before training", "after training"), strict=True):
        image = axes.imshow(np.asarray(network.similarity(x[chosen], x[chosen])), cmap="RdBu_r", vmin=-1.0, vmax=1.0)
        edges = np.cumsum([np.sum(y[chosen] == k) for k in classes])
        axes.set_xticks((edges + np.r_[0, edges[:-1]] - 1) / 2, [str(k) for k in classes])
        axes.set_yticks((edges + np.r_[0, edges[:-1]] - 1) / 2, [str(k) for k in classes])
        axes.tick_params(length=0)
        axes.set_title(f"cosines of embeddings, {title}", fontsize=10)
    figure.colorbar(image, ax=matrices[1], shrink=0.8)
    features = np.asarray(model.encode(x), "float64")
    features = features - features.mean(0)
    _, _, directions = np.linalg.svd(features, full_matrices=False)
    points = features @ directions[:2].T
    for k, colour in zip(classes, colormaps["tab10"].colors, strict=False):
        own = points[y == k]
        plane.scatter(*own.T, s=12, color=colour, alpha=0.75, edgecolors="none")
        plane.text(
            *np.median(own, axis=0), str(k), ha="center", va="center", fontsize=10, weight="bold",
            bbox={"boxstyle": "circle,pad=0.2", "facecolor": "white", "edgecolor": colour},
        )  # fmt: skip
    plane.spines[["top", "right"]].set_visible(False)
    plane.set_xlabel("first principal component of the features")
    plane.set_ylabel("second")
    plane.set_title("test images, classes never seen in training", fontsize=10)
    figure.suptitle(f"{context.recipe.slug}: classes that were found", fontsize=11)
    return figure


def _outline(axes: Any, hole: NDArray[Any], fine: int = 8) -> None:
    """The border of the missing pixels, along their edges."""
    framed = np.pad(np.kron(hole, np.ones((fine, fine))), 1)
    height, width = ((size - 1) / fine for size in framed.shape)
    places = np.arange(framed.shape[1]) / fine, np.arange(framed.shape[0]) / fine
    shift = 0.5 + 0.5 / fine
    axes.contour(places[0] - shift, places[1] - shift, framed, levels=[0.5], colors="#D55E00", linewidths=0.9)
    axes.set_xlim(-0.5, width - 0.5 - 1 / fine)
    axes.set_ylim(height - 0.5 - 1 / fine, -0.5)


def _show(axes: Any, image: NDArray[Any]) -> None:
    cmap = colormaps["gray_r" if image.shape[-1] == 1 else "viridis"].with_extremes(bad="#56B4E9")
    if image.shape[-1] == 3:
        image = np.where(np.isnan(image), np.array([0.34, 0.71, 0.91]), np.clip(image, 0.0, 1.0))
    else:
        image = image[..., 0]
    axes.imshow(image, cmap=cmap, vmin=0.0, vmax=1.0, interpolation="nearest")
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_color("#BBBBBB")
