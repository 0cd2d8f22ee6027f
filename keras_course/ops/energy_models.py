"""Energies as densities: what training contrasts, how concepts combine, and log Z where a grid reaches.

    p(x) = exp(-E(x)) / Z
    contrast      c_i = E(x_i) - mean_j E(x'_j),  x' ~ p and held fixed:  d mean_i c_i = -d mean_i log p(x_i)
    penalty       alpha (E(x_i)^2 + mean_j E(x'_j)^2)                      keeps energies near 0
    conjunction   E(x) = sum_k E_k(x)                        exp(-E) = prod_k exp(-E_k)
    disjunction   E(x) = -log sum_k exp(-E_k(x))             exp(-E) = sum_k exp(-E_k)
    negation      E(x) = E_kept(x) - alpha E_negated(x)      exp(-E) = exp(-E_kept) / exp(-E_negated)^alpha
    grid          log Z = log sum_x exp(-E(x)) + log(volume of a cell)

Conventions that bite. Low energy is high density: the minus is in exp(-E). A disjunction weighs its concepts by their
Z_k, which energies learned apart do not share. A negation has no density unless E_kept grows faster than
alpha E_negated.
"""

from __future__ import annotations

import math
from typing import Any

from keras import ops

from keras_course.ops.floating import as_floating

__all__ = [
    "conjunction_energy",
    "disjunction_energy",
    "energy_contrast",
    "energy_penalty",
    "grid_log_partition",
    "negation_energy",
]


def energy_contrast(data: Any, model: Any) -> Any:
    """How much higher the energies of data are than those of samples of the model, row by row.

    c_i = E(x_i) - mean_j E(x'_j)

    Its mean has the gradient of -mean log p(x_i) by the parameters where x' are samples of p that do not move with
    them. Its value is no likelihood: it is about 0 wherever the samples cannot be told from the data.

    Args:
        data: tensor (B,), energies of data.
        model: tensor (N,), energies of samples.

    Returns:
        Tensor (B,), nats.

    Example:
        >>> energy_contrast([1.0, 2.0], [0.0, 1.0]).numpy().tolist()
        [0.5, 1.5]

    Source: C 17.3, R; Du and Mordatch 2019.
    """
    data = as_floating(data)
    return data - ops.mean(as_floating(model, data.dtype))


def energy_penalty(data: Any, model: Any) -> Any:
    """Squared energies of data and samples, which the contrast leaves free to drift together.

    E(x_i)^2 + mean_j E(x'_j)^2

    Args:
        data: tensor (B,), energies of data.
        model: tensor (N,), energies of samples.

    Returns:
        Tensor (B,).

    Example:
        >>> energy_penalty([1.0, 2.0], [0.0, 2.0]).numpy().tolist()
        [3.0, 6.0]

    Source: Du and Mordatch 2019.
    """
    data = as_floating(data)
    return ops.square(data) + ops.mean(ops.square(as_floating(model, data.dtype)))


def conjunction_energy(energies: Any) -> Any:
    """All concepts at once: the product of their densities.

    E = sum_k E_k

    Args:
        energies: tensor (..., K), a concept a column.

    Returns:
        Tensor (...).

    Example:
        >>> conjunction_energy([[1.0, 2.5]]).numpy().tolist()
        [3.5]

    Source: R; Du, Li and Mordatch 2020.
    """
    return ops.sum(as_floating(energies), axis=-1)


def disjunction_energy(energies: Any) -> Any:
    """Any of the concepts: the sum of their unnormalised densities. Over the classes of E(x, y): the energy of x.

    E = -log sum_k exp(-E_k)

    Args:
        energies: tensor (..., K), a concept a column.

    Returns:
        Tensor (...).

    Example:
        >>> round(float(disjunction_energy([0.0, 0.0])), 6)  # -log 2
        -0.693147

    Source: R; Du, Li and Mordatch 2020; Grathwohl et al. 2020.
    """
    return -ops.logsumexp(-as_floating(energies), axis=-1)


def negation_energy(kept: Any, negated: Any, strength: Any = 1.0) -> Any:
    """One concept without the other: the quotient of their densities.

    E = E_kept - alpha E_negated

    Args:
        kept: tensor (...), energy of the concept that has to hold.
        negated: tensor (...), energy of the concept that must not.
        strength: number alpha >= 0.

    Returns:
        Tensor (...).

    Example:
        >>> float(negation_energy(2.0, 3.0, 0.5))
        0.5

    Source: R; Du, Li and Mordatch 2020.
    """
    kept = as_floating(kept)
    return kept - as_floating(strength, kept.dtype) * as_floating(negated, kept.dtype)


def grid_log_partition(energies: Any, cell: float) -> Any:
    """log Z by the sum over a regular grid that reaches to where exp(-E) is nothing.

    log Z = log sum_x exp(-E(x)) + log cell

    For smooth densities the sum converges faster than any power of the spacing.

    Args:
        energies: tensor of any shape, E at the points.
        cell: number > 0, the volume of a cell: product of the spacings.

    Returns:
        Scalar tensor, nats.

    Example:
        >>> x = ops.linspace(-8.0, 8.0, 101)
        >>> round(float(grid_log_partition(x**2 / 2, 0.16)), 5)  # log(2 pi) / 2
        0.91894

    Source: C 17.3.
    """
    return ops.logsumexp(-as_floating(energies)) + math.log(cell)
