"""What a training says, by name, when it goes on but no longer teaches.

    report(kind, ...)    warns once with a category of its own, a `TrainingReport`; training goes on
    not finite           `NonFiniteLossError` names the number and the model, at the end of the epoch

Models that know how they break add such a callback to their own `fit` (`with_reports`), so that nobody trains them in
silence. `warnings.simplefilter("error", TrainingReport)` stops at the first report, `"ignore"` hears none.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable, Mapping
from typing import Any

import keras

from keras_course.core.errors import NonFiniteLossError

__all__ = ["ReportingCallback", "TrainingReport", "require_finite_logs", "with_reports"]


class TrainingReport(RuntimeWarning):
    """Base of the warnings that name what has gone wrong in a training, one subclass a failure."""


class ReportingCallback(keras.callbacks.Callback):
    """Base of callbacks that report: each kind of report once, and numbers that are not finite as an error.

    A subclass looks at the logs in `on_epoch_end`, calls `super().on_epoch_end` first and `report` for what it finds.

    Args:
        finite: names in the logs that must be finite; None for all of them. A name that is not logged is passed over.

    Raises:
        NonFiniteLossError: at an epoch's end, for the first of them that is NaN or infinite.

    Attributes:
        reported: {name of the kind: epoch from 0 at whose end it was reported}.

    Example:
        >>> callback = ReportingCallback()
        >>> callback.set_model(keras.Sequential(name="toy"))
        >>> with warnings.catch_warnings(record=True) as caught:
        ...     for epoch in range(3):
        ...         callback.report(TrainingReport, epoch, "nothing moves")
        >>> callback.reported, [str(one.message) for one in caught]
        ({'TrainingReport': 0}, ["'toy', epoch 1: nothing moves"])

    Source: R.
    """

    resume_attributes: tuple[str, ...] = ("reported",)

    def __init__(self, finite: Iterable[str] | None = None) -> None:
        super().__init__()
        self.finite = None if finite is None else tuple(finite)
        self.reported: dict[str, int] = {}

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        require_finite_logs(self.model, epoch, logs, self.finite)

    def report(self, kind: type[TrainingReport], epoch: int, message: str) -> None:
        """Warns with this category, once a training.

        Args:
            kind: subclass of `TrainingReport`.
            epoch: int, from 0.
            message: what was found, with the number, and what it means.
        """
        if kind.__name__ in self.reported:
            return
        self.reported[kind.__name__] = epoch
        warnings.warn(f"{self.model.name!r}, epoch {epoch + 1}: {message}", kind, stacklevel=3)


def require_finite_logs(
    model: Any, epoch: int, logs: Mapping[str, Any] | None, names: Iterable[str] | None = None
) -> None:
    """Refuses an epoch one of whose numbers is not finite.

    Args:
        model: Keras model, named in the message with its step.
        epoch: int, from 0.
        logs: {name: number}.
        names: which of them; None for all.

    Raises:
        NonFiniteLossError: names the first number that is NaN or infinite.

    Example:
        >>> require_finite_logs(None, 0, {"loss": 1.0})

    Source: R.
    """
    for name, value in (logs or {}).items():
        if (names is None or name in names) and not math.isfinite(float(value)):
            optimizer = getattr(model, "optimizer", None)
            step = 0 if optimizer is None else int(optimizer.iterations)
            raise NonFiniteLossError(
                step, f"{name!r} of the model {model.name!r}", f"it was seen at the end of epoch {epoch + 1}"
            )


def with_reports(callbacks: Any, *reports: keras.callbacks.Callback) -> Any:
    """The callbacks of a `fit`, and those reports of whose class there is none among them yet.

    Args:
        callbacks: what `fit` was given: None, a callback, a list, or a keras.callbacks.CallbackList (a report is
            added to it in place).
        *reports: callbacks that a model brings by itself.

    Returns:
        List, or the CallbackList that came.

    Example:
        >>> own = ReportingCallback()
        >>> with_reports(None, own) == with_reports([own], ReportingCallback()) == [own]
        True

    Source: R.
    """
    if isinstance(callbacks, keras.callbacks.CallbackList):
        for report in reports:
            if not any(isinstance(one, type(report)) for one in callbacks.callbacks):
                report.set_params(callbacks.params or {})
                report.set_model(callbacks.model)
                callbacks.callbacks.append(report)
        return callbacks
    given = list(callbacks) if isinstance(callbacks, list | tuple) else [] if callbacks is None else [callbacks]
    return given + [report for report in reports if not any(isinstance(one, type(report)) for one in given)]
