"""Have the energies of an energy model run away from each other? Then its samples are no samples, and it learns noise.

    |contrast| > most        at the end of an epoch: the energies of data and samples have nothing to do with each other
    contrast not finite      at the end of an epoch: the network or its chains have broken down

While chains keep up, the contrast (mean energy of data minus that of samples) stays within some nats of 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from keras_course.callbacks.training_reports import ReportingCallback, TrainingReport

__all__ = ["EnergiesRunAway", "EnergyWatch"]


class EnergiesRunAway(TrainingReport):
    """The energies of data and of samples are far apart: the chains no longer sample the density being learned."""


class EnergyWatch(ReportingCallback):
    """Warns, by name, when energies run away from each other; stops when a number of the epoch is not finite.

    A warning, `EnergiesRunAway`, comes once; training goes on. Useful remedies are a smaller learning rate or
    step_size, more Langevin steps, or a penalty. `EnergyModel.fit` brings a watch; give your own for another limit.

    Args:
        most: float > 0, nats that the contrast may be away from 0.
        contrast: its name in the epoch's logs.

    Raises:
        ValueError: for a limit that is not positive, or, at an epoch's end, a name that is not in the logs.
        NonFiniteLossError: at an epoch's end, if a number is NaN or infinite.

    Example:
        >>> import keras, warnings
        >>> watch = EnergyWatch(most=100.0)
        >>> watch.set_model(keras.Sequential(name="toy"))
        >>> with warnings.catch_warnings(record=True) as caught:
        ...     for epoch, contrast in enumerate([-3.0, -300.0]):
        ...         watch.on_epoch_end(epoch, {"contrast": contrast})
        >>> [warning.category.__name__ for warning in caught], watch.reported
        (['EnergiesRunAway'], {'EnergiesRunAway': 1})

    Source: R; Du and Mordatch 2019.
    """

    def __init__(self, most: float = 1000.0, contrast: str = "contrast") -> None:
        super().__init__()
        if not most > 0:
            raise ValueError(f"EnergyWatch needs a positive limit. Received: most={most!r}")
        self.most, self.contrast = float(most), contrast

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        logs = logs or {}
        if self.contrast not in logs:
            raise ValueError(f"EnergyWatch needs {self.contrast!r} in the logs. Received: {sorted(logs)}")
        super().on_epoch_end(epoch, logs)
        contrast = float(logs[self.contrast])
        if abs(contrast) > self.most:
            self.report(
                EnergiesRunAway,
                epoch,
                f"the energies of data and samples ran away from each other: {self.contrast} is {contrast:g} nats, "
                f"more than {self.most:g} away from 0; a smaller learning rate or step_size, more Langevin steps or a "
                "penalty would hold them.",
            )
