"""Resumes a killed `fit` so that it ends with the bits of one that was never killed.

    state after step s of epoch e  =  checkpoint(e, s)            data of epoch e = a pure function of (seed, e)
    resumed run                    =  checkpoint, batches s+1 … of epoch e, epochs e+1 …

Keras's BackupAndRestore restarts the shuffle, the counters of callbacks and the seeds. Here everything that training
changes is saved after a step, and the batches that were trained on before are read again and passed over, so any data
that come in the same order again will do: arrays with shuffle=False, a tf.data.Dataset without unseeded shuffling,
`pipeline.batches.TrainingBatches` for an order that changes with the epoch.

The resumed run proves itself: it starts from the last checkpoint but one and must reach the last one bit for bit. If it
does not (another order, other threads, an unsaved random state), it says so and goes on from the last one.
"""

from __future__ import annotations

import inspect
import itertools
import os
import time
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np

from keras_course.core.errors import ResumeError
from keras_course.core.shapes import require_positive_int
from keras_course.pipeline.checkpoint import Checkpoint, sound_checkpoints, write_checkpoint
from keras_course.pipeline.training_state import (
    arrays_of,
    callback_state,
    holds_state,
    restore_arrays,
    restore_callback,
)


class ExactResume(keras.callbacks.Callback):
    """Writes checkpoints while `fit` runs; given a folder that holds some, goes on where they end.

    Works with any Keras model on the TensorFlow backend. Saved are weights, optimisers, metrics, seed counters and the
    plain attributes of the other callbacks of the same `fit` (EarlyStopping, ReduceLROnPlateau, ModelCheckpoint,
    History, your own), after a step, never between. The model must be made as in the killed run.

    Not saved are Python's, NumPy's and TensorFlow's global random states: draw from `step_seed`, from Keras's
    SeedGenerator, or from (seed, epoch, index).

    Args:
        folder: where the checkpoints lie; made if missing. Empty it to start anew.
        steps: int, a checkpoint every so many steps, or None.
        seconds: float > 0, a checkpoint once so many seconds have passed since the last, or None.
        verify: whether a resumed run proves that it repeats the killed one, by training from the last checkpoint but
            one to the last; `proved` then is True or False, and None where there was only one checkpoint.

    Raises:
        ValueError: for steps or seconds out of range, or neither.
        ResumeError: when `fit` begins, if the checkpoints do not fit the model, its callbacks or its epochs.

    Example:
        >>> import numpy as np, tempfile
        >>> x, y = np.ones((8, 2), "float32"), np.ones((8, 1), "float32")
        >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        >>> model.compile("sgd", "mse")
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     history = model.fit(x, y, batch_size=4, epochs=2, shuffle=False, verbose=0,
        ...                         callbacks=[ExactResume(folder, steps=1)])
        ...     len(sound_checkpoints(Path(folder)))
        2
    """

    resume_attributes: tuple[str, ...] = ()  # it counts nothing that a later run needs

    def __init__(
        self,
        folder: str | os.PathLike[str],
        steps: int | None = None,
        seconds: float | None = 30.0,
        verify: bool = True,
    ) -> None:
        super().__init__()
        if steps is not None:
            require_positive_int("ExactResume", steps=steps)
        if seconds is not None and not seconds > 0:
            raise ValueError(f"ExactResume needs seconds above 0, or None. Received: seconds={seconds!r}")
        if steps is None and seconds is None:
            raise ValueError("ExactResume needs steps or seconds. Received: steps=None, seconds=None")
        self.folder = Path(folder)
        self.steps, self.seconds, self.verify = steps, seconds, verify
        self.resumed_at: tuple[int, int] | None = None  # (epoch, steps) of the checkpoint that training started from
        self.proved: bool | None = None
        self._target: Checkpoint | None = None  # to be restored once the batches before it are passed over
        self._expected: Checkpoint | None = None  # what the replay must reach
        self._callbacks: list[Any] = []
        self._epoch = 0

    def finds_checkpoint(self) -> bool:
        """Whether `fit` would go on from a checkpoint, and so overwrite every variable of the model."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of damaged ones `fit` tells
            return bool(sound_checkpoints(self.folder))

    def on_train_begin(self, logs: Any = None) -> None:
        self._callbacks = [callback for callback in self._all_callbacks() if holds_state(callback)]
        self._target = self._expected = self.resumed_at = self.proved = None
        self._last, self._since = time.monotonic(), 0
        sound = sound_checkpoints(self.folder)
        if not sound:
            return
        self._expected = sound[-1] if self.verify and len(sound) > 1 else None
        self._target = sound[-2] if self._expected is not None else sound[-1]
        self._require_fitting(sound[-1])
        self.resumed_at = self._target.position
        self.model._initial_epoch = self._target.epoch
        self.model.train_function = self._passing_over(self._target, self.model.train_function)

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        position = (self._epoch, batch + 1)
        if self._target is not None:
            if position == self._target.position:
                self._restore(self._target)
                self._target = None
            return
        if self._expected is not None:
            if position >= self._expected.position:
                self._prove(position, logs)
            return
        self._since += self.model.steps_per_execution
        due = self.steps is not None and self._since >= self.steps
        due = due or (self.seconds is not None and time.monotonic() - self._last >= self.seconds)
        if due:
            self._save(position, logs)

    def on_train_end(self, logs: Any = None) -> None:
        self.model._initial_epoch = None
        if self._expected is not None:
            self._tell_mismatch("training ended before it")
            self._expected = None

    def _all_callbacks(self) -> list[Any]:
        """Every callback of this `fit`, History among them: the list that is calling this one."""
        frame = inspect.currentframe()
        while frame is not None:
            holder = frame.f_locals.get("self")
            if isinstance(holder, keras.callbacks.CallbackList) and any(one is self for one in holder.callbacks):
                return list(holder.callbacks)
            frame = frame.f_back
        raise ResumeError("ExactResume must be called by a keras.callbacks.CallbackList, as `fit` makes it.")

    def _state(self, position: tuple[int, int], logs: Mapping[str, Any] | None) -> Checkpoint:
        callbacks = [(type(callback).__name__, callback_state(callback)) for callback in self._callbacks]
        numbers = {name: np.asarray(value)[()] for name, value in (logs or {}).items()}
        return Checkpoint(*position, arrays_of(self.model), callbacks, numbers)

    def _save(self, position: tuple[int, int], logs: Mapping[str, Any] | None) -> None:
        try:
            write_checkpoint(self.folder, self._state(position, logs))
        except OSError as error:
            warnings.warn(
                f"The checkpoint of epoch {position[0] + 1}, step {position[1]} could not be written to {self.folder} "
                f"({error.strerror or error}); training goes on, the earlier ones stay.",
                RuntimeWarning,
                stacklevel=2,
            )
        self._last, self._since = time.monotonic(), 0

    def _restore(self, checkpoint: Checkpoint) -> None:
        restore_arrays(self.model, checkpoint.variables)
        for callback, (_, state) in zip(self._callbacks, checkpoint.callbacks, strict=True):
            restore_callback(callback, state)
        for callback in self._callbacks:
            if hasattr(callback, "on_resume"):
                callback.on_resume(*checkpoint.position)
        self._last, self._since = time.monotonic(), 0

    def _prove(self, position: tuple[int, int], logs: Mapping[str, Any] | None) -> None:
        """Holds the state at the later checkpoint's position against it; where they differ, the later one counts."""
        expected, self._expected = self._expected, None
        if expected is None:
            return
        difference = expected.difference(self._state(position, logs))
        self.proved = difference is None
        if difference is not None:
            self._tell_mismatch(f"{difference} differs")
            if position == expected.position:
                self._restore(expected)
        self._last, self._since = time.monotonic(), 0

    def _tell_mismatch(self, why: str) -> None:
        self.proved = False
        warnings.warn(
            f"The resumed run does not repeat the killed one bit for bit: from the checkpoint at {self.resumed_at} it "
            f"does not reach the next ({why}). The order of the data, the number of threads, or a random state that "
            f"no checkpoint holds differs; training goes on from the later checkpoint.",
            RuntimeWarning,
            stacklevel=2,
        )

    def _require_fitting(self, checkpoint: Checkpoint) -> None:
        names, saved = [type(one).__name__ for one in self._callbacks], [name for name, _ in checkpoint.callbacks]
        if names != saved:
            raise ResumeError(f"The killed run had the callbacks {saved}. Received: callbacks={names}")
        epochs = (self.params or {}).get("epochs")
        if epochs is not None and checkpoint.epoch >= epochs:
            raise ResumeError(f"The killed run was in epoch {checkpoint.epoch + 1}. Received: epochs={epochs}")
        if checkpoint.steps % self.model.steps_per_execution:
            raise ResumeError(
                f"The killed run had done {checkpoint.steps} steps of its epoch, no multiple of the steps an "
                f"execution. Received: steps_per_execution={self.model.steps_per_execution}"
            )

    def _passing_over(self, checkpoint: Checkpoint, train: Callable[[Any], Any]) -> Callable[[Any], Any]:
        """A train function that reads batches until the checkpoint's, then puts the real one back.

        The first execution is real: it makes whatever a first step makes (metrics, slots). Its effect is overwritten at
        once, so that no other callback ever sees or saves weights that the killed run did not have.
        """
        model, size = self.model, self.model.steps_per_execution
        left = checkpoint.steps

        def pass_over(iterator: Any) -> Any:
            nonlocal left
            if left <= 0:  # an earlier fit was broken off while it passed over batches
                model.train_function = train
                return train(iterator)
            if left == checkpoint.steps:
                train(iterator)
                restore_arrays(model, checkpoint.variables)
            else:
                for _ in itertools.islice(iterator, min(size, left)):
                    pass
            left -= size
            if left <= 0:
                model.train_function = train
            return dict(checkpoint.logs)

        return pass_over
