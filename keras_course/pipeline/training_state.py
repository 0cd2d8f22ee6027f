"""Everything that training changes, taken out of a model and its callbacks and put back bit for bit.

    state of a model     weights, seed counters, metrics, variables of every optimiser it holds
    state of a callback  its plain attributes (numbers, text, arrays, nested lists and tables of them) that are no
                         arguments of its constructor; `resume_attributes = ("wait", "best")` on a class names its own

A CSVLogger's state is what its file holds: without `append` it empties the file when `fit` begins, with it the row of
an epoch that is trained again would stand there twice.

A callback's whole __dict__ would carry file paths and open handles from one process into another; arguments belong to
whoever builds the callback again.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from keras_course.core.errors import ResumeError

State = dict[int, NDArray[Any]]  # by identity of the variable

# They only show or write what others computed.
_DISPLAYS = ("ProgbarLogger", "TensorBoard", "RemoteMonitor")
# Bound anew by Keras in every `fit`; a comparison function is None before the first epoch ends.
_BOUND_BY_KERAS = frozenset({"params", "_model", "validation_data", "monitor_op"})


def state_variables(model: keras.Model) -> list[Any]:
    """Weights, seed counters, metrics and the variables of every optimiser the model holds."""
    found = [*model.variables, *model.metrics_variables]
    found += [variable for optimizer in _optimizers(model) for variable in optimizer.variables]
    return list({id(variable): variable for variable in found}.values())


def _optimizers(model: keras.Model) -> list[Any]:
    held = [getattr(model, "optimizer", None)]
    for part in model._flatten_layers(include_self=True, recursive=True):  # a model inside may have been compiled too
        held += vars(part).values()
    return list({id(value): value for value in held if isinstance(value, keras.optimizers.Optimizer)}.values())


def array_of(variable: Any) -> NDArray[Any]:
    """A copy of a variable's value."""
    return np.array(variable.value.numpy())


def state_of(model: keras.Model) -> State:
    """Copies of everything that training changes."""
    return {id(variable): array_of(variable) for variable in state_variables(model)}


def restore(model: keras.Model, state: State) -> None:
    """Puts a `state_of` back; optimiser slots made since get what they start with, other new variables zero."""
    variables = state_variables(model)
    if any(id(variable) not in state for variable in variables):
        state = {**_first_slots(model), **state}
    for variable in variables:
        value = state.get(id(variable))
        variable.assign(ops.zeros_like(variable) if value is None else value)


def _first_slots(model: keras.Model) -> State:
    """What a new optimiser of the same arguments holds before its first step, for each variable of the model's."""
    found: State = {}
    for optimizer in _optimizers(model):
        if optimizer.built:
            new = type(optimizer).from_config(optimizer.get_config())
            new.build(optimizer._trainable_variables)
            pairs = zip(optimizer.variables, new.variables, strict=True)
            found |= {id(variable): array_of(first) for variable, first in pairs}
    return found


def arrays_of(model: keras.Model) -> list[tuple[str, NDArray[Any]]]:
    """(path, copy) of every state variable, in an order that another process with the same model shares."""
    return [(str(variable.path), array_of(variable)) for variable in state_variables(model)]


def restore_arrays(model: keras.Model, arrays: Sequence[tuple[str, NDArray[Any]]]) -> None:
    """Puts an `arrays_of` back, also into another instance of the same model.

    Raises:
        ResumeError: if number, shapes or dtypes differ; nothing was changed.
    """
    variables = state_variables(model)
    if len(variables) != len(arrays):
        raise ResumeError(f"The model has {len(variables)} state variables. Received: {len(arrays)} in the checkpoint")
    for variable, (path, array) in zip(variables, arrays, strict=True):
        wanted = (tuple(variable.shape), keras.backend.standardize_dtype(variable.dtype))
        if wanted != (array.shape, array.dtype.name):
            raise ResumeError(
                f"The model's {variable.path} has shape {wanted[0]} and dtype {wanted[1]}. "
                f"Received: {path} of shape {array.shape} and dtype {array.dtype.name} in the checkpoint"
            )
    for variable, (_, array) in zip(variables, arrays, strict=True):
        variable.assign(array)


def holds_state(callback: Any) -> bool:
    """Whether a callback counts: not one that only shows, and not one that says it has nothing to keep."""
    if type(callback).__name__ in _DISPLAYS and type(callback).__module__.startswith("keras"):
        return False
    return getattr(callback, "resume_attributes", None) != ()


def callback_state(callback: Any) -> dict[str, Any]:
    """A callback's plain attributes, lists and arrays copied; of a CSVLogger what it has written."""
    if isinstance(callback, keras.callbacks.CSVLogger):
        return {"written": _rows_of(callback)}
    named = getattr(callback, "resume_attributes", None)
    if named is not None:
        return {name: _copied(getattr(callback, name)) for name in named}
    arguments = set(inspect.signature(type(callback).__init__).parameters)
    return {
        name: _copied(value)
        for name, value in vars(callback).items()
        if name not in arguments and name not in _BOUND_BY_KERAS and is_plain(value)
    }


def restore_callback(callback: Any, state: Mapping[str, Any]) -> None:
    """Puts a `callback_state` back."""
    if isinstance(callback, keras.callbacks.CSVLogger):
        _write_again(callback, str(state["written"]))
        return
    for name, value in state.items():
        setattr(callback, name, _copied(value))


def _rows_of(logger: keras.callbacks.CSVLogger) -> str:
    if logger.csv_file is not None and not logger.csv_file.closed:
        logger.csv_file.flush()
    with open(logger.filename, encoding="utf-8", newline="") as file:
        return file.read()


def _write_again(logger: keras.callbacks.CSVLogger, rows: str) -> None:
    file = logger.csv_file
    file.seek(0)
    file.truncate(0)
    file.write(rows)
    file.flush()
    logger.writer, logger.append_header = None, not rows
    logger.keys = rows.splitlines()[0].split(logger.sep)[1:] if rows and not logger.append else None


def is_plain(value: Any) -> bool:
    """Whether a value can be written down: None, numbers, text, arrays, and lists, tuples, tables of them."""
    if value is None or isinstance(value, bool | int | float | str | np.ndarray | np.generic):
        return not (isinstance(value, np.ndarray | np.generic) and value.dtype.hasobject)
    if isinstance(value, list | tuple):
        return all(is_plain(entry) for entry in value)
    if isinstance(value, Mapping):
        return type(value) is dict and all(isinstance(key, str) and is_plain(entry) for key, entry in value.items())
    return False


def _copied(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value.copy()
    if isinstance(value, list | tuple):
        return type(value)(_copied(entry) for entry in value)
    if isinstance(value, dict):
        return {key: _copied(entry) for key, entry in value.items()}
    return value
