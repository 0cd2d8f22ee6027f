"""Does a normalizing flow still learn? Its scales may run into their bound, its log-determinants out of the numbers.

of every layer, on the same few rows:
log det or codes not finite        NonFiniteLossError, with the layer's name and the epoch
saturated share of scales > limit  ScaleSaturates, with the layer's name and the share

of the flow as a whole, number by number
|z(x + h) - z(x)| > 1, h = least * spread of x_d alone   FlowScaleCollapse: x_d, given the others, has sigma < h there

A look takes as long as some steps, so it is taken where weights that are not finite enter a training, after an epoch
with numbers that are not, and after epochs 2, 4, 8, 16 ... and the last of several.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from keras_course.callbacks.scale_watch import ScaleCollapse, require_least, spread_of
from keras_course.callbacks.training_reports import ReportingCallback, TrainingReport
from keras_course.core.errors import NonFiniteLossError

__all__ = ["FlowScaleCollapse", "FlowWatch", "ScaleSaturates"]

MOVED = 256  # rows that are moved a little, a number each


class ScaleSaturates(TrainingReport):
    """Many scales of a coupling stand at their bound: they have no slope left, and its network learns shifts alone."""


class FlowScaleCollapse(ScaleCollapse):
    """x_d has sigma near 0 given the other numbers of x: the flow squeezes the data to a sheet, without bound."""


class FlowWatch(ReportingCallback):
    """Looks at each layer of a flow on a few rows, and names the one that breaks; a flow's `fit` has one.

    saturated share of a layer = share of its scales with |s| > 0.99 bound
    sigma of x_d given others  = h / |z(x + h e_d) - z(x)|, at most 256 pairs of x and d

    Args:
        x: the rows, (B, *shape), as the model takes them.
        condition: what goes with them, or None.
        limit: float in (0, 1], share of saturated scales from which on a layer is reported.
        least: float > 0, share of the spread of x_d below which its sigma counts as 0.

    Raises:
        ValueError: for a limit or `least` out of range.
        NonFiniteLossError: naming the first layer whose codes or log-determinants are not finite, or the first number
            in the logs that is not. Once a step has spread NaN to all weights, that is the first layer of all.

    Example:
        >>> import numpy as np
        >>> watch = FlowWatch(np.zeros((4, 2), "float32"))
        >>> watch.limit
        0.5

    Source: R.
    """

    def __init__(self, x: Any, condition: Any = None, limit: float = 0.5, least: float = 1e-3) -> None:
        super().__init__()
        if not 0 < limit <= 1:
            raise ValueError(f"FlowWatch needs a limit in (0, 1]. Received: limit={limit!r}")
        self.x, self.condition, self.limit = x, condition, limit
        self.least = require_least("FlowWatch", least)

    def on_train_begin(self, logs: Any = None) -> None:
        if not all(np.isfinite(np.asarray(weight)).all() for weight in self.model.trainable_variables):
            self._finite_readings("it was seen before the first step")

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        broken = not all(math.isfinite(float(value)) for value in (logs or {}).values())
        done = epoch + 1
        last = done == (self.params or {}).get("epochs")
        if not broken and (done < 2 or (done & (done - 1) and not last)):
            return
        readings = self._finite_readings(f"it was seen at the end of epoch {done}")
        super().on_epoch_end(epoch, logs)
        worst = max(readings, key=lambda reading: reading.saturated)
        if worst.saturated > self.limit:
            self.report(
                ScaleSaturates,
                epoch,
                f"{worst.saturated:.0%} of the scales of the flow layer {worst.name!r} stand at their bound; they have "
                "no slope left. A larger log_scale_bound, more layers, or standardised data help.",
            )
        self._judge_scales(epoch)

    def _judge_scales(self, epoch: int) -> None:
        scale, spread = self._scales()
        row, place = np.unravel_index(int(np.argmin(scale / spread)), scale.shape)
        if scale[row, place] < self.least * spread[place]:
            self.report(
                FlowScaleCollapse,
                epoch,
                f"sigma of value {place} of x given the others has collapsed: {scale[row, place]:.1e} in row {row}, "
                f"where the spread is {spread[place]:.1e}; the likelihood has no bound. Noise on x gives it one, or "
                "leaving out what never changes or follows from other values.",
            )

    def _scales(self) -> tuple[Any, Any]:
        """Sigma of x_d given the others, (rows, D), inf where x_d is not moved; and the spread of each, (D,)."""
        x = np.asarray(self.x, "float64").reshape(len(self.x), -1)
        spread = spread_of(x)
        step, size = self.least * spread, len(spread)
        places = np.linspace(0, size - 1, min(size, MOVED)).astype(int)
        still = x[: max(1, MOVED // size), None]  # (rows, 1, D)
        moves = np.zeros((1 + len(places), size))
        moves[1 + np.arange(len(places)), places] = step[places]
        condition = self.condition
        if condition is not None:
            condition = np.repeat(np.asarray(condition)[: len(still)], len(moves), axis=0)
        codes = self.model.encode((still + moves).reshape(-1, *np.shape(self.x)[1:]), condition)
        codes = np.asarray(codes, "float64").reshape(len(still), len(moves), -1)
        moved = np.linalg.norm(codes[:, 1:] - codes[:, :1], axis=-1)  # (rows, places)
        scale = np.full((len(still), size), np.inf)
        scale[:, places] = step[places] / np.clip(np.nan_to_num(moved, nan=np.inf), 1e-30, 1e30)
        return scale, spread

    def _finite_readings(self, when: str) -> Any:
        readings = self.model.readings(self.x, self.condition)
        for reading in readings:
            if not reading.finite:
                step = int(self.model.optimizer.iterations)
                raise NonFiniteLossError(step, f"log det or the codes of the flow layer {reading.name!r}", when)
        return readings
