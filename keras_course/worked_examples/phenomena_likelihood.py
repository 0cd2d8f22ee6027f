"""Worked example of the table of likelihoods: the row that every model has to beat."""

from __future__ import annotations

from typing import Any

from keras_course.core.backend import compiled
from keras_course.experiments.likelihood_table import bits_per_value, factorised_log_likelihood

__all__ = ["factorised_likelihood"]


def factorised_likelihood(train: Any, test: Any) -> dict[str, Any]:
    """Nats a test row and bits a value of values that know nothing of each other. Source: R."""

    def everything(train: Any, test: Any) -> Any:
        nats = factorised_log_likelihood(train, test)
        return {"nats": nats, "bits": bits_per_value(nats, test.shape[-1])}

    return compiled(everything)(train, test)
