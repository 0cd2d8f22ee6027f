"""One row of the catalogue: plain data from which `show`, the docs and the conformance suite build an example."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

SHAPES = ("op", "block", "model", "kernel", "solver", "experiment")


class Entry(NamedTuple):
    """One system of the course.

    Args:
        slug: its name, which never changes.
        title: what it is, in a few words.
        shape: one of SHAPES; says which conformance suite applies.
        object: "module:Name" of the class or function that stands for the system.
        init: arguments that make an example.
        inputs: what the example is called with: a shape, or {"name": {"shape": [...], "dtype": "int32", "max": 7}}.
        recipe: "module:name" of the function that returns its Recipe, "module:Config" of an experiment, or None.
        sources: "C 8.1"-like strings; the letters are resolved by `catalog.sources`.
        members: "module:Name" of further public parts of the same system.
        datasets: {name of a data set: "module:name" of the recipe that trains on it}, where there is a choice; the
            first is `recipe`. The names are those that the data carry in `Spec.name`.
    """

    slug: str
    title: str
    shape: str
    object: str
    init: Mapping[str, Any] = MappingProxyType({})
    inputs: tuple[int, ...] | Mapping[str, Any] | None = None
    recipe: str | None = None
    sources: tuple[str, ...] = ()
    members: tuple[str, ...] = ()
    datasets: Mapping[str, str] = MappingProxyType({})

    @property
    def name(self) -> str:
        """Name of the class or function."""
        return self.object.split(":")[1]

    @property
    def parts(self) -> tuple[str, ...]:
        """The object and all members, as "module:Name"."""
        return (self.object, *self.members)


def on_images(
    recipe: str, digits: str = "digits-flat", more: Mapping[str, str] = MappingProxyType({})
) -> dict[str, Any]:
    """`recipe` and `datasets` of a row trained on bundled digits, and by "<recipe>_on_images" on MNIST and its sibling.

    Example:
        >>> on_images("keras_course.recipes.draw:draw")["datasets"]["mnist"]
        'keras_course.recipes.draw:draw_on_images'
    """
    large = dict.fromkeys(("mnist", "fashion-mnist"), f"{recipe}_on_images")
    return {"recipe": recipe, "datasets": {digits: recipe, **large, **more}}
