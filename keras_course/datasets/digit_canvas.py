"""Handwritten digits placed on a canvas, with a class for each pixel, and where each digit lies.

    scene = f(seed, part, index)
    ink(p)   = the digit's own pixels, enlarged by bilinear interpolation;   pixel(p) = (1 - noise) ink(p) + noise u(p)
    label(p) = 1 + digit where ink(p) >= 0.35, else 0 (background);          u(p) uniform in [0, 1)

Digits of a scene never overlap. The three parts draw from different handwriting: the digits of the training rows of
`load("digits", seed)`, of its validation rows, of its test rows.

Only raw bits of Philox, sums and products are used, so the same arguments give the same bits on every machine.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from keras_course.core.seeds import derive_seed
from keras_course.core.shapes import require_one_of, require_positive_int
from keras_course.datasets.bundled import digits
from keras_course.datasets.dataset import Dataset, Spec, Split

__all__ = ["Scene", "digit_canvas", "digit_scene", "digit_scenes"]

PARTS = ("train", "validation", "test")
SCENES = 2000
SIDE, SIZES, COUNTS, NOISE = 40, (10, 16), (1, 3), 0.3
INK = 0.35
TRIES = 20  # places tried for a digit before it is left out


class Scene(NamedTuple):
    """A canvas, and what is on it.

    Args:
        image: float32 (side, side, 1) in [0, 1].
        labels: int32 (side, side): 0 background, 1 + digit.
        digits: int32 (n,), 0 to 9, in the order in which they were placed.
        top, left, size: int32 (n,), the square [top, top + size) x [left, left + size) of each.
    """

    image: NDArray[np.float32]
    labels: NDArray[np.int32]
    digits: NDArray[np.int32]
    top: NDArray[np.int32]
    left: NDArray[np.int32]
    size: NDArray[np.int32]


def digit_scenes(
    seed: int,
    part: str,
    count: int,
    *,
    side: int = SIDE,
    sizes: tuple[int, int] = SIZES,
    counts: tuple[int, int] = COUNTS,
    noise: float = NOISE,
    validation: float = 0.1,
    test: float = 0.2,
) -> list[Scene]:
    """The first scenes of one part; more of them begin with the same ones.

    Args:
        seed: int, of the split of the digits and of every scene.
        part: "train", "validation" or "test": whose handwriting.
        count: int, number of scenes.
        side, sizes, counts, noise: as `digit_scene`.
        validation, test: floats, shares of the digits, as `datasets.load`.

    Returns:
        List of `Scene`.

    Raises:
        ValueError: for an unknown part, or as `digit_scene`.

    Example:
        >>> scene, = digit_scenes(0, "train", 1)
        >>> scene.image.shape, len(scene.digits) <= 3
        ((40, 40, 1), True)

    Source: C 8.1.12; digits of Alpaydin and Kaynak 1998.
    """
    require_one_of("digit_scenes", PARTS, part=part)
    require_positive_int("digit_scenes", count=count)
    handwriting: Split = getattr(digits(seed, validation, test), part)
    images, labels = handwriting.x[..., 0], handwriting.y
    how: dict[str, Any] = {"side": side, "sizes": sizes, "counts": counts, "noise": noise}
    return [digit_scene(images, labels, derive_seed(seed, "canvas", part), index, **how) for index in range(count)]


def digit_scene(
    images: NDArray[Any],
    labels: NDArray[Any],
    seed: int,
    index: int,
    *,
    side: int = SIDE,
    sizes: tuple[int, int] = SIZES,
    counts: tuple[int, int] = COUNTS,
    noise: float = NOISE,
) -> Scene:
    """One scene, a pure function of its arguments.

    Args:
        images: array (N, h, w) in [0, 1], digits to draw from.
        labels: int array (N,), which digits they are.
        seed, index: ints, which scene.
        side: int, height and width of the canvas.
        sizes: (least, greatest) side of a digit on it.
        counts: (least, greatest) number of digits; one that finds no free place in 20 tries is left out.
        noise: float in [0, 1], share of uniform noise in every pixel.

    Returns:
        `Scene` with at least one digit.

    Raises:
        ValueError: for ranges that are none, digits larger than the canvas, or noise outside [0, 1].

    Example:
        >>> scene = digit_scene(np.ones((1, 8, 8)), np.array([7]), seed=0, index=0, counts=(1, 1), noise=0.0)
        >>> np.unique(scene.labels).tolist(), int(np.sum(scene.labels == 8)) == int(scene.size[0]) ** 2
        ([0, 8], True)

    Source: C 8.1.12.
    """
    for name, (least, greatest), most in (("sizes", sizes, side), ("counts", counts, side * side)):
        if not 1 <= least <= greatest <= most:
            raise ValueError(
                f"digit_scene needs 1 <= least <= greatest <= {most} as {name}. Received: {name}={least, greatest}"
            )
    if not 0 <= noise <= 1:
        raise ValueError(f"digit_scene needs noise in [0, 1]. Received: noise={noise}")
    asked = counts[1]
    raw = np.random.Philox(key=derive_seed(seed, "scene", index)).random_raw(1 + asked * (2 + 2 * TRIES) + side * side)
    uniform = (np.asarray(raw) >> np.uint64(11)) * 2.0**-53  # [0, 1), exact in float64
    number, *draws = np.split(uniform[: -side * side], [1])
    plan = draws[0].reshape(asked, 2 + 2 * TRIES)
    ink, found = np.zeros((side, side)), np.zeros((side, side), "int32")
    placed: list[tuple[int, int, int, int]] = []
    for which, large, *places in plan[: counts[0] + int(number[0] * (counts[1] - counts[0] + 1))]:
        row, size = int(which * len(images)), sizes[0] + int(large * (sizes[1] - sizes[0] + 1))
        free = side - size + 1
        for down, right in zip(places[::2], places[1::2], strict=True):
            top, left = int(down * free), int(right * free)
            if all(_apart(top, size, y, other) or _apart(left, size, x, other) for _, y, x, other in placed):
                drawn = _enlarged(images[row], size)
                box = (slice(top, top + size), slice(left, left + size))
                ink[box] = drawn
                found[box] = np.where(drawn >= INK, 1 + int(labels[row]), 0)
                placed.append((int(labels[row]), top, left, size))
                break
    image = (1 - noise) * ink + noise * uniform[-side * side :].reshape(side, side)
    digit, top_, left_, size_ = np.asarray(placed, "int32").T
    return Scene(image.astype("float32")[..., None], found, digit, top_, left_, size_)


def _apart(start: int, length: int, other_start: int, other_length: int) -> bool:
    return start + length <= other_start or other_start + other_length <= start


def _enlarged(image: NDArray[Any], size: int) -> NDArray[np.float64]:
    """Bilinear, pixels as areas: sample i of the result lies at (i + 1/2) n / size - 1/2 of the image."""
    result = np.asarray(image, "float64")
    for _ in range(2):  # one axis, then the other
        n = len(result)
        place = np.clip((np.arange(size) + 0.5) * n / size - 0.5, 0, n - 1)
        low = np.minimum(place.astype(int), n - 2) if n > 1 else np.zeros(size, int)
        share = (place - low)[:, None]
        result = ((1 - share) * result[low] + share * result[np.minimum(low + 1, n - 1)]).T
    return result


def digit_canvas(seed: int, validation: float, test: float) -> Dataset:
    """2,000 scenes of one to three digits on 40 x 40 pixels; each pixel is background or one of ten digits."""
    counts = {"validation": round(validation * SCENES), "test": round(test * SCENES)}
    counts["train"] = SCENES - sum(counts.values())
    shares = {"validation": validation, "test": test}
    parts = {}
    for part, count in counts.items():
        scenes = digit_scenes(seed, part, count, **shares)
        parts[part] = Split(np.stack([scene.image for scene in scenes]), np.stack([scene.labels for scene in scenes]))
    spec = Spec(
        "digit-canvas",
        task="classification",
        shape=(SIDE, SIDE, 1),
        classes=11,
        label_shape=(SIDE, SIDE),
        class_names=("background", *"0123456789"),
        seed=seed,
        sha256=dict(digits(seed, validation, test).spec.sha256),
    )
    return Dataset(parts["train"], parts["validation"], parts["test"], spec)
