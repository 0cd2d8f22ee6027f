"""What a figure function gets to draw from, and the writing of its file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from keras_course.core.serial import write_atomically
from keras_course.pipeline.batches import in_order
from keras_course.pipeline.recipe import Recipe, figure_name

if TYPE_CHECKING:
    from keras_course.datasets import Dataset

DOTS_PER_INCH = 150


@dataclass
class FigureContext:
    """A trained model, its data and its history; predictions are made once, when first asked for.

    Args:
        recipe: the `Recipe` that was trained.
        model: the trained Keras model.
        dataset: the prepared `Dataset`; figures show its test split.
        history: {name: one number an epoch}.
        metrics: test metrics.
        seed: the run's seed.
    """

    recipe: Recipe
    model: Any
    dataset: Dataset
    history: Mapping[str, Sequence[float]]
    metrics: Mapping[str, float] = field(default_factory=dict)
    seed: int = 0

    @cached_property
    def outputs(self) -> Any:
        """What the model predicts on the test split (numpy, the model's own structure)."""
        return self.model.predict(in_order(self.dataset.test.x), verbose=0)

    @cached_property
    def probabilities(self) -> NDArray[np.float64]:
        """Class probabilities (N, K), or (N, H, W, K), on the test split; see `Recipe.probabilities`."""
        if self.recipe.probabilities is not None:
            return np.asarray(self.recipe.probabilities(self.outputs), "float64")
        logits = np.asarray(self.outputs, "float64")
        if logits.ndim == 1 or logits.shape[-1] == 1:
            positive = 0.5 * (1.0 + np.tanh(0.5 * logits.reshape(-1)))
            return np.stack([1.0 - positive, positive], -1)
        shifted = np.exp(logits - logits.max(-1, keepdims=True))
        return np.asarray(shifted / shifted.sum(-1, keepdims=True))

    @cached_property
    def labels(self) -> NDArray[np.int64]:
        """True classes (N,), or (N, H, W), of the test split; targets of -1 and +1 count as classes 0 and 1."""
        y = np.asarray(self.dataset.test.y)
        if self.dataset.spec.label_shape:
            return y.astype("int64")
        if y.ndim == 2 and y.shape[1] > 1:
            return np.asarray(y.argmax(-1))
        return (y.reshape(-1) > 0).astype("int64") if y.min() < 0 else y.reshape(-1).astype("int64")

    @property
    def predicted(self) -> NDArray[np.int64]:
        """Most probable classes (N,), or (N, H, W)."""
        return np.asarray(self.probabilities.argmax(-1))

    @property
    def class_names(self) -> tuple[str, ...]:
        """Names of the classes, numbers where the data have none."""
        return self.dataset.spec.class_names or tuple(str(k) for k in range(self.probabilities.shape[-1]))


def draw_figures(context: FigureContext, folder: Path) -> list[Path]:
    """Draws every figure of the recipe into `folder`; a figure that is text is an SVG document.

    Returns:
        Paths of the PNG and SVG files, in the order of the recipe.
    """
    folder.mkdir(parents=True, exist_ok=True)
    drawn = []
    for draw in context.recipe.figures:
        figure = draw(context)
        if figure is None:
            continue
        path = folder / f"{figure_name(draw)}.{'svg' if isinstance(figure, str) else 'png'}"
        write_atomically(path, figure if isinstance(figure, str) else partial(figure.savefig, dpi=DOTS_PER_INCH))
        drawn.append(path)
    return drawn
