"""The recipes of digits on MNIST and Fashion-MNIST: 60,000 images of 28 x 28 pixels in the place of 1,797 of 8 x 8.

    --dataset mnist, --dataset fashion-mnist: the same recipe with larger networks, on images as Keras keeps them

Conventions that bite.
- Black and white: x_d = 1 with probability grey_d, drawn once for each image (`drawn_pixels`), so every epoch and every
  recipe sees the same pixels; neither the threshold at one half of the recipes on digits, under which less is left to
  explain, nor new draws in every epoch. Nats an image compare with those published for pixels drawn so, up to the draw.
- Grey: 256 levels k / 255. Flows see (k + u) / 256, u uniform on [0, 1), and bits per dimension are those of the whole
  numbers k; they do not compare with those of the scans of digits, which know 17 levels.
- 54,000 images train, 6,000 validate, and the official 10,000 are the test split.
- The bounds are the baselines that the same run measures: nothing else has been measured on the real files here.
- Figures and costly estimates take the first `SHOWN` of the test images, rather than all 10,000.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from keras_course.core.seeds import derive_seed
from keras_course.pipeline.recipe import BASELINE, Recipe

__all__ = [
    "BATCH",
    "SHOWN",
    "STEPS",
    "changed_pixels",
    "drawn_pixels",
    "drawn_rows",
    "few_test_images",
    "is_large",
    "on_large_images",
    "rows_of_pixels",
]

BATCH, STEPS = 100, 540  # 54,000 training images
TOGETHER = {"steps_per_execution": 20}
SHOWN = 1000  # more than the bundled digits have test images


def on_large_images(recipe: Recipe, name: str, **changes: Any) -> Recipe:
    """The recipe on "mnist" or "fashion-mnist", its bounds those of its own baseline.

    Args:
        recipe: `Recipe` on the bundled digits.
        name: of a set that `datasets.load` knows; `Spec.name` keeps it, by which a run finds its recipe again.
        **changes: fields of `Recipe`, as `dataclasses.replace` takes them.

    Returns:
        `Recipe` with batches of 100, twenty steps in one call of the graph, unless `changes` say otherwise.
    """
    arguments = changes.pop("compile", recipe.compile)
    bounds: dict[str, Mapping[str, str]] = {
        kind: dict.fromkeys(getattr(recipe, kind), BASELINE) for kind in ("floor", "ceiling")
    }
    batch = None if recipe.batch_size is None else BATCH
    usual = {"dataset": name, "batch_size": batch, "compile": lambda spec: {**TOGETHER, **arguments(spec)}, **bounds}
    return replace(recipe, **{**usual, **changes})


def changed_pixels(dataset: Any, change: Callable[[Any], Any], shape: tuple[int, ...] | None = None) -> Any:
    """The same data with x changed in every split; `shape` is that of an image then, None if it stays."""
    parts = {name: getattr(dataset, name) for name in ("train", "validation", "test")}
    spec = dataset.spec if shape is None else replace(dataset.spec, shape=shape)
    return replace(dataset, spec=spec, **{name: replace(part, x=change(part.x)) for name, part in parts.items()})


def rows_of_pixels(dataset: Any) -> Any:
    """Images as rows (N, H W C), row-major."""
    size = dataset.spec.features
    return changed_pixels(dataset, lambda x: x.reshape(-1, size), (size,))


def drawn_pixels(dataset: Any) -> Any:
    """Pixels as 0 and 1, each 1 with the probability of its grey value, drawn once by the seed of the split."""
    noise = np.random.Generator(np.random.Philox(derive_seed(dataset.spec.seed, "drawn pixels")))
    return changed_pixels(dataset, lambda x: (noise.random(x.shape, "float32") < x).astype("float32"))


def drawn_rows(dataset: Any) -> Any:
    """Rows of pixels 0 and 1: `drawn_pixels` of `rows_of_pixels`."""
    return drawn_pixels(rows_of_pixels(dataset))


def is_large(dataset: Any) -> bool:
    """Whether a set has so many training images that what is done with all of them takes minutes."""
    return len(dataset.train.x) > 10_000


def few_test_images(dataset: Any) -> Any:
    """The test images that figures and costly estimates take."""
    return dataset.test.x[:SHOWN]
