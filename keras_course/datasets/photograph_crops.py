"""Small crops of the two photographs: images in plenty without a label of anybody's, and one label for free.

    photograph = 6 x 8 tiles of 71 x 80 pixels,   each tile belongs to train, validation or test
    crop i of a part = photograph i mod 2, a tile of that part, size x size pixels somewhere within the tile

The label of a crop is its photograph. No pixel is in two parts. Tiles and places are pure functions of (seed, part, i).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from keras_course.core.seeds import derive_seed
from keras_course.datasets.bundled import SHA256
from keras_course.datasets.dataset import Dataset, Spec, Split
from keras_course.datasets.photographs import PHOTOGRAPHS, load_photograph
from keras_course.datasets.split import epoch_order

__all__ = ["CROPS", "SIZE", "photograph_crops", "tiles_of_parts"]

CROPS, SIZE = 1800, 16
ROWS, COLUMNS, HEIGHT, WIDTH = 6, 8, 71, 80
PARTS = ("train", "validation", "test")


def photograph_crops(seed: int, validation: float, test: float) -> Dataset:
    """1800 crops (16, 16, 3) in [0, 1] of a tower above a lake (label 0) and of a dahlia (label 1)."""
    sizes = {"test": round(test * CROPS), "validation": round(validation * CROPS)}
    sizes["train"] = CROPS - sum(sizes.values())
    pictures = [load_photograph(name) for name in PHOTOGRAPHS]
    tiles = [tiles_of_parts(seed, photograph, validation, test) for photograph in PHOTOGRAPHS]
    splits = {}
    for part in PARTS:
        y = np.arange(sizes[part], dtype="int32") % len(PHOTOGRAPHS)
        draws = np.random.Philox(key=derive_seed(seed, "crops", part)).random_raw(3 * sizes[part]).reshape(-1, 3)
        crops = [_crop(pictures[k], tiles[k][part], row) for k, row in zip(y, draws, strict=True)]
        splits[part] = Split(np.stack(crops).astype("float32") / 255, y)
    files = tuple(f"photographs/{photograph}.jpg" for photograph in PHOTOGRAPHS)
    spec = Spec(
        name="photograph-crops",
        task="classification",
        shape=(SIZE, SIZE, 3),
        classes=len(PHOTOGRAPHS),
        class_names=PHOTOGRAPHS,
        seed=seed,
        sha256={file: SHA256[file] for file in files},
    )
    return Dataset(splits["train"], splits["validation"], splits["test"], spec)


def tiles_of_parts(seed: int, photograph: str, validation: float, test: float) -> dict[str, NDArray[np.int64]]:
    """Which tiles of a photograph each part may crop from.

    Args:
        seed: int, of the split.
        photograph: str, its name.
        validation, test: floats in (0, 1), shares of the tiles, at least one each.

    Returns:
        {"train", "validation", "test": tile numbers, row by row from the top left}.

    Raises:
        ValueError: if no tile is left to train on.

    Example:
        >>> sum(len(tiles) for tiles in tiles_of_parts(0, "china", 0.1, 0.2).values())
        48
    """
    count = ROWS * COLUMNS
    n_test, n_validation = max(1, round(test * count)), max(1, round(validation * count))
    if n_test + n_validation >= count:
        raise ValueError(f"photograph-crops needs tiles to train on. Received: validation={validation}, test={test}")
    order = epoch_order(derive_seed(seed, "tiles", photograph), 0, count)
    parts = np.split(order, [n_test, n_test + n_validation])
    return dict(zip(("test", "validation", "train"), parts, strict=True))


def _crop(picture: NDArray[np.uint8], tiles: NDArray[np.int64], draw: NDArray[np.uint64]) -> NDArray[np.uint8]:
    """(SIZE, SIZE, 3), within one of the tiles."""
    tile = int(tiles[int(draw[0] % len(tiles))])
    top = tile // COLUMNS * HEIGHT + int(draw[1] % (HEIGHT - SIZE + 1))
    left = tile % COLUMNS * WIDTH + int(draw[2] % (WIDTH - SIZE + 1))
    return picture[top : top + SIZE, left : left + SIZE]
