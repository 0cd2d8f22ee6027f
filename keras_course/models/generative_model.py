"""The base of models of x alone: fitted and scored without targets, sampled from by a seed.

    fit(x), evaluate(x)     no y; impossible x is refused before the first step, by row and value
    compile(optimizer)      the loss is the model's own
    weighted_mean(losses)   what `compute_loss` returns of one loss a row
    watches(x)              callbacks that `fit` adds, which name what breaks

A subclass sets `event_shape`, names its `own_loss`, and says what x it gives a density: `possible` and `wanted`.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import tensorflow as tf
from keras import ops

from keras_course.callbacks.training_reports import ReportingCallback, with_reports
from keras_course.core.errors import InvalidDataError
from keras_course.core.model import Model

__all__ = ["GenerativeModel"]


class GenerativeModel(Model):
    """A model of x alone.

    Attributes:
        event_shape: tuple of ints, the shape of one x. Set it before `build`.
        own_loss: str, what `compile` says that the model minimises.

    Args:
        **kwargs: as `core.model.Model`.

    Example:
        >>> class Centre(GenerativeModel):
        ...     own_loss = "squared distance from a centre"
        ...     def __init__(self, features, **kwargs):
        ...         super().__init__(**kwargs)
        ...         self.event_shape = (features,)
        ...         self.centre = self.add_weight(shape=(features,), initializer="zeros")
        ...         self.built = True
        ...     def call(self, x):
        ...         return self.checked(x) - self.centre
        ...     def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        ...         return self.weighted_mean(ops.sum(y_pred**2, axis=-1), sample_weight)
        >>> model = Centre(2)
        >>> model.compile("sgd")
        >>> sorted(model.fit(np.ones((4, 2)), verbose=0).history)
        ['loss']
        >>> model.evaluate(np.array([[0.0, np.nan]]))  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        keras_course.core.errors.InvalidDataError: Centre needs finite values. Received: nan in row 0...
    """

    own_loss: ClassVar[str] = "minus log-likelihood"
    event_shape: tuple[int, ...]

    @property
    def wanted(self) -> str:
        """What `possible` asks of x, in words."""
        return "finite values"

    def possible(self, values: np.ndarray) -> np.ndarray:
        """Which numbers of x the model gives a density.

        Args:
            values: array (N, D), rows of x laid flat; may hold NaN.

        Returns:
            bool array (N, D).
        """
        return np.isfinite(values)

    def require_possible(self, x: Any) -> None:
        """Refuses an array or tensor that the model gives no density; a data set of batches is left to be read.

        Raises:
            ValueError: for a wrong shape.
            InvalidDataError: for values that are not `possible`; names the first row.
        """
        if not isinstance(x, np.ndarray | tf.Tensor):
            return
        values = np.reshape(self.checked(x), (len(x), -1))
        possible = self.possible(values)
        if not possible.all():  # argwhere of nothing takes as long as ten training steps
            wrong = np.argwhere(~possible)
            row, column = wrong[0]
            raise InvalidDataError(
                f"{type(self).__name__} needs {self.wanted}. Received: {values[row, column]} in row {row}, and "
                f"{len(np.unique(wrong[:, 0]))} such rows of {len(values)}"
            )

    def checked(self, x: Any) -> Any:
        """x, (B, *event_shape), as it came if it has a shape.

        Raises:
            ValueError: for another shape.
        """
        x = x if hasattr(x, "shape") else ops.convert_to_tensor(x)
        wanted, came = self.event_shape, tuple(x.shape)[1:]
        fits = len(came) == len(wanted) and all(size in (None, want) for size, want in zip(came, wanted, strict=True))
        if not fits or not len(x.shape):
            raise ValueError(
                f"{type(self).__name__} expects x of shape (B, {', '.join(map(str, wanted))}). "
                f"Received: x.shape={tuple(x.shape)}"
            )
        return x

    def compile(self, optimizer: Any = "adam", loss: Any = None, **kwargs: Any) -> None:
        if loss is not None:
            raise ValueError(f"{type(self).__name__} brings its own loss, {self.own_loss}. Received: loss={loss!r}")
        super().compile(optimizer=optimizer, **kwargs)

    def weighted_mean(self, losses: Any, sample_weight: Any = None) -> Any:
        """The loss of a step: the mean of `losses` (B,) times their weights, and the regularizers' penalties."""
        if sample_weight is not None:
            losses = losses * ops.reshape(ops.cast(sample_weight, losses.dtype), (-1,))
        return self.mean_over_rows(losses) + sum(self._aggregate_additional_loss(penalty) for penalty in self.losses)

    def watches(self, x: Any) -> tuple[Any, ...]:
        """Callbacks by which `fit` tells what goes wrong, where the user brings none of their class.

        At the least, a number in the logs that is not finite is an error that names it.

        Args:
            x: what `fit` was given.
        """
        return (ReportingCallback(),)

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: Any = "auto",
        callbacks: Any = None,
        *args: Any,
        **kwargs: Any,
    ) -> Any:
        self.require_possible(x)
        callbacks = with_reports(callbacks, *self.watches(x))
        return super().fit(x, _targets(x, y, kwargs), batch_size, epochs, verbose, callbacks, *args, **kwargs)

    def evaluate(self, x: Any = None, y: Any = None, *args: Any, **kwargs: Any) -> Any:
        self.require_possible(x)
        return super().evaluate(x, _targets(x, y, kwargs), *args, **kwargs)


def _targets(x: Any, y: Any, how: dict[str, Any]) -> Any:
    """y, or x where sample weights came without a y: Keras would drop them in silence."""
    return x if y is None and how.get("sample_weight") is not None else y
