"""Stops a run whose loss is no longer finite, says where it began, and gives the last good weights back.

Keras's TerminateOnNaN leaves the NaN weights in place and says nothing. With several steps in one execution the logged
loss says only that one of them went wrong. So the state at the beginning of each epoch is kept, and when the loss is
not finite the epoch is replayed step by step (the data are a pure function of the epoch), in the mode it ran in. In a
resumed run the state it was resumed with stands for the beginning of its epoch.

    good weights = the last ones with which a finite loss was seen
                 = those before the step, if its batch, or its update, is to blame
                 = those before the previous step, if the loss itself, measured with finite weights, is not finite
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import tree

from keras_course.core.errors import NonFiniteLossError
from keras_course.pipeline.batches import TrainingBatches
from keras_course.pipeline.training_state import State, restore, state_of


class NonFiniteStop(Exception):
    """Leaves `fit`; caught by `guarded`, never seen outside."""

    def __init__(self, epoch: int, seen_in: str) -> None:
        super().__init__(f"{seen_in} not finite in epoch {epoch + 1}")
        self.epoch = epoch
        self.seen_in = seen_in


class FiniteGuard(keras.callbacks.Callback):
    """Watches the loss after every execution, and loss, validation loss and weights after every epoch.

    A model that logs no "loss" is watched through every number it logs. Must follow `EpochData`.

    Args:
        batches: the run's `TrainingBatches`.
    """

    def __init__(self, batches: TrainingBatches) -> None:
        super().__init__()
        self.batches = batches
        self.kept: deque[_Start] = deque(maxlen=2)  # at the beginning of the last two epochs
        self.epoch = 0

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.epoch = epoch
        self.kept.append(_Start(epoch, 0, state_of(self.model)))

    def on_resume(self, epoch: int, steps: int) -> None:
        """Called by `ExactResume`: what was kept before is of another run."""
        self.kept.clear()
        self.kept.append(_Start(epoch, steps, state_of(self.model)))

    def on_train_batch_end(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        if not finite_loss(logs):
            raise NonFiniteStop(self.epoch, "the loss")

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        if not finite_loss(logs) or first_bad_weight(self.model) is not None:
            raise NonFiniteStop(epoch, "the loss")
        if not np.isfinite((logs or {}).get("val_loss", 0.0)):
            raise NonFiniteStop(epoch, "the validation loss")

    def diagnose(self, epoch: int, seen_in: str) -> NonFiniteLossError:
        """Finds the first bad step, puts the last good weights into the model.

        Args:
            epoch: the epoch in which a loss was seen that is not finite.
            seen_in: "the loss" or "the validation loss".

        Returns:
            The error to raise.
        """
        with single_steps(self.model):
            found = self._replay(self.kept[-1], seen_in)
            if found is not None and found.cause is None:  # the previous step's weights are good
                found = self._with_previous_weights(found)
        if found is None:
            restore(self.model, self.kept[-1].state)
            return NonFiniteLossError(
                epoch * self.batches.steps + 1,
                f"unknown: epoch {epoch + 1} replayed without one, so some step draws unseeded random numbers",
                f"the weights from the beginning of epoch {epoch + 1} were kept",
            )
        restore(self.model, found.good)
        return NonFiniteLossError(
            epoch * self.batches.steps + found.step + 1,
            found.tensor,
            f"epoch {epoch + 1}, batch {found.step + 1} of {self.batches.steps}; the last good weights were kept",
        )

    def _with_previous_weights(self, found: _BadStep) -> _BadStep:
        """The loss was not finite with finite weights and input: the update before made them useless."""
        if found.step > 0 or len(self.kept) < 2:
            return found
        start = self.kept[0]
        restore(self.model, start.state)
        before = start.state
        for _ in self._steps_of(start):
            before = state_of(self.model)
            self._run_step()
        found.good = before
        return found

    def _replay(self, start: _Start, seen_in: str) -> _BadStep | None:
        restore(self.model, start.state)
        if start.steps == 0:
            self.model.reset_metrics()
        before = previous = start.state
        step = start.steps
        for step, (x, y, *_) in self._steps_of(start):
            before, previous = state_of(self.model), before
            logs = self._run_step()
            if not (all_finite(x) and all_finite(y)):
                return _BadStep(step, "the input batch", before, cause="input")
            if not finite_loss(logs):
                restore(self.model, before)
                return _BadStep(step, first_bad_output(self.model, x) or "the loss itself", previous, cause=None)
            weight = first_bad_weight(self.model)
            if weight is not None:
                return _BadStep(step, f"the weight {weight} after the update", before, cause="update")
        if seen_in == "the validation loss":  # every step was fine until the weights of the last one were validated
            return _BadStep(step, "the validation loss after the update", before, cause="update")
        return None

    def _steps_of(self, start: _Start) -> Iterator[tuple[int, tuple[Any, ...]]]:
        """Runs alongside `_run_step`: yields what the next step will be given."""
        self.batches.epoch = start.epoch
        self._steps = iter(self.batches.dataset().skip(start.steps))
        yield from enumerate(self.batches.dataset().skip(start.steps), start.steps)

    def _run_step(self) -> Mapping[str, Any]:
        logs = self.model.train_function(self._steps)
        return {name: np.asarray(value) for name, value in logs.items()}


@dataclass(frozen=True)
class _Start:
    """Where a replay begins: the epoch, how many of its batches lie behind, and the state there."""

    epoch: int
    steps: int
    state: State


@dataclass
class _BadStep:
    """Step within its epoch, tensor to blame, good state; cause is None when the loss alone was not finite."""

    step: int
    tensor: str
    good: State
    cause: str | None


@contextmanager
def guarded(guard: FiniteGuard) -> Iterator[None]:
    """Turns the guard's stop into the error that names step and tensor.

    Raises:
        NonFiniteLossError: when the loss was not finite; the model then holds the last good weights.
    """
    try:
        yield
    except NonFiniteStop as stop:
        guard.model._eval_epoch_iterator = None  # Keras deletes it only after a fit that ended well
        raise guard.diagnose(stop.epoch, stop.seen_in) from None


def finite_loss(logs: Mapping[str, Any] | None) -> bool:
    """Whether the logged loss (or, without one, every logged number) is finite."""
    logs = logs or {}
    watched = (
        [logs["loss"]] if "loss" in logs else [value for name, value in logs.items() if not name.startswith("val_")]
    )
    return all(bool(np.isfinite(np.asarray(value, "float64")).all()) for value in watched)


def all_finite(values: Any) -> bool:
    """Whether every floating tensor in a nested structure is finite."""
    for value in tree.flatten(values):
        array = np.asarray(value)
        if array.dtype.kind not in "biuSUO" and not np.isfinite(array.astype("float64")).all():
            return False
    return True


def first_bad_weight(model: keras.Model) -> str | None:
    """Path of the first weight that is not finite, or None."""
    for variable in model.weights:
        if not all_finite(variable.value.numpy()):
            return str(variable.path)
    return None


def first_bad_output(model: keras.Model, x: Any) -> str | None:
    """Name of the first layer, in the order they run, whose output is not finite; None if all are."""
    found: list[str] = []

    def watched(layer: Any, call: Callable[..., Any]) -> Callable[..., Any]:
        def watching(*args: Any, **kwargs: Any) -> Any:
            outputs = call(*args, **kwargs)
            if not found and not all_finite(outputs):
                found.append(f"the output of the layer {layer.path or layer.name}")
            return outputs

        return watching

    layers = list(model._flatten_layers(include_self=False, recursive=True))
    layers = [layer for layer in layers if "call" not in vars(layer)]
    try:
        for layer in layers:
            object.__setattr__(layer, "call", watched(layer, layer.call))  # Keras's own setattr would track it
        outputs = model(x, training=True) if model._call_has_training_arg else model(x)
    finally:
        for layer in layers:
            vars(layer).pop("call", None)
    if not found and not all_finite(outputs):
        return "the output of the model"
    return found[0] if found else None


@contextmanager
def single_steps(model: keras.Model) -> Iterator[None]:
    """Has the model run one step an execution, in its own mode (eager, graph, XLA)."""
    usual = model.steps_per_execution
    model.steps_per_execution = 1
    model.make_train_function(force=True)
    try:
        yield
    finally:
        model.steps_per_execution = usual
        model.make_train_function(force=True)
