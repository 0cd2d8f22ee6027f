"""A checkpoint: the whole state of a training run in one file, which is either right to the last bit or refused.

    magic line | length of the header | header (JSON) | arrays, one after another | sha256 of all that

A run keeps the last two. The file is written beside its place and renamed into it, so a kill or a full disk leaves the
earlier ones; a damaged one is skipped with a warning, and the one before it serves.
"""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from keras_course.core.errors import CorruptArtifact
from keras_course.core.serial import write_atomically

MAGIC = b"keras_course checkpoint 1\n"
SUFFIX = ".checkpoint"
KEPT = 2
_DIGEST = hashlib.sha256().digest_size


@dataclass(frozen=True)
class Checkpoint:
    """The state of a run after some steps of an epoch.

    Args:
        epoch: int, counted from 0.
        steps: int, batches of this epoch that were trained on.
        variables: [(path, array)] of the model, in the order of `training_state.arrays_of`.
        callbacks: [(class name, state)] in the order of the run's callbacks.
        logs: {name: number} of the last step.
    """

    epoch: int
    steps: int
    variables: list[tuple[str, NDArray[Any]]] = field(default_factory=list)
    callbacks: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    logs: Mapping[str, Any] = field(default_factory=dict)

    @property
    def position(self) -> tuple[int, int]:
        """(epoch, steps): later states are greater."""
        return self.epoch, self.steps

    @property
    def name(self) -> str:
        """File name; names sort as positions do."""
        return f"epoch-{self.epoch:08d}-step-{self.steps:010d}{SUFFIX}"

    def difference(self, other: Checkpoint) -> str | None:
        """What differs from another state, bit for bit, in words; None if nothing."""
        mine, theirs = self._parts(), other._parts()
        if list(mine) != list(theirs):
            return "the list of variables and callbacks"
        return next((name for name in mine if mine[name] != theirs[name]), None)

    def _parts(self) -> dict[str, Any]:
        # By number, not by path: Keras counts up layer names within a process.
        parts: dict[str, Any] = {f"position {self.position}": None}
        for index, (_, array) in enumerate(self.variables):
            parts[f"variable {index}"] = (array.dtype.name, array.shape, array.tobytes())
        for index, (name, state) in enumerate(self.callbacks):
            arrays: list[NDArray[Any]] = []
            parts[f"callback {index} ({name})"] = (
                json.dumps(_encoded(state, arrays), sort_keys=True),
                [array.tobytes() for array in arrays],
            )
        return parts


def write_checkpoint(folder: Path, checkpoint: Checkpoint) -> Path:
    """Writes a checkpoint into a folder and removes all but the last two.

    Args:
        folder: made if missing.
        checkpoint: `Checkpoint`.

    Returns:
        The file's path.

    Raises:
        OSError: if it cannot be written; the earlier ones stay.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / checkpoint.name
    write_atomically(path, lambda temporary: _write(temporary, checkpoint))
    for old in checkpoint_files(folder)[:-KEPT]:
        old.unlink(missing_ok=True)
    return path


def checkpoint_files(folder: Path) -> list[Path]:
    """The checkpoints of a folder, earliest first."""
    return sorted(folder.glob(f"epoch-*{SUFFIX}"))


def sound_checkpoints(folder: Path) -> list[Checkpoint]:
    """Those that can be trusted, earliest first; a damaged one is skipped with a warning."""
    found = []
    for path in checkpoint_files(folder):
        try:
            found.append(read_checkpoint(path))
        except CorruptArtifact as error:
            warnings.warn(f"{error}; it is skipped.", RuntimeWarning, stacklevel=2)
    return found


def _write(path: Path, checkpoint: Checkpoint) -> None:
    arrays: list[NDArray[Any]] = []
    header = {
        "epoch": checkpoint.epoch,
        "steps": checkpoint.steps,
        "variables": [[name, _encoded(array, arrays)] for name, array in checkpoint.variables],
        "callbacks": [[name, _encoded(state, arrays)] for name, state in checkpoint.callbacks],
        "logs": _encoded(dict(checkpoint.logs), arrays),
    }
    header["arrays"] = [[array.dtype.name, list(array.shape)] for array in arrays]
    text = json.dumps(header).encode()
    digest = hashlib.sha256()
    with path.open("wb") as file:
        for part in (MAGIC, len(text).to_bytes(8, "little"), text, *(array.tobytes() for array in arrays)):
            digest.update(part)
            file.write(part)
        file.write(digest.digest())


def read_checkpoint(path: Path) -> Checkpoint:
    """Reads a checkpoint after checking every bit of it.

    Raises:
        CorruptArtifact: if it is missing, damaged, cut short, or of another version.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise CorruptArtifact(path, error.strerror or "it cannot be read") from None
    if not content.startswith(MAGIC):
        raise CorruptArtifact(path, "it is no checkpoint of this version")
    body, digest = content[:-_DIGEST], content[-_DIGEST:]
    if hashlib.sha256(body).digest() != digest:
        raise CorruptArtifact(path, "its sha256 is not the one at its end")
    start = len(MAGIC) + 8
    length = int.from_bytes(body[len(MAGIC) : start], "little")
    header = json.loads(body[start : start + length])
    arrays, offset = [], start + length
    for dtype_name, shape in header["arrays"]:
        dtype = np.dtype(dtype_name)
        count = int(np.prod(shape, dtype=np.int64))
        arrays.append(np.frombuffer(body, dtype, count, offset).reshape(shape).copy())
        offset += count * dtype.itemsize
    return Checkpoint(
        epoch=header["epoch"],
        steps=header["steps"],
        variables=[(name, _decoded(value, arrays)) for name, value in header["variables"]],
        callbacks=[(name, _decoded(value, arrays)) for name, value in header["callbacks"]],
        logs=_decoded(header["logs"], arrays),
    )


def _encoded(value: Any, arrays: list[NDArray[Any]]) -> Any:
    """A plain value as JSON; arrays go to the list, tuples and tables are marked."""
    if isinstance(value, np.ndarray | np.generic):
        arrays.append(np.asarray(value))
        return {"array": len(arrays) - 1, "scalar": isinstance(value, np.generic)}
    if isinstance(value, tuple):
        return {"tuple": [_encoded(entry, arrays) for entry in value]}
    if isinstance(value, list):
        return [_encoded(entry, arrays) for entry in value]
    if isinstance(value, dict):
        return {"table": [[key, _encoded(entry, arrays)] for key, entry in value.items()]}
    return value


def _decoded(value: Any, arrays: list[NDArray[Any]]) -> Any:
    if isinstance(value, list):
        return [_decoded(entry, arrays) for entry in value]
    if not isinstance(value, dict):
        return value
    if "array" in value:
        array = arrays[value["array"]]
        return array[()] if value["scalar"] else array
    if "tuple" in value:
        return tuple(_decoded(entry, arrays) for entry in value["tuple"])
    return {key: _decoded(entry, arrays) for key, entry in value["table"]}
