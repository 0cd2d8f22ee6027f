"""The table of families by name, and how to add to it.

@register_family("laplace")
@dataclasses.dataclass(frozen=True)
class Laplace(Family): ...

DistributionOutput("laplace", event_size=2)
"""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType
from typing import Any, TypeVar

import keras

from keras_course.core.serial import register
from keras_course.core.shapes import require_one_of
from keras_course.distributions.families.family import Family

T = TypeVar("T", bound=type)

_TABLE: dict[str, type] = {}
FAMILIES = MappingProxyType(_TABLE)


def register_family(name: str, package: str = "keras_course") -> Callable[[T], T]:
    """Enters a family in the table and registers it with Keras, so that saved heads find it again.

    Args:
        name: str, what users write: `DistributionOutput(name)`.
        package: str, registration package; take your own for a family of yours.

    Raises:
        ValueError: if the name is taken by another class, or the class is no `Family`.

    Example:
        >>> sorted(FAMILIES)[:2]
        ['bernoulli', 'categorical']
    """

    def decorate(cls: T) -> T:
        if not issubclass(cls, Family):
            raise ValueError(f"register_family takes a subclass of Family. Received: {cls!r}")
        holder = _TABLE.get(name, cls)
        if (holder.__module__, holder.__qualname__) != (cls.__module__, cls.__qualname__):
            raise ValueError(f"The family name {name!r} is taken by {holder!r}. Received: {cls!r}")
        if package == "keras_course":
            cls = register(f"{cls.__name__}Family")(cls)
        else:
            cls = keras.saving.register_keras_serializable(package, cls.__name__)(cls)
        _TABLE[name] = cls
        return cls

    return decorate


def get_family(family: Any, event_size: int | None = None, **options: Any) -> Family:
    """The family that is meant.

    Args:
        family: a `Family`, its name in the table, its serialised config, or an object with a `family` attribute
            (a `DistributionOutput`).
        event_size: int, passed to a family given by name; None leaves it to the family's own default.
        **options: further arguments of a family given by name; None means not given.

    Returns:
        `Family`.

    Raises:
        ValueError: for an unknown name, or arguments beside a family that is already made.

    Example:
        >>> get_family("poisson", event_size=3)
        Poisson(event_size=3)
    """
    given = {name: value for name, value in options.items() if value is not None}
    if event_size is not None:
        given["event_size"] = event_size
    if isinstance(family, str):
        require_one_of("get_family", sorted(FAMILIES), family=family)
        maker = getattr(FAMILIES[family], "by_name", FAMILIES[family])
        try:
            return maker(**given)  # type: ignore[no-any-return]
        except TypeError as error:
            raise ValueError(f"The {family} family cannot take these arguments ({error}). Received: {given}") from None
    if isinstance(family, dict):
        family = keras.saving.deserialize_keras_object(family)
    family = getattr(family, "family", family)
    if not isinstance(family, Family):
        raise ValueError(f"get_family takes a Family, its name or its config. Received: family={family!r}")
    differs = {name: value for name, value in given.items() if getattr(family, name, None) != value}
    if differs:
        raise ValueError(f"{family!r} is made already; give its arguments to it. Received: {differs}")
    return family
