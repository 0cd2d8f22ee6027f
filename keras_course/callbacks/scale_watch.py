"""Does a standard deviation run to 0? Then the likelihood has no bound, and what is trained is a spike.

    ConditionalScaleCollapse   least sigma of p(x_d | others) < least * spread of x_d

A model serves if it has `conditional_scale(x)`: the standard deviations of its factors, (..., D), or None where x is
discrete, whose probabilities cannot exceed 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from keras_course.callbacks.training_reports import ReportingCallback, TrainingReport

__all__ = ["ConditionalScaleCollapse", "ScaleCollapse", "ScaleWatch", "require_least", "spread_of"]

SAMPLE = 64  # rows that are looked at


class ScaleCollapse(TrainingReport):
    """A standard deviation has run to 0; base of the reports that say which."""


class ConditionalScaleCollapse(ScaleCollapse):
    """sigma of p(x_d | others) has run to 0 somewhere: the likelihood has no bound."""


class ScaleWatch(ReportingCallback):
    """Reports a factor of a density that has become a spike; `MADE` and `AffineGenerator` bring one to their `fit`.

        least sigma of p(x_d | others) < least * std(x_d)  ->  `ConditionalScaleCollapse`, once
        a number in the logs that is not finite            ->  `NonFiniteLossError`

    A variable that never changes has no spread: it is held against that of all variables.

    Args:
        x: array (N, D), the training data; the first 64 rows are watched. None watches the logs alone.
        least: float > 0.

    Raises:
        ValueError: for a `least` out of range.
        NonFiniteLossError: in training, see above.

    Example:
        >>> import keras, warnings
        >>> class Spike(keras.Model):
        ...     def conditional_scale(self, x):
        ...         return 1e-4 * np.abs(x)
        >>> watch = ScaleWatch(np.array([[1.0], [-1.0]]))
        >>> watch.set_model(Spike(name="toy"))
        >>> with warnings.catch_warnings(record=True) as caught:
        ...     watch.on_epoch_end(0, {})
        >>> [each.category.__name__ for each in caught]
        ['ConditionalScaleCollapse']

    Source: R.
    """

    def __init__(self, x: Any = None, least: float = 1e-3) -> None:
        super().__init__()
        self.least = require_least("ScaleWatch", least)
        self.x = None if x is None else np.array(x[:SAMPLE])
        self.spread = None if x is None else spread_of(x)

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        super().on_epoch_end(epoch, logs)
        scale = None if self.x is None else self.model.conditional_scale(self.x)
        if scale is None:
            return
        narrowest = np.asarray(scale).reshape(-1, len(self.spread)).min(axis=0)  # (D,)
        place = int(np.argmin(narrowest / self.spread))
        if narrowest[place] < self.least * self.spread[place]:
            self.report(
                ConditionalScaleCollapse,
                epoch,
                f"a conditional sigma has collapsed: {narrowest[place]:.1e} at value {place} of x, whose spread is "
                f"{self.spread[place]:.1e}; the likelihood has no bound. A larger minimum_scale of the family gives "
                "one, noise on x, or leaving out what never changes or follows from other values.",
            )


def spread_of(x: Any) -> Any:
    """The standard deviation of each number of x, (D,); where it is 0 that of all numbers, or 1.

    Args:
        x: array (N, *shape), laid flat.
    """
    flat = np.asarray(x, "float64").reshape(len(x), -1)
    spread = flat.std(axis=0)
    spread[spread == 0] = float(flat.std()) or 1.0
    return spread


def require_least(who: str, least: Any) -> float:
    """`least` as a float.

    Raises:
        ValueError: unless it is above 0.
    """
    if not least > 0:
        raise ValueError(f"{who} needs least > 0. Received: least={least!r}")
    return float(least)
