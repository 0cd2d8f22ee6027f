"""How errors change with the number of examples: would more data help?

training error rises, validation error falls; both end near the best that the model can do
a gap at the right end:      gather more data
no gap, and both too high:   more capacity; more data will not help
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from keras_course.core.seeds import derive_seed
from keras_course.core.shapes import require_positive_int
from keras_course.datasets import Split, epoch_order
from keras_course.pipeline.cross_validation import Scorer
from keras_course.pipeline.diagnose import advise

__all__ = ["LearningCurve", "learning_curve", "learning_curve_figure"]


@dataclass(frozen=True)
class LearningCurve:
    """Scores at several sizes of the training set.

    Args:
        sizes: array (S,), examples trained on, rising.
        scores: {name: array (S, R)}, R repeats with other examples and seeds.

    Example:
        >>> curve = LearningCurve(np.array([10, 20]), {"loss": np.array([[1.0], [0.5]])})
        >>> curve.mean("loss").tolist()
        [1.0, 0.5]

    Source: C 9.1.4.
    """

    sizes: NDArray[np.int64]
    scores: Mapping[str, NDArray[np.float64]]

    def mean(self, name: str) -> NDArray[np.float64]:
        """Mean over the repeats, (S,)."""
        return np.asarray(self.scores[name].mean(1))

    def advice(self, name: str, wanted: float) -> str:
        """`advise` for all examples: "capacity", "data" or "done". `name` is an error, reported as train_`name` too.

        Raises:
            ValueError: without training scores, or for a score that is not there.
        """
        missing = [score for score in (name, f"train_{name}") if score not in self.scores]
        if missing:
            raise ValueError(f"Advice needs an error on training and validation examples. Received: no {missing}")
        return advise(float(self.mean(f"train_{name}")[-1]), float(self.mean(name)[-1]), wanted)


def learning_curve(
    scorer: Scorer, train: Split, validation: Split, sizes: Sequence[int], *, repeats: int = 1, seed: int = 0
) -> LearningCurve:
    """Trains on more and more examples and tests on the same others.

    score_{s,r} = scorer(first s rows of order r, validation, seed_r)

    The smaller sets lie within the larger ones of the same repeat.

    Args:
        scorer: as `cross_validate` takes it; `keras_scorer(..., training=True)` reports training scores as well.
        train: `Split` to take examples from.
        validation: `Split` to test on.
        sizes: rising integers in [1, len(train)].
        repeats: int >= 1, with other orders and seeds.
        seed: int.

    Returns:
        `LearningCurve`.

    Raises:
        ValueError: for sizes that do not rise or exceed the training set, or repeats below 1.

    Example:
        >>> rows = Split(np.zeros((8, 1)), np.arange(8.0))
        >>> mean_only = lambda train, test, seed: {"error": float(np.mean((test.y - train.y.mean()) ** 2))}
        >>> learning_curve(mean_only, rows, rows, [2, 8]).mean("error")[1]
        np.float64(5.25)

    Source: C 9.1.4.
    """
    require_positive_int("learning_curve", repeats=repeats)
    wanted = [int(size) for size in sizes]
    if not wanted or wanted != sorted(set(wanted)) or wanted[0] < 1 or wanted[-1] > len(train):
        raise ValueError(f"learning_curve needs rising sizes in [1, {len(train)}]. Received: sizes={list(sizes)}")
    found: dict[str, NDArray[np.float64]] = {}
    for repeat in range(repeats):
        own = derive_seed(seed, "learning-curve", repeat)
        order = epoch_order(own, 0, len(train))
        for index, size in enumerate(wanted):
            rows = np.sort(order[:size])
            scores = scorer(Split(train.x[rows], train.y[rows]), validation, own)
            for name, value in (scores if isinstance(scores, Mapping) else {"score": scores}).items():
                found.setdefault(name, np.full((len(wanted), repeats), np.nan))[index, repeat] = float(value)
    return LearningCurve(np.array(wanted), found)


def learning_curve_figure(curve: LearningCurve, name: str, wanted: float | None = None) -> Any:
    """Training and validation score against the number of examples; bands span the repeats.

    Args:
        curve: `LearningCurve`.
        name: of the score; train_`name` is drawn too where it is there.
        wanted: a dotted line, or None.

    Returns:
        matplotlib `Figure`.

    Raises:
        ValueError: for a score that is not there.

    Example:
        >>> len(learning_curve_figure(LearningCurve(np.array([1, 2]), {"loss": np.ones((2, 1))}), "loss").axes)
        1

    Source: C 9.1.4.
    """
    from matplotlib.figure import Figure

    from keras_course.pipeline.plots import BLUE, GREY, ORANGE

    if name not in curve.scores:
        raise ValueError(f"The curve has {sorted(curve.scores)}. Received: name={name!r}")
    figure = Figure(figsize=(5.6, 3.9), layout="constrained")
    axes = figure.subplots()
    for label, score, colour in (("training", f"train_{name}", BLUE), ("validation", name, ORANGE)):
        if score in curve.scores:
            values = curve.scores[score]
            axes.fill_between(curve.sizes, values.min(1), values.max(1), color=colour, alpha=0.2, linewidth=0)
            axes.plot(curve.sizes, curve.mean(score), "o-", color=colour, markersize=4, label=label)
    if wanted is not None:
        axes.axhline(wanted, color=GREY, linestyle=":", label="wanted")
    axes.set_xscale("log", base=2)
    axes.set_xlabel("training examples")
    axes.set_ylabel(name)
    axes.legend(frameon=False)
    axes.grid(alpha=0.25, linewidth=0.6)
    axes.spines[["top", "right"]].set_visible(False)
    return figure
