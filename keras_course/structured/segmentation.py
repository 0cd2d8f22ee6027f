"""A photograph as a two-label problem: neighbours, contrast, and colours learned from a few scribbles.

    g(x, y; w) = sum_i log p(y_i | x_i) + w sum_{(i,j)} C(x_i, x_j) [y_i != y_j],    foreground 1, background 0
    C(x_i, x_j) = exp(-beta |x_i - x_j|^2) / |i - j|,    1 / beta = 2 mean |x_i - x_j|^2
    p(y | x)    = p(x | y) p(y) / sum_y' p(x | y') p(y')

C is near 1 inside an even patch and near 0 across an edge, so that a boundary is cheap where the picture has one.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from keras_course.core.errors import InvalidDataError
from keras_course.core.shapes import require_one_of, require_positive_int
from keras_course.structured.problem import PairwiseProblem

__all__ = ["colour_log_probabilities", "contrast", "foreground_problem", "grid_edges"]

_STEPS = {4: ((0, 1), (1, 0)), 8: ((0, 1), (1, 0), (1, 1), (1, -1))}


def grid_edges(height: int, width: int, neighbours: int = 8) -> NDArray[np.int64]:
    """Pairs of touching pixels, each pair once.

    Args:
        height: rows of the image.
        width: columns of the image.
        neighbours: 4 (right and below), or 8 (the diagonals too).

    Returns:
        int array (E, 2) of flat pixel indices: all pairs to the right, then below, then the two diagonals.

    Raises:
        ValueError: for another neighbourhood or an empty image.

    Example:
        >>> grid_edges(2, 2, 4).tolist()
        [[0, 1], [2, 3], [0, 2], [1, 3]]

    Source: N (Graph Cuts).
    """
    require_positive_int("grid_edges", height=height, width=width)
    require_one_of("grid_edges", (4, 8), neighbours=neighbours)
    index = np.arange(height * width).reshape(height, width)
    pairs = []
    for down, right in _STEPS[neighbours]:
        first = index[: height - down, max(0, -right) : width - max(0, right)]
        second = index[down:, max(0, right) : width + min(0, right)]
        pairs.append(np.stack([first.reshape(-1), second.reshape(-1)], 1))
    return np.concatenate(pairs)


def contrast(image: Any, edges: Any) -> NDArray[np.float64]:
    """How alike two neighbouring pixels are, and how near.

        C(x_i, x_j) = exp(-beta |x_i - x_j|^2) / |i - j|,    1 / beta = 2 mean over the edges of |x_i - x_j|^2

    Args:
        image: array (H, W, channels) or (H, W), any scale.
        edges: int array (E, 2) of flat pixel indices.

    Returns:
        float64 array (E,), in (0, 1]; the same for an image times a constant.

    Raises:
        InvalidDataError: if the image has another rank or values that are not finite.

    Example:
        >>> contrast(np.array([[0.0, 0.0, 1.0]]), grid_edges(1, 3)).round(4).tolist()
        [1.0, 0.3679]

    Source: N (Graph Cuts); Boykov and Jolly 2001.
    """
    pixels, width = _pixels("contrast", image)
    edges = np.asarray(edges)
    squares = np.sum((pixels[edges[:, 0]] - pixels[edges[:, 1]]) ** 2, -1)
    mean = squares.mean() if len(squares) else 0.0
    beta = 0.5 / mean if mean > 0 else 0.0
    down = edges[:, 0] // width - edges[:, 1] // width
    right = edges[:, 0] % width - edges[:, 1] % width
    return np.exp(-beta * squares) / np.sqrt(down**2 + right**2)


def colour_log_probabilities(
    image: Any, scribbles: Any, model: str = "histogram", bins: int = 12, foreground: float = 0.5
) -> NDArray[np.float64]:
    """log p(y_i | x_i) from the colours under some scribbles.

        p(y | x) = p(x | y) p(y) / sum_y' p(x | y') p(y')

    Args:
        image: array (H, W, channels); a histogram takes values in [0, 255] for integers, [0, 1] for floats.
        scribbles: int array (H, W): 1 where known foreground, 0 known background, -1 elsewhere.
        model: "histogram" (of all channels jointly, blurred by one bin, no bin empty) or "gaussian" (mean and full
            covariance of the scribbled pixels).
        bins: bins a channel of the histogram.
        foreground: prior probability p(y = 1).

    Returns:
        float64 array (H, W, 2): log p(0 | x), log p(1 | x). Scribbled pixels are not forced, only their colours count.

    Raises:
        InvalidDataError: for an image that is not finite or scribbles that miss one of the two labels.
        ValueError: for another model, bins below 1 or a prior outside (0, 1).

    Example:
        >>> image = np.array([[[0.1], [0.1], [0.9], [0.9]]])
        >>> scores = colour_log_probabilities(image, np.array([[0, -1, -1, 1]]), bins=4)
        >>> scores.argmax(-1).tolist()
        [[0, 0, 1, 1]]

    Source: N (Graph Cuts).
    """
    require_one_of("colour_log_probabilities", ("histogram", "gaussian"), model=model)
    require_positive_int("colour_log_probabilities", bins=bins)
    if not 0.0 < foreground < 1.0:
        raise ValueError(f"colour_log_probabilities needs a prior in (0, 1). Received: foreground={foreground!r}")
    pixels, width = _pixels("colour_log_probabilities", image)
    marks = np.asarray(scribbles).reshape(-1)
    if len(marks) != len(pixels) or set(np.unique(marks)) - {-1, 0, 1} or not {0, 1} <= set(np.unique(marks)):
        raise InvalidDataError(
            f"Scribbles are 0, 1 or -1 for each of {len(pixels)} pixels, both labels present. "
            f"Received: shape={np.shape(scribbles)}, values {np.unique(marks)[:5].tolist()}"
        )
    if np.asarray(image).dtype.kind in "iu":
        pixels = pixels / 255.0
    likelihood = _histogram if model == "histogram" else _gaussian
    joint = np.stack([likelihood(pixels, pixels[marks == label], bins) for label in (0, 1)], -1)
    joint += np.log([1.0 - foreground, foreground])
    peak = joint.max(-1, keepdims=True)
    normaliser = peak + np.log(np.sum(np.exp(joint - peak), -1, keepdims=True))
    return (joint - normaliser).reshape(-1, width, 2)


def foreground_problem(
    log_probability: Any, image: Any, weight: float, neighbours: int = 8, scribbles: Any = None
) -> PairwiseProblem:
    """The problem whose best labelling is the foreground.

        sum_i log p(y_i | x_i) + w sum_{(i,j)} C(x_i, x_j) [y_i != y_j]

    Args:
        log_probability: array (H, W, 2), log p(0 | x) and log p(1 | x).
        image: array (H, W, channels) or (H, W), for the contrast.
        weight: w <= 0; the larger its size, the smoother the outline.
        neighbours: 4 or 8.
        scribbles: int array (H, W) of 0, 1 and -1; labels that the solution must have. None forces nothing.

    Returns:
        `PairwiseProblem` over the H W pixels, row by row.

    Raises:
        InvalidDataError: if shapes do not fit.

    Example:
        >>> foreground_problem(np.log(np.full((2, 3, 2), 0.5)), np.zeros((2, 3)), -1.0).places
        6

    Source: N (Graph Cuts).
    """
    scores = np.array(log_probability, "float64")
    height, width = np.shape(image)[:2]
    if scores.shape != (height, width, 2):
        raise InvalidDataError(
            f"foreground_problem needs scores of shape {(height, width, 2)}. Received: shape={scores.shape}"
        )
    if scribbles is not None:
        marks = np.asarray(scribbles)
        scores[marks == 1, 0] = -np.inf
        scores[marks == 0, 1] = -np.inf
    edges = grid_edges(height, width, neighbours)
    return PairwiseProblem(scores.reshape(-1, 2), edges, weight * contrast(image, edges))


def _pixels(who: str, image: Any) -> tuple[NDArray[np.float64], int]:
    values = np.asarray(image)
    if values.ndim == 2:
        values = values[..., None]
    if values.ndim != 3 or 0 in values.shape or values.dtype.kind not in "fiu" or not np.all(np.isfinite(values)):
        raise InvalidDataError(f"{who} needs a finite image (H, W, channels). Received: shape={np.shape(image)}")
    return values.reshape(-1, values.shape[-1]).astype("float64"), values.shape[1]


def _histogram(pixels: NDArray[np.float64], known: NDArray[np.float64], bins: int) -> NDArray[np.float64]:
    """log p(x | y) by counting: known colours count in their bin and, a little, in the bins beside it."""
    channels = pixels.shape[1]
    cells = [np.clip((part * bins).astype(int), 0, bins - 1) for part in (pixels, known)]
    counts = np.zeros((bins,) * channels)
    np.add.at(counts, tuple(cells[1].T), 1.0)
    for axis in range(channels):
        padded = np.pad(counts, [(1, 1) if each == axis else (0, 0) for each in range(channels)])
        low, high = np.take(padded, range(bins), axis), np.take(padded, range(2, bins + 2), axis)
        counts = 0.5 * counts + 0.25 * (low + high)
    density = (counts + 1.0 / bins**channels) / (counts.sum() + 1.0)
    return np.asarray(np.log(density[tuple(cells[0].T)]))


def _gaussian(pixels: NDArray[np.float64], known: NDArray[np.float64], bins: int) -> NDArray[np.float64]:
    """log p(x | y) of a normal; a hundredth of the colour scale keeps the covariance definite."""
    mean = known.mean(0)
    covariance = (known - mean).T @ (known - mean) / len(known) + 1e-4 * np.eye(known.shape[1])
    factor = np.linalg.cholesky(covariance)
    white = np.linalg.solve(factor, (pixels - mean).T)
    return np.asarray(-0.5 * np.sum(white**2, 0) - np.sum(np.log(np.diag(factor))))
