"""Checks that every serialisable object shares: layer, loss, metric, optimizer, model.

A case of any of them has `cls`, `init`, `label` and `make(**overrides)`.
"""

from __future__ import annotations

import copy
import inspect
import json
from collections.abc import Iterator, Mapping
from typing import Any

import keras

from keras_course.testing.agreement import require

__all__ = [
    "config_follows_every_argument",
    "config_names_every_argument",
    "config_rebuilds_an_equal_object",
    "constructor_arguments",
    "registered_under_an_explicit_package",
    "same_config",
]


def constructor_arguments(cls: type) -> dict[str, inspect.Parameter]:
    """The arguments that a class takes by name."""
    variadic = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)
    parameters = list(inspect.signature(cls.__init__).parameters.values())[1:]  # type: ignore[misc]
    return {parameter.name: parameter for parameter in parameters if parameter.kind not in variadic}


def _keys(config: Any) -> Iterator[str]:
    if isinstance(config, Mapping):
        for key, value in config.items():
            yield str(key)
            yield from _keys(value)
    elif isinstance(config, list | tuple):
        for value in config:
            yield from _keys(value)


def _plain(config: Any) -> str:
    return json.dumps(keras.saving.serialize_keras_object(config), sort_keys=True)


def same_config(one: Mapping[str, Any], other: Mapping[str, Any], what: str) -> None:
    """Refuses two configs that differ, and names the keys."""
    differing = sorted(key for key in {*one, *other} if _plain(one.get(key)) != _plain(other.get(key)))
    require(
        not differing, f"{what} differs in {', '.join(f'{k}: {one.get(k)!r}, {other.get(k)!r}' for k in differing)}"
    )


def config_names_every_argument(case: Any) -> None:
    """A constructor argument that get_config drops: the reloaded object falls back to the default without a word."""
    config = case.make().get_config()
    arguments = constructor_arguments(case.cls)
    optional = {name for name, parameter in arguments.items() if parameter.default is None and name not in case.init}
    missing = sorted(set(arguments) - set(_keys(config)) - optional)  # Keras's own leave out what is None
    require(not missing, f"get_config lacks the constructor arguments {', '.join(missing)}")
    for name, given in case.init.items():
        kept = config.get(name)
        if isinstance(given, bool | int | float) and isinstance(kept, bool | int | float):
            same = abs(given - kept) <= 1e-6 * abs(given)  # Keras's optimizers keep their rate in float32
            require(same, f"get_config says {name}={kept!r}, the constructor was given {given!r}")


def config_follows_every_argument(case: Any) -> None:
    """An argument whose value get_config does not tell: flip it, and the config stays the same."""
    usual = _plain(_without_name(case.make().get_config()))
    for name, parameter in constructor_arguments(case.cls).items():
        probe = _probe(name, case.init.get(name, parameter.default))
        if probe is None:
            continue
        try:
            config = case.make(**{name: probe}).get_config()
        except (TypeError, ValueError):
            continue  # the other arguments forbid this value
        require(_plain(_without_name(config)) != usual, f"get_config is the same with {name}={probe!r}")
        again = case.cls.from_config(copy.deepcopy(config)).get_config()
        same_config(config, again, f"with {name}={probe!r}, the config of from_config(get_config())")


_PROBES = {"regularizer": "l2", "constraint": "max_norm", "initializer": "ones", "activation": "softsign", "seed": 5}


def _probe(name: str, value: Any) -> Any:
    """Another value that an argument of this name surely takes, or None where nothing is sure."""
    if isinstance(value, bool):
        return not value
    probe = _PROBES.get(name.rsplit("_", 1)[-1])
    return 7 if probe is not None and probe == value else probe


def _without_name(config: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in config.items() if key != "name"}


def config_rebuilds_an_equal_object(case: Any) -> None:
    """A config that is no plain data, that from_config refuses, or that makes something else."""
    original = case.make()
    config = original.get_config()
    try:
        json.dumps(keras.saving.serialize_keras_object(original))
    except (TypeError, ValueError) as error:
        require(False, f"the config cannot be written as JSON: {error}")
    rebuilt = case.cls.from_config(copy.deepcopy(config))
    same_config(config, rebuilt.get_config(), "the config of from_config(get_config())")
    require(type(rebuilt) is case.cls, f"from_config made a {type(rebuilt).__name__}, not a {case.cls.__name__}")
    case.require_same_behaviour(original, rebuilt)


def registered_under_an_explicit_package(case: Any) -> None:
    """A class that saved files name by accident: unregistered, or under Keras's catch-all package "Custom"."""
    if case.cls.__module__.split(".")[0] == "keras":
        return
    name = keras.saving.get_registered_name(case.cls)
    require(
        ">" in name and keras.saving.get_registered_object(name) is case.cls,
        f"{case.cls.__name__} is not registered; decorate it with "
        f'@keras.saving.register_keras_serializable(package="your_package")',
    )
    require(not name.startswith("Custom>"), f"registered as {name!r}: give the decorator an explicit package")
