"""The arguments of a variational autoencoder: what goes together, and what does not."""

from __future__ import annotations

from typing import Any

from keras_course.core.shapes import normalize_tuple, require_one_of
from keras_course.distributions import DistributionOutput, get_family
from keras_course.models.generative.training_bounds import OBJECTIVES

__all__ = ["check_objective", "checked_family", "networks", "sizes"]


def checked_family(family: Any, size: int) -> Any:
    """A `Family` over the values of x, or the head that came.

    Raises:
        ValueError: for another size.
    """
    found = get_family(family, size if isinstance(family, str) else None)
    if found.event_shape != (size,):
        raise ValueError(
            f"VariationalAutoencoder needs a family over the {size} values of x. Received: family={found!r} with "
            f"event_shape={found.event_shape}"
        )
    return family if isinstance(family, DistributionOutput) else found


def networks(name: str, given: Any, latent: tuple[int, ...]) -> list[Any]:
    """One network, or None, a stochastic layer.

    Raises:
        ValueError: for another number of them.
    """
    levels = len(latent)
    listed = isinstance(given, list | tuple)
    found = list(given) if listed else [given] + [None] * (levels - 1)
    if len(found) != levels or not (listed or given is None or levels == 1):
        raise ValueError(
            f"VariationalAutoencoder with latent={latent} takes a list of {levels} networks as {name}. "
            f"Received: {name}={given!r}"
        )
    return found


def sizes(value: Any, name: str) -> tuple[int, ...]:
    """One positive integer, or a sequence of them (units alone may be empty).

    Raises:
        ValueError: for anything else.
    """
    length = 1 if isinstance(value, int) else len(tuple(value))
    if length == 0 and name != "units":
        raise ValueError(f"VariationalAutoencoder needs at least one size as {name}. Received: {name}={value!r}")
    return normalize_tuple("VariationalAutoencoder", value, length, name)


def check_objective(model: Any) -> None:
    """Refuses what does not go together in a `VariationalAutoencoder`.

    Raises:
        ValueError: names what came.
    """
    require_one_of("VariationalAutoencoder", OBJECTIVES, objective=model.objective)
    plain = model.beta == 1 and model.free_bits == 0 and model.samples <= model.evaluation_samples
    if model.objective != "elbo" and not plain:
        raise ValueError(
            f"VariationalAutoencoder with objective={model.objective!r} needs beta=1, free_bits=0 and samples <= "
            f"evaluation_samples. Received: beta={model.beta}, free_bits={model.free_bits}, samples={model.samples}, "
            f"evaluation_samples={model.evaluation_samples}"
        )
    if model.objective == "dreg" and len(model.latent) > 1:
        raise ValueError(
            "VariationalAutoencoder has the doubly reparametrised gradient for one stochastic layer. "
            f"Received: objective='dreg', latent={model.latent}"
        )
