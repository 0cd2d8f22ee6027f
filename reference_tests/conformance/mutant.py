"""A planted bug: a class like its correct twin but for one mistake, and the check that must see it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import keras


@dataclass(frozen=True)
class Mutant:
    """One planted bug.

    Args:
        bug: what is wrong, in words.
        shape: "layer", "loss", "metric", "optimizer", "model", "kernel" or "solver": which check_... runs.
        cls: the class, or a solver's function.
        caught_by: name of the check that must fail; empty for a bug that no check sees.
        init: constructor arguments.
        inputs: example inputs; None takes the default of the shape.
        options: further arguments of the check_... function.
    """

    bug: str
    shape: str
    cls: Callable[..., Any]
    caught_by: str
    init: dict[str, Any] = field(default_factory=dict)
    inputs: Any = None
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Name of the class or function."""
        return self.cls.__name__


def planted(collection: list[Mutant], shape: str, bug: str, caught_by: str, **example: Any) -> Callable[[type], type]:
    """Registers a class with Keras and adds it to the collection."""

    def decorate(cls: type) -> type:
        keras.saving.register_keras_serializable(package="mutants")(cls)
        collection.append(Mutant(bug, shape, cls, caught_by, **example))
        return cls

    return decorate
