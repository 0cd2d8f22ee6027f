"""The folder of a run: claimed without overwriting anything, and never taken for finished before it is.

    config.json    what was asked for and on what machine, and the run's status: running, finished, failed, interrupted
    history.csv    one row an epoch            metrics.json  test, validation and baseline metrics
    logs/          for TensorBoard             figures/      PNG files
    model.keras    the model                  export/1      the SavedModel
    manifest.json  size and sha256 of all that a later step reads
    checkpoints/   while it runs              .lock         held by the process that writes the run

An experiment's run holds table.csv and no model; its metrics.json is the headline.

The status turns to "finished" last of all. Whatever else the folder holds, a run without it is not finished. The system
lets go of the lock when the process ends, however it ends, so a killed run is told from one that still runs.
"""

from __future__ import annotations

import fcntl
import json
import math
import os
import tempfile
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from keras_course.core.errors import CorruptArtifact, RunFolderError
from keras_course.core.serial import check_manifest, write_with_manifest

CONFIG = "config.json"
METRICS = "metrics.json"
MODEL = "model.keras"
HISTORY = "history.csv"
TABLE = "table.csv"
FIGURES = "figures"
CHECKPOINTS = "checkpoints"
LOCK = ".lock"
STATUSES = ("running", "finished", "failed", "interrupted")


@dataclass
class RunFolder:
    """One run on disk.

    Args:
        path: the folder.
        config: contents of config.json, `status` among them.
        moved: where an earlier run of this folder was moved to, or None.
    """

    path: Path
    config: dict[str, Any] = field(default_factory=dict)
    moved: Path | None = None
    _lock: IO[str] | None = field(default=None, repr=False)

    def lock(self) -> RunFolder:
        """Takes the run for this process, until `unlock` or its end.

        Raises:
            RunFolderError: if another process holds it.
        """
        file = (self.path / LOCK).open("a", encoding="utf-8")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.close()
            raise RunFolderError(f"The run in {self.path} is still running, in another process.") from None
        self._lock = file
        return self

    def unlock(self) -> None:
        """Gives the run back and removes the lock's file."""
        if self._lock is not None:
            (self.path / LOCK).unlink(missing_ok=True)
            self._lock.close()
            self._lock = None

    def write_config(self, status: str, **changes: Any) -> None:
        """Notes the status, and whatever else became known."""
        if status not in STATUSES:
            raise ValueError(f"A run's status is one of {', '.join(STATUSES)}. Received: status={status!r}")
        self.config = {**self.config, **changes, "status": status}
        write_json(self.path / CONFIG, self.config)

    @property
    def status(self) -> str:
        """One of `STATUSES`."""
        return str(self.config.get("status"))

    @property
    def is_experiment(self) -> bool:
        """Whether an experiment's table lies here, and no model."""
        return "experiment" in self.config


def claim_run_folder(out: str | os.PathLike[str] | None, slug: str) -> RunFolder:
    """Takes an empty folder for a new run.

    A finished, failed or interrupted run that lies there is moved aside (to NAME.1, NAME.2 …), never deleted;
    anything else that lies there is refused.

    Args:
        out: the folder, made if missing; None takes runs/<slug>-<date>-<time>.
        slug: names the default folder.

    Returns:
        `RunFolder` without config.

    Raises:
        RunFolderError: if it cannot be written, is a file, or holds something that is not a run that ended.
    """
    path = Path(out) if out is not None else Path("runs", f"{slug}-{datetime.now():%Y%m%d-%H%M%S}")
    if out is None and path.exists():
        path = _free_name(path, "-")
    moved = None
    try:
        if path.exists() and not path.is_dir():
            raise RunFolderError(f"{path} is a file; choose another folder for the run.")
        if path.is_dir() and any(path.iterdir()):
            _require_ended_run(path)
            moved = _free_name(path, ".")
            path.rename(moved)
        path.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path):  # a folder may exist and yet refuse files
            pass
    except RunFolderError:
        raise
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise RunFolderError(f"{path} cannot be written: {reason}. Choose another folder for the run.") from None
    return RunFolder(path, moved=moved).lock()


def reopen_run_folder(path: str | os.PathLike[str]) -> RunFolder:
    """Takes a run that was killed, interrupted or failed, to go on with it.

    Args:
        path: its folder.

    Returns:
        `RunFolder` with its config, locked.

    Raises:
        RunFolderError: if there is no run, it has finished, or another process still runs it.
        CorruptArtifact: if config.json is damaged.
    """
    folder = _read_run_folder(path)
    if folder.status == "finished":
        raise RunFolderError(f"The run in {folder.path} has finished; there is nothing to resume.")
    if folder.is_experiment:
        raise RunFolderError(f"The run in {folder.path} is an experiment's, which keeps no checkpoints; run it anew.")
    try:
        return folder.lock()
    except RunFolderError:
        raise
    except OSError as error:
        raise RunFolderError(f"{folder.path} cannot be written: {error.strerror}.") from None


def _require_ended_run(path: Path) -> None:
    try:
        config = json.loads((path / CONFIG).read_text("utf-8"))
        status, ways = config.get("status"), "Choose" if "experiment" in config else "Resume it, or choose"
    except (OSError, ValueError, AttributeError):
        status = None
    if status is None:
        raise RunFolderError(f"{path} is not empty and holds no run; nothing was touched. Choose another folder.")
    if status not in STATUSES[1:]:
        raise RunFolderError(
            f"{path} holds a run that has not finished (status {status!r}); nothing was touched. {ways} another folder."
        )


def _free_name(path: Path, separator: str) -> Path:
    number = 1
    while path.with_name(f"{path.name}{separator}{number}").exists():
        number += 1
    return path.with_name(f"{path.name}{separator}{number}")


def open_run_folder(path: str | os.PathLike[str]) -> RunFolder:
    """Opens a run that ended.

    Args:
        path: its folder.

    Raises:
        RunFolderError: if there is no such folder, it holds no run, or the run has not ended.
        CorruptArtifact: if config.json is damaged.
    """
    folder = _read_run_folder(path)
    if folder.status == "running":
        again = "--out OTHER" if folder.is_experiment else f"--resume {folder.path}"
        raise RunFolderError(
            f"The run in {folder.path} has not finished: it is still running, or it was killed "
            f"(then: keras-course fit {folder.config['slug']} {again})."
        )
    return folder


def open_model_run(path: str | os.PathLike[str]) -> RunFolder:
    """Opens a run that ended and holds a model.

    Args:
        path: its folder.

    Raises:
        RunFolderError, CorruptArtifact: as `open_run_folder`, and if it is an experiment's run.
    """
    folder = open_run_folder(path)
    if folder.is_experiment:
        raise RunFolderError(
            f"The run in {folder.path} is an experiment's: it holds a table ({TABLE}) and no model. "
            f"keras-course report shows it."
        )
    return folder


def _read_run_folder(path: str | os.PathLike[str]) -> RunFolder:
    folder = Path(path)
    if not folder.is_dir():
        raise RunFolderError(f"There is no run folder {folder}.")
    if not (folder / CONFIG).is_file():
        raise RunFolderError(f"{folder} is not a run folder: it holds no {CONFIG}.")
    config = read_json(folder / CONFIG)
    if not isinstance(config.get("slug"), str) or config.get("status") not in STATUSES:
        raise CorruptArtifact(folder / CONFIG, "it does not describe a run")
    return RunFolder(folder, config)


def recorded_switches(path: str | os.PathLike[str]) -> dict[str, str]:
    """The environment variables a run had that count only before TensorFlow is imported; empty if there is no run."""
    try:
        switch = read_json(Path(path) / CONFIG).get("oneDNN")
    except CorruptArtifact:
        return {}
    return {"TF_ENABLE_ONEDNN_OPTS": switch} if switch in ("0", "1") else {}


def write_json(path: Path, content: Any) -> None:
    """Writes strict JSON, vouched for by the manifest; what is not finite becomes null, as JSON has no word for it."""
    write_with_manifest(path, json.dumps(_plain(content), indent=1, allow_nan=False) + "\n")


def read_json(path: Path) -> dict[str, Any]:
    """Reads a JSON table.

    Raises:
        CorruptArtifact: if it is missing, not as it was written, not JSON, or not a table.
    """
    check_manifest(path)
    try:
        content = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise CorruptArtifact(path, error.strerror or "it cannot be read") from None
    except ValueError as error:
        raise CorruptArtifact(path, f"not JSON ({error})") from None
    if not isinstance(content, dict):
        raise CorruptArtifact(path, "not a table")
    return content


def now() -> str:
    """The time, as config.json notes it."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    if hasattr(value, "item") and getattr(value, "ndim", 0) == 0:
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
