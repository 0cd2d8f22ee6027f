"""What watches a run: the data follow the epoch, the history is written, a bar moves.

Each callback holds plain values only (numbers, lists, arrays), so that its state can be saved and restored.
"""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from keras_course.core.serial import write_with_manifest
from keras_course.pipeline.batches import TrainingBatches


class EpochData(keras.callbacks.Callback):
    """Tells the batches which epoch begins; must come first."""

    resume_attributes: tuple[str, ...] = ()

    def __init__(self, batches: TrainingBatches) -> None:
        super().__init__()
        self.batches = batches

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.batches.epoch = epoch


class HistoryFile(keras.callbacks.Callback):
    """Writes history.csv after every epoch: epoch, then every number Keras logged, written whole each time.

    Args:
        path: the file.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self.rows: list[dict[str, float]] = []

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        self.rows.append({"epoch": epoch + 1, **{name: float(value) for name, value in (logs or {}).items()}})
        text = io.StringIO()
        writer = csv.DictWriter(text, list(self.rows[0]), restval="", extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(self.rows)
        write_with_manifest(self.path, text.getvalue())

    @property
    def columns(self) -> dict[str, list[float]]:
        """{name: one number an epoch}, as Keras's `History.history`."""
        names = [name for name in (self.rows[0] if self.rows else {}) if name != "epoch"]
        return {name: [row.get(name, float("nan")) for row in self.rows] for name in names}


class ProgressBar(keras.callbacks.Callback):
    """A bar on a terminal, a plain line an epoch elsewhere; both on stderr.

    Args:
        title: first words, the slug.
        epochs: number of epochs.
        steps: steps an epoch.
    """

    resume_attributes: tuple[str, ...] = ()  # it only shows

    def __init__(self, title: str, epochs: int, steps: int) -> None:
        super().__init__()
        self.title, self.epochs, self.steps = title, epochs, steps
        self.first_epoch = 0
        self._bar: Progress | None = None
        self._task: Any = None
        self._shown = ""

    def on_train_begin(self, logs: Any = None) -> None:
        console = Console(file=sys.stderr)
        if not console.is_terminal:
            return
        self._bar = Progress(
            TextColumn("[bold]{task.description}"), BarColumn(bar_width=24), MofNCompleteColumn(),
            TextColumn("{task.fields[shown]}"), TimeElapsedColumn(), TimeRemainingColumn(), console=console,
        )  # fmt: skip
        self._bar.start()
        self._task = self._bar.add_task(self.title, total=self.epochs * self.steps, shown="")

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.first_epoch = epoch
        if self._bar is not None:
            self._bar.update(self._task, description=f"{self.title} epoch {epoch + 1}/{self.epochs}")

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        if self._bar is not None:
            done = self.first_epoch * self.steps + min(batch + 1, self.steps)
            self._bar.update(self._task, completed=done, shown=self._shown or self._numbers(logs))

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        self._shown = self._numbers(logs)
        if self._bar is not None:
            self._bar.update(self._task, completed=(epoch + 1) * self.steps, shown=self._shown)
        else:
            print(f"{self.title} epoch {epoch + 1}/{self.epochs}  {self._shown}", file=sys.stderr, flush=True)

    def on_train_end(self, logs: Any = None) -> None:
        self.close()

    def close(self) -> None:
        """Gives the terminal back, also after an error."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    @staticmethod
    def _numbers(logs: Mapping[str, Any] | None) -> str:
        """The loss and one metric, with their validation values: what fits on a line."""
        logs = logs or {}
        names = [name for name in logs if not name.startswith("val_")]
        chosen = [name for name in names if name == "loss"] + [name for name in names if name != "loss"][:1]
        parts = []
        for name in chosen:
            parts.append(f"{name} {float(logs[name]):.4f}")
            if f"val_{name}" in logs:
                parts.append(f"val {float(logs[f'val_{name}']):.4f}")
        return "  ".join(parts)
