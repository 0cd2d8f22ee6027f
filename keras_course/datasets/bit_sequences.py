"""Sequences of random bits to be repeated from memory: the copy task and the repeat-copy task.

    copy         x:  start, b_1 ... b_L, stop,     0 ... 0                 y:  -, - ... -, -, b_1 ... b_L
    repeat-copy  x:  start, b_1 ... b_L, R times,  0 ... 0                 y:  -, - ... -, -, (b_1 ... b_L) R times, end

Channels of x: the bits, then `start`, then `stop`, which in the second task holds R over the most repeats in training.
Labels are 0 and 1, and 2 (-) where no bit is asked for; rows of one length end in zeros and in labels 2. In repeat-copy
one more label tells the end: 1 at the step after the last bit, 0 at every step before.

Only raw bits of Philox are used, so the same arguments give the same bits on every machine. Generated for this package.
"""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from keras_course.core.seeds import derive_seed
from keras_course.core.shapes import require_positive_int
from keras_course.datasets.arrays import digest
from keras_course.datasets.dataset import Dataset, Spec, Split

__all__ = ["NOT_ASKED", "bit_sequences", "copy_task", "repeat_copy_task"]

NOT_ASKED = 2


def bit_sequences(
    seed: int,
    part: str,
    count: int,
    *,
    bits: int,
    lengths: tuple[int, int],
    repeats: tuple[int, int] | None = None,
    most: int = 1,
    steps: int | None = None,
) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """Rows of one of the two tasks.

    Args:
        seed, part: int and str, which rows: the same in every call, the first of more.
        count: int, number of rows.
        bits: int, bits a step.
        lengths: (least, greatest) L, each equally often.
        repeats: (least, greatest) R, or None for the copy task.
        most: int, what R is divided by in the channel that tells it.
        steps: int, length that rows are filled up to; None takes that of the longest possible row.

    Returns:
        Tuple of x (count, steps, bits + 2), and labels (count, steps, bits), or (count, steps, bits + 1) with repeats.

    Raises:
        ValueError: for ranges that are none, or fewer steps than the longest row has.

    Example:
        >>> x, y = bit_sequences(0, "train", 1, bits=1, lengths=(2, 2))
        >>> x[0, :, 1:].T.astype(int).tolist(), (y[0, 4:, 0] == x[0, 1:3, 0]).tolist()
        ([[1, 0, 0, 0, 0, 0], [0, 0, 0, 1, 0, 0]], [True, True])

    Source: S 9.5; Graves et al. 2014.
    """
    require_positive_int("bit_sequences", count=count, bits=bits, most=most)
    for name, (least, greatest) in {"lengths": lengths, "repeats": repeats or (1, 1)}.items():
        if not 1 <= least <= greatest:
            raise ValueError(f"bit_sequences needs 1 <= least <= greatest. Received: {name}={(least, greatest)}")
    ends = repeats is not None
    low, high = repeats or (1, 1)
    longest = 2 + lengths[1] * (1 + high) + ends
    steps = longest if steps is None else steps
    if steps < longest:
        raise ValueError(f"bit_sequences needs at least {longest} steps for its longest row. Received: steps={steps}")
    x = np.zeros((count, steps, bits + 2), "float32")
    y = np.full((count, steps, bits + ends), NOT_ASKED, "int32")
    size = lengths[1] * bits
    for row in range(count):
        raw = np.random.Philox(key=derive_seed(seed, "bits", part, row)).random_raw(2 + size)
        length = lengths[0] + (int(raw[0]) >> 11) * (lengths[1] - lengths[0] + 1) // 2**53
        times = low + (int(raw[1]) >> 11) * (high - low + 1) // 2**53
        drawn = (raw[2:] >> np.uint64(63)).reshape(lengths[1], bits)[:length]
        x[row, 0, bits] = 1
        x[row, 1 : 1 + length, :bits] = drawn
        x[row, 1 + length, bits + 1] = times / most if ends else 1
        first, last = 2 + length, 2 + length * (1 + times)
        y[row, first:last, :bits] = np.tile(drawn, (times, 1))
        if ends:
            y[row, first : last + 1, bits] = np.arange(last + 1 - first) == last - first
    return x, y


def copy_task(
    seed: int,
    bits: int = 4,
    lengths: tuple[int, int] = (1, 8),
    counts: tuple[int, int, int] = (8000, 500, 500),
    name: str = "copy-task",
) -> Dataset:
    """The copy task as a data set: `counts` rows to train on, to validate and to test, all of the same lengths."""
    return _task(name, seed, counts, bits=bits, lengths=lengths)


def repeat_copy_task(
    seed: int,
    bits: int = 3,
    lengths: tuple[int, int] = (1, 6),
    repeats: tuple[int, int] = (1, 3),
    counts: tuple[int, int, int] = (12000, 500, 500),
) -> Dataset:
    """The repeat-copy task as a data set."""
    return _task("repeat-copy-task", seed, counts, bits=bits, lengths=lengths, repeats=repeats, most=repeats[1])


def _task(name: str, seed: int, counts: tuple[int, int, int], **how: Any) -> Dataset:
    parts = {
        part: Split(*bit_sequences(seed, part, count, **how))
        for part, count in zip(("train", "validation", "test"), counts, strict=True)
    }
    train = parts["train"]
    spec = Spec(
        name, "classification", train.x.shape[1:], classes=3, label_shape=train.y.shape[1:],
        class_names=("0", "1", "not asked"), seed=seed,
        sha256={"x": digest(train.x), "y": digest(train.y), "settings": _digest_of(how)},
    )  # fmt: skip
    return Dataset(spec=spec, **parts)


def _digest_of(settings: dict[str, Any]) -> str:
    return hashlib.sha256(repr(sorted(settings.items())).encode()).hexdigest()
