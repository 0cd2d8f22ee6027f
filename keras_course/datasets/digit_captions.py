"""Digits on a canvas and the sentence that describes them: "a large 3 left of a small 7".

    words   a {small | large} {0 ... 9}, and between two digits: left of, right of, above, below
    order   large digits before small ones; of one size the left before the right
    place   b is right of, below ... a by whichever of the distances of their centres is greater

One to three digits of one scene, each placed against the one named before it. Only scenes that leave no doubt are kept
(`is_plain`), so that one sentence is right and all others are wrong. The three parts draw from different handwriting,
as in `digit_scenes`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from keras_course.core.seeds import derive_seed
from keras_course.core.shapes import require_one_of, require_positive_int
from keras_course.datasets.bundled import digits
from keras_course.datasets.dataset import Dataset, Spec, Split
from keras_course.datasets.digit_canvas import Scene, digit_scene
from keras_course.datasets.text import Vocabulary

__all__ = ["CAPTION_VOCABULARY", "LENGTH", "caption_order", "caption_scenes", "describe", "digit_captions", "is_plain"]

CAPTION_VOCABULARY = Vocabulary(("a", "small", "large", *"0123456789", "left", "right", "of", "above", "below"))
SIDE, SIZES, NOISE = 36, (8, 16), 0.2
COUNTS = (1, 2, 2, 3)  # digits of the first scene, of the second, ...
SMALL, LARGE, MARGIN = 10, 14, 4  # pixels: at most, at least, least difference that counts
LENGTH = 14  # three digits, two places, and the end
SCENES = {"train": 6000, "validation": 400, "test": 800}


def is_plain(scene: Scene) -> bool:
    """Whether one sentence describes a scene and no other does.

    No digit is of middle size; two of one size differ by 4 pixels from left to right; of two that are named one after
    the other the greater distance is greater by 4 pixels.

    Args:
        scene: `Scene`.

    Example:
        >>> from keras_course.datasets import digit_scenes
        >>> sum(is_plain(scene) for scene in digit_scenes(0, "train", 20, sizes=(8, 16)))
        8

    Source: C 10.3.3.
    """
    if np.any((scene.size > SMALL) & (scene.size < LARGE)):
        return False
    order = caption_order(scene)
    for a, b in zip(order, order[1:], strict=False):
        down, right = _steps(scene, a, b)
        same_size = (scene.size[a] >= LARGE) == (scene.size[b] >= LARGE)
        if abs(abs(down) - abs(right)) < MARGIN or (same_size and abs(right) < MARGIN):
            return False
    return True


def describe(scene: Scene) -> str:
    """The sentence.

    Args:
        scene: `Scene`, whose digits of 14 pixels or more are large.

    Returns:
        str.

    Example:
        >>> nothing = np.zeros(0)
        >>> describe(Scene(nothing, nothing, np.array([7, 3]), np.array([0, 2]), np.array([20, 1]), np.array([9, 15])))
        'a large 3 left of a small 7'

    Source: C 10.3.3.
    """
    order = caption_order(scene)
    words: list[str] = []
    for place, index in enumerate(order):
        if place:
            down, right = _steps(scene, order[place - 1], index)
            across = ("left of" if right > 0 else "right of") if abs(right) > abs(down) else ""
            words.append(across or ("above" if down > 0 else "below"))
        words.append(f"a {'large' if scene.size[index] >= LARGE else 'small'} {scene.digits[index]}")
    return " ".join(words)


def caption_order(scene: Scene) -> list[int]:
    """Which digit of a scene is named first, second, third: large before small, left before right.

    Args:
        scene: `Scene`.

    Returns:
        List of places in `scene.digits`.
    """
    return sorted(range(len(scene.digits)), key=lambda k: (scene.size[k] < LARGE, 2 * scene.left[k] + scene.size[k]))


def _steps(scene: Scene, a: int, b: int) -> tuple[float, float]:
    """How far the centre of b is below that of a, and to its right."""
    further = (scene.size[b] - scene.size[a]) / 2
    return float(scene.top[b] - scene.top[a] + further), float(scene.left[b] - scene.left[a] + further)


def caption_scenes(
    seed: int, part: str, count: int | None = None, *, validation: float = 0.1, test: float = 0.2
) -> list[Scene]:
    """What `load("digit-captions", seed)` shows: the first scenes of one part, with the place of every digit.

    Args:
        seed: int, of the split of the digits and of every scene.
        part: "train", "validation" or "test": whose handwriting.
        count: int, or None for as many as the data set has.
        validation, test: floats, shares of the digits, as `datasets.load`.

    Returns:
        List of `Scene`; more of them begin with the same ones.

    Raises:
        ValueError: for an unknown part or a count below 1.

    Example:
        >>> [describe(scene) for scene in caption_scenes(0, "train", 2)]
        ['a small 1', 'a large 7 below a small 5']

    Source: C 10.3.3; digits of Alpaydin and Kaynak 1998.
    """
    require_one_of("caption_scenes", tuple(SCENES), part=part)
    count = SCENES[part] if count is None else count
    require_positive_int("caption_scenes", count=count)
    split: Split = getattr(digits(seed, validation, test), part)
    images, labels, own = split.x[..., 0], split.y, derive_seed(seed, "captions", part)
    found: list[Scene] = []
    index = 0
    while len(found) < count:
        wanted = COUNTS[len(found) % len(COUNTS)]
        scene = digit_scene(images, labels, own, index, side=SIDE, sizes=SIZES, counts=(wanted, wanted), noise=NOISE)
        if len(scene.digits) == wanted and is_plain(scene):
            found.append(scene)
        index += 1
    return found


def digit_captions(seed: int, validation: float, test: float) -> Dataset:
    """7,200 canvases of 36 x 36 pixels, and words as ids (N, 14) of `CAPTION_VOCABULARY`, padded after the end.

    Args:
        seed: int, of the split of the digits and of every scene.
        validation, test: floats, shares of the digits; the numbers of scenes do not depend on them.
    """
    parts: dict[str, Split] = {}
    for part in SCENES:
        scenes = caption_scenes(seed, part, validation=validation, test=test)
        words: NDArray[Any] = CAPTION_VOCABULARY.encode([describe(scene) for scene in scenes], LENGTH)
        parts[part] = Split(np.stack([scene.image for scene in scenes]), words)
    spec = Spec(
        "digit-captions",
        task="classification",
        shape=(SIDE, SIDE, 1),
        classes=len(CAPTION_VOCABULARY),
        label_shape=(LENGTH,),
        class_names=CAPTION_VOCABULARY.names,
        seed=seed,
        sha256=dict(digits(seed, validation, test).spec.sha256),
    )
    return Dataset(parts["train"], parts["validation"], parts["test"], spec)
