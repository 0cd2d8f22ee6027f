"""Have the energies of an energy model run away from each other? Then its samples are no samples, and it learns noise.

    |contrast| > most        at the end of an epoch: the energies of data and samples have nothing to do with each other
    contrast not finite      at the end of an epoch: the network or its chains have broken down

While chains keep up, the contrast (mean energy of data minus that of samples) stays within some nats of 0.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import keras

from keras_course.core.errors import EnergyDivergenceError, NonFiniteLossError

__all__ = ["EnergyWatch"]


class EnergyWatch(keras.callbacks.Callback):
    """Ends a training whose energies diverge, by name.

    `EnergyModel.fit` brings one; give your own for another limit.

    Args:
        most: float > 0, nats that the contrast may be away from 0.
        contrast: its name in the epoch's logs.

    Raises:
        ValueError: for a limit that is not positive, or, at an epoch's end, a name that is not in the logs.
        EnergyDivergenceError: at an epoch's end, beyond the limit.
        NonFiniteLossError: at an epoch's end, if the contrast is NaN or infinite.

    Example:
        >>> watch = EnergyWatch(most=100.0)
        >>> watch.set_model(keras.Sequential(name="toy"))
        >>> watch.on_epoch_end(0, {"contrast": -3.0})
        >>> watch.on_epoch_end(1, {"contrast": -300.0})
        Traceback (most recent call last):
            ...
        keras_course.core.errors.EnergyDivergenceError: The energies of 'toy' ran away from each other: contrast is \
-300 nats after epoch 2, more than 100 away from 0. Take a smaller learning rate or step_size, more Langevin steps, or a \
penalty.

    Source: R; Du and Mordatch 2019.
    """

    resume_attributes: tuple[str, ...] = ()

    def __init__(self, most: float = 1000.0, contrast: str = "contrast") -> None:
        super().__init__()
        if not most > 0:
            raise ValueError(f"EnergyWatch needs a positive limit. Received: most={most!r}")
        self.most, self.contrast = float(most), contrast

    def beside(self, callbacks: Any, model: Any) -> Any:
        """This watch and what `fit` was given: a list, one callback, a CallbackList or None; a watch there stays."""
        if isinstance(callbacks, keras.callbacks.CallbackList):
            if not any(isinstance(each, EnergyWatch) for each in callbacks.callbacks):
                self.set_model(model)
                self.set_params(callbacks.params or {})
                callbacks.callbacks.append(self)
            return callbacks
        given = list(callbacks) if isinstance(callbacks, list | tuple) else [callbacks] if callbacks else []
        return given if any(isinstance(each, EnergyWatch) for each in given) else [*given, self]

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        logs = logs or {}
        if self.contrast not in logs:
            raise ValueError(f"EnergyWatch needs {self.contrast!r} in the logs. Received: {sorted(logs)}")
        contrast = float(logs[self.contrast])
        if not math.isfinite(contrast):
            steps = int(self.model.optimizer.iterations)
            raise NonFiniteLossError(
                steps, f"{self.contrast!r} of the model {self.model.name!r}", f"it was seen after epoch {epoch + 1}"
            )
        if abs(contrast) > self.most:
            raise EnergyDivergenceError(
                f"The energies of {self.model.name!r} ran away from each other: {self.contrast} is {contrast:g} nats "
                f"after epoch {epoch + 1}, more than {self.most:g} away from 0. Take a smaller learning rate or "
                "step_size, more Langevin steps, or a penalty."
            )
