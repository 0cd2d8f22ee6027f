"""Has one player of an adversarial game won? Then the other learns nothing from it any more.

    accuracy >= 1 - margin   for `patience` epochs: the discriminator has won outright, nothing fools it
    accuracy <= 1/2 - margin for `patience` epochs: it is wrong more often than a coin, so it has lost track
    loss not finite          at the end of any epoch: it has broken down

A discriminator that guesses is right half the time; that is where the game is even.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from keras_course.callbacks.training_reports import ReportingCallback, TrainingReport
from keras_course.core.shapes import require_positive_int

__all__ = ["DiscriminatorLost", "DiscriminatorWatch", "DiscriminatorWins"]


class DiscriminatorWins(TrainingReport):
    """The discriminator has been right about everything for some epochs: what it judges learns nothing any more."""


class DiscriminatorLost(TrainingReport):
    """The discriminator has been wrong more often than a coin for some epochs: what it judges is led astray."""


class DiscriminatorWatch(ReportingCallback):
    """Warns, by name, when the discriminator has won or lost outright; stops when its loss is not finite.

    won  at epoch e: accuracy_k >= 1 - margin   for k = e - patience + 1 ... e
    lost at epoch e: accuracy_k <= 1/2 - margin for the same k

    A warning, `DiscriminatorWins` or `DiscriminatorLost`, comes once for each of the two; training goes on. Useful
    remedies are a slower discriminator (its own optimizer), a smaller one, or a larger weight of the other loss.

    Args:
        margin: float in (0, 1/2), how near to always right, or how far below a coin.
        patience: int >= 1, epochs in a row.
        accuracy: name of the discriminator's accuracy in the epoch's logs.
        loss: name of its loss in the logs; not looked at where the model logs none.

    Raises:
        ValueError: for arguments out of range, or, at an epoch's end, a name that is not in the logs.
        NonFiniteLossError: at an epoch's end, if the loss is NaN or infinite.

    Attributes:
        won, lost: epoch, from 0, at whose end it was first found, or None.
        history: list of accuracies, one an epoch.

    Example:
        >>> import keras, warnings
        >>> watch = DiscriminatorWatch(patience=2)
        >>> watch.set_model(keras.Sequential(name="toy"))
        >>> with warnings.catch_warnings(record=True) as caught:
        ...     for epoch, accuracy in enumerate([0.7, 1.0, 1.0]):
        ...         watch.on_epoch_end(epoch, {"discriminator_accuracy": accuracy})
        >>> watch.won, [warning.category.__name__ for warning in caught]
        (2, ['DiscriminatorWins'])

    Source: R; Pathak et al. 2016; Goodfellow et al. 2014.
    """

    resume_attributes = ("reported", "won", "lost", "history")

    def __init__(
        self,
        margin: float = 0.01,
        patience: int = 3,
        accuracy: str = "discriminator_accuracy",
        loss: str = "discriminator_loss",
    ) -> None:
        super().__init__(finite=(loss, accuracy))
        require_positive_int("DiscriminatorWatch", patience=patience)
        if not 0 < margin < 0.5:
            raise ValueError(f"DiscriminatorWatch needs a margin between 0 and 1/2. Received: margin={margin!r}")
        self.margin, self.patience = margin, patience
        self.accuracy, self.loss = accuracy, loss
        self.won: int | None = None
        self.lost: int | None = None
        self.history: list[float] = []

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        logs = logs or {}
        if self.accuracy not in logs:
            raise ValueError(f"DiscriminatorWatch needs {self.accuracy!r} in the logs. Received: {sorted(logs)}")
        super().on_epoch_end(epoch, logs)
        self.history.append(float(logs[self.accuracy]))
        recent = self.history[-self.patience :]
        if len(recent) < self.patience:
            return
        if self.won is None and min(recent) >= 1 - self.margin:
            self.won = epoch
            self._tell(DiscriminatorWins, epoch, "has won outright", "what it judges learns nothing from it any more")
        if self.lost is None and max(recent) <= 0.5 - self.margin:
            self.lost = epoch
            self._tell(DiscriminatorLost, epoch, "is wrong more often than a coin", "what it judges is led astray")

    def _tell(self, kind: type[TrainingReport], epoch: int, what: str, therefore: str) -> None:
        self.report(
            kind,
            epoch,
            f"the discriminator {what}: {self.accuracy} was {self.history[-1]:.3f} after {self.patience} epochs of "
            f"it; {therefore}.",
        )
