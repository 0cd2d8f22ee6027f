"""Finds the variables that a model holds but Keras does not see.

Keras tracks a variable when it is created by `add_weight` or held by a layer that is an attribute (or in a list or
dict) of a layer. A tf.Variable, a tf.Module, a TFP bijector over a network, a tf_keras layer or a layer hidden in a
plain object or a closure is used in the forward pass and never trained, without a word. `untracked_variables` walks
everything a model can reach through attributes, containers and closures and lists what is missing.
"""

from __future__ import annotations

import functools
import types
from collections.abc import Iterator, Mapping
from typing import Any

import keras

from keras_course.core.errors import UntrackedVariableError

# What Keras itself hangs on a model: bookkeeping, not part of what the model computes.
_BOOKKEEPING = frozenset({"optimizer", "loss", "_tracker", "_lock", "_auto_config", "_distribute_strategy", "_tracked"})
_LEAVES = (str, bytes, int, float, complex, bool, type(None), type, types.ModuleType, types.BuiltinFunctionType)


def require_tracked(model: keras.Model) -> None:
    """Raises if a variable reachable from the model is not tracked by Keras.

    Raises:
        UntrackedVariableError: names the attribute path of the first such variable, and how many there are.
    """
    missing = untracked_variables(model)
    if missing:
        path, variable = next(iter(missing.items()))
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise UntrackedVariableError(
            f"{type(model).__name__} reaches variables that Keras does not track, so they would never train: "
            f"{path} (shape {tuple(variable.shape)}){more}. Create weights with add_weight, and hold layers as "
            f"attributes of layers. Received: {len(missing)} untracked"
        )


def untracked_variables(model: keras.Model) -> dict[str, Any]:
    """{attribute path: variable} of everything reachable and not in `model.variables`."""
    tracked = {id(variable) for variable in model.variables}
    tracked |= {id(variable) for metric in model.metrics for variable in metric.variables}
    tracked |= {
        id(variable)
        for layer in _layers(model)
        for generator in layer._seed_generators
        for variable in [generator.state]
    }
    tracked |= {id(variable.value) for variable in model.variables if not callable(variable.value)}
    tracked |= {id(getattr(variable, "_value", None)) for layer in _layers(model) for variable in layer.variables}
    return {path: variable for path, variable in _reachable(model) if id(variable) not in tracked}


def _layers(model: keras.Model) -> Iterator[Any]:
    yield from model._flatten_layers(include_self=True, recursive=True)


def _reachable(model: keras.Model) -> Iterator[tuple[str, Any]]:
    import tensorflow as tf

    seen: set[int] = set()
    stack: list[tuple[str, Any]] = [(type(model).__name__, model)]
    while stack:
        path, value = stack.pop()
        if isinstance(value, _LEAVES) or id(value) in seen:
            continue
        seen.add(id(value))
        if isinstance(value, keras.Variable | tf.Variable):
            yield path, value
            continue
        stack.extend(_children(path, value, tf))


def _children(path: str, value: Any, tf: types.ModuleType) -> Iterator[tuple[str, Any]]:
    if isinstance(value, tf.Tensor | tf.TensorShape | tf.DType | keras.metrics.Metric | keras.optimizers.Optimizer):
        return
    if isinstance(value, Mapping):
        for key, entry in list(value.items()):
            yield f"{path}[{key!r}]", entry
    elif isinstance(value, list | tuple | set | frozenset):
        for index, entry in enumerate(list(value)):
            yield f"{path}[{index}]", entry
    elif isinstance(value, types.MethodType):
        yield path, value.__self__
    elif isinstance(value, functools.partial):
        yield from ((f"{path}.func", value.func), (f"{path}.args", value.args), (f"{path}.keywords", value.keywords))
    elif isinstance(value, types.FunctionType):
        names = value.__code__.co_freevars
        for name, cell in zip(names, value.__closure__ or (), strict=True):
            try:
                yield f"{path}.<closure {name}>", cell.cell_contents
            except ValueError:  # an empty cell: the name is not bound yet
                continue
    elif _is_foreign_machinery(value):
        return
    else:
        for name, entry in list(getattr(value, "__dict__", {}).items()):
            if name not in _BOOKKEEPING and not name.startswith("_self_"):
                yield f"{path}.{name}", entry


def _is_foreign_machinery(value: Any) -> bool:
    """Compiled functions, dtype policies, locks, loggers: no weights of the model, but ways into TensorFlow."""
    module = type(value).__module__ or ""
    if module.startswith(("tensorflow_probability", "tf_keras")):
        return False
    return module.startswith(
        ("tensorflow.python.eager", "tensorflow.python.framework", "keras.src.dtype_policies", "keras.src.backend",
         "keras.src.utils", "keras.src.trainers", "numpy", "threading", "_thread", "logging", "inspect")
    )  # fmt: skip


class CheckAfterFirstStep(keras.callbacks.Callback):
    """Holds the guard once the first step of an unbuilt model has created its variables."""

    resume_attributes: tuple[str, ...] = ()  # nothing that a resumed run needs

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        if batch == 0 and not getattr(self, "_checked", False):
            self._checked = True
            require_tracked(self.model)
