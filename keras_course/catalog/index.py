"""Looks rows up: by topic, by slug, and from a row to the class or function it names."""

from __future__ import annotations

import importlib
from typing import Any

from keras_course.catalog import (
    attention,
    autoencoders,
    convolution,
    energy,
    ensembles,
    foundations,
    generative,
    inference,
    latent,
    methodology,
    normalization,
    optimization,
    phenomena,
    recurrent,
    regularization,
    selfsupervised,
    structured,
)
from keras_course.catalog.entry import Entry
from keras_course.core.errors import UnknownSlugError

_TOPICS: dict[str, tuple[Entry, ...]] = {
    "foundations": foundations.ROWS,
    "optimization": (*optimization.ROWS, *normalization.ROWS),
    "regularization": (*regularization.ROWS, *ensembles.ROWS),
    "methodology": methodology.ROWS,
    "convolution": convolution.ROWS,
    "recurrent": recurrent.ROWS,
    "attention": attention.ROWS,
    "autoencoders": autoencoders.ROWS,
    "generative": generative.ROWS,
    "energy": energy.ROWS,
    "latent": latent.ROWS,
    "inference": inference.ROWS,
    "selfsupervised": selfsupervised.ROWS,
    "structured": structured.ROWS,
    "phenomena": phenomena.ROWS,
}


def topics() -> tuple[str, ...]:
    """The topics that have rows, in the order of the course."""
    return tuple(_TOPICS)


def entries(topic: str | None = None) -> tuple[Entry, ...]:
    """All rows, or those of one topic.

    Raises:
        UnknownSlugError: for a topic that does not exist.
    """
    if topic is None:
        return tuple(row for rows in _TOPICS.values() for row in rows)
    if topic not in _TOPICS:
        raise UnknownSlugError(topic, _TOPICS, what="topic")
    return _TOPICS[topic]


def get(slug: str) -> Entry:
    """The row of one system.

    Raises:
        UnknownSlugError: if there is none; suggests the nearest slug.
    """
    for entry in entries():
        if entry.slug == slug:
            return entry
    raise UnknownSlugError(slug, [entry.slug for entry in entries()])


def topic_of(slug: str) -> str:
    """The topic whose row carries this slug."""
    get(slug)
    return next(topic for topic, rows in _TOPICS.items() if any(row.slug == slug for row in rows))


def resolve_member(reference: str) -> Any:
    """Imports what a "module:Name" reference names.

    Raises:
        ValueError: if it has no colon, or the module has no such name.
        ModuleNotFoundError: if there is no such module.
    """
    module, colon, name = reference.partition(":")
    if not (module and colon and name):
        raise ValueError(f"A reference reads module:Name. Received: {reference!r}")
    found: Any = importlib.import_module(module)
    for part in name.split("."):
        if not hasattr(found, part):
            raise ValueError(f"{module} has no {name!r}. Received: {reference!r}")
        found = getattr(found, part)
    return found


def resolve(slug: str) -> Any:
    """The class or function of one system (imports its module).

    Raises:
        UnknownSlugError: if there is no such slug.
    """
    return resolve_member(get(slug).object)
