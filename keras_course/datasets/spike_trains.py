"""Spike trains of rates: in every step a channel fires or not, by chance."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from keras_course.core.seeds import derive_seed
from keras_course.core.shapes import require_positive_int

__all__ = ["poisson_spikes"]


def poisson_spikes(rates: ArrayLike, steps: int = 10, *, seed: int, salt: object = "spikes") -> NDArray[np.float32]:
    """Poisson trains in steps so short that none holds two spikes: P(spike) = 1 - exp(-rate).

    Args:
        rates: array (N, T, F), spikes expected a step, each T held for `steps` steps.
        steps: int, steps that a rate is held.
        seed: int. Row n is a function of (seed, salt, n) alone: more rows begin with the same ones.
        salt: which part of a data set this is.

    Returns:
        float32 array (N, T * steps, F) of 0 and 1.

    Raises:
        ValueError: for another rank, or a rate that is negative or not finite.

    Example:
        >>> spikes = poisson_spikes([[[0.0, 50.0]]], steps=3, seed=0)
        >>> spikes.tolist()
        [[[0.0, 1.0], [0.0, 1.0], [0.0, 1.0]]]

    Source: C 13.4; Maass, Natschlaeger and Markram 2002.
    """
    values: NDArray[Any] = np.asarray(rates, "float64")
    require_positive_int("poisson_spikes", steps=steps)
    if values.ndim != 3 or not np.isfinite(values).all() or (values < 0).any():
        raise ValueError(
            f"poisson_spikes needs finite rates >= 0 of shape (N, T, F). Received: shape={values.shape}, "
            f"least {values.min() if values.size else None}"
        )
    spikes = np.empty((len(values), values.shape[1] * steps, values.shape[2]), "float32")
    for n, row in enumerate(-np.expm1(-values)):
        generator = np.random.Generator(np.random.Philox(derive_seed(seed, salt, n)))
        spikes[n] = generator.random(spikes.shape[1:]) < np.repeat(row, steps, axis=0)
    return spikes
