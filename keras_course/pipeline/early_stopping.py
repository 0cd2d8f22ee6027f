"""Early stopping: training ends when the validation error no longer falls, and the best parameters are returned.

    improved at e   error_e < error of the best epoch - min_delta        (for scores: their negatives)
    ends after e    when e - best epoch = patience
    returns         the parameters of the best epoch, however training ended

Keras's callback returns the latest parameters unless it is told otherwise, and restarts its counters in a resumed run.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import keras
from numpy.typing import NDArray

from keras_course.core.shapes import require_one_of
from keras_course.ops.early_stopping import improves, patience_ends

FALLING = ("loss", "error", "deviance", "divergence", "entropy", "perplexity", "mse", "mae")
RISING = ("accuracy", "acc", "auc", "precision", "recall", "score", "likelihood", "purity", "iou", "elbo")


def falls(monitor: str) -> bool | None:
    """Whether less is better, by the end of a metric's name; None where the name does not say."""
    words = monitor.rsplit("_", 1)[-1].lower()
    return True if words in FALLING else False if words in RISING else None


class EarlyStopping(keras.callbacks.Callback):
    """Ends `fit` when a monitored number stops improving, and gives the model the best epoch's parameters.

    A number that is not finite is no improvement; among equals the earliest epoch counts. Under `ExactResume` a killed
    run stops where it would have stopped.

    Args:
        monitor: name in the epoch's logs.
        patience: int >= 0, epochs without improvement after which training ends (0 as 1: at the first), or None: never,
            only the best parameters are returned.
        min_delta: float >= 0, an improvement must be larger than this.
        mode: "min", "max", or "auto": by the end of the metric's name ("val_loss" falls, "val_accuracy" rises).
        start_from_epoch: int >= 0, earlier epochs (from 0) are not looked at.

    Raises:
        ValueError: for an argument out of range, a name that does not say its mode, or, at the first epoch's end, a
            name that is not in the logs.

    Attributes:
        best: the best number so far, or None.
        best_epoch: its epoch, from 0, or None.
        stopped_epoch: the epoch after which training was ended, from 0, or None.

    Example:
        >>> import numpy as np
        >>> x, y = np.ones((4, 1)), np.zeros((4, 1))
        >>> model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, kernel_initializer="ones")])
        >>> model.compile(keras.optimizers.SGD(2.0), "mse")  # a rate at which the error grows
        >>> stopping = EarlyStopping("loss", patience=2)
        >>> history = model.fit(x, y, epochs=9, verbose=0, callbacks=[stopping])
        >>> stopping.best_epoch, stopping.stopped_epoch
        (0, 2)

    Source: C 6.9.
    """

    resume_attributes = ("best", "best_epoch", "stopped_epoch", "best_weights")

    def __init__(
        self,
        monitor: str = "val_loss",
        patience: int | None = 0,
        min_delta: float = 0.0,
        mode: str = "auto",
        start_from_epoch: int = 0,
    ) -> None:
        super().__init__()
        require_one_of("EarlyStopping", ("auto", "min", "max"), mode=mode)
        if (patience is not None and patience < 0) or not min_delta >= 0 or start_from_epoch < 0:
            raise ValueError(
                f"EarlyStopping needs patience, min_delta and start_from_epoch of at least 0. Received: "
                f"patience={patience!r}, min_delta={min_delta!r}, start_from_epoch={start_from_epoch!r}"
            )
        minimum = falls(monitor) if mode == "auto" else mode == "min"
        if minimum is None:
            raise ValueError(f"EarlyStopping needs mode='min' or 'max' for this metric. Received: monitor={monitor!r}")
        self.monitor, self.patience, self.min_delta = monitor, patience, min_delta
        self.mode, self.start_from_epoch = mode, start_from_epoch
        self.minimum = minimum
        self._forget()

    def _forget(self) -> None:
        self.best: float | None = None
        self.best_epoch: int | None = None
        self.stopped_epoch: int | None = None
        self.best_weights: list[NDArray[Any]] = []

    def on_train_begin(self, logs: Any = None) -> None:
        self._forget()

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        value = (logs or {}).get(self.monitor)
        if value is None:
            raise ValueError(f"There is no {self.monitor!r} to watch. Received: logs={sorted(logs or {})}")
        if epoch < self.start_from_epoch:
            return
        if self._improves(float(value)):
            self.best, self.best_epoch = float(value), epoch
            self.best_weights = self.model.get_weights()
            return
        last_good = self.start_from_epoch - 1 if self.best_epoch is None else self.best_epoch
        if patience_ends(epoch, last_good, self.patience):
            self.stopped_epoch = epoch
            self.model.stop_training = True

    def _improves(self, value: float) -> bool:
        sign = 1.0 if self.minimum else -1.0
        best = math.inf if self.best is None else sign * self.best
        return improves(sign * value, best, self.min_delta)

    def on_train_end(self, logs: Any = None) -> None:
        if self.best_weights:
            self.model.set_weights(self.best_weights)
