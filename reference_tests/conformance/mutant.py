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
        shape: "layer", "loss", "metric", "optimizer" or "model": which check_... runs.
        cls: the class.
        caught_by: name of the check that must fail.
        init: constructor arguments.
        inputs: example inputs; None takes the default of the shape.
    """

    bug: str
    shape: str
    cls: type
    caught_by: str
    init: dict[str, Any] = field(default_factory=dict)
    inputs: Any = None


def planted(collection: list[Mutant], shape: str, bug: str, caught_by: str, **example: Any) -> Callable[[type], type]:
    """Registers a class with Keras and adds it to the collection."""

    def decorate(cls: type) -> type:
        keras.saving.register_keras_serializable(package="mutants")(cls)
        collection.append(Mutant(bug, shape, cls, caught_by, **example))
        return cls

    return decorate
