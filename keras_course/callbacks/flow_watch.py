"""Does a normalizing flow still learn? Its scales may run into their bound, its log-determinants out of the numbers.

of every layer, on the same few rows:
log det or codes not finite        NonFiniteLossError, with the layer's name and the epoch
saturated share of scales > limit  ScaleSaturates, with the layer's name and the share

A look takes as long as some steps, so it is taken where weights that are not finite enter a training, after an epoch
with numbers that are not, and after epochs 2, 4, 8, 16 ... and the last of several.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from keras_course.callbacks.training_reports import ReportingCallback, TrainingReport
from keras_course.core.errors import NonFiniteLossError

__all__ = ["FlowWatch", "ScaleSaturates"]


class ScaleSaturates(TrainingReport):
    """Many scales of a coupling stand at their bound: they have no slope left, and its network learns shifts alone."""


class FlowWatch(ReportingCallback):
    """Looks at each layer of a flow on a few rows, and names the one that breaks; a flow's `fit` has one.

    saturated share of a layer = share of its scales with |s| > 0.99 bound

    Args:
        x: the rows, (B, *shape), as the model takes them.
        condition: what goes with them, or None.
        limit: float in (0, 1], share of saturated scales from which on a layer is reported.

    Raises:
        ValueError: for a limit out of range.
        NonFiniteLossError: naming the first layer whose codes or log-determinants are not finite, or the first number
            in the logs that is not. Once a step has spread NaN to all weights, that is the first layer of all.

    Example:
        >>> import numpy as np
        >>> watch = FlowWatch(np.zeros((4, 2), "float32"))
        >>> watch.limit
        0.5

    Source: R.
    """

    def __init__(self, x: Any, condition: Any = None, limit: float = 0.5) -> None:
        super().__init__()
        if not 0 < limit <= 1:
            raise ValueError(f"FlowWatch needs a limit in (0, 1]. Received: limit={limit!r}")
        self.x, self.condition, self.limit = x, condition, limit

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

    def _finite_readings(self, when: str) -> Any:
        readings = self.model.readings(self.x, self.condition)
        for reading in readings:
            if not reading.finite:
                step = int(self.model.optimizer.iterations)
                raise NonFiniteLossError(step, f"log det or the codes of the flow layer {reading.name!r}", when)
        return readings
