"""Writes the SavedModel of a run: what a server answers from, without this package."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tensorflow as tf

from keras_course.core.errors import RunFolderError
from keras_course.core.serial import load, vouch_for_export
from keras_course.pipeline.run_folder import MODEL, open_model_run


@dataclass(frozen=True)
class Exported:
    """A SavedModel on disk.

    Args:
        run: the run it comes from.
        path: its folder, DIRECTORY/<version>.
        version: int, its number.
    """

    run: Path
    path: Path
    version: int


def export(run: str | os.PathLike[str], directory: str | os.PathLike[str], *, allow: Iterable[type] = ()) -> Exported:
    """Writes a run's model as the next version below a directory.

    Args:
        run: folder of a run that ended.
        directory: where versions lie (1, 2, 3 …), as TensorFlow Serving expects; made if missing, earlier ones stay.
        allow: your own classes that the model file may name.

    Returns:
        `Exported`.

    Raises:
        RunFolderError: if the run has not ended, is an experiment's, or the directory cannot be written.
        CorruptArtifact: if model.keras is damaged.
    """
    folder = open_model_run(run)
    model = load(folder.path / MODEL, allow=allow)
    target = Path(directory)
    try:
        version = 1 + max((int(path.name) for path in target.iterdir() if path.name.isdecimal()), default=0)
    except FileNotFoundError:
        version = 1
    except OSError as error:
        raise RunFolderError(f"{target} cannot be written: {error.strerror}. Choose another directory.") from None
    return Exported(folder.path, export_model(model, target, version), version)


def export_model(model: Any, directory: Path, version: int) -> Path:
    """Exports a model to DIRECTORY/<version>; a server that watches the directory never sees half of it.

    Raises:
        RunFolderError: if the directory cannot be written.
    """
    target = directory / str(version)
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".export-", dir=directory) as scratch:
            model.export(os.path.join(scratch, "model"), verbose=False)
            vouch_for_export(os.path.join(scratch, "model"))
            os.replace(os.path.join(scratch, "model"), target)
    except (OSError, tf.errors.OpError) as error:  # TensorFlow writes the variables itself
        reason = getattr(error, "strerror", None) or str(error).rsplit("; ", 1)[-1]
        raise RunFolderError(f"{directory} cannot be written: {reason}. Choose another directory.") from None
    return target
